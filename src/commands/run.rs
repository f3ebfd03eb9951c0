//! `pymemscope run PROGRAM`: looks at a program that it starts, until that ends.

use std::ffi::OsString;

use super::program::command_line;
use super::{Settings, check_outputs, show};
use crate::capture::interrupt::Interrupt;
use crate::capture::plan::CapturePlan;
use crate::capture::progress::Quiet;
use crate::capture::{self, Followed};
use crate::error::{Error, Result, exit_code};
use crate::target::child;

/// The exit code is the program's own, unless findings were asked to decide it or it was 0 and something went wrong.
pub fn run(program: &[OsString], plan: &CapturePlan, settings: &Settings) -> Result<u8> {
    check_outputs(settings)?;
    let program = command_line(program)?;
    let stop = Interrupt::on_every_ctrl_c()?;
    // The terminal is the program's: a progress line would write over what it prints.
    let Followed { capture, mut program } = capture::run(&program, plan, &mut Quiet, &stop)?;
    let shown = capture.map(|capture| show(&capture, settings));
    let own = child::exit_code(program.wait());
    match shown {
        Ok(Ok(exit_code::DONE)) => Ok(own),
        Ok(findings_or_error) => findings_or_error,
        Err(cause) => Err(Error::NothingRead {
            cause: Box::new(cause),
            code: if own == exit_code::DONE { exit_code::FAILED } else { own },
        }),
    }
}
