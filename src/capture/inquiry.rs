//! One question about a heap: of a process, which takes one look at it, or one that was saved.

use std::path::Path;
use std::time::Duration;

use crate::capture::folder;
use crate::capture::look::look;
use crate::capture::plan::CapturePlan;
use crate::capture::progress::Progress;
use crate::capture::source::Source;
use crate::capture::{FreezeUsed, ProcessFacts};
use crate::error::{Error, Result, shown};
use crate::heap::inquiry::{self, Answer, Unanswerable};
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
    let asked = Asked {
        whose: source.to_string(),
        listing: format!("pymemscope attach {} -d 0 --top 1000", source.word()),
        instead: format!("pymemscope attach {}", source.word()),
    };
    let answer = look.seen.map_err(|cause| unanswered(&asked, cause))?;
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

/// Asks the heap that a folder holds.
pub fn inquire_saved(path: &Path, question: &Question) -> Result<Explanation> {
    let capture = folder::load(path)?;
    let detail = folder::load_detail(path, &capture)?;
    let asked = Asked {
        whose: format!("the heap in {}", path.display()),
        listing: format!("pymemscope report {} --top 1000", path.display()),
        instead: format!("pymemscope report {}", path.display()),
    };
    let answer = inquiry::answer(detail, &capture.heap, question).map_err(|cause| unanswered(&asked, cause))?;
    let hold = capture.holds.into_iter().next_back();
    Ok(Explanation {
        process: capture.process,
        freeze: hold.as_ref().and_then(|hold| hold.freeze),
        freeze_reason: hold.and_then(|hold| hold.reason),
        pauses: capture.pauses,
        duration: capture.duration,
        answer,
        redacted: capture.redacted,
        incomplete: capture.incomplete,
        warnings: capture.warnings,
    })
}

/// What was asked, for those who get no answer.
struct Asked {
    /// `process 4242`.
    whose: String,
    /// What lists all types.
    listing: String,
    /// What to do where this takes too much.
    instead: String,
}

fn unanswered(of: &Asked, cause: Unanswerable) -> Error {
    let Asked {
        whose,
        listing,
        instead,
    } = of;
    let types = format!("`{listing}` lists the types that have objects");
    let (what, hint) = match cause {
        Unanswerable::NoSuchType { asked, near } => (
            format!("{whose} has no objects of type '{}'", shown(&asked)),
            match &near[..] {
                [] => format!("types are named module.qualname, as in shop.models.Order; {types}"),
                near => format!(
                    "did you mean {}? {types}",
                    near.iter().map(shown).collect::<Vec<_>>().join(" or ")
                ),
            },
        ),
        Unanswerable::NoObject { address, within: None } => (
            format!("no object begins at {address:#x} in {whose}"),
            "give what id() returns in the program, or an address from a report; it may be gone since".to_owned(),
        ),
        Unanswerable::NoObject {
            address,
            within: Some((start, type_name)),
        } => (
            format!("no object begins at {address:#x} in {whose}"),
            format!(
                "it lies within the {} at {start:#x}; ask for that one",
                shown(&type_name)
            ),
        ),
        Unanswerable::TooLarge(cause) => (
            format!("{whose} is too large: {cause}"),
            format!("use `{instead}`, which needs less of it at a time"),
        ),
    };
    Error::NothingToExplain { what, hint }
}
