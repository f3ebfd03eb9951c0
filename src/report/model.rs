//! The report as data: what every output shows. Its serialised form is the JSON report, `pymemscope/report/1`.

use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

use super::collector::{CollectorRow, collector_row};
use super::line_rows::lines_of;
use super::recording::RecordingRow;
use super::sarif::Sources;
use super::sites::{SiteRow, UnseenRow, site_rows, unseen_rows};
use crate::allocations::Allocations;
use crate::allocations::chosen::View;
use crate::capture::{Capture, FreezeUsed, Hold, Mode, ProcessFacts, Snapshot, Tracing};
use crate::heap::garbage::Garbage;
use crate::heap::partitions::Partitions;
use crate::heap::wanted::Division;
use crate::heap::{Container, ContainerKind, OwnerRank, Totals, TypeTotals};
use crate::rules::finding::Finding;
use crate::rules::not_judged::NotJudged;
use crate::sampling::growth::Growth;

pub const SCHEMA: &str = "pymemscope/report/1";
/// More owners than these are not listed; the smallest are left out.
const MOST_OWNERS: usize = 1_000;

/// Sizes are bytes, times are seconds. What is not known is absent.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    pub schema: &'static str,
    pub process: Process<'a>,
    pub capture: CaptureFacts<'a>,
    pub heap: HeapTotals,
    /// Of the main interpreter; those of others come apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collector: Option<CollectorRow<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subinterpreter_collectors: Vec<CollectorRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub garbage: Option<&'a Garbage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<&'a Partitions>,
    /// Divisions that the terminal shows.
    #[serde(skip)]
    pub by: &'a [Division],
    /// The largest first.
    pub types: Vec<TypeRow>,
    /// The largest first; absent where nobody watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<SiteRow<'a>>>,
    /// What has no site, by why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites_unseen: Option<Vec<UnseenRow<'a>>>,
    /// Absent where it was not on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracemalloc: Option<&'a Tracing>,
    /// What the recorder has written; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingRow<'a>>,
    /// The same, for the terminal.
    #[serde(skip)]
    pub allocations: Option<&'a Allocations>,
    /// How the terminal shows these.
    #[serde(skip)]
    pub view: View,
    /// The largest first.
    pub owners: Vec<OwnerRow<'a>>,
    /// Those that are not listed.
    #[serde(skip)]
    pub owners_left_out: LeftOut,
    /// The gravest first, and of these the costliest.
    pub findings: Vec<Finding>,
    /// The rules that nothing can be said of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_judged: Vec<NotJudged>,
    /// One for each snapshot.
    pub timeline: Vec<Moment<'a>>,
    /// Resident bytes at the last snapshot.
    #[serde(skip)]
    pub rss: Option<u64>,
    #[serde(skip)]
    pub sources: Sources<'a>,
}

#[derive(Debug, Serialize)]
pub struct Process<'a> {
    pub pid: u32,
    /// Empty where no heap was read.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub python: &'a str,
    pub build: &'static str,
    pub executable: &'a str,
    pub command: &'a [String],
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct CaptureFacts<'a> {
    pub mode: &'static str,
    /// Whether keys and arguments are hashes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// Of the last snapshot, as is the reason. A core was held by nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze_reason: Option<&'a str>,
    /// Whether a snapshot was taken of memory that went on changing or was not all there, so that something may be missing
    /// or twice there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Why the heap was never read; absent where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<&'a str>,
    pub pauses: Vec<f64>,
    pub duration: f64,
    /// How many snapshots were taken.
    pub samples: usize,
    /// How often it was looked which line runs, and one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_samples: Option<u64>,
    /// How often it was looked which calls were making objects, and how many of these looks taught nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_samples: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples_rejected: Option<u64>,
    pub objects_read: u64,
    pub objects_rejected: u64,
    pub warnings: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
pub struct HeapTotals {
    pub objects: u64,
    pub bytes: u64,
    pub getsizeof_bytes: u64,
    pub tracked_objects: u64,
    /// What no root reaches: garbage, and what C code holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable_objects: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct TypeRow {
    #[serde(rename = "type")]
    pub name: Rc<str>,
    pub count: u64,
    pub bytes: u64,
    pub getsizeof_bytes: u64,
    pub retained_bytes: u64,
    pub tracked_count: u64,
    pub tracked_getsizeof_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth_bytes: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct OwnerRow<'a> {
    pub path: &'a str,
    /// What holds it by this path: `module`, `class`, `singleton`, `frame` or `other`.
    pub kind: &'static str,
    #[serde(rename = "type")]
    pub type_name: Rc<str>,
    /// Absent for what has no items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    pub bytes: u64,
    pub retained_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth_length: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth_bytes: Option<i64>,
    /// Whether the first snapshot did not list it: it was not there, or too small.
    #[serde(rename = "new", skip_serializing_if = "std::ops::Not::not")]
    pub is_new: bool,
    /// Whether its bytes are part of another owner's.
    #[serde(skip)]
    pub is_inner: bool,
}

/// Owners without a row of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    pub count: u64,
    /// What they keep together, and no owner with a row does.
    pub bytes: u64,
}

impl LeftOut {
    /// All of these are left out.
    pub fn and(mut self, rows: &[OwnerRow<'_>]) -> LeftOut {
        self.count += rows.len() as u64;
        self.bytes += rows
            .iter()
            .filter(|row| !row.is_inner)
            .map(|row| row.bytes)
            .sum::<u64>();
        self
    }
}

#[derive(Debug, Serialize)]
pub struct Moment<'a> {
    /// Since the first snapshot.
    pub time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss: Option<u64>,
    pub objects: u64,
    pub heap_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze_reason: Option<&'a str>,
    pub pauses: Vec<f64>,
}

impl<'a> Report<'a> {
    pub fn new(capture: &'a Capture, growth: &Growth, findings: Vec<Finding>) -> Report<'a> {
        let heap = &capture.heap;
        let mut owners = owners(&heap.containers, growth);
        let owners_left_out = LeftOut::default().and(owners.get(MOST_OWNERS..).unwrap_or_default());
        owners.truncate(MOST_OWNERS);
        Report {
            schema: SCHEMA,
            process: process(&capture.process),
            capture: capture_facts(capture),
            heap: heap_totals(&heap.totals, heap.garbage.as_ref()),
            collector: heap.collectors.first().map(collector_row),
            subinterpreter_collectors: heap.collectors.iter().skip(1).map(collector_row).collect(),
            garbage: heap.garbage.as_ref(),
            partitions: heap.partitions.as_ref(),
            by: &[],
            types: heap.types.iter().map(|totals| type_row(totals, growth)).collect(),
            sites: capture.births.as_ref().map(site_rows),
            sites_unseen: capture.births.as_ref().map(unseen_rows),
            tracemalloc: capture.tracemalloc.as_ref(),
            recording: capture.allocations.as_ref().map(RecordingRow::of),
            allocations: capture.allocations.as_ref(),
            view: View::default(),
            owners,
            owners_left_out,
            findings,
            not_judged: Vec::new(),
            timeline: timeline(capture),
            rss: capture.process.rss,
            sources: Sources::of(capture),
        }
    }

    /// The same report with this view of what was recorded.
    pub fn viewing(mut self, view: &View) -> Report<'a> {
        if let (Some(recording), Some(allocations)) = (&mut self.recording, self.allocations) {
            recording.lines = lines_of(allocations, &view.lines);
        }
        self.view = view.clone();
        self
    }

    /// The same report with these divisions on the terminal.
    pub fn showing(mut self, by: &'a [Division]) -> Report<'a> {
        self.by = by;
        self
    }
}

pub(super) fn process(process: &ProcessFacts) -> Process<'_> {
    Process {
        pid: process.pid,
        python: &process.python,
        build: process.build,
        executable: &process.executable,
        command: &process.command,
        start_time: process.start_time,
    }
}

pub(super) fn freeze_name(used: FreezeUsed) -> &'static str {
    match used {
        FreezeUsed::Fork => "fork",
        FreezeUsed::Stop => "stop",
        FreezeUsed::None => "none",
    }
}

fn seconds(times: &[Duration]) -> Vec<f64> {
    times.iter().map(Duration::as_secs_f64).collect()
}

fn capture_facts(capture: &Capture) -> CaptureFacts<'_> {
    let last = capture.holds.last();
    CaptureFacts {
        mode: match capture.mode {
            Mode::Attach => "attach",
            Mode::Run => "run",
            Mode::Snapshot => "snapshot",
            Mode::Core => "core",
        },
        redacted: capture.redacted,
        freeze: last.and_then(|hold| hold.freeze).map(freeze_name),
        freeze_reason: last.and_then(|hold| hold.reason.as_deref()),
        partial: capture.incomplete || capture.holds.iter().any(|hold| hold.freeze == Some(FreezeUsed::None)),
        unread: capture.unread.as_deref(),
        pauses: seconds(&capture.pauses),
        duration: capture.duration.as_secs_f64(),
        samples: capture.snapshots.len(),
        line_samples: Some(capture.heap.patterns.busy.samples).filter(|&samples| samples > 0),
        stack_samples: capture.looks.map(|looks| looks.samples),
        samples_rejected: capture.looks.map(|looks| looks.rejected),
        objects_read: capture.heap.totals.objects,
        objects_rejected: capture.heap.rejected,
        warnings: capture.warnings.iter().map(String::as_str).collect(),
    }
}

fn type_row(totals: &TypeTotals, growth: &Growth) -> TypeRow {
    let change = growth.of_type(&totals.name);
    TypeRow {
        name: Rc::clone(&totals.name),
        count: totals.count,
        bytes: totals.bytes,
        getsizeof_bytes: totals.getsizeof_bytes,
        retained_bytes: totals.retained_bytes,
        tracked_count: totals.tracked_count,
        tracked_getsizeof_bytes: totals.tracked_getsizeof_bytes,
        growth_count: change.map(|change| change.count),
        growth_bytes: change.map(|change| change.bytes),
    }
}

/// The largest first. What keeps another one is never smaller, so that it comes before.
fn owners<'a>(containers: &'a [Container], growth: &Growth) -> Vec<OwnerRow<'a>> {
    let mut owners: Vec<&Container> = containers
        .iter()
        .filter(|container| container.rank != OwnerRank::Unlisted)
        .collect();
    // Of two with one path the address decides, and not in which order they were read.
    let order = |a: &Container, b: &Container| (&a.path, a.address).cmp(&(&b.path, b.address));
    owners.sort_by(|a, b| b.kept_bytes.cmp(&a.kept_bytes).then_with(|| order(a, b)));
    owners
        .into_iter()
        .map(|container| owner_row(container, growth))
        .collect()
}

fn owner_row<'a>(container: &'a Container, growth: &Growth) -> OwnerRow<'a> {
    // Only what the first snapshot knew can be said to have grown since.
    let series = growth
        .of_container(container.identity(), container.kind)
        .filter(|series| growth.intervals > 0 && series.intervals() == growth.intervals);
    let is_container = !matches!(container.kind, ContainerKind::Object | ContainerKind::Holder);
    let has_length = is_container || container.length > 0;
    OwnerRow {
        path: &container.path,
        kind: container.place.word(),
        type_name: Rc::clone(&container.type_name),
        length: has_length.then_some(container.length),
        bytes: container.kept_bytes,
        retained_bytes: container.retained_bytes,
        growth_length: series.filter(|_| has_length).map(|series| series.items_grown()),
        growth_bytes: series.map(|series| series.bytes_grown()),
        is_new: growth.intervals > 0 && series.is_none(),
        is_inner: container.rank == OwnerRank::Inner,
    }
}

pub(super) fn heap_totals(totals: &Totals, garbage: Option<&Garbage>) -> HeapTotals {
    HeapTotals {
        objects: totals.objects,
        bytes: totals.bytes,
        getsizeof_bytes: totals.getsizeof_bytes,
        tracked_objects: totals.tracked_objects,
        unreachable_objects: garbage.map(|garbage| garbage.objects + garbage.c_held_objects),
        unreachable_bytes: garbage.map(|garbage| garbage.bytes.saturating_add(garbage.c_held_bytes)),
    }
}

fn timeline(capture: &Capture) -> Vec<Moment<'_>> {
    let snapshots = capture.snapshots.iter().zip(&capture.holds);
    snapshots.map(|(snapshot, hold)| moment(snapshot, hold)).collect()
}

fn moment<'a>(snapshot: &Snapshot, hold: &'a Hold) -> Moment<'a> {
    Moment {
        time: snapshot.at.as_secs_f64(),
        rss: snapshot.rss,
        objects: snapshot.objects,
        heap_bytes: snapshot.heap_bytes,
        freeze: hold.freeze.map(freeze_name),
        freeze_reason: hold.reason.as_deref(),
        pauses: seconds(&hold.pauses),
    }
}
