//! What was typed, and what it means: clap knows the words, and nothing after this file knows clap.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::capture::plan::CapturePlan;
use crate::commands::{Command, Settings};
use crate::error::{Error, exit_code};
use crate::report::output::{Destination, Format, Output};
use crate::rules::finding::Severity;
use crate::rules::threshold::Thresholds;
use crate::target::freeze::FreezeMode;

/// How long `attach` watches unless told.
const ATTACH_DURATION: Duration = Duration::from_secs(10);
/// How often `run` takes a snapshot unless told.
const RUN_INTERVAL: Duration = Duration::from_secs(10);
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
    #[command(after_help = RUN_EXAMPLES)]
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
    /// List the documented patterns, or explain one
    Rules {
        /// The pattern to explain
        name: Option<String>,
    },
}

const ATTACH_EXAMPLES: &str = "\
Examples:
  pymemscope attach 4242                         watch for 10 seconds, then report
  pymemscope attach 4242 -d 0 -o heap.svg        one look, with a flame graph
  pymemscope attach 4242 -d 60 --interval 10 -j  seven snapshots, JSON to standard output";

const RUN_EXAMPLES: &str = "\
Examples:
  pymemscope run app.py
  pymemscope run -o heap.svg -- python3 app.py --port 8000
  pymemscope run -m http.server 8000";

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// The process to look at
    #[arg(value_name = "PID", value_parser = pid)]
    positional: Option<u32>,
    /// The process to look at
    #[arg(short, long = "pid", value_name = "PID", value_parser = pid)]
    pid: Option<u32>,
}

#[derive(Debug, Args)]
struct Options {
    /// Write to FILE as its extension says (.json, .svg), or to standard output with `-` and -f; repeatable
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// The format of an output whose name does not tell it: json or svg
    #[arg(short, long, value_parser = format)]
    format: Option<Format>,
    /// The JSON report to standard output: -f json -o -
    #[arg(short, long)]
    json: bool,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// How long to watch; 0 takes one snapshot. `attach` takes 10 unless told, `run` watches until the end
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    duration: Option<Duration>,
    /// Take snapshots this often between the first and the last
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    interval: Option<Duration>,
    /// How the program is held still: a copy of it is made (fork), it is stopped while it is read (stop), or not at all
    #[arg(long, value_enum, default_value_t = TypedFreeze::Auto, value_name = "HOW")]
    freeze: TypedFreeze,
    /// Never stop the program, at the price of figures that may be torn: --freeze none
    #[arg(long, conflicts_with = "freeze")]
    nonblocking: bool,
    /// What an SVG shows
    #[arg(long, value_parser = graph, default_value = "ownership", value_name = "WHAT")]
    graph: TypedGraph,
    /// Exit with 3 when there are findings of this severity or a higher one
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<TypedSeverity>,
    /// Set a rule's threshold; `pymemscope rules NAME` lists them. Repeatable
    #[arg(long, value_name = "RULE.NAME=VALUE")]
    threshold: Vec<String>,
    /// Rows in the table of types
    #[arg(long, default_value_t = 15, value_name = "ROWS")]
    top: usize,
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
    meaning(typed.command).map_err(Refusal::Senseless)
}

fn meaning(typed: TypedCommand) -> Result<Command, Error> {
    match typed {
        TypedCommand::Attach { target, options } => {
            let pid = target
                .pid
                .or(target.positional)
                .ok_or_else(|| usage("no PID was given", "pymemscope attach PID"))?;
            let duration = Some(options.duration.unwrap_or(ATTACH_DURATION));
            let plan = plan(&options, duration, options.interval)?;
            Ok(Command::Attach {
                pid,
                settings: settings(options, plan)?,
            })
        }
        TypedCommand::Run { options, program } => {
            refuse_unknown_option(&program)?;
            let interval = options.interval.unwrap_or(RUN_INTERVAL);
            let once = options.duration.is_some_and(|duration| duration.is_zero());
            let plan = plan(
                &options,
                options.duration,
                if once { options.interval } else { Some(interval) },
            )?;
            Ok(Command::Run {
                program,
                settings: settings(options, plan)?,
            })
        }
        TypedCommand::Rules { name } => Ok(Command::Rules { name }),
    }
}

/// clap takes any word that it does not know for the program's; one that looks like an option is a slip.
fn refuse_unknown_option(program: &[OsString]) -> Result<(), Error> {
    let first = program.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    if first.starts_with('-') && !first.starts_with("-m") && !first.starts_with("-c") {
        let hint = "`pymemscope run --help` lists the options; the program's own come after its name";
        return Err(usage(&format!("there is no option '{first}'"), hint));
    }
    Ok(())
}

fn plan(options: &Options, duration: Option<Duration>, interval: Option<Duration>) -> Result<CapturePlan, Error> {
    if interval.is_some_and(|interval| interval.is_zero()) {
        return Err(usage(
            "an interval of 0 seconds would take snapshots without end",
            "give --interval a longer time",
        ));
    }
    if interval.is_some() && duration.is_some_and(|duration| duration.is_zero()) {
        return Err(usage(
            "-d 0 takes one snapshot, which leaves no room for --interval",
            "leave one of them out",
        ));
    }
    let freeze = match options.freeze {
        _ if options.nonblocking => FreezeMode::None,
        TypedFreeze::Auto => FreezeMode::Auto,
        TypedFreeze::Fork => FreezeMode::Fork,
        TypedFreeze::Stop => FreezeMode::Stop,
        TypedFreeze::None => FreezeMode::None,
    };
    Ok(CapturePlan {
        duration,
        interval,
        freeze,
    })
}

fn settings(options: Options, plan: CapturePlan) -> Result<Settings, Error> {
    let mut thresholds = Thresholds::default();
    for typed in &options.threshold {
        thresholds
            .set(typed)
            .map_err(|what| usage(&what, "`pymemscope rules NAME` lists a rule's thresholds"))?;
    }
    let fail_on = options.fail_on.map(|level| match level {
        TypedSeverity::Info => Severity::Info,
        TypedSeverity::Warning => Severity::Warning,
        TypedSeverity::Error => Severity::Error,
    });
    Ok(Settings {
        plan,
        outputs: outputs(&options)?,
        force: options.force,
        thresholds,
        fail_on,
        top: options.top,
    })
}

/// The outputs, each with its format. `-f` is for those whose name tells none; when every name does, it overrules them.
fn outputs(options: &Options) -> Result<Vec<Output>, Error> {
    let mut paths = options.output.clone();
    if paths.is_empty() && options.format.is_some() {
        paths.push(PathBuf::from("-"));
    }
    let told_by_names = paths.iter().all(|path| Format::of_path(path).is_some());
    let overruling = if told_by_names { options.format } else { None };
    let mut outputs: Vec<Output> = Vec::new();
    for path in paths {
        let format = overruling
            .or_else(|| Format::of_path(&path))
            .or(options.format)
            .ok_or_else(|| no_format(&path))?;
        outputs.push(Output {
            destination: destination(path),
            format,
        });
    }
    if options.json {
        outputs.push(Output {
            destination: Destination::Stdout,
            format: Format::Json,
        });
    }
    for (index, output) in outputs.iter().enumerate() {
        if outputs[..index]
            .iter()
            .any(|earlier| earlier.destination == output.destination)
        {
            return Err(usage(
                "two outputs have the same name",
                "give each -o a name of its own; -j writes to `-`",
            ));
        }
    }
    Ok(outputs)
}

fn destination(path: PathBuf) -> Destination {
    if path == Path::new("-") {
        Destination::Stdout
    } else {
        Destination::File(path)
    }
}

fn no_format(path: &Path) -> Error {
    let names = Format::ALL.map(Format::name).join(", ");
    if path == Path::new("-") {
        return usage("`-o -` needs a format", &format!("give one with -f: {names}"));
    }
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    let what = if Format::LATER.contains(&extension) {
        format!("'{}': the format {extension} is not available yet", path.display())
    } else {
        format!("'{}': the name does not tell the format", path.display())
    };
    usage(
        &what,
        &format!(
            "let it end in .{}, or give a format with -f",
            Format::ALL.map(Format::name).join(" or .")
        ),
    )
}

fn usage(what: &str, hint: &str) -> Error {
    Error::Usage {
        what: what.to_owned(),
        hint: hint.to_owned(),
    }
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

fn format(typed: &str) -> Result<Format, String> {
    let names = Format::ALL.map(Format::name).join(", ");
    Format::named(typed).ok_or_else(|| {
        let why = if Format::LATER.contains(&typed) {
            "is not available yet"
        } else {
            "is unknown"
        };
        format!("the format {why}; there are {names}")
    })
}

fn graph(typed: &str) -> Result<TypedGraph, String> {
    match typed {
        "ownership" => Ok(TypedGraph::Ownership),
        "types" | "allocation" => Err("the graph is not available yet; there is ownership".to_owned()),
        _ => Err("the graph is unknown; there is ownership".to_owned()),
    }
}
