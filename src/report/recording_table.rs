//! What a program allocated, as a table for the terminal.

use std::io::{self, Write};

use rustc_hash::FxHashMap;

use super::picture::short_path::ShortPaths;
use super::screen::{Screen, Style};
use super::table::Table;
use super::terminal::{paragraph, write_table};
use super::text::harmless;
use crate::allocations::{AliveAt, Allocations, RecordedSite};
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

/// Bytes, and the square of how unsure they are.
#[derive(Debug, Clone, Copy, Default)]
struct Figure {
    bytes: u64,
    error_squared: f64,
}

impl Figure {
    fn add(&mut self, site: &RecordedSite) {
        self.bytes = self.bytes.saturating_add(site.site.bytes);
        self.error_squared += (site.error_bytes as f64).powi(2);
    }

    fn cells(self) -> [String; 2] {
        match self.bytes {
            0 => [String::new(), String::new()],
            bytes => [units::bytes(bytes), units::bytes(self.error_squared.sqrt() as u64)],
        }
    }
}

/// What was allocated at one place, by whatever calls led there: alive, at the peak, and at all.
type Figures = [Figure; 3];

/// The largest at the peak first.
fn by_place(allocations: &Allocations) -> Vec<(&Call, Figures)> {
    let mut places: FxHashMap<&Call, Figures> = FxHashMap::default();
    let tables = [&allocations.alive, &allocations.at_peak, &allocations.allocated];
    for (number, sites) in tables.into_iter().enumerate() {
        for site in sites {
            if let Some(place) = site.site.place()
                && let Some(figure) = places.entry(place).or_default().get_mut(number)
            {
                figure.add(site);
            }
        }
    }
    let mut places: Vec<_> = places.into_iter().collect();
    let rank = |figures: &Figures| figures.map(|figure| figure.bytes);
    places.sort_by(|(a, of_a), (b, of_b)| {
        let ([a_alive, a_peak, a_all], [b_alive, b_peak, b_all]) = (rank(of_a), rank(of_b));
        let larger = (b_peak, b_alive, b_all).cmp(&(a_peak, a_alive, a_all));
        larger.then_with(|| (&a.file, a.line).cmp(&(&b.file, b.line)))
    });
    places
}

fn table(places: &[(&Call, Figures)], top: usize) -> Table {
    let (shown, rest) = places.split_at(top.min(places.len()));
    let paths = ShortPaths::of(
        shown
            .iter()
            .map(|(place, _)| &*place.file)
            .filter(|file| !file.is_empty()),
    );
    let row = |(place, figures): &(&Call, Figures)| {
        let at = match place.file.is_empty() {
            true => String::new(),
            false => paths.place(&place.file, place.line),
        };
        let parts: Vec<&str> = [at.as_str(), &place.function]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let name = harmless(&parts.join(" ")).into_owned();
        std::iter::once(name)
            .chain(figures.iter().flat_map(|figure| figure.cells()))
            .collect()
    };
    let headings = ["Allocated at", "Alive", "±", "At peak", "±", "In all", "±"];
    let more = rest.iter().fold(Figures::default(), |mut sum, (_, figures)| {
        for (sum, figure) in sum.iter_mut().zip(figures) {
            sum.bytes = sum.bytes.saturating_add(figure.bytes);
            sum.error_squared += figure.error_squared;
        }
        sum
    });
    let remainder = (!rest.is_empty()).then(|| {
        let noun = if rest.len() == 1 { "place" } else { "places" };
        let name = format!("{} more {noun}", units::count(rest.len() as u64));
        std::iter::once(name)
            .chain(more.iter().flat_map(|figure| figure.cells()))
            .collect()
    });
    Table {
        headings: headings.map(str::to_owned).into(),
        rows: shown.iter().map(row).collect(),
        remainder,
        ..Table::default()
    }
}
