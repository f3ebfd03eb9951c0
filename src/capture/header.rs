//! The header of a saved capture: the report's fields that stand in no table.

mod growth;

use std::time::Duration;

use growth::SavedGrowth;
use serde::{Deserialize, Serialize};

use super::{Capture, FreezeUsed, Hold, Mode, ProcessFacts, Snapshot, Tracing};
use crate::allocations::saved::RecordingFacts;
use crate::heap::collector::CollectorState;
use crate::heap::garbage::Garbage;
use crate::heap::partitions::Partitions;
use crate::heap::patterns::PatternFacts;
use crate::heap::saved::Seals;
use crate::heap::{Heap, Totals};

pub const SCHEMA: &str = "pymemscope/snapshot/2";
/// The form of header and tables, which its schema ends with.
pub const FORM: u32 = 2;
const SCHEMA_OF_ALL_FORMS: &str = "pymemscope/snapshot/";

/// The form of a header, if it is one of ours.
pub fn form_of(schema: &str) -> Option<u32> {
    schema.strip_prefix(SCHEMA_OF_ALL_FORMS)?.parse().ok()
}

/// Sizes are bytes, times are seconds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    pub schema: String,
    process: Process,
    capture: CaptureFacts,
    /// Absent where the heap was never read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heap: Option<HeapFacts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingFacts>,
    #[serde(default)]
    tracemalloc: Option<Tracing>,
    /// One for each snapshot that was taken; the last one is the heap in the tables.
    timeline: Vec<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    growth: Option<SavedGrowth>,
    /// The files of the tables.
    pub tables: Seals,
}

#[derive(Debug, Serialize, Deserialize)]
struct Process {
    pid: u32,
    python: String,
    build: String,
    executable: String,
    command: Vec<String>,
    #[serde(default)]
    working_directory: Option<String>,
    start_time: Option<f64>,
    rss: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CaptureFacts {
    redacted: bool,
    pauses: Vec<f64>,
    duration: f64,
    /// How long the program had been running at the first snapshot.
    age: f64,
    warnings: Vec<String>,
    memory_limit: Option<u64>,
    #[serde(default)]
    incomplete: bool,
    /// Why there is no heap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unread: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct HeapFacts {
    objects: u64,
    bytes: u64,
    getsizeof_bytes: u64,
    tracked_objects: u64,
    objects_rejected: u64,
    #[serde(default)]
    collectors: Vec<CollectorState>,
    #[serde(default)]
    garbage: Option<Garbage>,
    #[serde(default)]
    partitions: Option<Partitions>,
    #[serde(default)]
    patterns: PatternFacts,
}

#[derive(Debug, Serialize, Deserialize)]
struct Moment {
    /// Since the first snapshot.
    time: f64,
    rss: Option<u64>,
    objects: u64,
    heap_bytes: u64,
    freeze: Option<FreezeUsed>,
    freeze_reason: Option<String>,
    pauses: Vec<f64>,
}

impl Header {
    pub fn of(capture: &Capture, tables: Seals) -> Header {
        let process = &capture.process;
        Header {
            schema: SCHEMA.to_owned(),
            process: Process {
                pid: process.pid,
                python: process.python.clone(),
                build: process.build.to_owned(),
                executable: process.executable.clone(),
                command: process.command.clone(),
                working_directory: process.working_directory.clone(),
                start_time: process.start_time,
                rss: process.rss,
            },
            capture: CaptureFacts {
                redacted: capture.redacted,
                pauses: capture.pauses.iter().map(Duration::as_secs_f64).collect(),
                duration: capture.duration.as_secs_f64(),
                age: capture.age.as_secs_f64(),
                warnings: capture.warnings.clone(),
                memory_limit: capture.memory_limit,
                incomplete: capture.incomplete,
                unread: capture.unread.clone(),
            },
            heap: capture.has_heap().then(|| heap_facts(&capture.heap)),
            recording: capture.allocations.as_ref().map(RecordingFacts::of),
            tracemalloc: capture.tracemalloc.clone(),
            timeline: capture.snapshots.iter().zip(&capture.holds).map(moment).collect(),
            growth: SavedGrowth::of(&capture.snapshots, &capture.heap),
            tables,
        }
    }

    /// Whether there are tables of a heap.
    pub fn has_heap(&self) -> bool {
        self.heap.is_some()
    }

    pub fn into_capture(self, heap: Heap) -> Capture {
        let unread = match &self.heap {
            Some(_) => None,
            None => Some(self.capture.unread.unwrap_or_default()),
        };
        let holds = self.timeline.iter().map(hold).collect();
        let mut snapshots: Vec<Snapshot> = self.timeline.into_iter().map(snapshot).collect();
        if let Some(growth) = self.growth {
            growth.restore(&mut snapshots, &heap);
        }
        Capture {
            process: ProcessFacts {
                pid: self.process.pid,
                python: self.process.python,
                build: match self.process.build.as_str() {
                    "release" => "release",
                    _ => "debug",
                },
                executable: self.process.executable,
                command: self.process.command,
                working_directory: self.process.working_directory,
                start_time: self.process.start_time,
                rss: self.process.rss,
            },
            mode: Mode::Snapshot,
            redacted: self.capture.redacted,
            pauses: self.capture.pauses.into_iter().map(seconds).collect(),
            duration: seconds(self.capture.duration),
            age: seconds(self.capture.age),
            holds,
            incomplete: self.capture.incomplete,
            snapshots,
            births: None,
            allocations: None,
            unread,
            looks: None,
            tracemalloc: self.tracemalloc,
            heap: self.heap.unwrap_or_default().added_to(heap),
            warnings: self.capture.warnings,
            memory_limit: self.capture.memory_limit,
        }
    }
}

fn heap_facts(heap: &Heap) -> HeapFacts {
    HeapFacts {
        objects: heap.totals.objects,
        bytes: heap.totals.bytes,
        getsizeof_bytes: heap.totals.getsizeof_bytes,
        tracked_objects: heap.totals.tracked_objects,
        objects_rejected: heap.rejected,
        collectors: heap.collectors.clone(),
        garbage: heap.garbage.clone(),
        partitions: heap.partitions.clone(),
        patterns: heap.patterns.clone(),
    }
}

impl HeapFacts {
    /// The heap that stands in the tables, with what does not.
    fn added_to(self, heap: Heap) -> Heap {
        Heap {
            totals: Totals {
                objects: self.objects,
                bytes: self.bytes,
                getsizeof_bytes: self.getsizeof_bytes,
                tracked_objects: self.tracked_objects,
            },
            rejected: self.objects_rejected,
            collectors: self.collectors,
            garbage: self.garbage,
            partitions: self.partitions,
            patterns: self.patterns,
            ..heap
        }
    }
}

/// Anything that is no time is none.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}

fn moment((snapshot, hold): (&Snapshot, &Hold)) -> Moment {
    Moment {
        time: snapshot.at.as_secs_f64(),
        rss: snapshot.rss,
        objects: snapshot.objects,
        heap_bytes: snapshot.heap_bytes,
        freeze: hold.freeze,
        freeze_reason: hold.reason.clone(),
        pauses: hold.pauses.iter().map(Duration::as_secs_f64).collect(),
    }
}

fn hold(moment: &Moment) -> Hold {
    Hold {
        freeze: moment.freeze,
        reason: moment.freeze_reason.clone(),
        pauses: moment.pauses.iter().copied().map(seconds).collect(),
    }
}

fn snapshot(moment: Moment) -> Snapshot {
    Snapshot {
        at: seconds(moment.time),
        rss: moment.rss,
        objects: moment.objects,
        heap_bytes: moment.heap_bytes,
        types: Vec::new(),
        containers: Vec::new(),
    }
}
