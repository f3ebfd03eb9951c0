//! What a program was seen to allocate by the recorder within it, as rows.

use serde::Serialize;

use super::line_rows::LinesOf;
use super::sites::{SiteRow, call_row, site_row};
use crate::allocations::history::Reading;
use crate::allocations::{AliveAt, Allocations, DomainTotals, OtherProcess, RecordedSite};

/// What the recorder has written. Sizes are bytes.
#[derive(Debug, Serialize)]
pub struct RecordingRow<'a> {
    /// One sample was taken in so many bytes; 0 when every block was recorded. Totals are exact all the same.
    pub sample_bytes: u64,
    /// Of the program's own process, by who gave the blocks out.
    pub totals: Vec<TotalsRow>,
    /// The same of each thread.
    pub threads: Vec<ThreadRow>,
    pub peak: PeakRow<'a>,
    /// What is alive, and what was allocated at all; the largest first.
    pub alive: Vec<RecordedRow<'a>>,
    pub allocated: Vec<RecordedRow<'a>>,
    /// What is alive and came since the first snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grown: Option<Vec<RecordedRow<'a>>>,
    /// At the snapshots, in order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<ReadingRow<'a>>,
    /// Of the files and functions that were asked about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LinesOf>,
    /// When that was alive: `shutdown` of the interpreter, or `end`.
    pub alive_at: &'static str,
    /// Samples that found no room in the recording, mappings, and processes.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// Further processes that recorded, and what they allocated.
    #[serde(skip_serializing_if = "is_zero")]
    pub other_processes: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub other_processes_bytes: u64,
    /// Those whose areas of the recording nobody else has taken since, the largest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherRow<'a>>,
}

/// A process that recorded beside the program.
#[derive(Debug, Serialize)]
pub struct OtherRow<'a> {
    pub pid: u32,
    pub python: &'a str,
    pub executable: &'a str,
    pub command: &'a [String],
    pub allocated_bytes: u64,
    pub allocated_blocks: u64,
    pub freed_bytes: u64,
    pub freed_blocks: u64,
    pub peak_bytes: u64,
}

/// Blocks as they were given out and taken back.
#[derive(Debug, Serialize)]
pub struct TotalsRow {
    pub domain: &'static str,
    /// As it was asked for.
    pub requested_bytes: u64,
    /// What the blocks occupy, as in `freed_bytes`.
    pub allocated_bytes: u64,
    pub allocated_blocks: u64,
    pub freed_bytes: u64,
    pub freed_blocks: u64,
}

#[derive(Debug, Serialize)]
pub struct ThreadRow {
    /// The system's number; absent for those that have ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    pub totals: Vec<TotalsRow>,
}

/// The highest point of what was alive, with its composition.
#[derive(Debug, Serialize)]
pub struct PeakRow<'a> {
    pub bytes: u64,
    /// Each thread may have allocated so many bytes more before the peak was looked for.
    pub lag_bytes: u64,
    /// The largest first.
    pub sites: Vec<RecordedRow<'a>>,
}

/// A site, with the blocks and bytes that its samples stand for.
#[derive(Debug, Serialize)]
pub struct RecordedRow<'a> {
    #[serde(flatten)]
    pub site: SiteRow<'a>,
    /// Who gave the blocks out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<&'static str>,
    /// The true `bytes` are no further away than this in 19 of 20 cases.
    pub error_bytes: u64,
}

/// What the recording said at one time.
#[derive(Debug, Serialize)]
pub struct ReadingRow<'a> {
    /// Since the first one.
    pub time: f64,
    /// What was alive of what was allocated since the program's start.
    pub bytes: u64,
    /// What functions allocated since the reading before, themselves or by what they called; the largest first.
    pub active: Vec<ActiveRow<'a>>,
}

#[derive(Debug, Serialize)]
pub struct ActiveRow<'a> {
    pub function: &'a str,
    pub file: &'a str,
    pub bytes: u64,
}

impl RecordingRow<'_> {
    pub fn of(allocations: &Allocations) -> RecordingRow<'_> {
        let threads = allocations.threads.iter().map(|thread| ThreadRow {
            thread: thread.thread,
            totals: totals(&thread.totals),
        });
        RecordingRow {
            sample_bytes: allocations.sample_bytes,
            totals: totals(&allocations.totals),
            threads: threads.collect(),
            peak: PeakRow {
                bytes: allocations.peak_bytes,
                lag_bytes: allocations.peak_lag,
                sites: rows(&allocations.at_peak),
            },
            alive: rows(&allocations.alive),
            allocated: rows(&allocations.allocated),
            grown: allocations.grown.as_deref().map(rows),
            timeline: allocations.history.iter().map(reading).collect(),
            lines: Vec::new(),
            alive_at: match allocations.alive_at {
                AliveAt::Shutdown => "shutdown",
                AliveAt::End => "end",
            },
            dropped: allocations.dropped.sum(),
            other_processes: allocations.others.count,
            other_processes_bytes: allocations.others.totals.allocated,
            others: allocations.others.listed.iter().map(other).collect(),
        }
    }
}

fn other(other: &OtherProcess) -> OtherRow<'_> {
    OtherRow {
        pid: other.process.pid,
        python: &other.process.python,
        executable: &other.process.executable,
        command: &other.process.command,
        allocated_bytes: other.allocated_bytes,
        allocated_blocks: other.allocated_blocks,
        freed_bytes: other.freed_bytes,
        freed_blocks: other.freed_blocks,
        peak_bytes: other.peak_bytes,
    }
}

fn reading(reading: &Reading) -> ReadingRow<'_> {
    let active = reading.active.iter().map(|active| ActiveRow {
        function: &active.function,
        file: &active.file,
        bytes: active.bytes,
    });
    ReadingRow {
        time: reading.at.as_secs_f64(),
        bytes: reading.alive_bytes,
        active: active.collect(),
    }
}

fn totals(of: &[DomainTotals]) -> Vec<TotalsRow> {
    let row = |row: &DomainTotals| TotalsRow {
        domain: row.domain,
        requested_bytes: row.totals.requested,
        allocated_bytes: row.totals.allocated,
        allocated_blocks: row.totals.blocks,
        freed_bytes: row.totals.freed,
        freed_blocks: row.totals.freed_blocks,
    };
    of.iter().map(row).collect()
}

fn rows(sites: &[RecordedSite]) -> Vec<RecordedRow<'_>> {
    sites.iter().map(row).collect()
}

fn row(recorded: &RecordedSite) -> RecordedRow<'_> {
    RecordedRow {
        site: SiteRow {
            place: recorded.place().map(call_row).unwrap_or_default(),
            ..site_row(&recorded.site)
        },
        domain: recorded.domain,
        error_bytes: recorded.error_bytes,
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
