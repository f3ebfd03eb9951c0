//! What has changed between two recordings, as rows and as a table.

use std::io::{self, Write};

use serde::Serialize;

use crate::allocations::difference::{Change, difference};
use crate::allocations::{Allocations, RecordedSite};
use crate::report::picture::short_path::ShortPaths;
use crate::report::recording_table::place_name;
use crate::report::screen::{Screen, Style};
use crate::report::sites::{CallRow, Stack, call_row};
use crate::report::table::Table;
use crate::report::terminal::{paragraph, write_table};
use crate::sampling::births::Call;
use crate::units;

/// Two recordings beside each other. Sizes are bytes; `growth_` is new less old.
#[derive(Debug, Serialize)]
pub struct ComparedRecording<'a> {
    pub old: RecordingTotals,
    pub new: RecordingTotals,
    /// Those that differ, what changed by most bytes first.
    pub sites: Vec<SiteRow<'a>>,
    /// The same by the lines that ran.
    #[serde(skip)]
    places: Vec<Change<&'a Call>>,
}

/// What a program allocated in all.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RecordingTotals {
    pub sample_bytes: u64,
    pub allocated_bytes: u64,
    pub allocated_blocks: u64,
    pub freed_bytes: u64,
    pub freed_blocks: u64,
    pub peak_bytes: u64,
}

/// The figures of a site in the later recording, and how they differ from those in the earlier one.
#[derive(Debug, Serialize)]
pub struct SiteRow<'a> {
    #[serde(flatten)]
    pub place: CallRow<'a>,
    pub stack: Stack<'a>,
    /// What is alive.
    pub count: u64,
    pub bytes: u64,
    pub peak_bytes: u64,
    pub allocated_bytes: u64,
    pub growth_count: i64,
    pub growth_bytes: i64,
    pub growth_peak_bytes: i64,
    pub growth_allocated_bytes: i64,
    /// The true growth of `bytes` is no further away than this in 19 of 20 cases.
    pub error_bytes: u64,
}

impl<'a> ComparedRecording<'a> {
    /// `None` where one of the two was not recorded.
    pub fn of(old: Option<&'a Allocations>, new: Option<&'a Allocations>) -> Option<ComparedRecording<'a>> {
        let (old, new) = (old?, new?);
        let changes = difference(old, new, |site| Some(&*site.site.stack));
        Some(ComparedRecording {
            old: totals(old),
            new: totals(new),
            sites: changes.into_iter().map(site_row).collect(),
            places: difference(old, new, RecordedSite::place),
        })
    }
}

fn totals(allocations: &Allocations) -> RecordingTotals {
    let sum = allocations.sum();
    RecordingTotals {
        sample_bytes: allocations.sample_bytes,
        allocated_bytes: sum.allocated,
        allocated_blocks: sum.blocks,
        freed_bytes: sum.freed,
        freed_blocks: sum.freed_blocks,
        peak_bytes: allocations.peak_bytes,
    }
}

fn site_row<'a>(change: Change<&'a [Call]>) -> SiteRow<'a> {
    let [growth_bytes, growth_peak_bytes, growth_allocated_bytes] = change.grown();
    let Change {
        place,
        old,
        new,
        error_bytes,
    } = change;
    SiteRow {
        place: crate::allocations::place_of(place).map(call_row).unwrap_or_default(),
        stack: Stack::of(place),
        count: new.alive.blocks,
        bytes: new.alive.bytes,
        peak_bytes: new.peak.bytes,
        allocated_bytes: new.allocated.bytes,
        growth_count: crate::heap::difference::grown(Some(old.alive.blocks), Some(new.alive.blocks)),
        growth_bytes,
        growth_peak_bytes,
        growth_allocated_bytes,
        error_bytes,
    }
}

/// Writes totals, and the `top` places that changed most.
pub fn write(compared: &ComparedRecording<'_>, top: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let (old, new) = (compared.old, compared.new);
    let became = |old, new| format!("{} became {}", units::bytes(old), units::bytes(new));
    let summary = format!(
        "Allocated: {} in {} blocks, before {}; at most at a time: {}",
        became(old.allocated_bytes, new.allocated_bytes),
        units::count(new.allocated_blocks),
        units::count(old.allocated_blocks),
        became(old.peak_bytes, new.peak_bytes)
    );
    writeln!(out)?;
    paragraph(out, screen, Style::Bold, "", &summary)?;
    if compared.places.is_empty() {
        return Ok(());
    }
    write_table(&table(&compared.places, top), screen, out)?;
    let legend = "Change: new less old. ±: the true change of what is alive lies within, in 19 of 20 cases.";
    paragraph(out, screen, Style::Dim, "", legend)
}

fn table(places: &[Change<&Call>], top: usize) -> Table {
    let (shown, rest) = places.split_at(top.min(places.len()));
    let paths = ShortPaths::of_calls(shown.iter().map(|change| change.place));
    let row = |change: &Change<&Call>| {
        let [alive, peak, allocated] = change.grown().map(units::bytes_change);
        let figures = [
            units::bytes(change.new.alive.bytes),
            alive,
            units::bytes(change.error_bytes),
            peak,
            allocated,
        ];
        std::iter::once(place_name(&paths, change.place))
            .chain(figures)
            .collect()
    };
    let remainder = (!rest.is_empty()).then(|| {
        let name = format!("{} more that changed", units::count(rest.len() as u64));
        vec![name]
    });
    let headings = [
        "Allocated at",
        "Alive",
        "Change",
        "±",
        "At peak, change",
        "In all, change",
    ];
    Table {
        headings: headings.map(str::to_owned).into(),
        rows: shown.iter().map(row).collect(),
        remainder,
        ..Table::default()
    }
}
