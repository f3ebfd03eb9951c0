//! One look at a process: what is seen of its heap while that is held still, or after its death.

use std::time::{Duration, Instant};

use super::dead::look_at_core;
use super::facts::age;
use super::plan::CapturePlan;
use super::progress::{Progress, Step};
use super::session::{explained_by_fate, freezer};
use super::snapshot::{Camera, FrozenMemory};
use super::source::Source;
use super::{FreezeUsed, ProcessFacts};
use crate::error::Result;
use crate::heap::survey::Survey;
use crate::target::freeze::FreezeMode;
use crate::target::limits::memory_limit;
use crate::target::open::{Stopping, Target};

/// What was seen, and how it was come by.
#[derive(Debug, Clone)]
pub struct Look<T> {
    pub process: ProcessFacts,
    /// `None` for a process that was dead.
    pub freeze: Option<FreezeUsed>,
    /// Why that way of freezing was taken, when the choice was left to us.
    pub freeze_reason: Option<String>,
    /// How long the program stood still, each time.
    pub pauses: Vec<Duration>,
    /// How long the program had been running.
    pub age: Duration,
    /// From the freeze until all was seen.
    pub duration: Duration,
    pub seen: T,
    /// Whether memory of the program was missing, as of a core that was cut off.
    pub incomplete: bool,
    pub warnings: Vec<String>,
    /// The memory limit that applies to the process, in bytes.
    pub memory_limit: Option<u64>,
}

/// Looks at what was given.
pub fn look<T>(
    source: &Source,
    plan: &CapturePlan,
    progress: &mut dyn Progress,
    see: impl FnMut(Survey<'_>, &mut FrozenMemory) -> T,
) -> Result<Look<T>> {
    match source {
        Source::Process(pid) => look_at_process(*pid, plan, progress, see),
        Source::Core(file) => look_at_core(file, plan, progress, see),
    }
}

/// Looks at the running process `pid`.
fn look_at_process<T>(
    pid: u32,
    plan: &CapturePlan,
    progress: &mut dyn Progress,
    mut see: impl FnMut(Survey<'_>, &mut FrozenMemory) -> T,
) -> Result<Look<T>> {
    progress.step(Step::Finding);
    let mut freezer = freezer(pid, plan.freeze)?;
    let stopping = match plan.freeze {
        FreezeMode::None => Stopping::NotIntended,
        _ => Stopping::Intended,
    };
    let mut target = Target::open(pid, stopping)?;
    let mut process = ProcessFacts::of(pid, &target, plan.redact);
    let rss = target.process.rss().unwrap_or_default();
    process.rss = Some(rss);
    let mut pauses = Vec::new();
    progress.step(Step::Freezing { snapshot: 1 });
    let age = process.start_time.map(age).unwrap_or_default();
    let since = Instant::now();
    let taken = Camera::new(pid, plan).take_for(&mut target, freezer.as_mut(), rss, &mut pauses, |surveyed, memory| {
        let objects = surveyed.found.objects.count() as u64;
        progress.step(Step::Reading { snapshot: 1, objects });
        see(surveyed, memory)
    });
    let picture = taken.map_err(|error| explained_by_fate(&target, pid, error))?;
    process.python = picture.python;
    Ok(Look {
        process,
        freeze: Some(picture.freeze),
        freeze_reason: picture.reason,
        pauses,
        age,
        duration: since.elapsed(),
        seen: picture.heap,
        incomplete: false,
        warnings: picture.warnings,
        memory_limit: memory_limit(&target.process),
    })
}
