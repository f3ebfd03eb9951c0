//! A capture of a program whose heap was never read: what was recorded of it is there all the same.

use std::env;
use std::time::Duration;

use super::{Capture, Mode, ProcessFacts};
use crate::allocations::Allocations;
use crate::heap::Heap;

impl Capture {
    /// Of a program that has recorded.
    pub fn unread(allocations: Allocations, redacted: bool, why: String) -> Capture {
        let process = &allocations.process;
        Capture {
            process: ProcessFacts {
                pid: process.pid,
                python: process.python.clone(),
                build: "release",
                executable: process.executable.clone(),
                command: process.command.clone(),
                // It was started where this is.
                working_directory: env::current_dir().ok().map(|path| path.to_string_lossy().into_owned()),
                start_time: Some(process.started),
                rss: None,
            },
            mode: Mode::Run,
            redacted,
            pauses: Vec::new(),
            duration: Duration::ZERO,
            age: Duration::ZERO,
            snapshots: Vec::new(),
            holds: Vec::new(),
            incomplete: false,
            heap: Heap::default(),
            births: None,
            tracemalloc: None,
            allocations: Some(allocations),
            unread: Some(why),
            looks: None,
            warnings: Vec::new(),
            memory_limit: None,
        }
    }
}
