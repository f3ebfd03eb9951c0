//! What was typed, as clap takes it: the words, their forms and their help. What they mean stands in `meaning`, and
//! nothing beyond knows clap.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::Command;
use crate::error::{Error, exit_code};
use crate::report::explanation::output::ExplanationFormat;
use crate::report::output::{FileFormat, Format, LATER};

mod meaning;
mod outputs;
mod questions;

/// Longer times are slips of the keyboard.
const LONGEST_SECONDS: f64 = 365.25 * 86400.0;

/// Sees what is in the memory of a live Python program, who keeps it, and what to change. Works from outside: nothing is
/// installed in the program and no code runs in it.
#[derive(Debug, Parser)]
#[command(name = "pymemscope", version, disable_help_subcommand = true)]
struct Typed {
    #[command(subcommand)]
    command: TypedCommand,
}

#[derive(Debug, Subcommand)]
enum TypedCommand {
    /// Look at a program that runs
    #[command(after_help = ATTACH_EXAMPLES)]
    Attach {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: Options,
    },
    /// Start a program and look at it until it ends
    #[command(after_help = RUN_EXAMPLES, override_usage = "pymemscope run [OPTIONS] [--] PROGRAM [ARGUMENT]...")]
    Run {
        #[command(flatten)]
        options: Options,
        /// The program and its arguments; a script, `-m module` or `-c code` is started with the Python on PATH
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "PROGRAM"
        )]
        program: Vec<OsString>,
    },
    /// Say why objects are alive: the chains of references from modules and threads to a type or an address
    #[command(after_help = PATHS_EXAMPLES)]
    Paths {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: PathsOptions,
    },
    /// List the documented patterns, or explain one
    Rules {
        /// The pattern to explain
        name: Option<String>,
    },
}

const ATTACH_EXAMPLES: &str = "\
A snapshot is taken at once and another one when the duration is over; what grew between them is shown. --interval takes \
more on the way: several intervals tell a trend from data that is loaded once. The program goes on meanwhile; how long \
each snapshot held it up stands in the report.

Ctrl-C, SIGTERM or SIGHUP ends the watching early, with a last snapshot and a report; a second one ends pymemscope at once.

The exit code is 0, 1 when it failed, 2 for a command that makes no sense, 3 for findings with --fail-on.

Examples:
  pymemscope attach 4242                         watch for 10 seconds, then report
  pymemscope attach 4242 -d 0 -o heap.svg        one look, with a flame graph
  pymemscope attach 4242 -d 60 --interval 10 -j  seven snapshots, JSON to standard output";

const PATHS_EXAMPLES: &str = "\
Each line is a chain of references, in Python terms, from what lives by itself - a module, a thread - to the objects; the \
one that is easiest to understand comes first, and chains that look alike are one. Beneath stands what every chain \
passes: the objects go with any of these.

Examples:
  pymemscope paths 4242 --type shop.models.Order         who holds the orders
  pymemscope paths 4242 --address 0x7f31c0de             who holds this object, what it holds, and what it reaches
  pymemscope paths 4242 --type shop.Cart --refs -o cart.svg   a drawing of what carts hold";

const RUN_EXAMPLES: &str = "\
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
  pymemscope run -m http.server 8000";

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// The id of the process to look at
    #[arg(value_name = "PID", value_parser = pid)]
    positional: Option<u32>,
    /// The same as an option
    #[arg(short, long = "pid", value_name = "PID", value_parser = pid)]
    pid: Option<u32>,
}

#[derive(Debug, Args)]
struct Options {
    /// Write to FILE what its extension says: the report (.json) or a flame graph (.svg). `-` is standard output, and
    /// needs -f. May be given several times
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// json or svg, for `-o -` and for files whose names tell neither; alone, it writes to standard output
    #[arg(short, long, value_parser = format::<Format>)]
    format: Option<Format>,
    /// The JSON report to standard output: -f json -o -
    #[arg(short, long)]
    json: bool,
    /// Show keys of dicts, names of tasks and arguments of the command line, which are data of the program, as hashes. Names
    /// of the program's code stay
    #[arg(long)]
    redact: bool,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// How long to watch; 0 takes one snapshot. `attach` takes 10 unless told, `run` watches until the end
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    duration: Option<Duration>,
    /// Take snapshots this often between the first and the last
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    interval: Option<Duration>,
    #[command(flatten)]
    freezing: Freezing,
    /// What an SVG shows. `ownership`: the bytes by who holds them, from modules and threads through names and items to
    /// types, each object once, under the first that reaches it. (`types` and `allocation` are not available yet)
    #[arg(long, value_parser = graph, default_value = "ownership", value_name = "WHAT")]
    graph: TypedGraph,
    /// Exit with 3 when there are findings of this severity or a higher one
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<TypedSeverity>,
    /// Set from which figure on a rule speaks; `pymemscope rules NAME` lists a rule's thresholds. May be given several
    /// times
    #[arg(long, value_name = "RULE.NAME=VALUE")]
    threshold: Vec<String>,
    /// How many types the terminal shows, and half as many owners. JSON has all types and the 1 000 largest owners
    #[arg(long, default_value_t = 15, value_name = "ROWS")]
    top: usize,
}

#[derive(Debug, Args)]
struct Freezing {
    /// How the program is held still: `fork` reads a copy of it, which is made in an instant; `stop` stops it until it
    /// is read; `none` never stops it, and figures may be torn; `auto` takes `fork` where that does no harm, else `stop`
    #[arg(
        long,
        value_enum,
        default_value_t = TypedFreeze::Auto,
        value_name = "HOW",
        hide_possible_values = true
    )]
    freeze: TypedFreeze,
    /// Never stop the program: --freeze none
    #[arg(long, conflicts_with = "freeze")]
    nonblocking: bool,
}

#[derive(Debug, Args)]
struct PathsOptions {
    /// Ask about all objects of this type: module.qualname, as in shop.models.Order
    #[arg(short, long = "type", value_name = "NAME")]
    type_name: Option<String>,
    /// Ask about the object at this address: what id() returns in the program, or an address from a report
    #[arg(short, long, value_name = "ADDRESS", value_parser = address)]
    address: Option<u64>,
    /// The other way: show what the objects hold instead of who holds them
    #[arg(long)]
    refs: bool,
    /// How many steps are shown: the last ones before the object, or with --refs how deep it is looked (3 unless told)
    #[arg(long, value_name = "STEPS")]
    depth: Option<u32>,
    /// Write to FILE what its extension says: the answer (.json), or a drawing (.dot for Graphviz, .svg). `-` is standard
    /// output, and needs -f. May be given several times
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// json, dot or svg, for `-o -` and for files whose names tell none; alone, it writes to standard output
    #[arg(short, long, value_parser = format::<ExplanationFormat>)]
    format: Option<ExplanationFormat>,
    /// The answer as JSON to standard output: -f json -o -
    #[arg(short, long)]
    json: bool,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// Show data of the program - keys, names of tasks, arguments - as hashes
    #[arg(long)]
    redact: bool,
    #[command(flatten)]
    freezing: Freezing,
}

/// The one graph that there is so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TypedGraph {
    Ownership,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TypedFreeze {
    Auto,
    Fork,
    Stop,
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TypedSeverity {
    Info,
    Warning,
    Error,
}

/// Why there is nothing to do.
#[derive(Debug)]
pub enum Refusal {
    /// The user was answered already, with help, the version or a usage error; the exit code is left.
    Answered(u8),
    Senseless(Error),
}

/// What the words mean, the first of which is the command's own name.
pub fn understand(words: impl IntoIterator<Item = OsString>) -> Result<Command, Refusal> {
    let typed = Typed::try_parse_from(words).map_err(|answer| {
        // Where nobody reads the answer, there is nobody to tell.
        let _ = answer.print();
        Refusal::Answered(if answer.use_stderr() {
            exit_code::USAGE
        } else {
            exit_code::DONE
        })
    })?;
    meaning::meaning(typed.command).map_err(Refusal::Senseless)
}

fn pid(typed: &str) -> Result<u32, String> {
    match typed.parse() {
        Ok(pid) if pid > 0 => Ok(pid),
        _ => Err("a process id is a number; `pgrep -af python` lists the Python programs that run".to_owned()),
    }
}

fn seconds(typed: &str) -> Result<Duration, String> {
    match typed.parse::<f64>() {
        Ok(seconds) if (0.0..=LONGEST_SECONDS).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a time is a number of seconds, up to a year: 10, 0.5".to_owned()),
    }
}

fn address(typed: &str) -> Result<u64, String> {
    let digits = typed.strip_prefix("0x").or_else(|| typed.strip_prefix("0X"));
    let address = match digits {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => typed.parse(),
    };
    address.map_err(|_| "an address is a number: 0x7f31c0de, or as id() gives it, 139852612345".to_owned())
}

fn format<F: FileFormat>(typed: &str) -> Result<F, String> {
    let names: Vec<&str> = F::ALL.iter().map(|format| format.name()).collect();
    F::named(typed).ok_or_else(|| {
        let why = if LATER.contains(&typed) {
            "is not available yet"
        } else {
            "is unknown"
        };
        format!("the format {why}; there are {}", names.join(", "))
    })
}

fn graph(typed: &str) -> Result<TypedGraph, String> {
    match typed {
        "ownership" => Ok(TypedGraph::Ownership),
        "types" | "allocation" => Err("the graph is not available yet; there is ownership".to_owned()),
        _ => Err("the graph is unknown; there is ownership".to_owned()),
    }
}
