//! What the command does, one short function a subcommand.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::allocations::Sampling;
use crate::allocations::chosen::View;
use crate::capture::Capture;
use crate::capture::folder::NewFolder;
use crate::capture::plan::CapturePlan;
use crate::capture::source::Source;
use crate::error::{Result, exit_code};
use crate::heap::detail::Detail;
use crate::heap::wanted::Division;
use crate::report::model::Report;
use crate::report::output::{Destination, FileFormat, Format, Output};
use crate::report::picture::Asked;
use crate::report::screen::Screen;
use crate::report::standard_output;
use crate::report::{json, sarif, terminal, timeline};
use crate::rules::finding::Severity;
use crate::rules::not_judged::not_judged;
use crate::rules::selection::Selection;
use crate::rules::threshold::Thresholds;
use crate::rules::{Evidence, judge_by};
use crate::sampling::growth::Growth;

pub mod attach;
pub mod diff;
mod drawing;
pub mod export;
pub mod paths;
pub mod program;
pub mod report;
pub mod rules;
pub mod run;
pub mod snapshot;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Attach {
        source: Source,
        plan: CapturePlan,
        settings: Settings,
    },
    Run {
        /// The program's name and its arguments.
        program: Vec<OsString>,
        plan: CapturePlan,
        sampling: Sampling,
        settings: Settings,
    },
    Snapshot {
        source: Source,
        plan: CapturePlan,
        folder: PathBuf,
        /// Whether a snapshot that exists is replaced.
        force: bool,
    },
    Report {
        folder: PathBuf,
        settings: Settings,
    },
    Diff(diff::Comparison),
    Export(export::Export),
    Paths {
        whose: paths::Whose,
        asked: paths::Asked,
    },
    Rules {
        name: Option<String>,
    },
}

/// How a capture is judged and shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub outputs: Vec<Output<Format>>,
    /// Where the last snapshot is saved.
    pub folders: Vec<PathBuf>,
    /// Whether existing files are replaced.
    pub force: bool,
    pub thresholds: Thresholds,
    /// Which rules are asked.
    pub selection: Selection,
    /// From which severity on findings decide the exit code.
    pub fail_on: Option<Severity>,
    /// Rows of types on the terminal.
    pub top: usize,
    /// What flame graphs and profiles show.
    pub picture: Asked,
    /// Divisions of all objects that the terminal shows.
    pub by: Vec<Division>,
    /// What is shown of what was recorded.
    pub view: View,
}

/// Does it; the exit code says how it went.
pub fn execute(command: &Command) -> Result<u8> {
    match command {
        Command::Attach { source, plan, settings } => attach::attach(source, plan, settings),
        Command::Run {
            program,
            plan,
            sampling,
            settings,
        } => run::run(program, plan, *sampling, settings),
        Command::Snapshot {
            source,
            plan,
            folder,
            force,
        } => snapshot::snapshot(source, plan, folder, *force),
        Command::Report { folder, settings } => report::report(folder, settings),
        Command::Diff(asked) => diff::diff(asked),
        Command::Export(asked) => export::export(asked),
        Command::Paths { whose, asked } => paths::paths(whose, asked),
        Command::Rules { name } => rules::rules(name.as_deref()),
    }
}

/// What can fail without a capture fails before it is taken.
fn check_outputs(settings: &Settings) -> Result<()> {
    // What does not go to a file is said on standard output.
    standard_output::check()?;
    for output in &settings.outputs {
        output.check(settings.force)?;
    }
    for path in &settings.folders {
        NewFolder::create(path, settings.force)?;
    }
    Ok(())
}

/// Judges the capture and shows it everywhere it is asked for; the exit code tells of the findings.
fn show(mut capture: Capture, settings: &Settings) -> Result<u8> {
    // What is saved is all of a recording, whatever of it is shown.
    let recorded = capture.allocations.take();
    capture.allocations = recorded.as_ref().map(|recorded| settings.view.filter.of(recorded));
    let growth = Growth::of(&capture.snapshots);
    let evidence = Evidence {
        heap: &capture.heap,
        growth: &growth,
        rss: capture.process.rss.unwrap_or_default(),
        memory_limit: capture.memory_limit,
        age: capture.age,
        thresholds: &settings.thresholds,
    };
    let (findings, not_judged) = match capture.has_heap() {
        true => {
            let rules = settings.selection.rules();
            (judge_by(&rules, &evidence), not_judged(&rules, &evidence))
        }
        false => (Vec::new(), Vec::new()),
    };
    let failed = settings
        .fail_on
        .is_some_and(|level| findings.iter().any(|found| found.severity >= level));
    let report = Report {
        not_judged,
        ..Report::new(&capture, &growth, findings)
    };
    let report = report.showing(&settings.by).viewing(&settings.view);
    let written = write(&report, &capture, settings);
    capture.allocations = recorded;
    written.and(save(&capture, settings))?;
    Ok(if failed { exit_code::FINDINGS } else { exit_code::DONE })
}

/// Writes the report to every place it is asked for. A picture that there is none of keeps nobody from getting the rest.
fn write(report: &Report<'_>, capture: &Capture, settings: &Settings) -> Result<()> {
    let mut outputs = settings.outputs.clone();
    let drawn = match settings.draws() {
        true => drawing::draw(capture, settings.picture).map(Some),
        false => Ok(None),
    };
    if drawn.is_err() {
        outputs.retain(|output| !output.format.is_picture());
    }
    let here = env::current_dir().ok();
    let stdout_waits = outputs.len() < settings.outputs.len() && stdout_is_taken(&settings.outputs);
    let delivered = deliver(
        &outputs,
        settings.force,
        |out| match stdout_waits {
            // It is for somebody who expects no text.
            true => Ok(()),
            false => terminal::write(report, settings.top, Screen::of_stdout(), out),
        },
        |format, out| match (format, &drawn) {
            (Format::Picture(format), Ok(Some(picture))) => format.write(picture, out),
            (Format::Sarif, _) => sarif::write(report, here.as_deref(), out),
            (Format::Timeline, _) => timeline::write(report, out),
            _ => json::write(report, out),
        },
    );
    delivered.and(drawn.map(drop))
}

impl Settings {
    /// Whether any output is a picture.
    pub fn draws(&self) -> bool {
        self.outputs.iter().any(|output| output.format.is_picture())
    }
}

/// Saves the last snapshot, and what was recorded, in every folder that was asked for.
fn save(capture: &Capture, settings: &Settings) -> Result<()> {
    let nothing = Detail::default();
    let detail = capture.heap.detail.as_ref().unwrap_or(&nothing);
    let mut outcome = Ok(());
    for path in &settings.folders {
        let mut saved = NewFolder::create(path, settings.force)
            .and_then(|folder| folder.write(capture, detail))
            .map(drop);
        if saved.is_ok() && !stdout_is_taken(&settings.outputs) {
            saved = wrote(path);
        }
        outcome = outcome.and(saved);
    }
    outcome
}

/// Writes an answer everywhere it is asked for, and to the terminal unless one of these is standard output. One that
/// fails keeps no other from getting it.
fn deliver<F: FileFormat>(
    outputs: &[Output<F>],
    force: bool,
    to_terminal: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    write: impl Fn(F, &mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let stdout_is_taken = stdout_is_taken(outputs);
    let mut outcome = Ok(());
    if !stdout_is_taken {
        outcome = standard_output::write(to_terminal);
    }
    for output in outputs {
        let mut written = output.write_with(force, |out| write(output.format, out));
        if let (Ok(()), Destination::File(path), false) = (&written, &output.destination, stdout_is_taken) {
            written = wrote(path);
        }
        outcome = outcome.and(written);
    }
    outcome
}

fn stdout_is_taken<F>(outputs: &[Output<F>]) -> bool {
    outputs.iter().any(Output::is_stdout)
}

fn wrote(path: &Path) -> Result<()> {
    standard_output::write(|out| writeln!(out, "Wrote {}", path.display()))
}
