//! What a freeze that failed means to the user: the same causes as when opening a process, under the same names.

use crate::error::Error;
use crate::target::freeze::FreezeError;
use crate::target::permission;
use crate::target::process::{Process, State};

/// The error to report when `process` could not be frozen.
pub fn explain(failure: &FreezeError, process: &Process) -> Error {
    let pid = process.pid;
    match failure {
        FreezeError::NoSuchProcess { .. } => permission::missing(process),
        FreezeError::Zombie { .. } | FreezeError::Ended { .. } => Error::Exited { pid },
        // The kernel permits nothing on a process that is about to end.
        FreezeError::NotPermitted { .. } if matches!(process.state(), Ok(State::Zombie) | Err(_)) => {
            Error::Exited { pid }
        }
        FreezeError::NotPermitted { .. } => permission::denied(process),
        FreezeError::TracedAlready {
            tracer, tracer_name, ..
        } => Error::AlreadyTraced {
            pid,
            tracer: *tracer,
            tracer_name: tracer_name.clone(),
        },
        FreezeError::ThirtyTwoBit { .. } => Error::Bits32 {
            pid,
            name: process.name(),
        },
        other => Error::Freeze {
            reason: other.to_string(),
            hint: other.hint().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_traced_because_it_has_ended_is_not_a_matter_of_permission() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let process = Process::new(pid);
        assert!(matches!(
            explain(&FreezeError::NotPermitted { pid }, &process),
            Error::Exited { .. }
        ));
        let alive = Process::new(std::process::id());
        assert!(matches!(
            explain(&FreezeError::NotPermitted { pid }, &alive),
            Error::Denied { .. }
        ));
    }

    #[test]
    fn other_causes_keep_their_words() {
        let failure = FreezeError::ForkRefused {
            pid: 7,
            reason: "no memory".to_owned(),
        };
        let error = explain(&failure, &Process::new(7));
        assert!(error.to_string().contains("no memory"), "{error}");
        assert_eq!(error.hint(), failure.hint());
    }
}
