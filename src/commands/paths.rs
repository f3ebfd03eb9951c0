//! `pymemscope paths PID`, `paths CORE` and `paths FOLDER`: says why objects are alive, and what they hold.

use std::path::PathBuf;

use super::deliver;
use crate::capture::inquiry::{Question, inquire, inquire_saved};
use crate::capture::plan::CapturePlan;
use crate::capture::source::Source;
use crate::error::{Result, exit_code};
use crate::report::explanation::model::Explained;
use crate::report::explanation::output::ExplanationFormat;
use crate::report::explanation::terminal;
use crate::report::output::Output;
use crate::report::progress;
use crate::report::screen::Screen;
use crate::report::standard_output;

/// The heap that is asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum Whose {
    /// Of a process or a core file.
    Taken(Source),
    /// One that was saved, in this folder.
    Saved(PathBuf),
}

/// A question, and where the answer goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub question: Question,
    pub plan: CapturePlan,
    pub outputs: Vec<Output<ExplanationFormat>>,
    /// Whether existing files are replaced.
    pub force: bool,
}

pub fn paths(whose: &Whose, asked: &Asked) -> Result<u8> {
    // What can fail without the program fails before it is touched.
    standard_output::check()?;
    asked.outputs.iter().try_for_each(|output| output.check(asked.force))?;
    let mut progress = progress::on_stderr();
    let explanation = match whose {
        Whose::Taken(source) => inquire(source, &asked.plan, &asked.question, progress.as_mut()),
        Whose::Saved(folder) => inquire_saved(folder, &asked.question),
    };
    drop(progress);
    let explanation = explanation?;
    let explained = Explained::new(&explanation, &asked.question);
    deliver(
        &asked.outputs,
        asked.force,
        |out| terminal::write(&explained, Screen::of_stdout(), out),
        |format, out| format.write(&explained, out),
    )?;
    Ok(exit_code::DONE)
}
