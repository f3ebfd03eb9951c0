//! What the blocks of a process add up to, by stack and domain: of samples what they stand for, or every block.

use recording::Domain;
use recording::form::{REST, STACKLESS};
use recording::read::{Area, Recording, Totals};
use recording::weight::Weight;
use rustc_hash::FxHashMap;

/// A stack by its number, and who gave the blocks out, which is not known of all that samples stand for.
pub type Kind = (u64, Option<Domain>);

#[derive(Debug, Default)]
pub struct Weights {
    pub alive: FxHashMap<Kind, Weight>,
    pub at_peak: FxHashMap<Kind, Weight>,
    pub allocated: FxHashMap<Kind, Weight>,
    /// What of `alive` came since the mark; `None` without one.
    pub grown: Option<FxHashMap<Kind, Weight>>,
}

/// A moment in the recording of a process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// Which of all processes it was: a program that was executed later is another one.
    serial: u64,
    /// Sampled blocks that came later have a larger birth.
    now: u64,
    /// Where every block is recorded: blocks and bytes that were alive.
    alive: FxHashMap<Kind, (u64, u64)>,
}

impl Mark {
    pub fn of(area: &Area) -> Mark {
        let alive = area.tallies.iter().map(|row| {
            let kind = (row.stack, Some(row.domain));
            (kind, (row.alive.blocks, row.alive.bytes))
        });
        Mark {
            serial: area.serial,
            now: area.now,
            alive: alive.collect(),
        }
    }
}

impl Weights {
    /// `first` is the moment since which blocks have come that are told to have grown.
    pub fn of(recording: &Recording, area: &Area, first: Option<&Mark>) -> Weights {
        let first = first.filter(|first| first.serial == area.serial);
        let mut weights = match recording.sample_bytes {
            0 => exact(area, first),
            _ => sampled(recording, area, first),
        };
        weights.grown = weights.grown.filter(|_| first.is_some());
        weights
    }
}

fn sampled(recording: &Recording, area: &Area, first: Option<&Mark>) -> Weights {
    let mut weights = Weights::default();
    let mut grown = FxHashMap::default();
    for block in &area.blocks {
        let is_new = block.is_alive && first.is_some_and(|first| block.birth > first.now);
        let tables = [
            (block.is_alive, &mut weights.alive),
            (block.was_at_peak, &mut weights.at_peak),
            (is_new, &mut grown),
        ];
        for (_, table) in tables.into_iter().filter(|(counts, _)| *counts) {
            add(table, (block.stack, Some(block.domain)), recording.weight(block.size));
        }
    }
    for (number, row) in (1..).zip(&area.stack_rows) {
        if row.allocated.blocks > 0.0 {
            let stack = if number == STACKLESS { 0 } else { number };
            add(&mut weights.allocated, (stack, None), row.allocated);
        }
    }
    if area.dropped.blocks > 0 {
        let totals = area.totals().into_iter().fold(Totals::default(), Totals::plus);
        add_unfollowed(&mut weights.alive, totals.allocated.saturating_sub(totals.freed));
        add_unfollowed(&mut weights.at_peak, area.peak_bytes);
    }
    weights.grown = Some(grown);
    weights
}

/// Adds what of so many bytes no sample stands for, of which some were not followed.
fn add_unfollowed(table: &mut FxHashMap<Kind, Weight>, bytes: u64) {
    let known: f64 = table.values().map(|weight| weight.bytes).sum();
    let bytes = bytes as f64 - known;
    if bytes > 0.0 {
        let weight = Weight {
            blocks: 0.0,
            bytes,
            variance: 0.0,
            // It is known, and not guessed from samples.
            seen: bytes,
        };
        add(table, (REST, None), weight);
    }
}

fn exact(area: &Area, first: Option<&Mark>) -> Weights {
    let mut weights = Weights::default();
    let mut grown = FxHashMap::default();
    for row in &area.tallies {
        let kind = (row.stack, Some(row.domain));
        let before = first
            .and_then(|first| first.alive.get(&kind))
            .copied()
            .unwrap_or_default();
        let alive = (row.alive.blocks, row.alive.bytes);
        let tables = [
            (alive, &mut weights.alive),
            ((row.at_peak.blocks, row.at_peak.bytes), &mut weights.at_peak),
            ((row.allocated.blocks, row.allocated.bytes), &mut weights.allocated),
            // Older blocks may have gone since, so this is the least that can have come.
            (
                (alive.0.saturating_sub(before.0), alive.1.saturating_sub(before.1)),
                &mut grown,
            ),
        ];
        for ((blocks, bytes), table) in tables.into_iter().filter(|((blocks, _), _)| *blocks > 0) {
            let weight = Weight {
                blocks: blocks as f64,
                bytes: bytes as f64,
                variance: 0.0,
                seen: bytes as f64,
            };
            add(table, kind, weight);
        }
    }
    weights.grown = Some(grown);
    weights
}

fn add(sums: &mut FxHashMap<Kind, Weight>, kind: Kind, weight: Weight) {
    sums.entry(kind).or_default().add(weight);
}
