//! `pymemscope report FOLDER`: shows what was saved, as `attach` shows what it captures.

use std::path::Path;

use super::{Settings, check_outputs, show};
use crate::capture::folder;
use crate::error::Result;

pub fn report(path: &Path, settings: &Settings) -> Result<u8> {
    check_outputs(settings)?;
    show(folder::load(path)?, settings)
}
