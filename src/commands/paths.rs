//! `pymemscope paths PID`: says why objects are alive, and what they hold.

use super::deliver;
use crate::capture::inquiry::{Question, inquire};
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

/// A question, and where the answer goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub question: Question,
    pub plan: CapturePlan,
    pub outputs: Vec<Output<ExplanationFormat>>,
    /// Whether existing files are replaced.
    pub force: bool,
}

pub fn paths(source: &Source, asked: &Asked) -> Result<u8> {
    // What can fail without the program fails before it is touched.
    standard_output::check()?;
    asked.outputs.iter().try_for_each(|output| output.check(asked.force))?;
    let mut progress = progress::on_stderr();
    let explanation = inquire(source, &asked.plan, &asked.question, progress.as_mut());
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
