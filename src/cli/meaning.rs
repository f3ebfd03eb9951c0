//! What the typed words mean, once they are taken together: the plan, the outputs, the thresholds.

use std::env;
use std::ffi::OsString;
use std::time::Duration;

use super::chosen::{Asking, Choosing, division, filter, view};
use super::drawings::{compared, picture, wanted};
use super::outputs::{self, outputs};
use super::plans::{freeze_mode, of_the_dead, one_look, plan};
use super::pyproject::ProjectSettings;
use super::{Freezing, Showing, Target, TypedCommand, TypedSeverity, TypedSource, questions};
use crate::capture::plan::{CapturePlan, Wanted};
use crate::capture::source::{CoreFile, Source};
use crate::commands::diff::Comparison;
use crate::commands::export::Export;
use crate::commands::{Command, Settings};
use crate::error::Error;
use crate::report::difference::DifferenceFormat;
use crate::report::output::Format;
use crate::rules::finding::Severity;
use crate::target::freeze::FreezeMode;

/// How long `attach` watches unless told.
const ATTACH_DURATION: Duration = Duration::from_secs(10);
/// How often `run` takes a snapshot unless told.
const RUN_INTERVAL: Duration = Duration::from_secs(10);

pub(super) fn meaning(typed: TypedCommand) -> Result<Command, Error> {
    match typed {
        TypedCommand::Attach {
            target,
            watching,
            showing,
        } => {
            let source = source(target, &watching.freezing, "pymemscope attach PID")?;
            let settings = settings(showing, &Choosing::default(), &Asking::default())?;
            let plan = match source {
                Source::Process(_) => {
                    let duration = Some(watching.duration.unwrap_or(ATTACH_DURATION));
                    plan(&watching, duration, watching.interval, wanted(&settings))?
                }
                Source::Core(_) => of_the_dead(&watching, wanted(&settings))?,
            };
            Ok(Command::Attach { source, plan, settings })
        }
        TypedCommand::Run {
            watching,
            recording,
            choosing,
            asking,
            showing,
            program,
        } => {
            refuse_unknown_option(&program)?;
            let interval = watching.interval.unwrap_or(RUN_INTERVAL);
            let once = watching.duration.is_some_and(|duration| duration.is_zero());
            let interval = if once { watching.interval } else { Some(interval) };
            let settings = settings(showing, &choosing, &asking)?;
            Ok(Command::Run {
                program,
                plan: plan(&watching, watching.duration, interval, wanted(&settings))?,
                sampling: recording.sampling(),
                settings,
            })
        }
        TypedCommand::Snapshot {
            target,
            freezing,
            output,
            no_tracemalloc,
            values,
            force,
        } => Ok(Command::Snapshot {
            source: source(target, &freezing, "pymemscope snapshot PID -o FOLDER")?,
            plan: CapturePlan {
                tracemalloc: !no_tracemalloc,
                wanted: Wanted { values, ..Wanted::ALL },
                ..one_look(&freezing)
            },
            folder: outputs::folder(output)?,
            force,
        }),
        TypedCommand::Report {
            folder,
            choosing,
            asking,
            showing,
        } => Ok(Command::Report {
            folder,
            settings: outputs::without_folders(settings(showing, &choosing, &asking)?)?,
        }),
        TypedCommand::Diff { old, new, options } => Ok(Command::Diff(Comparison {
            old,
            new,
            outputs: outputs(
                &options.output,
                options.format,
                options.json.then_some(DifferenceFormat::Json),
            )?,
            force: options.force,
            top: options.top,
            picture: compared(&options.drawing)?,
            filter: filter(&options.choosing),
        })),
        TypedCommand::Export { folder, options } => Ok(Command::Export(Export {
            folder,
            outputs: outputs(&options.output, options.format, None)?,
            force: options.force,
            picture: picture(&options.drawing)?,
            filter: filter(&options.choosing),
        })),
        TypedCommand::Paths { target, options } => questions::meaning(target, options),
        TypedCommand::Rules { name } => Ok(Command::Rules { name }),
    }
}

/// What is looked at.
pub(super) fn source(target: Target, freezing: &Freezing, example: &str) -> Result<Source, Error> {
    let typed = target.word.pid.map(TypedSource::Pid).or(target.word.positional);
    match typed.ok_or_else(|| usage("no PID was given", example))? {
        TypedSource::Pid(_) if target.sysroot.is_some() => Err(usage(
            "--sysroot is for core files: those of a process are found where it finds them itself",
            "leave it out",
        )),
        TypedSource::Pid(pid) => Ok(Source::Process(pid)),
        TypedSource::File(_) if target.sysroot.as_ref().is_some_and(|folder| !folder.is_dir()) => Err(usage(
            "--sysroot names no folder",
            "give the folder that holds the files which the program had mapped",
        )),
        TypedSource::File(_) if freeze_mode(freezing) != FreezeMode::Auto => Err(usage(
            "a core file is of a program that is dead: there is nothing to hold still",
            "leave out --freeze and --nonblocking",
        )),
        TypedSource::File(path) => Ok(Source::Core(CoreFile {
            path,
            sysroot: target.sysroot,
        })),
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

fn settings(options: Showing, choosing: &Choosing, asking: &Asking) -> Result<Settings, Error> {
    let judging = judging(&options)?;
    let (folders, files) = outputs::folders(options.output)?;
    Ok(Settings {
        folders,
        outputs: outputs(&files, options.format, options.json.then_some(Format::Json))?,
        force: options.force,
        thresholds: judging.thresholds,
        selection: judging.selection,
        fail_on: judging.fail_on,
        top: options.top,
        picture: picture(&options.drawing)?,
        view: view(choosing, asking, &options.by)?,
        by: options.by.into_iter().filter_map(division).collect(),
    })
}

/// What the project says, and above it what was typed.
fn judging(options: &Showing) -> Result<ProjectSettings, Error> {
    let mut judging = match env::current_dir() {
        Ok(here) => ProjectSettings::of_directory(&here)?,
        // Where there is no directory any more, there is no project.
        Err(_) => ProjectSettings::default(),
    };
    for typed in &options.threshold {
        let set = judging.thresholds.set(typed);
        set.map_err(|what| usage(&what, "`pymemscope rules NAME` lists a rule's thresholds"))?;
    }
    let unknown = |what: String| usage(&what, "`pymemscope rules` lists all rules");
    if !options.select.is_empty() {
        let names = options.select.iter().map(String::as_str);
        judging.selection.select(names).map_err(unknown)?;
    }
    let names = options.ignore.iter().map(String::as_str);
    judging.selection.ignore(names).map_err(unknown)?;
    judging.fail_on = options.fail_on.map(severity).or(judging.fail_on);
    Ok(judging)
}

fn severity(typed: TypedSeverity) -> Severity {
    match typed {
        TypedSeverity::Info => Severity::Info,
        TypedSeverity::Warning => Severity::Warning,
        TypedSeverity::Error => Severity::Error,
    }
}

pub(super) fn usage(what: &str, hint: &str) -> Error {
    Error::Usage {
        what: what.to_owned(),
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::{Refusal, understand};
    use super::*;

    fn meant(words: &str) -> Command {
        let words = ["pymemscope"].into_iter().chain(words.split(' ')).map(OsString::from);
        understand(words).unwrap_or_else(|refusal| panic!("{refusal:?}"))
    }

    fn settings_of(words: &str) -> Settings {
        match meant(words) {
            Command::Attach { settings, .. } | Command::Run { settings, .. } => settings,
            other => panic!("{other:?}"),
        }
    }

    fn plan_of(words: &str) -> CapturePlan {
        match meant(words) {
            Command::Attach { plan, .. } | Command::Run { plan, .. } => plan,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn attach_takes_ten_seconds_unless_told() {
        let seconds = |words: &str| plan_of(words).duration.map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("attach 7"), Some(10.0));
        assert_eq!(seconds("attach -p 7 -d 0"), Some(0.0));
        assert_eq!(seconds("attach 7 --duration 0.5"), Some(0.5));
        assert_eq!(seconds("run app.py"), None);
        assert_eq!(plan_of("run app.py").interval, Some(RUN_INTERVAL));
        assert_eq!(plan_of("run -d 0 app.py").interval, None);
        assert_eq!(plan_of("attach 7").interval, None);
    }

    #[test]
    fn a_number_is_a_process_and_a_file_is_a_core() {
        let source_of = |words: &str| match meant(words) {
            Command::Attach { source, plan, .. } => (source, plan.duration),
            other => panic!("{other:?}"),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("core");
        std::fs::write(&path, "").unwrap();
        let core = |sysroot: Option<&str>| {
            Source::Core(CoreFile {
                path: path.clone(),
                sysroot: sysroot.map(PathBuf::from),
            })
        };
        let once = Some(Duration::ZERO);
        let words = format!("attach {}", path.display());
        assert_eq!(source_of(&words), (core(None), once));
        assert_eq!(source_of(&format!("{words} -d 0 --sysroot /")), (core(Some("/")), once));
        assert_eq!(source_of("attach 7").0, Source::Process(7));
        for senseless in [
            "-d 5",
            "--interval 1",
            "--freeze stop",
            "--nonblocking",
            "--sysroot /no/folder",
        ] {
            let words = format!("pymemscope {words} {senseless}");
            let refused = understand(words.split(' ').map(OsString::from));
            assert!(
                matches!(refused, Err(Refusal::Senseless(Error::Usage { .. }))),
                "{senseless}"
            );
        }
        let refused = understand(["pymemscope", "attach", "7", "--sysroot", "/"].map(OsString::from));
        assert!(matches!(refused, Err(Refusal::Senseless(Error::Usage { .. }))));
    }

    #[test]
    fn nonblocking_is_freeze_none() {
        assert_eq!(plan_of("attach 7").freeze, FreezeMode::Auto);
        assert_eq!(plan_of("attach 7 --nonblocking").freeze, FreezeMode::None);
        assert_eq!(plan_of("attach 7 --freeze stop").freeze, FreezeMode::Stop);
    }

    #[test]
    fn options_of_run_end_where_the_program_begins() {
        let program = |words: &str| match meant(words) {
            Command::Run { program, plan, .. } => {
                let words: Vec<String> = program.into_iter().map(|word| word.into_string().unwrap()).collect();
                (words.join(" "), plan.duration)
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
    fn a_rate_is_refused_where_it_cannot_be_kept() {
        let refused = |line: &str| understand(line.split(' ').map(OsString::from)).is_err();
        assert!(!refused("pymemscope attach 7 -r 10000"));
        for line in [
            "attach 7 -r 0",
            "attach 7 -r -3",
            "attach 7 -r 10001",
            "attach 7 -d 0 -r 400",
            "run -d 0 -r 9 x.py",
        ] {
            assert!(refused(&format!("pymemscope {line}")), "{line}");
        }
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
