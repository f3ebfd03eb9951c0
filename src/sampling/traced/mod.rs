//! Sites from the tables of `tracemalloc`: where it is on, it knows who asked for which block of memory.

mod functions;
mod watched;

use std::cmp::Reverse;
use std::rc::Rc;

use cpython::memory::ReadMemory;
use cpython::objects::tracemalloc::{self, Frame, PYTHON_DOMAIN, Traced};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use self::functions::Functions;
use super::births::{Births, Call, Confidence, Share, Site, Source, Unseen, Why};
use crate::heap::survey::Survey;

pub use watched::Watched;

/// What `tracemalloc` itself counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracing {
    /// The bytes of all traced blocks, as asked for.
    pub traced_bytes: u64,
    /// The most that they have been, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_bytes: Option<u64>,
    /// How many blocks are traced.
    pub traces: u64,
    /// How many frames of each stack are kept.
    pub frames: u32,
    /// In the order of their numbers, the first of which is Python's own.
    pub domains: Vec<DomainTotals>,
}

/// The blocks of a domain: of Python's own memory (0), or of what an extension module has its own number for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainTotals {
    pub domain: u32,
    pub traces: u64,
    pub bytes: u64,
}

/// What was found when `tracemalloc` was looked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Looked {
    /// It is not on, or was not to be looked for.
    #[default]
    Off,
    Read {
        births: Births,
        tracing: Tracing,
        warning: Option<String>,
    },
    /// It is on and cannot be read; a sentence says why.
    Failed(String),
}

/// Looks for `tracemalloc` in the memory that the survey was made of.
pub fn look<M: ReadMemory>(memory: &mut M, survey: &Survey) -> Looked {
    let Some(whereabouts) = &survey.subject.tracing else {
        return Looked::Off;
    };
    match tracemalloc::read(memory, survey.subject.layout, whereabouts) {
        Ok(None) => Looked::Off,
        Ok(Some(traced)) => {
            let warning = (!traced.adds_up).then(|| {
                "tracemalloc's traces do not add up to what it has counted: it was in the middle of something, or some \
                 were not found."
                    .to_owned()
            });
            Looked::Read {
                births: births(memory, survey, &traced),
                tracing: totals(&traced),
                warning,
            }
        }
        Err(cause) => Looked::Failed(format!(
            "tracemalloc is on, but its tables could not be read ({cause}): sites are missing. If they were just being \
             changed, another try succeeds."
        )),
    }
}

fn totals(traced: &Traced) -> Tracing {
    let mut domains: Vec<DomainTotals> = Vec::new();
    for trace in &traced.traces {
        match domains.last_mut() {
            Some(last) if last.domain == trace.domain => {
                last.traces += 1;
                last.bytes = last.bytes.saturating_add(trace.size);
            }
            _ => domains.push(DomainTotals {
                domain: trace.domain,
                traces: 1,
                bytes: trace.size,
            }),
        }
    }
    Tracing {
        traced_bytes: traced.bytes,
        peak_bytes: traced.peak_bytes,
        traces: traced.traces.len() as u64,
        frames: traced.most_frames,
        domains,
    }
}

/// A number of things, and their bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: u64,
    bytes: u64,
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The sites of all traces, with the objects that stand in the traced blocks; all other objects are not traced.
fn births<M: ReadMemory>(memory: &mut M, survey: &Survey, traced: &Traced) -> Births {
    let stacks = Stacks::of(traced);
    let mut blocks = vec![Sum::default(); stacks.frames.len()];
    for trace in &traced.traces {
        blocks[stacks.of_trace(trace.traceback)].add(trace.size);
    }
    let objects = Objects::of(survey, traced, &stacks);
    let functions = Functions::of(memory, survey, traced);
    let calls: Vec<Call> = stacks.calls(traced, &functions);
    let mut sites: Vec<Site> = Vec::with_capacity(blocks.len());
    for ((frames, sum), types) in stacks.frames.iter().zip(blocks).zip(objects.of_stacks) {
        let numbers = frames.iter().rev().filter_map(|frame| stacks.numbers.get(frame));
        sites.push(Site {
            stack: numbers.map(|&number| calls[number as usize].clone()).collect(),
            source: Source::Tracemalloc,
            confidence: Confidence::Certain,
            count: sum.count,
            bytes: sum.bytes,
            types: shares(survey, &types),
        });
    }
    sites.sort_by_cached_key(|site| (Reverse(site.bytes), key(&site.stack)));
    let unseen = Unseen {
        why: Why::NotTraced,
        types: shares(survey, &objects.untraced),
    };
    Births {
        sites,
        unseen: Some(unseen)
            .filter(|unseen| !unseen.types.is_empty())
            .into_iter()
            .collect(),
    }
}

/// The stacks that are told apart: tracebacks of which more was kept than is told may be alike.
struct Stacks<'a> {
    /// The newest frame first.
    frames: Vec<&'a [Frame]>,
    /// By the number of a traceback.
    of_traceback: Vec<usize>,
    /// Each frame that there is.
    numbers: FxHashMap<Frame, u32>,
}

impl<'a> Stacks<'a> {
    fn of(traced: &'a Traced) -> Self {
        let mut known: FxHashMap<&[Frame], usize> = FxHashMap::default();
        let mut stacks = Stacks {
            frames: Vec::new(),
            of_traceback: Vec::with_capacity(traced.tracebacks.len()),
            numbers: FxHashMap::default(),
        };
        for frames in &traced.tracebacks {
            let stack = *known.entry(frames).or_insert_with(|| {
                stacks.frames.push(frames);
                stacks.frames.len() - 1
            });
            stacks.of_traceback.push(stack);
            for frame in frames {
                let next = stacks.numbers.len() as u32;
                stacks.numbers.entry(*frame).or_insert(next);
            }
        }
        stacks
    }

    fn of_trace(&self, traceback: u32) -> usize {
        self.of_traceback[traceback as usize]
    }

    /// Each frame as a call, by its number.
    fn calls(&self, traced: &Traced, functions: &Functions) -> Vec<Call> {
        let files: Vec<Rc<str>> = traced.files.iter().map(|file| file.as_str().into()).collect();
        let mut frames: Vec<(u32, Frame)> = self.numbers.iter().map(|(frame, number)| (*number, *frame)).collect();
        frames.sort_unstable_by_key(|&(number, _)| number);
        let call = |(_, frame): (u32, Frame)| Call {
            function: functions.name(frame),
            file: Rc::clone(&files[frame.file as usize]),
            line: Some(frame.line).filter(|&line| line != 0),
        };
        frames.into_iter().map(call).collect()
    }
}

/// By the numbers of types.
type OfTypes = FxHashMap<u32, Sum>;

/// The objects of the heap, by the stacks that their blocks were traced with.
struct Objects {
    of_stacks: Vec<OfTypes>,
    untraced: OfTypes,
}

impl Objects {
    fn of(survey: &Survey, traced: &Traced, stacks: &Stacks) -> Objects {
        let end = traced.traces.partition_point(|trace| trace.domain == PYTHON_DOMAIN);
        let python = &traced.traces[..end];
        let mut objects = Objects {
            of_stacks: vec![OfTypes::default(); stacks.frames.len()],
            untraced: OfTypes::default(),
        };
        for block in survey.blocks() {
            let of_types = match python.binary_search_by_key(&block.start, |trace| trace.block) {
                Ok(found) => &mut objects.of_stacks[stacks.of_trace(python[found].traceback)],
                Err(_) => &mut objects.untraced,
            };
            of_types.entry(block.type_of).or_default().add(block.bytes);
        }
        objects
    }
}

/// The shares of types, those of one name taken together, the largest first.
fn shares(survey: &Survey, of_types: &OfTypes) -> Vec<Share> {
    let mut by_name: FxHashMap<&Rc<str>, Sum> = FxHashMap::default();
    for (&type_of, sum) in of_types {
        let total = by_name.entry(survey.type_name(type_of)).or_default();
        total.count += sum.count;
        total.bytes = total.bytes.saturating_add(sum.bytes);
    }
    let share = |(name, sum): (&Rc<str>, Sum)| Share {
        type_name: Rc::clone(name),
        count: sum.count,
        bytes: sum.bytes,
        grown_count: 0,
        grown_bytes: 0,
    };
    let mut shares: Vec<Share> = by_name.into_iter().map(share).collect();
    shares.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.type_name.cmp(&b.type_name)));
    shares
}

/// What stays the same of a stack when functions come to be known or unknown.
type Key = Vec<(Rc<str>, Option<u32>)>;

fn key(stack: &[Call]) -> Key {
    stack.iter().map(|call| (Rc::clone(&call.file), call.line)).collect()
}
