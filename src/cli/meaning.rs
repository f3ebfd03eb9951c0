//! What the typed words mean, once they are taken together: the plan, the outputs, the thresholds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Options, TypedCommand, TypedFreeze, TypedSeverity};
use crate::capture::plan::CapturePlan;
use crate::commands::{Command, Settings};
use crate::error::Error;
use crate::report::output::{Destination, Format, Output};
use crate::rules::finding::Severity;
use crate::rules::threshold::Thresholds;
use crate::target::freeze::FreezeMode;

/// How long `attach` watches unless told.
const ATTACH_DURATION: Duration = Duration::from_secs(10);
/// How often `run` takes a snapshot unless told.
const RUN_INTERVAL: Duration = Duration::from_secs(10);

pub(super) fn meaning(typed: TypedCommand) -> Result<Command, Error> {
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
        redact: options.redact,
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

/// The outputs, each with its format: a file's by its name; `-f` is for those whose name tells none.
fn outputs(options: &Options) -> Result<Vec<Output>, Error> {
    let mut paths = options.output.clone();
    if paths.is_empty() && options.format.is_some() {
        paths.push(PathBuf::from("-"));
    }
    refuse_contradiction(&paths, options.format)?;
    let mut outputs: Vec<Output> = Vec::new();
    for path in paths {
        let format = Format::of_path(&path)
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

/// When every name tells its format, `-f` has nothing to say; one that says otherwise is a slip.
fn refuse_contradiction(paths: &[PathBuf], typed: Option<Format>) -> Result<(), Error> {
    let Some(typed) = typed.filter(|_| paths.iter().all(|path| Format::of_path(path).is_some())) else {
        return Ok(());
    };
    match paths.iter().find(|path| Format::of_path(path) != Some(typed)) {
        Some(path) => Err(usage(
            &format!("'{}' does not fit -f {}", path.display(), typed.name()),
            &format!(
                "let the name end in .{}, or leave -f out: it is for `-o -` and for names that tell no format",
                typed.name()
            ),
        )),
        None => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use super::super::{Refusal, understand};
    use super::*;

    fn meant(words: &str) -> Command {
        let words = ["pymemscope"].into_iter().chain(words.split(' ')).map(OsString::from);
        understand(words).unwrap_or_else(|refusal| panic!("{refusal:?}"))
    }

    fn settings_of(words: &str) -> Settings {
        match meant(words) {
            Command::Attach { settings, .. } | Command::Run { settings, .. } => settings,
            Command::Rules { .. } => panic!("no capture"),
        }
    }

    fn outputs_of(words: &str) -> Vec<(String, Format)> {
        let name = |output: Output| match output.destination {
            Destination::Stdout => ("-".to_owned(), output.format),
            Destination::File(path) => (path.to_str().unwrap().to_owned(), output.format),
        };
        settings_of(words).outputs.into_iter().map(name).collect()
    }

    #[test]
    fn attach_takes_ten_seconds_unless_told() {
        let seconds = |words: &str| settings_of(words).plan.duration.map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("attach 7"), Some(10.0));
        assert_eq!(seconds("attach -p 7 -d 0"), Some(0.0));
        assert_eq!(seconds("attach 7 --duration 0.5"), Some(0.5));
        assert_eq!(seconds("run app.py"), None);
        assert_eq!(settings_of("run app.py").plan.interval, Some(RUN_INTERVAL));
        assert_eq!(settings_of("run -d 0 app.py").plan.interval, None);
        assert_eq!(settings_of("attach 7").plan.interval, None);
    }

    #[test]
    fn nonblocking_is_freeze_none() {
        assert_eq!(settings_of("attach 7").plan.freeze, FreezeMode::Auto);
        assert_eq!(settings_of("attach 7 --nonblocking").plan.freeze, FreezeMode::None);
        assert_eq!(settings_of("attach 7 --freeze stop").plan.freeze, FreezeMode::Stop);
    }

    #[test]
    fn options_of_run_end_where_the_program_begins() {
        let program = |words: &str| match meant(words) {
            Command::Run { program, settings } => {
                let words: Vec<String> = program.into_iter().map(|word| word.into_string().unwrap()).collect();
                (words.join(" "), settings.plan.duration)
            }
            other => panic!("{other:?}"),
        };
        let five = Some(Duration::from_secs(5));
        assert_eq!(
            program("run -d 5 -- python3 app.py -d 9"),
            ("python3 app.py -d 9".to_owned(), five)
        );
        assert_eq!(
            program("run -d 5 python3 app.py -d 9 -j"),
            ("python3 app.py -d 9 -j".to_owned(), five)
        );
        assert_eq!(
            program("run -d 5 -m http.server -d 9"),
            ("-m http.server -d 9".to_owned(), five)
        );
        assert_eq!(
            program("run -d 5 -c pass --force"),
            ("-c pass --force".to_owned(), five)
        );
        assert_eq!(program("run -- -m http.server"), ("-m http.server".to_owned(), None));
        assert_eq!(program("run python3 -- x"), ("python3 -- x".to_owned(), None));
    }

    #[test]
    fn formats_come_from_names_and_from_f_where_names_are_silent() {
        let file = |name: &str, format| (name.to_owned(), format);
        assert_eq!(outputs_of("attach 7"), []);
        assert_eq!(
            outputs_of("attach 7 -o a.svg -o b.JSON"),
            [file("a.svg", Format::Svg), file("b.JSON", Format::Json)]
        );
        assert_eq!(
            outputs_of("attach 7 -j -o a.svg"),
            [file("a.svg", Format::Svg), file("-", Format::Json)]
        );
        assert_eq!(outputs_of("attach 7 -f svg"), [file("-", Format::Svg)]);
        assert_eq!(
            outputs_of("attach 7 -f json -o - -o a.svg"),
            [file("-", Format::Json), file("a.svg", Format::Svg)]
        );
        assert_eq!(outputs_of("attach 7 -f json -o heap"), [file("heap", Format::Json)]);
        assert_eq!(outputs_of("attach 7 -f svg -o a.svg"), [file("a.svg", Format::Svg)]);
    }

    #[test]
    fn thresholds_and_the_failing_level_are_taken() {
        let settings = settings_of("attach 7 --fail-on warning --threshold growing-container.items=5");
        assert_eq!(settings.fail_on, Some(Severity::Warning));
        assert_eq!(settings.thresholds.of(&crate::rules::growing_container::ITEMS), 5);
        let refused = understand(["pymemscope", "attach", "7", "--threshold", "x"].map(OsString::from));
        assert!(matches!(refused, Err(Refusal::Senseless(Error::Usage { .. }))));
    }
}
