//! One look at a process, to answer one question about its heap.

use std::time::{Duration, Instant};

use crate::capture::plan::CapturePlan;
use crate::capture::progress::{Progress, Step};
use crate::capture::session::{explained_by_fate, freezer};
use crate::capture::snapshot::{Camera, Picture};
use crate::capture::{FreezeUsed, ProcessFacts};
use crate::error::{Error, Result};
use crate::heap::inquiry::{Answer, Unanswerable};
pub use crate::heap::inquiry::{Direction, Question, Topic};
use crate::target::freeze::FreezeMode;
use crate::target::open::{Stopping, Target};

/// An answer, and how it was come by.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub process: ProcessFacts,
    pub freeze: FreezeUsed,
    /// Why that way of freezing was taken, when the choice was left to us.
    pub freeze_reason: Option<String>,
    /// How long the program stood still, each time.
    pub pauses: Vec<Duration>,
    /// From the freeze to the answer.
    pub duration: Duration,
    pub answer: Answer,
    /// Whether keys and arguments are hashes.
    pub redacted: bool,
    pub warnings: Vec<String>,
}

/// Asks the heap of the running process `pid`, once, held still and shown as `plan` says.
pub fn inquire(pid: u32, plan: &CapturePlan, question: &Question, progress: &mut dyn Progress) -> Result<Explanation> {
    progress.step(Step::Finding);
    let mut freezer = freezer(pid, plan.freeze)?;
    let stopping = match plan.freeze {
        FreezeMode::None => Stopping::NotIntended,
        _ => Stopping::Intended,
    };
    let mut target = Target::open(pid, stopping)?;
    let mut process = ProcessFacts::of(pid, &target, plan.redact);
    process.rss = target.process.rss().unwrap_or_default();
    let mut pauses = Vec::new();
    progress.step(Step::Freezing { snapshot: 1 });
    let since = Instant::now();
    let taken = Camera::new(pid, plan).take_for(
        &mut target,
        freezer.as_mut(),
        process.rss,
        &mut pauses,
        |surveyed, memory| {
            progress.step(Step::Reading {
                snapshot: 1,
                objects: surveyed.found.objects.count() as u64,
            });
            surveyed.answer(memory, question)
        },
    );
    let picture = taken.map_err(|error| explained_by_fate(&target, pid, error))?;
    let Picture {
        python,
        freeze,
        reason,
        heap: answer,
        mut warnings,
        ..
    } = picture;
    process.python = python;
    let answer = answer.map_err(|cause| unanswered(pid, cause))?;
    warnings.extend(answer.warnings.iter().cloned());
    Ok(Explanation {
        process,
        freeze,
        freeze_reason: reason,
        pauses,
        duration: since.elapsed(),
        answer,
        redacted: plan.redact,
        warnings,
    })
}

fn unanswered(pid: u32, cause: Unanswerable) -> Error {
    let types = format!("`pymemscope attach {pid} -d 0 --top 1000` lists the types that have objects");
    let (what, hint) = match cause {
        Unanswerable::NoSuchType { asked, near } => (
            format!("process {pid} has no objects of type '{}'", crate::error::shown(&asked)),
            match &near[..] {
                [] => format!("types are named module.qualname, as in shop.models.Order; {types}"),
                near => format!("did you mean {}? {types}", near.join(" or ")),
            },
        ),
        Unanswerable::NoObject { address, within: None } => (
            format!("no object begins at {address:#x} in process {pid}"),
            "give what id() returns in the program, or an address from a report; it may be gone since".to_owned(),
        ),
        Unanswerable::NoObject {
            address,
            within: Some((start, type_name)),
        } => (
            format!("no object begins at {address:#x} in process {pid}"),
            format!("it lies within the {type_name} at {start:#x}; ask for that one"),
        ),
        Unanswerable::TooLarge(cause) => (
            format!("the heap of process {pid} is too large: {cause}"),
            "use `pymemscope attach`, which needs less of it at a time".to_owned(),
        ),
    };
    Error::NothingToExplain { what, hint }
}
