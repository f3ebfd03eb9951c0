//! A recording in the terms of reports: totals, and sites of what is alive, was alive at the peak, and was allocated at all.

use std::rc::Rc;

use recording::Domain;
use recording::form::{SAMPLE_BYTES, Stacks};
use recording::read::{Area, Call as RecordedCall, Recording, Totals};
use recording::weight::Weight;
use rustc_hash::FxHashMap;

use crate::sampling::births::{Call, Confidence, Site, Source};

/// What a program and its children allocated.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocations {
    /// One sample was taken in so many bytes; 0 when every block was recorded.
    pub sample_bytes: u64,
    /// Of the program itself, by domain.
    pub totals: Vec<DomainTotals>,
    /// Of each of its threads that has allocated anything.
    pub threads: Vec<ThreadTotals>,
    /// Bytes that were alive when most was, of what was allocated since the start.
    pub peak_bytes: u64,
    /// Threads may have allocated so many bytes more, each, before anybody looked whether that was the peak.
    pub peak_lag: u64,
    /// At the end, or where the interpreter began to shut down.
    pub alive: Sites,
    pub at_peak: Sites,
    pub allocated: Sites,
    /// What was sampled and found no room, and processes that found none.
    pub dropped: u64,
    /// Whether stacks could be read; an interpreter that has not started has none.
    pub has_stacks: bool,
    /// Further processes that recorded, and what they allocated.
    pub other_processes: u64,
    pub of_others: Totals,
}

/// What was given out and taken back of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DomainTotals {
    pub domain: &'static str,
    pub totals: Totals,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadTotals {
    /// `None` for those that have ended, and those that were too many to be told apart.
    pub thread: Option<u64>,
    pub totals: Vec<DomainTotals>,
}

/// The largest first.
pub type Sites = Vec<RecordedSite>;

/// A site, with as many blocks and bytes as its samples stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSite {
    pub site: Site,
    /// The true bytes lie within so many of `site.bytes`, in 19 of 20 cases.
    pub error_bytes: u64,
}

impl Allocations {
    /// Those of the process with this id, which may have executed several programs: the last one counts. `None` when it has
    /// not recorded.
    pub fn of(recording: &Recording, pid: u32) -> Option<Allocations> {
        let own = |area: &&Area| area.pid == u64::from(pid) && area.parent.is_none();
        let area = recording.areas.iter().rev().find(own)?;
        let others = || recording.areas.iter().filter(|other| other.number != area.number);
        let of_others = others()
            .flat_map(|other| other.totals())
            .fold(Totals::default(), Totals::plus);
        let mut names = Names::default();
        let weights = match recording.sample_bytes {
            0 => exact(area),
            _ => sampled(recording, area),
        };
        let mut sites = |table| names.sites(area, recording.sample_bytes, table);
        let is_used = |thread: &&recording::read::Thread| thread.totals != <[Totals; 5]>::default();
        Some(Allocations {
            sample_bytes: recording.sample_bytes,
            totals: by_domain(&area.totals()),
            threads: area.threads.iter().filter(is_used).map(thread).collect(),
            peak_bytes: area.peak_bytes,
            peak_lag: if recording.sample_bytes == 0 { 0 } else { SAMPLE_BYTES },
            alive: sites(weights.alive),
            at_peak: sites(weights.at_peak),
            allocated: sites(weights.allocated),
            dropped: dropped(area).saturating_add(recording.unrecorded),
            has_stacks: area.stacks != Stacks::Unknown,
            other_processes: others().count() as u64,
            of_others,
        })
    }

    /// The same, with what was alive at an earlier reading.
    pub fn alive_as_in(self, earlier: Allocations) -> Allocations {
        Allocations {
            alive: earlier.alive,
            ..self
        }
    }

    /// All that the program itself was given and gave back.
    pub fn sum(&self) -> Totals {
        self.totals
            .iter()
            .map(|row| row.totals)
            .fold(Totals::default(), Totals::plus)
    }
}

/// What was allocated, by the numbers of stacks.
#[derive(Debug, Default)]
struct Weights {
    alive: FxHashMap<u64, Weight>,
    at_peak: FxHashMap<u64, Weight>,
    allocated: FxHashMap<u64, Weight>,
}

fn sampled(recording: &Recording, area: &Area) -> Weights {
    let mut weights = Weights::default();
    for block in &area.blocks {
        let weight = recording.weight(block.size);
        let tables = [
            (block.is_alive, &mut weights.alive),
            (block.was_at_peak, &mut weights.at_peak),
        ];
        for (_, table) in tables.into_iter().filter(|(counts, _)| *counts) {
            add(table, block.stack, weight);
        }
    }
    for (number, row) in (1..).zip(&area.stack_rows) {
        if row.allocated.blocks > 0.0 {
            add(&mut weights.allocated, number, row.allocated);
        }
    }
    weights
}

fn exact(area: &Area) -> Weights {
    let mut weights = Weights::default();
    for row in &area.tallies {
        let tables = [
            (row.alive, &mut weights.alive),
            (row.at_peak, &mut weights.at_peak),
            (row.allocated, &mut weights.allocated),
        ];
        for (amount, table) in tables.into_iter().filter(|(amount, _)| amount.blocks > 0) {
            let weight = Weight {
                blocks: amount.blocks as f64,
                bytes: amount.bytes as f64,
                variance: 0.0,
                seen: amount.bytes as f64,
            };
            add(table, row.stack, weight);
        }
    }
    weights
}

fn dropped(area: &Area) -> u64 {
    let dropped = [
        area.dropped.blocks,
        area.dropped.stacks,
        area.dropped.texts,
        area.dropped.mappings,
    ];
    dropped.into_iter().fold(0, u64::saturating_add)
}

fn thread(thread: &recording::read::Thread) -> ThreadTotals {
    ThreadTotals {
        thread: thread.id.filter(|&id| id != 0),
        totals: by_domain(&thread.totals),
    }
}

fn by_domain(totals: &[Totals]) -> Vec<DomainTotals> {
    let rows = Domain::ALL.iter().zip(totals);
    rows.map(|(&domain, &totals)| DomainTotals {
        domain: name(domain),
        totals,
    })
    .collect()
}

/// What reports call it.
fn name(domain: Domain) -> &'static str {
    match domain {
        Domain::Raw => "raw",
        Domain::Mem => "mem",
        Domain::Object => "object",
        Domain::C => "malloc",
        Domain::Mapped => "mmap",
    }
}

fn add(table: &mut FxHashMap<u64, Weight>, stack: u64, weight: Weight) {
    table.entry(stack).or_default().add(weight);
}

/// Texts, each once.
#[derive(Debug, Default)]
struct Names(FxHashMap<String, Rc<str>>);

impl Names {
    fn sites(&mut self, area: &Area, sample_bytes: u64, table: FxHashMap<u64, Weight>) -> Sites {
        let mut sites: Sites = table
            .into_iter()
            .map(|(stack, weight)| self.site(area, sample_bytes, stack, weight))
            .collect();
        sites.sort_by(|a, b| b.site.bytes.cmp(&a.site.bytes).then_with(|| order(a).cmp(&order(b))));
        sites
    }

    fn site(&mut self, area: &Area, sample_bytes: u64, stack: u64, weight: Weight) -> RecordedSite {
        let (least, most) = weight.interval(sample_bytes);
        let mut stack: Vec<Call> = area.calls(stack).into_iter().map(|call| self.call(call)).collect();
        if stack.is_empty() {
            stack.push(Call {
                function: self.name("(no Python code)"),
                file: self.name(""),
                line: None,
            });
        }
        RecordedSite {
            site: Site {
                stack: stack.into(),
                source: Source::Recorded,
                confidence: Confidence::Certain,
                count: weight.blocks.round() as u64,
                bytes: weight.bytes.round() as u64,
                types: Vec::new(),
            },
            error_bytes: (most - weight.bytes).max(weight.bytes - least).round() as u64,
        }
    }

    fn call(&mut self, call: &RecordedCall) -> Call {
        Call {
            function: self.name(&call.function),
            file: self.name(&call.file),
            line: call.line,
        }
    }

    fn name(&mut self, text: &str) -> Rc<str> {
        if let Some(known) = self.0.get(text) {
            return Rc::clone(known);
        }
        let name: Rc<str> = text.into();
        self.0.insert(text.to_owned(), Rc::clone(&name));
        name
    }
}

/// What sites of one size are put in order by.
fn order(site: &RecordedSite) -> Option<(&str, Option<u32>)> {
    site.site.place().map(|call| (&*call.file, call.line))
}
