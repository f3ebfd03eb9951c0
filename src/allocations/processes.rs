//! The processes of a recording: the one whose allocations are shown, and what is told of the others.

use std::cmp::Reverse;

use recording::read::{Area, Recording, Totals};
use serde::{Deserialize, Serialize};

use crate::heap::redaction;

/// A process, as its recorder has described it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedProcess {
    /// Its number in its own namespace.
    pub pid: u32,
    /// `3.12.1`.
    pub python: String,
    pub executable: String,
    pub command: Vec<String>,
    /// When it began to record, in seconds since 1970.
    pub started: f64,
}

/// Another process than the one that is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherProcess {
    pub process: RecordedProcess,
    pub allocated_bytes: u64,
    pub allocated_blocks: u64,
    pub freed_bytes: u64,
    pub freed_blocks: u64,
    /// Bytes that were alive when most was.
    pub peak_bytes: u64,
}

/// All others: the last that had an area each, and those that had one before, which are known together only.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OtherProcesses {
    /// Those with most first.
    pub listed: Vec<OtherProcess>,
    /// How many there were, those that are not listed included.
    pub count: u64,
    /// Of all of them.
    pub totals: Totals,
}

impl RecordedProcess {
    pub(super) fn of(area: &Area, redact: bool) -> RecordedProcess {
        let [major, minor, micro] = area.python.unwrap_or_default();
        RecordedProcess {
            pid: area.pid(),
            python: format!("{major}.{minor}.{micro}"),
            executable: area.executable.clone(),
            command: if redact {
                redaction::command(&area.command)
            } else {
                area.command.clone()
            },
            started: area.started,
        }
    }
}

impl OtherProcess {
    fn of(area: &Area, redact: bool) -> OtherProcess {
        let totals = sum(area.totals());
        OtherProcess {
            process: RecordedProcess::of(area, redact),
            allocated_bytes: totals.allocated,
            allocated_blocks: totals.blocks,
            freed_bytes: totals.freed,
            freed_blocks: totals.freed_blocks,
            peak_bytes: area.peak_bytes,
        }
    }
}

/// The area of the program that is looked at: of the process that recorded first, which may have executed several programs,
/// the last one. `None` when nobody has recorded.
pub(super) fn of_program(recording: &Recording) -> Option<&Area> {
    let own = |area: &&Area| area.process == recording.program && area.serial > 0;
    recording.areas.iter().rev().find(own)
}

impl OtherProcesses {
    pub(super) fn than(program: &Area, recording: &Recording, redact: bool) -> OtherProcesses {
        let is_other = |area: &&Area| area.number != program.number && area.serial > 0;
        let mut listed: Vec<OtherProcess> = recording
            .areas
            .iter()
            .filter(is_other)
            .map(|area| OtherProcess::of(area, redact))
            .collect();
        listed.sort_by_key(|other| (Reverse(other.allocated_bytes), other.process.pid));
        let earlier = recording
            .areas
            .iter()
            .map(|area| area.earlier_processes)
            .fold(0, u64::saturating_add);
        let before = recording.areas.iter().map(|area| sum(area.earlier));
        let own = recording.areas.iter().filter(is_other).map(|area| sum(area.totals()));
        OtherProcesses {
            count: earlier.saturating_add(listed.len() as u64),
            totals: own.chain(before).fold(Totals::default(), Totals::plus),
            listed,
        }
    }
}

/// Of all domains.
fn sum(totals: impl IntoIterator<Item = Totals>) -> Totals {
    totals.into_iter().fold(Totals::default(), Totals::plus)
}
