//! A capture of a program that ended before its heap was read: what was recorded of it is there all the same.

use std::env;
use std::ffi::OsString;
use std::time::Duration;

use super::{Capture, Mode, ProcessFacts};
use crate::heap::{Heap, redaction};

impl Capture {
    /// Of a program that was started by these words, and whose heap was never read.
    pub fn unread(pid: u32, program: &[OsString], redacted: bool, why: String) -> Capture {
        let mut command: Vec<String> = program.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let executable = command.first().cloned().unwrap_or_default();
        if redacted {
            command = redaction::command(&command);
        }
        Capture {
            process: ProcessFacts {
                pid,
                python: String::new(),
                build: "release",
                executable,
                command,
                // It was started where this is.
                working_directory: env::current_dir().ok().map(|path| path.to_string_lossy().into_owned()),
                start_time: None,
                rss: None,
            },
            mode: Mode::Run,
            redacted,
            pauses: Vec::new(),
            duration: Duration::ZERO,
            age: Duration::ZERO,
            snapshots: Vec::new(),
            holds: Vec::new(),
            incomplete: true,
            heap: Heap::default(),
            births: None,
            tracemalloc: None,
            allocations: None,
            unread: Some(why),
            looks: None,
            warnings: Vec::new(),
            memory_limit: None,
        }
    }
}
