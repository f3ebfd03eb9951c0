//! What is worth saying of the collector and of garbage on the terminal: nothing, in most programs.

use std::io::{self, Write};

use super::model::Report;
use super::screen::{Screen, Style};
use super::table::Table;
use super::terminal::{paragraph, write_table};
use super::text::harmless;
use crate::heap::garbage::{Cycles, Garbage};
use crate::units;

/// Less garbage than this waits for the next collection in any program.
const WORTH_SAYING: u64 = 1 << 20;
/// So many kinds of cycles are shown, and of each so many types.
const MOST_ROWS: usize = 5;
const MOST_TYPES: usize = 3;
/// Freezing is said where at least one in so many objects is frozen.
const MANY_FROZEN: u64 = 4;

/// Writes the garbage, if there is much of it, and what keeps the collector from its work.
pub fn write(report: &Report<'_>, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let is_off = report.collector.as_ref().is_some_and(|collector| !collector.enabled);
    let garbage = report.garbage.filter(|garbage| is_worth_saying(garbage, is_off));
    if let Some(garbage) = garbage {
        write_table(&table(garbage), screen, out)?;
        paragraph(out, screen, Style::Dim, "", &summary(garbage))?;
    }
    for note in notes(report) {
        paragraph(out, screen, Style::Yellow, "collector: ", &note)?;
    }
    Ok(())
}

/// Where nothing collects, all garbage stays.
fn is_worth_saying(garbage: &Garbage, collector_is_off: bool) -> bool {
    garbage.bytes >= WORTH_SAYING || (collector_is_off && garbage.objects > 0)
}

fn table(garbage: &Garbage) -> Table {
    let mut table = Table {
        headings: ["Garbage in cycles of", "Cycles", "Objects", "Bytes", "Frees"]
            .map(str::to_owned)
            .into(),
        ..Table::default()
    };
    let (shown, rest) = garbage.cycles.split_at(garbage.cycles.len().min(MOST_ROWS));
    for cycles in shown {
        table.rows.push(vec![
            members(cycles),
            units::count(cycles.count),
            units::count(cycles.objects),
            units::bytes(cycles.bytes),
            units::bytes(cycles.retained_bytes),
        ]);
    }
    let sum = |of: fn(&Cycles) -> u64, left_out: u64| rest.iter().map(of).fold(left_out, u64::saturating_add);
    let left_out = garbage.cycles_left_out;
    let count = sum(|cycles| cycles.count, left_out.count);
    if count > 0 {
        table.remainder = Some(vec![
            "other cycles".to_owned(),
            units::count(count),
            units::count(sum(|cycles| cycles.objects, left_out.objects)),
            units::bytes(sum(|cycles| cycles.bytes, left_out.bytes)),
        ]);
    }
    table
}

/// `__main__.Node × 2, dict × 2; __del__ of __main__.Node`
fn members(cycles: &Cycles) -> String {
    let named = |name: &str| harmless(name.strip_prefix("builtins.").unwrap_or(name)).into_owned();
    let shown = cycles.types.iter().take(MOST_TYPES);
    let mut members: Vec<String> = shown
        .map(|each| format!("{} × {}", named(&each.name), units::count(each.count)))
        .collect();
    if cycles.types.len() > MOST_TYPES {
        members.push("…".to_owned());
    }
    let finalizers: Vec<String> = cycles
        .finalizers
        .iter()
        .take(MOST_TYPES)
        .map(|name| named(name))
        .collect();
    match finalizers.is_empty() {
        true => members.join(", "),
        false => format!("{}; __del__ of {}", members.join(", "), finalizers.join(", ")),
    }
}

fn summary(garbage: &Garbage) -> String {
    format!(
        "{} objects, {}, are garbage: nothing outside of them holds them, and a collection frees them. Frees: the bytes of \
         the cycles and of all that goes with them.",
        units::count(garbage.objects),
        units::bytes(garbage.bytes)
    )
}

/// What keeps the collector from freeing what it could.
fn notes(report: &Report<'_>) -> Vec<String> {
    let Some(collector) = &report.collector else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    if !collector.enabled {
        notes.push("it is disabled (gc.disable); cycles stay until the program calls gc.collect().".to_owned());
    }
    if collector.frozen_objects > 0 && collector.frozen_objects >= report.heap.tracked_objects / MANY_FROZEN {
        notes.push(format!(
            "{} objects are frozen (gc.freeze); it does not look at them.",
            units::count(collector.frozen_objects)
        ));
    }
    if collector.garbage_objects > 0 {
        notes.push(format!(
            "gc.garbage holds {}, which it found and did not free.",
            units::items(collector.garbage_objects)
        ));
    }
    notes
}
