//! What can be known of a process without holding it still.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::ProcessFacts;
use crate::heap::redaction;
use crate::target::open::Target;

/// How long ago that was, in seconds since 1970.
pub(super) fn age(start_time: f64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::try_from_secs_f64(now.as_secs_f64() - start_time).unwrap_or_default()
}

impl ProcessFacts {
    /// What can be known before the program is held still.
    pub(super) fn of(pid: u32, target: &Target, redact: bool) -> ProcessFacts {
        let command = target.process.command().unwrap_or_default();
        ProcessFacts {
            pid,
            python: String::new(),
            build: "release",
            executable: target.process.executable().unwrap_or_default(),
            command: if redact { redaction::command(&command) } else { command },
            working_directory: target.process.working_directory().ok(),
            start_time: target.process.start_time().ok(),
            rss: None,
        }
    }
}
