//! What a program allocated, as a table for the terminal.

use std::io::{self, Write};

use super::picture::short_path::ShortPaths;
use super::screen::{Screen, Style};
use super::table::Table;
use super::terminal::{paragraph, write_table};
use super::text::harmless;
use crate::allocations::figures::{Figures, grouped};
use crate::allocations::{Allocations, RecordedSite};
use crate::sampling::births::Call;
use crate::units;

/// Writes totals, the peak, and the `top` largest places.
pub fn write(allocations: &Allocations, top: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    paragraph(out, screen, Style::Bold, "", &summary(allocations))?;
    let places = by_place(allocations);
    if !places.is_empty() {
        write_table(&table(&places, top), screen, out)?;
        let legend = "Allocated at: the line that ran, whatever it called in C. ±: the true figure lies within, in 19 of 20 cases. At \
                      peak: what was alive when most was.";
        paragraph(out, screen, Style::Dim, "", legend)?;
    }
    for note in notes(allocations) {
        paragraph(out, screen, Style::Dim, "", &note)?;
    }
    Ok(())
}

/// `allocated 1.2 GiB in 8 400 112 blocks, freed 1.1 GiB in 8 311 009 blocks; peak 107 MiB`
fn summary(allocations: &Allocations) -> String {
    let sum = allocations.sum();
    format!(
        "Allocated {} in {} blocks, freed {} in {} blocks; at most {} at a time",
        units::bytes(sum.allocated),
        units::count(sum.blocks),
        units::bytes(sum.freed),
        units::count(sum.freed_blocks),
        units::bytes(allocations.peak_bytes),
    )
}

fn notes(allocations: &Allocations) -> Vec<String> {
    let mut notes = vec![format!(
        "Totals are exact; places are known from one sample in {}. Each thread may have gone {} beyond the peak before it was noticed.",
        units::bytes(allocations.sample_bytes),
        units::bytes(allocations.peak_lag),
    )];
    if !allocations.has_stacks {
        notes.push("The calls of this interpreter cannot be read, so its places are not known.".to_owned());
    }
    if allocations.dropped > 0 {
        let dropped = units::count(allocations.dropped);
        notes.push(format!(
            "The recording was full: {dropped} samples, names or processes are missing."
        ));
    }
    if allocations.other_processes > 0 {
        notes.push(format!(
            "{} more {} allocated {} in {} blocks.",
            units::count(allocations.other_processes),
            if allocations.other_processes == 1 {
                "process"
            } else {
                "processes"
            },
            units::bytes(allocations.of_others.allocated),
            units::count(allocations.of_others.blocks),
        ));
    }
    notes
}

/// The largest at the peak first.
fn by_place(allocations: &Allocations) -> Vec<(&Call, Figures)> {
    let mut places: Vec<_> = grouped(allocations, RecordedSite::place).into_iter().collect();
    places.sort_by(|(a, of_a), (b, of_b)| of_b.rank().cmp(&of_a.rank()).then_with(|| a.cmp(b)));
    places
}

fn table(places: &[(&Call, Figures)], top: usize) -> Table {
    let (shown, rest) = places.split_at(top.min(places.len()));
    let paths = ShortPaths::of_calls(shown.iter().map(|(place, _)| *place));
    let row = |(place, figures): &(&Call, Figures)| cells(place_name(&paths, place), figures);
    let headings = ["Allocated at", "Alive", "±", "At peak", "±", "In all", "±"];
    let more = rest
        .iter()
        .fold(Figures::default(), |sum, (_, figures)| sum.and(*figures));
    let remainder = (!rest.is_empty()).then(|| {
        let noun = if rest.len() == 1 { "place" } else { "places" };
        cells(format!("{} more {noun}", units::count(rest.len() as u64)), &more)
    });
    Table {
        headings: headings.map(str::to_owned).into(),
        rows: shown.iter().map(row).collect(),
        remainder,
        ..Table::default()
    }
}

/// `…/shop/models.py:88 Order.total`
pub(super) fn place_name(paths: &ShortPaths<'_>, place: &Call) -> String {
    let at = match place.file.is_empty() {
        true => String::new(),
        false => paths.place(&place.file, place.line),
    };
    let parts: Vec<&str> = [at.as_str(), &place.function]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    harmless(&parts.join(" ")).into_owned()
}

fn cells(name: String, figures: &Figures) -> Vec<String> {
    let figures = [figures.alive, figures.peak, figures.allocated];
    let cells = figures.into_iter().flat_map(|figure| match figure.bytes {
        0 => [String::new(), String::new()],
        bytes => [units::bytes(bytes), units::bytes(figure.error_bytes())],
    });
    std::iter::once(name).chain(cells).collect()
}
