//! What a capture says about itself while it is under way.

use std::time::Duration;

/// Is told what a capture does; called often, so that it has to be quick.
pub trait Progress {
    fn step(&mut self, step: Step);
}

/// What a capture is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Looking for the interpreter in the process.
    Finding,
    /// Holding the program still; `snapshot` counts from one.
    Freezing { snapshot: usize },
    /// Reading objects from the frozen memory; `objects` were read so far.
    Reading { snapshot: usize, objects: u64 },
    /// Waiting for the next snapshot; `total` is `None` when only the program's end ends it.
    Waiting { elapsed: Duration, total: Option<Duration> },
}

/// Says nothing.
#[derive(Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn step(&mut self, _step: Step) {}
}
