//! `pymemscope attach PID`: looks at a program that runs, or at the core of one that is dead.

use super::{Settings, check_outputs, show};
use crate::capture;
use crate::capture::interrupt::Interrupt;
use crate::capture::plan::CapturePlan;
use crate::capture::source::Source;
use crate::error::Result;
use crate::report::progress;

pub fn attach(source: &Source, plan: &CapturePlan, settings: &Settings) -> Result<u8> {
    check_outputs(settings)?;
    let stop = Interrupt::on_any_end()?;
    let mut progress = progress::on_stderr();
    let capture = match source {
        Source::Process(pid) => capture::attach(*pid, plan, progress.as_mut(), &stop),
        Source::Core(file) => capture::capture_core(file, plan, progress.as_mut()),
    };
    drop(progress);
    show(capture?, settings)
}
