//! One look at a process, to answer one question about its heap.

use std::time::Duration;

use crate::capture::look::look;
use crate::capture::plan::CapturePlan;
use crate::capture::progress::Progress;
use crate::capture::source::Source;
use crate::capture::{FreezeUsed, ProcessFacts};
use crate::error::{Error, Result};
use crate::heap::inquiry::{Answer, Unanswerable};
pub use crate::heap::inquiry::{Direction, Question, Topic};

/// An answer, and how it was come by.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub process: ProcessFacts,
    /// `None` for a process that was dead.
    pub freeze: Option<FreezeUsed>,
    /// Why that way of freezing was taken, when the choice was left to us.
    pub freeze_reason: Option<String>,
    /// How long the program stood still, each time.
    pub pauses: Vec<Duration>,
    /// From the freeze to the answer.
    pub duration: Duration,
    pub answer: Answer,
    /// Whether keys and arguments are hashes.
    pub redacted: bool,
    /// Whether memory of the program was missing, as of a core that was cut off.
    pub incomplete: bool,
    pub warnings: Vec<String>,
}

/// Asks the heap of what was given.
pub fn inquire(
    source: &Source,
    plan: &CapturePlan,
    question: &Question,
    progress: &mut dyn Progress,
) -> Result<Explanation> {
    let look = look(source, plan, progress, |surveyed, memory| {
        surveyed.answer(memory, question)
    })?;
    let answer = look.seen.map_err(|cause| unanswered(source, cause))?;
    let mut warnings = look.warnings;
    warnings.extend(answer.warnings.iter().cloned());
    Ok(Explanation {
        process: look.process,
        freeze: look.freeze,
        freeze_reason: look.freeze_reason,
        pauses: look.pauses,
        duration: look.duration,
        answer,
        redacted: plan.redact,
        incomplete: look.incomplete,
        warnings,
    })
}

fn unanswered(source: &Source, cause: Unanswerable) -> Error {
    let word = source.word();
    let types = format!("`pymemscope attach {word} -d 0 --top 1000` lists the types that have objects");
    let (what, hint) = match cause {
        Unanswerable::NoSuchType { asked, near } => (
            format!("{source} has no objects of type '{}'", crate::error::shown(&asked)),
            match &near[..] {
                [] => format!("types are named module.qualname, as in shop.models.Order; {types}"),
                near => format!("did you mean {}? {types}", near.join(" or ")),
            },
        ),
        Unanswerable::NoObject { address, within: None } => (
            format!("no object begins at {address:#x} in {source}"),
            "give what id() returns in the program, or an address from a report; it may be gone since".to_owned(),
        ),
        Unanswerable::NoObject {
            address,
            within: Some((start, type_name)),
        } => (
            format!("no object begins at {address:#x} in {source}"),
            format!("it lies within the {type_name} at {start:#x}; ask for that one"),
        ),
        Unanswerable::TooLarge(cause) => (
            format!("the heap of {source} is too large: {cause}"),
            "use `pymemscope attach`, which needs less of it at a time".to_owned(),
        ),
    };
    Error::NothingToExplain { what, hint }
}
