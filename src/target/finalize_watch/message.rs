//! What the profiler and its watcher process say to each other, in packets as with the guardian.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::target::freeze::message::Answer;
use crate::target::freeze::{FreezeError, FreezeMode};

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Watch the process from now on: the first request. It has a program to execute yet, or runs already.
    Watch {
        pid: u32,
        runs: bool,
    },
    Freeze {
        mode: FreezeMode,
    },
    Release,
    /// Let the program go on that stands at its end.
    GoOn,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Message {
    /// The answer to `Watch`.
    Watching(Result<(), FreezeError>),
    /// The answer to `Freeze` and `Release`.
    Answer(Answer),
    /// The answer to `GoOn`: how long the program stood at its end.
    WentOn { pause: Duration },
    /// Comes by itself.
    Event(Event),
}

/// What the watcher has to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An interpreter is loaded; the program will be stopped before that shuts down.
    Loaded,
    /// The program stands where its interpreter is about to shut down.
    Finalizing,
    /// The program cannot be stopped there; the text says why.
    Blind(String),
}
