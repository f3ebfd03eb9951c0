//! What the help of each command says below its options.

pub const ATTACH: &str = "\
A snapshot is taken at once and another one when the duration is over; what grew between them is shown. --interval takes \
more on the way: several intervals tell a trend from data that is loaded once. The program goes on meanwhile; how long \
each snapshot held it up stands in the report.

In place of a pid there may be a core file, packed or not; of that there is one look. Executables and libraries that the \
program had mapped are read too, and must be the same files.

Ctrl-C, SIGTERM or SIGHUP ends the watching early, with a last snapshot and a report; a second one ends pymemscope at once.

The exit code is 0, 1 when it failed, 2 for a command that makes no sense, 3 for findings with --fail-on.

Examples:
  pymemscope attach 4242                         watch for 10 seconds, then report
  pymemscope attach 4242 -d 0 -o heap.svg        one look, with a flame graph
  pymemscope attach 4242 -d 60 --interval 10 -j  seven snapshots, JSON to standard output
  pymemscope attach 4242 -o heap.pb.gz           for pprof; .speedscope.json and .collapsed for other tools
  pymemscope attach core.4242.zst                a program that is dead, by its core
  pymemscope attach core --sysroot ./container   the same, with the files of another machine or container";

pub const SNAPSHOT: &str = "\
The folder holds names and short keys of the program's data, no other values but with --values; it is readable by its \
owner alone.

Examples:
  pymemscope snapshot 4242 -o heap.pms
  pymemscope report heap.pms -o heap.svg
  duckdb -c \"select type, count(*), sum(bytes) from 'heap.pms/objects.parquet' group by 1 order by 3 desc limit 10\"";
pub const DIFF: &str = "\
Of one process, an object is the same when it has its address and its type: New are those that only the later heap has, \
Gone those that only the earlier one had. Of different processes, owners are followed by their paths.

An .svg draws the later heap, red where it has grown and blue where it has shrunk; what is gone has no width there, and \
is drawn by `diff NEW OLD`.

Examples:
  pymemscope snapshot 4242 -o before.pms
  pymemscope snapshot 4242 -o after.pms
  pymemscope diff before.pms after.pms
  pymemscope diff before.pms after.pms -o what.svg --graph types";

pub const EXPORT: &str = "\
A .heapsnapshot opens in the memory panel of Chrome's developer tools (Load profile) and in memlab; a .dot with the 60 \
objects that retain most is for Graphviz. What flame graphs show goes to speedscope (.speedscope.json), pprof (.pb.gz) and \
whatever reads folded stacks (.collapsed).

Examples:
  pymemscope export heap.pms -o heap.heapsnapshot
  pymemscope export heap.pms -o heap.speedscope.json --graph ownership
  pymemscope export run.pms -o peak.pb.gz --weight peak
  pymemscope export heap.pms -f dot | dot -Tsvg > heap.svg";

pub const PATHS: &str = "\
Each line is a chain of references, in Python terms, from what lives by itself - a module, a thread - to the objects; the \
one that is easiest to understand comes first, and chains that look alike are one. Beneath stands what every chain \
passes: the objects go with any of these.

Examples:
  pymemscope paths 4242 --type shop.models.Order         who holds the orders
  pymemscope paths 4242 --address 0x7f31c0de             who holds this object, what it holds, and what it reaches
  pymemscope paths 4242 --type shop.Cart --refs -o cart.svg   a drawing of what carts hold
  pymemscope paths heap.pms --type shop.models.Order     the same of a heap that `snapshot` saved";

pub const RUN: &str = "\
A snapshot is taken when the interpreter has started, then every 10 seconds or as --interval says, and the last one when \
the interpreter begins to shut down, where the program stands still until it is read, with --freeze none too. One that \
ends without that, by os._exit or a signal, is reported from the snapshot before.

-d ends the watching and reports; the program runs on, and is waited for. -d 0 takes the last snapshot only.

Ctrl-C is the program's. The first one also takes a snapshot at once; a second one ends the watching as -d does. A \
SIGTERM or SIGHUP is passed on to the program.

The exit code is the program's own, 128 and the signal's number when a signal ended it; 127 or 126 when it could not be \
started; 3 for findings with --fail-on; 1 when it ended with 0 and nothing of it could be read.

Examples:
  pymemscope run app.py
  pymemscope run -o heap.svg -- python3 app.py --port 8000
  pymemscope run -o run.pms -o run.timeline.svg -- python3 app.py   what was recorded, kept; memory over time
  pymemscope run --lines shop/report.py app.py                      memory by line, beside the source
  pymemscope run --by function --cumulative --include 'shop/*' app.py
  pymemscope run -m http.server 8000";
