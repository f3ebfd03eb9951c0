//! Makes a process's memory stand still while it is read, so that the process cannot notice.
//!
//! `Fork` stops all threads for as long as the kernel takes to copy the page tables: one thread is made to `clone`, the
//! copy never runs, and its memory is read at leisure; a second, much shorter stop reaps it. `Stop` keeps the threads
//! stopped while their memory is read. All stops are made by a [`Guardian`], a process of its own, which leaves the
//! program as it was whatever happens to the profiler.

mod asleep;
mod children;
mod classic_bpf;
pub(in crate::target) mod copy;
mod critical_section;
mod error;
mod fellow;
mod freezer;
pub(in crate::target) mod guardian;
mod headroom;
pub(in crate::target) mod hold;
mod inject;
pub(in crate::target) mod keeper;
pub(in crate::target) mod kept;
pub(in crate::target) mod message;
mod missing;
mod notebook;
mod operation;
pub(in crate::target) mod procfs;
mod reap;
mod remake;
mod seccomp;
mod seize;
mod sleep;
mod socket_limit;
pub(in crate::target) mod step;
pub(in crate::target) mod surgeon;
mod thread;
mod time_limit;
mod tracee;
mod urgency;

use serde::{Deserialize, Serialize};

pub use error::FreezeError;
pub use fellow::lets_go;
pub use freezer::{Freezer, Unfrozen};
pub use guardian::{Frozen, GUARDIAN_ARGUMENT, Guardian, Released};
pub use keeper::guardian_main;
pub use step::Step;

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FreezeMode {
    /// `Fork` where it can do no harm, `Stop` otherwise.
    #[default]
    Auto,
    Fork,
    Stop,
    None,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FreezeUsed {
    Fork,
    Stop,
    None,
}
