//! A recording in the terms of reports: totals, and sites of what is alive, was alive at the peak, and was allocated at all.

use std::rc::Rc;

use recording::Domain;
use recording::form::{self, SAMPLE_BYTES, Stacks};
use recording::read::{Area, Call as RecordedCall, Recording, Totals};
use recording::weight::Weight;
use rustc_hash::FxHashMap;

use super::processes::{OtherProcesses, RecordedProcess, of_program};
use crate::sampling::births::{Call, Confidence, Site, Source};

/// What a program and its children allocated.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocations {
    /// The program itself.
    pub process: RecordedProcess,
    /// One sample was taken in so many bytes.
    pub sample_bytes: u64,
    /// Of the program itself, by domain.
    pub totals: Vec<DomainTotals>,
    /// Of each of its threads that has allocated anything.
    pub threads: Vec<ThreadTotals>,
    /// Bytes that were alive when most was, of what was allocated since the start.
    pub peak_bytes: u64,
    /// Threads may have allocated so many bytes more, each, before anybody looked whether that was the peak.
    pub peak_lag: u64,
    pub alive: Sites,
    pub alive_at: AliveAt,
    pub at_peak: Sites,
    pub allocated: Sites,
    pub dropped: Dropped,
    /// Whether stacks could be read; an interpreter that has not started has none.
    pub has_stacks: bool,
    /// Further processes that recorded.
    pub others: OtherProcesses,
}

/// When that was alive which is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AliveAt {
    /// Where the interpreter began to shut down: what it clears away then counts.
    Shutdown,
    /// When the program ended, or was looked at last.
    End,
}

/// What found no room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Samples whose place is not known, and samples that are not followed until they are freed.
    pub places: u64,
    pub blocks: u64,
    /// Mappings that are not counted.
    pub mappings: u64,
    /// Processes that are not recorded.
    pub processes: u64,
}

impl Dropped {
    /// All that is missing.
    pub fn sum(self) -> u64 {
        let parts = [self.places, self.blocks, self.mappings, self.processes];
        parts.into_iter().fold(0, u64::saturating_add)
    }
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

/// What stands for all places that there was no room for.
const FULL: &str = "(not recorded: table full)";

/// The number that samples without a place have.
const REST: u64 = form::REST as u64;

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
    /// Those of the process that recorded first; `None` when nobody has.
    pub fn of(recording: &Recording, redact: bool) -> Option<Allocations> {
        let area = of_program(recording)?;
        let mut names = Names::default();
        let mut alive = FxHashMap::default();
        let mut at_peak = FxHashMap::default();
        for block in &area.blocks {
            let weight = recording.weight(block.size);
            let tables = [(block.is_alive, &mut alive), (block.was_at_peak, &mut at_peak)];
            for (_, table) in tables.into_iter().filter(|(counts, _)| *counts) {
                add(table, block.stack, weight);
            }
        }
        let mut allocated = FxHashMap::default();
        for (number, row) in (1..).zip(&area.stack_rows) {
            if row.allocated.blocks > 0.0 {
                add(&mut allocated, number, row.allocated);
            }
        }
        if area.rest.blocks > 0.0 {
            add(&mut allocated, REST, area.rest);
        }
        if area.dropped.blocks > 0 {
            let totals = area.totals().into_iter().fold(Totals::default(), Totals::plus);
            add_unfollowed(&mut alive, totals.allocated.saturating_sub(totals.freed));
            add_unfollowed(&mut at_peak, area.peak_bytes);
        }
        let mut sites = |table| names.sites(area, table);
        let is_used = |thread: &&recording::read::Thread| thread.totals != <[Totals; 5]>::default();
        Some(Allocations {
            process: RecordedProcess::of(area, redact),
            sample_bytes: recording.sample_bytes,
            totals: by_domain(&area.totals()),
            threads: area.threads.iter().filter(is_used).map(thread).collect(),
            peak_bytes: area.peak_bytes,
            peak_lag: SAMPLE_BYTES,
            alive: sites(alive),
            alive_at: AliveAt::End,
            at_peak: sites(at_peak),
            allocated: sites(allocated),
            dropped: Dropped {
                places: area.dropped.stacks,
                blocks: area.dropped.blocks,
                mappings: area.dropped.mappings,
                processes: recording.unrecorded,
            },
            has_stacks: area.stacks != Stacks::Unknown,
            others: OtherProcesses::than(area, recording, redact),
        })
    }

    /// The same, with what was alive at an earlier reading, where the interpreter began to shut down.
    pub fn alive_as_in(self, earlier: Allocations) -> Allocations {
        Allocations {
            alive: earlier.alive,
            alive_at: AliveAt::Shutdown,
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

/// Adds what of so many bytes no sample stands for, of which some were not followed.
fn add_unfollowed(table: &mut FxHashMap<u64, Weight>, bytes: u64) {
    let known: f64 = table.values().map(|weight| weight.bytes).sum();
    let bytes = bytes as f64 - known;
    if bytes > 0.0 {
        let variance = 0.0;
        add(
            table,
            REST,
            Weight {
                blocks: 0.0,
                bytes,
                variance,
            },
        );
    }
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
    let sum = table.entry(stack).or_insert(Weight {
        blocks: 0.0,
        bytes: 0.0,
        variance: 0.0,
    });
    sum.blocks += weight.blocks;
    sum.bytes += weight.bytes;
    sum.variance += weight.variance;
}

/// Texts, each once.
#[derive(Debug, Default)]
struct Names(FxHashMap<String, Rc<str>>);

impl Names {
    fn sites(&mut self, area: &Area, table: FxHashMap<u64, Weight>) -> Sites {
        let mut sites: Sites = table
            .into_iter()
            .map(|(stack, weight)| self.site(area, stack, weight))
            .collect();
        sites.sort_by(|a, b| b.site.bytes.cmp(&a.site.bytes).then_with(|| order(a).cmp(&order(b))));
        sites
    }

    fn site(&mut self, area: &Area, stack: u64, weight: Weight) -> RecordedSite {
        /// Of a normal distribution, 95 % lie within so many standard deviations.
        const DEVIATIONS: f64 = 1.96;
        let is_rest = stack == REST;
        let mut stack: Vec<Call> = area.calls(stack).into_iter().map(|call| self.call(call)).collect();
        if stack.is_empty() {
            let name = if is_rest { FULL } else { "(no Python code)" };
            stack.push(Call {
                function: self.name(name),
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
            error_bytes: (DEVIATIONS * weight.variance.sqrt()).round() as u64,
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
