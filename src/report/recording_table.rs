//! What a program allocated, as a table for the terminal.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::picture::short_path::ShortPaths;
use super::screen::{Screen, Style};
use super::table::Table;
use super::terminal::{paragraph, write_table};
use super::text::harmless;
use crate::allocations::chosen::{Grouping, Place, View, places};
use crate::allocations::figures::Figures;
use crate::allocations::{AliveAt, Allocations};
use crate::sampling::births::Call;
use crate::units;

/// Writes totals, the peak, and the `top` largest places.
pub fn write(
    allocations: &Allocations,
    view: &View,
    top: usize,
    screen: Screen,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out)?;
    paragraph(out, screen, Style::Bold, "", &summary(allocations))?;
    let places = places(allocations, &view.filter, view.grouping);
    if !places.is_empty() {
        let is_exact = allocations.sample_bytes == 0;
        write_table(&table(&places, is_exact, top), screen, out)?;
        paragraph(out, screen, Style::Dim, "", &legend(view, is_exact))?;
    }
    if places.is_empty() && view.filter.chooses() {
        paragraph(
            out,
            screen,
            Style::Yellow,
            "",
            "No place is left by --include, --exclude and --domain.",
        )?;
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
    let mut notes = vec![match allocations.sample_bytes {
        0 => "Every block was recorded: all figures are exact.".to_owned(),
        sample_bytes => format!(
            "Totals are exact; places are known from one sample in {}. Each thread may have gone {} beyond the peak before it was noticed.",
            units::bytes(sample_bytes),
            units::bytes(allocations.peak_lag),
        ),
    }];
    if !allocations.has_stacks {
        notes.push("The calls of this interpreter cannot be read, so its places are not known.".to_owned());
    }
    notes.push(match allocations.alive_at {
        AliveAt::Shutdown => {
            "Alive: when the interpreter began to shut down. Totals: until the program's end, with what was cleared away then."
        }
        AliveAt::End => "Alive, and totals: as of the program's end, or of the last look at it.",
    }.to_owned());
    let others = &allocations.others;
    if others.count > 0 {
        notes.push(format!(
            "{} more {} allocated {} in {} blocks.",
            units::count(others.count),
            if others.count == 1 { "process" } else { "processes" },
            units::bytes(others.totals.allocated),
            units::count(others.totals.blocks),
        ));
    }
    notes
}

/// What the columns say.
fn legend(view: &View, is_exact: bool) -> String {
    let what = match (view.grouping, view.filter.cumulative) {
        (Grouping::Stack, _) => "the calls that led there, the innermost first",
        (_, true) => "what ran or waited for what it called, so that one block counts at several places",
        (Grouping::Line, false) => "the line that ran, whatever it called in C",
        (Grouping::Function, false) => "the function that ran, whatever it called in C",
        (Grouping::File, false) => "the file whose code ran, whatever it called in C",
    };
    let errors = match is_exact {
        true => "",
        false => " ±: the true figure lies within, in 19 of 20 cases.",
    };
    let of_domains = match view.filter.domains.is_empty() || is_exact {
        true => "",
        false => " In all: where blocks are sampled it is not known by domain.",
    };
    format!("Allocated at: {what}.{errors} At peak: what was alive when most was.{of_domains}")
}

fn table(places: &[Row], is_exact: bool, top: usize) -> Table {
    let (shown, rest) = largest(places, top);
    let columns = |cells: Vec<String>| if is_exact { without_errors(cells) } else { cells };
    let paths = ShortPaths::of_calls(shown.iter().flat_map(|(place, _)| place.iter()));
    let row = |(place, figures): &&Row| {
        let calls = place.iter().rev().map(|call| place_name(&paths, call));
        columns(cells(calls.collect::<Vec<_>>().join(" < "), figures))
    };
    let headings = ["Allocated at", "Alive", "±", "At peak", "±", "In all", "±"];
    let more = rest
        .iter()
        .fold(Figures::default(), |sum, (_, figures)| sum.and(*figures));
    let remainder = (!rest.is_empty()).then(|| {
        let noun = if rest.len() == 1 { "place" } else { "places" };
        let name = format!("{} more {noun}", units::count(rest.len() as u64));
        columns(cells(name, &more))
    });
    Table {
        headings: columns(headings.map(str::to_owned).into()),
        rows: shown.iter().map(row).collect(),
        remainder,
        ..Table::default()
    }
}

/// A place and its figures.
type Row = (Place, Figures);

/// So many places, and all others: of each column the largest, in the order that they had.
fn largest(places: &[Row], top: usize) -> (Vec<&Row>, Vec<&Row>) {
    let columns: [fn(&Figures) -> u64; 3] = [
        |figures| figures.peak.bytes,
        |figures| figures.alive.bytes,
        |figures| figures.allocated.bytes,
    ];
    let orders = columns.map(|bytes| {
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|&index| Reverse(bytes(&places[index].1)));
        order
    });
    let mut chosen = vec![false; places.len()];
    let in_turn = (0..places.len()).flat_map(|rank| orders.iter().map(move |order| order[rank]));
    let mut left = top;
    for index in in_turn {
        if left > 0 && !std::mem::replace(&mut chosen[index], true) {
            left -= 1;
        }
    }
    let (shown, rest): (Vec<_>, Vec<_>) = places.iter().zip(chosen).partition(|(_, chosen)| *chosen);
    let only = |part: Vec<(_, bool)>| part.into_iter().map(|(place, _)| place).collect();
    (only(shown), only(rest))
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

/// Of figures that are exact no errors stand beside them: a name is followed by pairs of both.
fn without_errors(cells: Vec<String>) -> Vec<String> {
    let is_figure = |index: usize| index == 0 || !index.is_multiple_of(2);
    let figures = cells.into_iter().enumerate().filter(|(index, _)| is_figure(*index));
    figures.map(|(_, cell)| cell).collect()
}
