//! `pymemscope export FOLDER`: a saved heap in the form of another tool.

use std::path::PathBuf;

use crate::capture::folder;
use crate::error::{Result, exit_code};
use crate::report::export::ExportFormat;
use crate::report::output::{Destination, Output};
use crate::report::standard_output;

/// What is written where.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    pub folder: PathBuf,
    pub outputs: Vec<Output<ExportFormat>>,
    /// Whether existing files are replaced.
    pub force: bool,
}

pub fn export(asked: &Export) -> Result<u8> {
    standard_output::check()?;
    asked.outputs.iter().try_for_each(|output| output.check(asked.force))?;
    let capture = folder::load(&asked.folder)?;
    let detail = folder::load_detail(&asked.folder, &capture)?;
    let stdout_is_taken = asked
        .outputs
        .iter()
        .any(|output| output.destination == Destination::Stdout);
    for output in &asked.outputs {
        output.write_with(asked.force, |out| {
            output.format.write(&capture.heap.types, &detail, out)
        })?;
        if let (Destination::File(path), false) = (&output.destination, stdout_is_taken) {
            standard_output::write(|out| writeln!(out, "Wrote {}", path.display()))?;
        }
    }
    Ok(exit_code::DONE)
}
