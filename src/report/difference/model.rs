//! A comparison as data. Its serialised form is `pymemscope/diff/1`.

use serde::Serialize;

use super::recording::ComparedRecording;
use crate::capture::Capture;
use crate::heap::ContainerKind;
use crate::heap::difference::{Amounts, ContainerChange, Difference, Moves, TypeChange, grown};
use crate::report::model::{HeapTotals, Process, heap_totals, process};

pub const SCHEMA: &str = "pymemscope/diff/1";
/// More owners than these are not listed; those that changed least are left out.
const MOST_OWNERS: usize = 1_000;

/// Sizes are bytes. `growth_` is new less old.
#[derive(Debug, Serialize)]
pub struct Compared<'a> {
    pub schema: &'static str,
    pub old: Side<'a>,
    pub new: Side<'a>,
    /// Whether both are of one process, so that objects can be followed by address and type.
    pub same_process: bool,
    /// Whether both heaps were read.
    #[serde(skip)]
    pub has_heaps: bool,
    /// Whether of one process the later heap was given as the old one.
    #[serde(skip)]
    pub is_backwards: bool,
    /// Those that differ, what changed by most bytes first.
    pub types: Vec<TypeRow<'a>>,
    /// Those that differ, what changed by most bytes first.
    pub owners: Vec<OwnerRow<'a>>,
    #[serde(skip)]
    pub owners_left_out: usize,
    /// Where both were recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<ComparedRecording<'a>>,
}

#[derive(Debug, Serialize)]
pub struct Side<'a> {
    pub process: Process<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss: Option<u64>,
    pub heap: HeapTotals,
}

#[derive(Debug, Serialize)]
pub struct TypeRow<'a> {
    #[serde(rename = "type")]
    pub name: &'a str,
    pub count: u64,
    pub bytes: u64,
    pub retained_bytes: u64,
    pub growth_count: i64,
    pub growth_bytes: i64,
    pub growth_retained_bytes: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appeared: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct OwnerRow<'a> {
    pub path: &'a str,
    pub kind: &'static str,
    #[serde(rename = "type")]
    pub type_name: &'a str,
    pub length: u64,
    /// Whether it is a container, of which the length says something.
    #[serde(skip)]
    pub has_items: bool,
    pub bytes: u64,
    pub retained_bytes: u64,
    pub growth_length: i64,
    pub growth_bytes: i64,
    pub growth_retained_bytes: i64,
    pub change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    Appeared,
    Changed,
    Gone,
}

impl<'a> Compared<'a> {
    pub fn new(old: &'a Capture, new: &'a Capture, difference: &'a Difference<'a>) -> Compared<'a> {
        let shown = difference.containers.iter().take(MOST_OWNERS);
        Compared {
            schema: SCHEMA,
            old: side(old),
            new: side(new),
            same_process: difference.same_process,
            has_heaps: old.has_heap() && new.has_heap(),
            is_backwards: difference.same_process && old.age + old.duration > new.age + new.duration,
            types: difference.types.iter().map(type_row).collect(),
            owners: shown.map(owner_row).collect(),
            owners_left_out: difference.containers.len().saturating_sub(MOST_OWNERS),
            recording: ComparedRecording::of(old.allocations.as_ref(), new.allocations.as_ref()),
        }
    }
}

fn side(capture: &Capture) -> Side<'_> {
    Side {
        process: process(&capture.process),
        rss: capture.process.rss,
        heap: heap_totals(&capture.heap.totals, None),
    }
}

fn type_row(change: &TypeChange) -> TypeRow<'_> {
    let TypeChange { old, new, .. } = change;
    let growth = |of: fn(&Amounts) -> u64| grown(Some(of(old)), Some(of(new)));
    let moves = |of: fn(Moves) -> u64| change.objects.map(of);
    TypeRow {
        name: &change.name,
        count: new.count,
        bytes: new.bytes,
        retained_bytes: new.retained_bytes,
        growth_count: growth(|each| each.count),
        growth_bytes: growth(|each| each.bytes),
        growth_retained_bytes: growth(|each| each.retained_bytes),
        appeared: moves(|each| each.appeared),
        gone: moves(|each| each.gone),
    }
}

fn owner_row<'a>(change: &ContainerChange<'a>) -> OwnerRow<'a> {
    let shown = change.shown;
    let new = change.new.unwrap_or_default();
    OwnerRow {
        path: &shown.path,
        kind: shown.place.word(),
        type_name: &shown.type_name,
        length: new.length,
        has_items: !matches!(shown.kind, ContainerKind::Object | ContainerKind::Holder),
        bytes: new.kept_bytes,
        retained_bytes: new.retained_bytes,
        growth_length: change.length_grown(),
        growth_bytes: change.bytes_grown(),
        growth_retained_bytes: change.retained_grown(),
        change: match (change.old, change.new) {
            (None, _) => Change::Appeared,
            (_, None) => Change::Gone,
            _ => Change::Changed,
        },
    }
}
