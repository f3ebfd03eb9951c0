//! What a capture is asked to do.

use std::num::NonZeroU32;
use std::time::Duration;

pub use crate::heap::wanted::{Division, Graph, Wanted};
use crate::target::freeze::FreezeMode;

/// When snapshots are taken, and how the program is held still for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapturePlan {
    /// From the first snapshot to the last; zero takes one snapshot, `None` goes on until the program ends.
    pub duration: Option<Duration>,
    /// Between two snapshots; `None` takes none between the first and the last.
    pub interval: Option<Duration>,
    /// Looks at what the program makes in a second, between the snapshots; `None` for no looks.
    pub rate: Option<NonZeroU32>,
    pub freeze: FreezeMode,
    /// Whether keys and arguments, which are data of the program, are shown as hashes.
    pub redact: bool,
    /// Whether the tables of `tracemalloc` are read where that is on.
    pub tracemalloc: bool,
    /// What is found out besides what every report shows.
    pub wanted: Wanted,
}

impl CapturePlan {
    /// One snapshot.
    pub fn one_look(freeze: FreezeMode, redact: bool) -> CapturePlan {
        CapturePlan {
            duration: Some(Duration::ZERO),
            interval: None,
            rate: None,
            freeze,
            redact,
            tracemalloc: false,
            wanted: Wanted::default(),
        }
    }
}
