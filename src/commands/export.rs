//! `pymemscope export FOLDER`: a saved heap in the form of another tool.

use std::path::PathBuf;

use super::deliver;
use crate::capture::folder;
use crate::error::{Result, exit_code};
use crate::report::export::ExportFormat;
use crate::report::output::Output;
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
    let types = &capture.heap.types;
    deliver(
        &asked.outputs,
        asked.force,
        |_| Ok(()),
        |format, out| format.write(types, &detail, out),
    )?;
    Ok(exit_code::DONE)
}
