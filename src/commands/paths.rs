//! `pymemscope paths PID`: says why objects are alive, and what they hold.

use crate::capture::inquiry::{Question, inquire};
use crate::capture::plan::CapturePlan;
use crate::error::{Result, exit_code};
use crate::report::explanation::model::Explained;
use crate::report::explanation::output::ExplanationFormat;
use crate::report::explanation::terminal;
use crate::report::output::{Destination, Output};
use crate::report::progress;
use crate::report::screen::Screen;
use crate::report::standard_output;

/// A question, and where the answer goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub question: Question,
    /// Of one look.
    pub plan: CapturePlan,
    pub outputs: Vec<Output<ExplanationFormat>>,
    /// Whether existing files are replaced.
    pub force: bool,
}

pub fn paths(pid: u32, asked: &Asked) -> Result<u8> {
    // What can fail without the program fails before it is touched.
    standard_output::check()?;
    asked.outputs.iter().try_for_each(|output| output.check(asked.force))?;
    let mut progress = progress::on_stderr();
    let explanation = inquire(pid, &asked.plan, &asked.question, progress.as_mut());
    drop(progress);
    let explanation = explanation?;
    write(&Explained::new(&explanation, &asked.question), asked)?;
    Ok(exit_code::DONE)
}

/// Writes the answer everywhere it is asked for, and to the terminal unless one of these is standard output. One that
/// fails keeps no other from getting it.
fn write(explained: &Explained<'_>, asked: &Asked) -> Result<()> {
    let stdout_is_taken = asked
        .outputs
        .iter()
        .any(|output| output.destination == Destination::Stdout);
    let mut outcome = Ok(());
    if !stdout_is_taken {
        outcome = standard_output::write(|out| terminal::write(explained, Screen::of_stdout(), out));
    }
    for output in &asked.outputs {
        let mut written = output.write_with(asked.force, |out| output.format.write(explained, out));
        if let (Ok(()), Destination::File(path), false) = (&written, &output.destination, stdout_is_taken) {
            written = standard_output::write(|out| writeln!(out, "Wrote {}", path.display()));
        }
        outcome = outcome.and(written);
    }
    outcome
}
