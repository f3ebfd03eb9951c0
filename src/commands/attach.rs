//! `pymemscope attach PID`: looks at a program that runs.

use super::{Settings, check_outputs, show};
use crate::capture;
use crate::capture::interrupt::Interrupt;
use crate::capture::plan::CapturePlan;
use crate::error::Result;
use crate::report::progress;

pub fn attach(pid: u32, plan: &CapturePlan, settings: &Settings) -> Result<u8> {
    check_outputs(settings)?;
    let stop = Interrupt::on_any_end()?;
    let mut progress = progress::on_stderr();
    let capture = capture::attach(pid, plan, progress.as_mut(), &stop);
    drop(progress);
    show(&capture?, settings)
}
