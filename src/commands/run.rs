//! `pymemscope run PROGRAM`: looks at a program that it starts, until that ends.

use std::ffi::OsString;

use super::program::command_line;
use super::{Settings, check_outputs, show};
use crate::capture;
use crate::capture::interrupt::Interrupt;
use crate::error::{Result, exit_code};
use crate::report::progress;

/// The exit code is the program's own, unless findings were asked to decide it.
pub fn run(program: &[OsString], settings: &Settings) -> Result<u8> {
    check_outputs(settings)?;
    let program = command_line(program)?;
    let stop = Interrupt::on_ctrl_c()?;
    let mut progress = progress::on_stderr();
    let ended = capture::run(&program, &settings.plan, progress.as_mut(), &stop);
    drop(progress);
    let ended = ended?;
    match show(&ended.capture?, settings)? {
        exit_code::DONE => Ok(ended.exit_code),
        findings => Ok(findings),
    }
}
