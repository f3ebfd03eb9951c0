//! A recording in the terms of reports: totals, and sites of what is alive, was alive at the peak, and was allocated in all.

use std::rc::Rc;

use recording::Domain;
use recording::form::{REST, SAMPLE_BYTES, Stacks};
use recording::read::{Area, Call as RecordedCall, Recording, Totals};
use recording::weight::Weight;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::history::Reading;
use super::processes::{OtherProcesses, RecordedProcess, of_program};
use super::sources::Sources;
use super::weights::{Kind, Mark, Weights};
use crate::sampling::births::{Call, Confidence, Site, Source};

/// What a program and its children allocated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Allocations {
    /// The program itself.
    pub process: RecordedProcess,
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
    pub alive: Sites,
    pub alive_at: AliveAt,
    pub at_peak: Sites,
    pub allocated: Sites,
    /// `allocated` is empty because it cannot be told: of samples that are gone nobody knows the domain.
    pub lacks_allocated: bool,
    /// What of `alive` came since the first snapshot; `None` where there was none.
    pub grown: Option<Sites>,
    pub dropped: Dropped,
    /// Whether stacks could be read; an interpreter that has not started has none.
    pub has_stacks: bool,
    /// Further processes that recorded.
    pub others: OtherProcesses,
    /// What the files of its calls were.
    pub sources: Sources,
    /// What earlier readings said.
    pub history: Vec<Reading>,
    /// When it was read.
    pub read_at: Mark,
}

/// What sites can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// What is alive at the end.
    Alive,
    /// What was alive when most was.
    Peak,
    /// All that was ever allocated.
    Allocated,
    /// What is alive at the end and came since the first snapshot.
    Grown,
}

impl Moment {
    pub const ALL: [Moment; 4] = [Moment::Alive, Moment::Peak, Moment::Allocated, Moment::Grown];

    /// The word for it in tables.
    pub fn word(self) -> &'static str {
        match self {
            Moment::Alive => "alive",
            Moment::Peak => "peak",
            Moment::Allocated => "allocated",
            Moment::Grown => "grown",
        }
    }
}

/// When that was alive which is said to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliveAt {
    /// Where the interpreter began to shut down: what it clears away then counts.
    Shutdown,
    /// When the program ended, or was looked at last.
    #[default]
    End,
}

impl AliveAt {
    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            AliveAt::Shutdown => "shutdown",
            AliveAt::End => "end",
        }
    }
}

/// What found no room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// The largest first.
pub type Sites = Vec<RecordedSite>;

/// A site, with as many blocks and bytes as its samples stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSite {
    pub site: Site,
    /// Who gave the blocks out; not known of what was allocated in all.
    pub domain: Option<&'static str>,
    /// The true bytes lie within so many of `site.bytes`, in 19 of 20 cases.
    pub error_bytes: u64,
}

/// How the files of the machinery of imports begin, which Python leaves out of tracebacks, too.
pub const IMPORTING: &str = "<frozen importlib._bootstrap";

impl RecordedSite {
    /// What [`place_of`] its stack is.
    pub fn place(&self) -> Option<&Call> {
        place_of(&self.site.stack)
    }
}

/// The innermost call of Python code. Where there is none, the innermost one.
pub fn place_of(stack: &[Call]) -> Option<&Call> {
    stack.iter().rev().find(|call| !call.file.is_empty()).or(stack.last())
}

impl Allocations {
    /// Those of the process that recorded first; `None` when nobody has. What came since `first` has grown.
    pub fn of(recording: &Recording, redact: bool, first: Option<&Mark>) -> Option<Allocations> {
        let area = of_program(recording)?;
        let mut names = Names::default();
        let weights = Weights::of(recording, area, first);
        let mut sites = |table| names.sites(area, recording.sample_bytes, table);
        let is_used = |thread: &&recording::read::Thread| thread.totals != <[Totals; 5]>::default();
        Some(Allocations {
            process: RecordedProcess::of(area, redact),
            sample_bytes: recording.sample_bytes,
            totals: by_domain(&area.totals()),
            threads: area.threads.iter().filter(is_used).map(thread).collect(),
            peak_bytes: area.peak_bytes,
            peak_lag: if recording.sample_bytes == 0 { 0 } else { SAMPLE_BYTES },
            alive: sites(weights.alive),
            alive_at: AliveAt::End,
            at_peak: sites(weights.at_peak),
            allocated: sites(weights.allocated),
            lacks_allocated: false,
            grown: weights.grown.map(&mut sites),
            dropped: Dropped {
                places: area.dropped.stacks,
                blocks: area.dropped.blocks,
                mappings: area.dropped.mappings,
                processes: recording.unrecorded,
            },
            has_stacks: area.stacks != Stacks::Unknown,
            others: OtherProcesses::than(area, recording, redact),
            sources: Sources::default(),
            history: Vec::new(),
            read_at: Mark::of(area),
        })
    }

    /// The same, with what was alive at an earlier reading, where the interpreter began to shut down.
    pub fn alive_as_in(self, earlier: Allocations) -> Allocations {
        Allocations {
            alive: earlier.alive,
            grown: earlier.grown,
            alive_at: AliveAt::Shutdown,
            ..self
        }
    }

    /// What the program itself has been given since its start, and has not given back.
    pub fn alive_bytes(&self) -> u64 {
        let sum = self.sum();
        sum.allocated.saturating_sub(sum.freed)
    }

    /// Whether it is known where anything was allocated.
    pub fn has_sites(&self) -> bool {
        !(self.alive.is_empty() && self.at_peak.is_empty() && self.allocated.is_empty())
    }

    /// The sites of one moment; `None` where nobody was there then.
    pub fn sites(&self, moment: Moment) -> Option<&Sites> {
        match moment {
            Moment::Alive => Some(&self.alive),
            Moment::Peak => Some(&self.at_peak),
            Moment::Allocated => (!self.lacks_allocated).then_some(&self.allocated),
            Moment::Grown => self.grown.as_ref(),
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

/// The domain that reports call so.
pub fn domain_named(word: &str) -> Option<&'static str> {
    Domain::ALL.map(name).into_iter().find(|each| *each == word)
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

/// Texts and stacks of one area, each once.
#[derive(Debug, Default)]
struct Names {
    texts: FxHashMap<String, Rc<str>>,
    /// By where they stand in the area: there are many more calls in stacks than there are different ones.
    calls: FxHashMap<*const RecordedCall, Call>,
    stacks: FxHashMap<u64, Rc<[Call]>>,
}

impl Names {
    fn sites(&mut self, area: &Area, sample_bytes: u64, weights: FxHashMap<Kind, Weight>) -> Sites {
        let mut by_stack: FxHashMap<(Rc<[Call]>, Option<Domain>), Weight> = FxHashMap::default();
        for ((number, domain), weight) in weights {
            by_stack
                .entry((self.stack(area, number), domain))
                .or_default()
                .add(weight);
        }
        let sites = by_stack.into_iter();
        let mut sites: Sites = sites
            .map(|((stack, domain), weight)| site(stack, domain, sample_bytes, weight))
            .collect();
        sites.sort_by(|a, b| b.site.bytes.cmp(&a.site.bytes).then_with(|| order(a).cmp(&order(b))));
        sites
    }

    /// The calls of a stack without the machinery of imports, which makes up most of them in programs that start, and says
    /// nothing that the statement that imports does not.
    fn stack(&mut self, area: &Area, number: u64) -> Rc<[Call]> {
        if let Some(known) = self.stacks.get(&number) {
            return Rc::clone(known);
        }
        let all = area.calls(number);
        let is_own = |call: &&&RecordedCall| !call.file.starts_with(IMPORTING);
        let mut calls: Vec<Call> = all.iter().filter(is_own).map(|call| self.call(call)).collect();
        if calls.is_empty() {
            calls = all.iter().map(|call| self.call(call)).collect();
        }
        if calls.is_empty() {
            let name = if number == REST { FULL } else { "(no Python code)" };
            calls.push(Call {
                function: self.name(name),
                file: self.name(""),
                line: None,
            });
        }
        let stack: Rc<[Call]> = calls.into();
        self.stacks.insert(number, Rc::clone(&stack));
        stack
    }

    fn call(&mut self, recorded: &RecordedCall) -> Call {
        if let Some(known) = self.calls.get(&std::ptr::from_ref(recorded)) {
            return known.clone();
        }
        let call = Call {
            function: self.name(&recorded.function),
            file: self.name(&recorded.file),
            line: recorded.line,
        };
        self.calls.insert(recorded, call.clone());
        call
    }

    fn name(&mut self, text: &str) -> Rc<str> {
        if let Some(known) = self.texts.get(text) {
            return Rc::clone(known);
        }
        let name: Rc<str> = text.into();
        self.texts.insert(text.to_owned(), Rc::clone(&name));
        name
    }
}

fn site(stack: Rc<[Call]>, domain: Option<Domain>, sample_bytes: u64, weight: Weight) -> RecordedSite {
    let (least, most) = weight.interval(sample_bytes);
    RecordedSite {
        site: Site {
            stack,
            source: Source::Recorded,
            confidence: Confidence::Certain,
            count: weight.blocks.round() as u64,
            bytes: weight.bytes.round() as u64,
            types: Vec::new(),
        },
        domain: domain.map(name),
        // Of the limits, which are not as far away on both sides, the one that is further.
        error_bytes: (most - weight.bytes).max(weight.bytes - least).round() as u64,
    }
}

/// What sites of one size are put in order by.
fn order(site: &RecordedSite) -> (&[Call], Option<&str>) {
    (&site.site.stack, site.domain)
}
