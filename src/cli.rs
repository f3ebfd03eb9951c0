//! What was typed, as clap takes it: the words, their forms and their help. What they mean stands in `meaning`, and
//! nothing beyond knows clap.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use self::chosen::{Asking, Choosing, TypedDivision};
use self::recording::Recording;
use self::words::{address, format, graph, pid, rate, seconds, weight, word};
use crate::capture::plan::Graph;
use crate::commands::Command;
use crate::error::{Error, exit_code};
use crate::report::difference::DifferenceFormat;
use crate::report::explanation::output::ExplanationFormat;
use crate::report::export::ExportFormat;
use crate::report::output::Format;
use crate::report::picture::Weight;

mod chosen;
mod drawings;
mod examples;
mod meaning;
mod outputs;
mod plans;
mod pyproject;
mod questions;
mod recording;
mod words;

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
    /// Look at a program that runs, or at the core of one that is dead
    #[command(after_help = examples::ATTACH)]
    Attach {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        watching: Watching,
        #[command(flatten)]
        showing: Showing,
    },
    /// Start a program and look at it until it ends
    #[command(after_help = examples::RUN, override_usage = "pymemscope run [OPTIONS] [--] PROGRAM [ARGUMENT]...")]
    Run {
        #[command(flatten)]
        watching: Watching,
        #[command(flatten)]
        recording: Recording,
        #[command(flatten)]
        choosing: Choosing,
        #[command(flatten)]
        asking: Asking,
        #[command(flatten)]
        showing: Showing,
        /// The program and its arguments; a script, `-m module` or `-c code` is started with the Python on PATH
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "PROGRAM"
        )]
        program: Vec<OsString>,
    },
    /// Save the heap of a program that runs, to look at it later or elsewhere
    #[command(after_help = examples::SNAPSHOT)]
    Snapshot {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        freezing: Freezing,
        /// The folder to write; it holds the heap as Parquet tables
        #[arg(short, long, value_name = "FOLDER", required = true)]
        output: PathBuf,
        /// Leave the tables of tracemalloc alone where the program has it on
        #[arg(long)]
        no_tracemalloc: bool,
        /// Save the values of texts, bytes and numbers too, up to 200 characters of each: they are data of the program
        #[arg(long, conflicts_with = "redact")]
        values: bool,
        /// Replace a snapshot that exists
        #[arg(long)]
        force: bool,
    },
    /// Show a saved heap as `attach` shows a live one
    Report {
        /// The folder that `snapshot` or `run` wrote
        folder: PathBuf,
        #[command(flatten)]
        choosing: Choosing,
        #[command(flatten)]
        asking: Asking,
        #[command(flatten)]
        showing: Showing,
    },
    /// Say what grew, what appeared and what went between two saved heaps
    #[command(after_help = examples::DIFF)]
    Diff {
        /// The folder of the earlier snapshot
        old: PathBuf,
        /// The folder of the later snapshot
        new: PathBuf,
        #[command(flatten)]
        options: DiffOptions,
    },
    /// Write a saved heap in the form of another tool
    #[command(after_help = examples::EXPORT)]
    Export {
        /// The folder that `snapshot` wrote
        folder: PathBuf,
        #[command(flatten)]
        options: ExportOptions,
    },
    /// Say why objects are alive: the chains of references from modules and threads to a type or an address
    #[command(after_help = examples::PATHS)]
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

/// What is looked at.
#[derive(Debug, Args)]
struct Target {
    #[command(flatten)]
    word: TargetWord,
    /// For a core from another machine or container: the folder that holds the files which the program had mapped, by
    /// their whole paths or by their names alone
    #[arg(long, value_name = "DIR")]
    sysroot: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct TargetWord {
    /// The id of the process to look at, or the core file of one that is dead, packed (gzip, zstd, xz, lz4) or not. Files
    /// whose names are numbers are written as ./4242
    #[arg(value_name = "PID|PATH", value_parser = OsStringValueParser::new().try_map(word))]
    positional: Option<TypedSource>,
    /// The id of the process, as an option
    #[arg(short, long = "pid", value_name = "PID", value_parser = pid)]
    pid: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TypedSource {
    Pid(u32),
    File(PathBuf),
}

/// When a program is looked at.
#[derive(Debug, Args)]
struct Watching {
    /// How long to watch; 0 takes one snapshot. `attach` takes 10 unless told, `run` watches until the end
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    duration: Option<Duration>,
    /// Take snapshots this often between the first and the last
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    interval: Option<Duration>,
    /// Leave the tables of tracemalloc alone where the program has it on. Else they say where each traced block was allocated
    #[arg(long)]
    no_tracemalloc: bool,
    /// Look at what the program makes so many times a second between the snapshots, such as 400, for the lines that made its
    /// objects; nothing is stopped for that. `possible` places may be wrong by some lines
    #[arg(short, long, value_name = "LOOKS", value_parser = rate, allow_negative_numbers = true)]
    rate: Option<NonZeroU32>,
    #[command(flatten)]
    freezing: Freezing,
}

/// How a program is looked at.
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
    /// Show keys of dicts, names of tasks and arguments of the command line, which are data of the program, as hashes. Names
    /// of the program's code stay
    #[arg(long)]
    redact: bool,
}

/// How a capture is shown and judged.
#[derive(Debug, Args)]
struct Showing {
    /// Write to FILE what its extension says: the report (.json), its findings for code scanning (.sarif), a flame graph
    /// (.svg), memory over time (.timeline.svg), what a flame graph shows for other tools (folded stacks: .collapsed, .speedscope.json, pprof: .pb.gz), or with `attach` and `run` the last snapshot as a
    /// folder (.pms). `-` is standard output, and needs -f. May be given several times
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// json, sarif, svg, timeline, collapsed, speedscope or pprof, for `-o -` and for files whose names tell none; alone, it writes
    /// to standard output
    #[arg(short, long, value_parser = format::<Format>)]
    format: Option<Format>,
    /// The JSON report to standard output: -f json -o -
    #[arg(short, long)]
    json: bool,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    drawing: Drawing,
    /// Divide all objects, on the terminal too: by the module of their type, by their size, by type with dicts by the class
    /// whose attributes they hold, or by the types that refer to them. May be given several times. JSON always has the
    /// first two. Of what was recorded, the terminal shows lines unless told: function, file or stack
    #[arg(
        long,
        value_enum,
        value_name = "module|size|owner|referrers|line|function|file|stack",
        hide_possible_values = true
    )]
    by: Vec<TypedDivision>,
    /// Exit with 3 when there are findings of this severity or a higher one
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<TypedSeverity>,
    /// Ask these rules only, with commas between them; `pymemscope rules` lists all. May be given several times
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    select: Vec<String>,
    /// Do not ask these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Set from which figure on a rule speaks; `pymemscope rules NAME` lists a rule's thresholds. May be given several
    /// times
    #[arg(long, value_name = "RULE.NAME=VALUE")]
    threshold: Vec<String>,
    /// How many types the terminal shows, two thirds as many sites, and half as many owners. JSON has all types and sites
    /// and the 1 000 largest owners
    #[arg(long, default_value_t = 15, value_name = "ROWS")]
    top: usize,
}

/// What flame graphs and profiles show.
#[derive(Debug, Args)]
struct Drawing {
    /// What a flame graph or a profile shows. `allocation`: the calls that made the objects, with their types on top; taken
    /// unless told where it is known what made them. `ownership`, taken elsewhere: the dominator tree, from modules and
    /// threads through names and items to types, each object under the last holder that all references to it pass. `types`:
    /// all objects by type, and by the types that refer to them
    #[arg(long, value_parser = graph, value_name = "WHAT")]
    graph: Option<Graph>,
    /// What the width of a frame is: its bytes, the count of its objects, or with `allocation` its growth, the bytes that
    /// came since the first snapshot; of what was recorded also the bytes at the peak, or in total. Speedscope and pprof
    /// always get bytes and objects
    #[arg(long, value_parser = weight, default_value = "bytes", value_name = "bytes|count|growth|peak|total")]
    weight: Weight,
}

#[derive(Debug, Args)]
struct DiffOptions {
    /// Write to FILE what its extension says: the comparison (.json), a flame graph of what has changed (.svg), or folded
    /// stacks with both figures (.collapsed). `-` is standard output, and needs -f. May be given several times
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// json, svg or collapsed, for `-o -` and for files whose names tell none; alone, it writes to standard output
    #[arg(short, long, value_parser = format::<DifferenceFormat>)]
    format: Option<DifferenceFormat>,
    /// The comparison as JSON to standard output: -f json -o -
    #[arg(short, long)]
    json: bool,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// How many types the terminal shows, and half as many owners
    #[arg(long, default_value_t = 15, value_name = "ROWS")]
    top: usize,
    #[command(flatten)]
    choosing: Choosing,
    #[command(flatten)]
    drawing: Drawing,
}

#[derive(Debug, Args)]
struct ExportOptions {
    /// Write to FILE what its extension says: .heapsnapshot, .dot, .collapsed, .speedscope.json or .pb.gz. `-` is standard
    /// output, and needs -f. May be given several times
    #[arg(short, long, value_name = "FILE", required_unless_present = "format")]
    output: Vec<PathBuf>,
    /// heapsnapshot, dot, collapsed, speedscope or pprof, for `-o -` and for files whose names tell none; alone, it writes
    /// to standard output
    #[arg(short, long, value_parser = format::<ExportFormat>)]
    format: Option<ExportFormat>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    choosing: Choosing,
    #[command(flatten)]
    drawing: Drawing,
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
    #[command(flatten)]
    freezing: Freezing,
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
    let typed = Typed::command()
        .mut_subcommand("paths", takes_folders)
        .try_get_matches_from(words);
    let typed = typed
        .and_then(|matches| Typed::from_arg_matches(&matches))
        .map_err(|answer| {
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

/// One command can be asked about a saved heap, too.
fn takes_folders(paths: clap::Command) -> clap::Command {
    paths.mut_arg("positional", |typed| {
        let help = typed.get_help().map(ToString::to_string).unwrap_or_default();
        typed.help(help + ". A saved heap is given by its folder")
    })
}
