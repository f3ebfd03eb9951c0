//! Patterns of what is held more often, or longer, than it has to be: copies, open files and sockets.

#[path = "patterns/examples.rs"]
mod examples;
mod interpreters;
mod profiler;
mod programs;

use std::fs;

use examples::{Expected, assert_comes_true, assert_comes_true_on, looked_at, start};
use interpreters::for_each_interpreter;
use profiler::{findings, report};
use programs::Program;
use serde_json::Value;

#[test]
fn needless_copy() {
    assert_comes_true(&Expected {
        rule: "needless-copy",
        path: "__main__.ARTICLES",
        type_name: "builtins.list",
        location: None,
        confidence: "likely",
    });
}

/// Copies of every kind, and contents that are equal without being copies.
const COPIES: &str = r#"
import collections, copy, sys

class Node:
    def __init__(self, number):
        self.name = 'node %d' % number
        self.links = [number * 1000 + 7, 'link %d' % number, {'weight': number + 0.5}]

class Holder:
    pass

PRICES = {'price %d' % number: number + 0.5 for number in range(40_000)}
SEEN = {'visitor %d' % number for number in range(40_000)}
RECENT = collections.deque(str(number) for number in range(80_000))
TREE = [Node(number) for number in range(5_000)]

HOLDER = Holder()
HOLDER.prices = dict(PRICES)
HOLDER.seen = set(SEEN)
HOLDER.recent = collections.deque(RECENT)
HOLDER.tree = copy.deepcopy(TREE)

ZEROS = [[0] * 300_000 for _ in range(2)]
NAMES = [['name %d' % number for number in range(100_000)] for _ in range(2)]
NEW = [[{'state': 'new', 'count': 0} for _ in range(5_000)] for _ in range(2)]
CHANGED = [dict(PRICES, number=number) for number in range(2)]
print('ready', flush=True)
sys.stdin.readline()
"#;

#[test]
fn copies_are_told_from_what_is_equal() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", COPIES]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        let found = findings(&report, "needless-copy");
        let text = |finding: &Value, place: &str| finding.pointer(place).and_then(Value::as_str).map(str::to_owned);
        let mut of_path = Vec::new();
        for finding in found {
            let paths = text(finding, "/evidence/paths").unwrap_or_default();
            assert!(paths.contains("__main__.HOLDER."), "{finding:#}");
            assert_eq!(finding["evidence"]["containers"], 2, "{finding:#}");
            assert_eq!(finding["confidence"], "likely", "{finding:#}");
            of_path.push(text(finding, "/object/path"));
        }
        of_path.sort_unstable();
        let expected =
            ["__main__.PRICES", "__main__.RECENT", "__main__.SEEN", "__main__.TREE"].map(|path| Some(path.to_owned()));
        assert_eq!(of_path, expected, "{:#}", report["findings"]);
    });
}

#[test]
fn unclosed_resource() {
    for_each_interpreter(|python| {
        assert_comes_true_on(
            python,
            &Expected {
                rule: "unclosed-resource",
                path: "__main__.FILES",
                type_name: "builtins.list",
                location: None,
                confidence: "likely",
            },
        );
        // What it counts are descriptors that the second program does not have.
        let [before, after] = ["before.py", "after.py"].map(|file| {
            let program = start(python, "unclosed-resource", file);
            fs::read_dir(format!("/proc/{}/fd", program.pid())).unwrap().count()
        });
        let report = looked_at(python, "unclosed-resource", "before.py");
        let found = findings(&report, "unclosed-resource");
        assert_eq!(found[0]["evidence"]["descriptors"], before - after, "{found:#?}");
    });
}

/// Files, sockets and the like: left open in many places, and in order in others.
const OPEN: &str = r#"
import gc, mmap, os, queue, select, selectors, socket, sqlite3, sys, tempfile

gc.disable()

class Reader:
    def __init__(self, close):
        self.file = open(os.devnull)
        self.myself = self
        if close:
            self.file.close()

for number in range(12):
    Reader(close=False)
for number in range(30):
    Reader(close=True)

SOCKETS = [socket.socket() for _ in range(110)]
WAITED_FOR, SELECTOR = [socket.socket() for _ in range(110)], selectors.DefaultSelector()
for each in WAITED_FOR:
    SELECTOR.register(each, selectors.EVENT_READ)
TEMPORARY = {number: tempfile.NamedTemporaryFile() for number in range(105)}
FEW = [open(os.devnull) for _ in range(20)]
EPOLL, POLLED = select.epoll(), [socket.socket() for _ in range(110)]
for each in POLLED:
    EPOLL.register(each, select.EPOLLIN)
POOL = queue.LifoQueue(maxsize=120)
for _ in range(120):
    POOL.put(socket.socket())

class Client:
    def __init__(self):
        self.ours, self.theirs = socket.socketpair()

CLIENTS = [Client() for _ in range(60)]
CONNECTIONS = {number: sqlite3.connect(':memory:') for number in range(102)}
for connection in CONNECTIONS.values():
    connection.execute('select 1')
OVER = [sqlite3.connect(':memory:') for _ in range(110)]
for connection in OVER:
    connection.close()
MAPS = [mmap.mmap(-1, 4096) for _ in range(103)]
CLOSED = [open(os.devnull) for _ in range(150)]
for file in CLOSED:
    file.close()

def serve():
    mine = [open(os.devnull) for _ in range(130)]
    print('ready', flush=True)
    sys.stdin.readline()
    return mine

serve()
"#;

#[test]
fn what_stays_open_is_told_from_what_is_in_use() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", OPEN]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        let mut found = Vec::new();
        for finding in findings(&report, "unclosed-resource") {
            let text = |place: &str| finding.pointer(place).and_then(Value::as_str).unwrap_or_default();
            let path = text("/object/path").to_owned();
            let confidence = if path.starts_with("(garbage)") {
                "certain"
            } else {
                "likely"
            };
            assert_eq!(finding["confidence"], confidence, "{finding:#}");
            let what = text("/summary").split(" open ").nth(1).unwrap_or_default();
            let what = what.split(" that ").next().unwrap_or_default().to_owned();
            // Which of the clients stands for all is of no interest.
            let path = path
                .split("CLIENTS[")
                .next()
                .map_or_else(String::new, |begin| match begin == path {
                    true => path.clone(),
                    false => format!("{begin}CLIENTS"),
                });
            found.push((path, what, finding["evidence"]["descriptors"].as_u64()));
        }
        found.sort();
        let expected = [
            ("(garbage) > __main__.Reader.file", "files", 12),
            ("__main__.CLIENTS", "sockets", 120),
            ("__main__.CONNECTIONS", "databases", 102),
            ("__main__.MAPS", "memory maps", 103),
            ("__main__.SOCKETS", "sockets", 110),
            ("__main__.TEMPORARY", "files", 105),
        ]
        .map(|(path, what, count)| (path.to_owned(), what.to_owned(), Some(count)));
        assert_eq!(found, expected, "{:#}", report["findings"]);
    });
}

/// A server with many clients, all of whose sockets are in use.
const SERVER: &str = r#"
import asyncio, sys

async def handle(reader, writer):
    writer.write(await reader.readline())
    await reader.readline()

async def main():
    server = await asyncio.start_server(handle, '127.0.0.1', 0)
    clients = []
    for _ in range(120):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b'hello\n')
        await reader.readline()
        clients.append((reader, writer))
    loop.call_soon(lambda: print('ready', flush=True))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
"#;

#[test]
fn sockets_in_use_are_no_finding() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", SERVER]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        assert_eq!(findings(&report, "unclosed-resource"), [] as [&Value; 0]);
    });
}
