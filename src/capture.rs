//! One session with a process: what was gathered, from the first snapshot to the last.

use std::time::Duration;

use crate::allocations::Allocations;
use crate::heap::Heap;
use crate::sampling::births::Births;
pub use crate::sampling::observing::Counts;
pub use crate::sampling::snapshot::{ContainerSize, Snapshot};
pub use crate::sampling::traced::Tracing;

mod births;
mod busy;
mod dead;
mod facts;
pub mod folder;
mod header;
pub mod inquiry;
pub mod interrupt;
pub mod look;
mod observation;
pub mod plan;
pub mod progress;
mod rhythm;
pub mod run;
pub mod session;
mod snapshot;
pub mod source;
mod source_texts;
mod unread;

pub use dead::capture_core;
pub use run::{Followed, Occasion, Recorder, run};
pub use session::attach;

pub use crate::target::freeze::{FreezeMode, FreezeUsed};

/// Everything that a report is made of.
#[derive(Debug, Clone)]
pub struct Capture {
    pub process: ProcessFacts,
    pub mode: Mode,
    /// Whether keys and arguments are hashes.
    pub redacted: bool,
    /// How long the program stood still, each time; for snapshots that failed as well.
    pub pauses: Vec<Duration>,
    /// From the first snapshot to the last.
    pub duration: Duration,
    /// How long the program had been running at the first snapshot.
    pub age: Duration,
    /// One for each snapshot, in order; none where the heap was never read.
    pub snapshots: Vec<Snapshot>,
    /// How the program was held still for each of them.
    pub holds: Vec<Hold>,
    /// Whether memory of the program was missing, as of a core that was cut off.
    pub incomplete: bool,
    /// The last snapshot's heap.
    pub heap: Heap,
    /// Where its objects were made, if anybody saw it.
    pub births: Option<Births>,
    /// What `tracemalloc` counts, where its tables were read.
    pub tracemalloc: Option<Tracing>,
    /// What the recorder within the program wrote, if there was one.
    pub allocations: Option<Allocations>,
    /// Why the heap was never read, as of a program that was killed too early; `None` where it was.
    pub unread: Option<String>,
    /// What the looking between the snapshots came to, if there was any.
    pub looks: Option<Counts>,
    pub warnings: Vec<String>,
    /// The memory limit that applies to the process (the smallest of its control groups' and the machine's), in bytes.
    /// A process that has ended has none.
    pub memory_limit: Option<u64>,
}

impl Capture {
    /// Whether the heap was read at all.
    pub fn has_heap(&self) -> bool {
        self.unread.is_none()
    }
}

/// How the program was held still for a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// `None` where there was nothing to hold: the program was dead.
    pub freeze: Option<FreezeUsed>,
    /// Why in that way, when it was not the one that was asked for.
    pub reason: Option<String>,
    /// How long it stood still for it, each time.
    pub pauses: Vec<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Attach,
    Run,
    /// For a folder, or read from one.
    Snapshot,
    /// Of a process that was dead.
    Core,
}

/// What is known of the process itself.
#[derive(Debug, Clone)]
pub struct ProcessFacts {
    pub pid: u32,
    /// `3.12.1`.
    pub python: String,
    /// `release` or `debug`.
    pub build: &'static str,
    pub executable: String,
    pub command: Vec<String>,
    /// What its relative paths start from; a core does not tell.
    pub working_directory: Option<String>,
    /// Seconds since 1970; a core does not tell.
    pub start_time: Option<f64>,
    /// Resident bytes at the last snapshot; a core does not tell.
    pub rss: Option<u64>,
}
