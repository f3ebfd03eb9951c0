//! Why a process could not be frozen, and what its user can do about it.

use serde::{Deserialize, Serialize};

/// Nothing of what was begun is left behind in the process when one of these is returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum FreezeError {
    #[error("there is no process {pid}")]
    NoSuchProcess { pid: u32 },
    #[error("process {pid} has ended; only its entry is left for its parent to collect (a zombie)")]
    Zombie { pid: u32 },
    #[error("process {pid} ended while it was being frozen")]
    Ended { pid: u32 },
    #[error("process {pid} is traced already, by process {tracer} ({tracer_name})")]
    TracedAlready { pid: u32, tracer: u32, tracer_name: String },
    #[error(
        "another pymemscope (process {other}) is reading process {pid}, and did not let go of it within {seconds} s"
    )]
    Busy { pid: u32, other: u32, seconds: u64 },
    #[error("not permitted to trace process {pid}")]
    NotPermitted { pid: u32 },
    #[error("process {pid} runs 32-bit code, which is not supported")]
    ThirtyTwoBit { pid: u32 },
    #[error("process {pid} could not be copied by fork: {reason}")]
    ForkRefused { pid: u32, reason: String },
    #[error("thread {tid} of process {pid} did not stop within {seconds} s (state {state})")]
    DoesNotStop {
        pid: u32,
        tid: u32,
        state: char,
        seconds: u64,
    },
    #[error("the helper process that stops programs could not be started: {cause}")]
    NoGuardian { cause: String },
    #[error("the helper process that stops programs is gone: {cause}")]
    GuardianLost { cause: String },
    /// The copy is dead, and is tried to be reaped until that succeeds.
    #[error("the copy of process {pid} is not reaped yet: {cause}")]
    NotReaped { pid: u32, cause: String },
    #[error("the kernel refused to {action} process {pid}: {cause}")]
    Kernel { pid: u32, action: String, cause: String },
    /// Only seen by tests that asked the guardian to stand still after a step.
    #[error("the guardian stands still after step {step}")]
    Standing { step: u32 },
}

impl FreezeError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoSuchProcess { .. } | Self::Zombie { .. } | Self::Ended { .. } => {
                "give the pid of a program that is running; `ps -e` lists them"
            }
            Self::TracedAlready { .. } => {
                "end the debugger or tracer first, or read without stopping the program: --freeze none"
            }
            Self::Busy { .. } => "try again when it has finished, or read without stopping the program: --freeze none",
            Self::NotReaped { .. } => "nothing; it is reaped when the program can be stopped again",
            Self::NotPermitted { .. } => "run as the program's own user or as root, with the right to trace (ptrace)",
            Self::ThirtyTwoBit { .. } => "only 64-bit programs can be profiled",
            Self::ForkRefused { .. } => "use --freeze stop, which needs no second process, or --freeze auto",
            Self::DoesNotStop { .. } => {
                "the thread waits for the kernel (a slow disk or network file system?); try again, or use --freeze none"
            }
            Self::NoGuardian { .. } | Self::GuardianLost { .. } => "try again; --freeze none needs no helper",
            Self::Kernel { .. } => "try --freeze stop, or --freeze none",
            Self::Standing { .. } => "",
        }
    }
}
