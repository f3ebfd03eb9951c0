//! What the looks have counted: for each line with an idiom the time spent in it and what it worked on.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::names::{Under, plain_length};
use rustc_hash::FxHashMap;

use super::operand::{self, Root};
use super::place::Unavailable;
use crate::heap::patterns::{BusyLine, BusyLines, Habit, UnknownSource, WorkedOn, is_query_set};
use crate::syntax::Idiom;

/// So many lines are counted.
const MOST_TALLIES: usize = 1 << 12;

/// A line of source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Line {
    pub function: String,
    pub file: String,
    pub line: u32,
    pub text: String,
}

/// What an operation worked on in one look.
pub struct Seen {
    address: u64,
    type_name: String,
    /// Of plain containers and texts.
    length: Option<u64>,
    root: Root,
}

struct Tally {
    line: Line,
    idiom: Idiom,
    samples: u64,
    root: Root,
    /// By type, and by the power of two that the length is next above.
    worked_on: FxHashMap<(String, u32), WorkedOn>,
    /// The length when it was last looked at, and how often it was more than before.
    last: u64,
    rises: u64,
}

#[derive(Default)]
pub struct Tallies {
    all: Vec<Tally>,
    numbers: FxHashMap<(Line, Idiom), usize>,
    unknown: Vec<UnknownSource>,
}

impl Tallies {
    /// The number of the tally for an idiom in a line.
    pub fn of(&mut self, line: Line, idiom: &Idiom) -> usize {
        let key = (line, idiom.clone());
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        if self.all.len() >= MOST_TALLIES {
            // What comes then is counted with the last one that is known, which nothing was found on.
            return MOST_TALLIES;
        }
        self.all.push(Tally {
            line: key.0.clone(),
            idiom: idiom.clone(),
            samples: 0,
            root: Root::Unknown,
            worked_on: FxHashMap::default(),
            last: 0,
            rises: 0,
        });
        self.numbers.insert(key, self.all.len() - 1);
        self.all.len() - 1
    }

    /// The number of a file whose source is not to be had.
    pub fn unknown(&mut self, file: &str, reason: Unavailable) -> usize {
        let reason = reason.to_string();
        let is_it = |known: &UnknownSource| known.file == file && known.reason == reason;
        if let Some(number) = self.unknown.iter().position(is_it) {
            return number;
        }
        if self.unknown.len() >= MOST_TALLIES {
            return MOST_TALLIES;
        }
        self.unknown.push(UnknownSource {
            file: file.to_owned(),
            reason,
            samples: 0,
        });
        self.unknown.len() - 1
    }

    pub fn count(&mut self, tally: usize) {
        if let Some(tally) = self.all.get_mut(tally) {
            tally.samples += 1;
        }
    }

    pub fn count_unknown(&mut self, file: usize) {
        if let Some(file) = self.unknown.get_mut(file) {
            file.samples += 1;
        }
    }

    /// Looks up what a call works on there.
    pub fn operand<M: ReadMemory>(&self, memory: &mut M, layout: &Layout, tally: usize, call: Under) -> Option<Seen> {
        let tally = self.all.get(tally)?;
        let (address, root) = operand::resolve(memory, layout, call, tally.idiom.operand())?;
        let (type_name, length) = plain_length(memory, layout, address).ok()?;
        Some(Seen {
            address,
            type_name,
            length,
            root,
        })
    }

    /// Notes what was looked up.
    pub fn note(&mut self, tally: usize, seen: Seen) {
        let Some(tally) = self.all.get_mut(tally) else {
            return;
        };
        let length = seen.length.unwrap_or_default();
        tally.rises += u64::from(length > tally.last);
        tally.last = length;
        tally.root = seen.root;
        let key = (seen.type_name.clone(), length.checked_ilog2().unwrap_or_default());
        let known = tally.worked_on.entry(key).or_insert_with(|| WorkedOn {
            type_name: match seen.length {
                Some(_) => format!("builtins.{}", seen.type_name).into(),
                None => seen.type_name.into(),
            },
            address: seen.address,
            times: 0,
            longest: 0,
        });
        known.times += 1;
        if length >= known.longest {
            known.longest = length;
            known.address = seen.address;
        }
    }

    /// All of it as data, after so many looks, of which so many found somebody running.
    pub fn conclude(self, looks: u64, samples: u64) -> BusyLines {
        let mut lines: Vec<BusyLine> = self
            .all
            .into_iter()
            .filter(|tally| tally.samples > 0)
            .map(Tally::conclude)
            .filter(|line| line.habit != Habit::Reads || !line.worked_on.is_empty())
            .collect();
        lines.sort_by(|a, b| {
            let place = |line: &BusyLine| (line.file.clone(), line.line, line.operand.clone(), line.habit);
            b.samples.cmp(&a.samples).then_with(|| place(a).cmp(&place(b)))
        });
        let mut unknown: Vec<UnknownSource> = self.unknown.into_iter().filter(|file| file.samples > 0).collect();
        unknown.sort_by(|a, b| {
            let name = |file: &UnknownSource| (file.file.clone(), file.reason.clone());
            b.samples.cmp(&a.samples).then_with(|| name(a).cmp(&name(b)))
        });
        BusyLines {
            looks,
            samples,
            lines,
            unknown,
        }
    }
}

impl Tally {
    fn conclude(self) -> BusyLine {
        let operand = self.idiom.operand().to_string();
        let is_loop = matches!(self.idiom, Idiom::Reading { .. });
        let mut worked_on: Vec<WorkedOn> = self.worked_on.into_values().collect();
        // Programs are full of loops; those over other things are of no use to anybody.
        worked_on.retain(|each| !is_loop || is_query_set(&each.type_name));
        worked_on.sort_by(|a, b| {
            let rest = |each: &WorkedOn| (each.longest, each.address);
            b.times.cmp(&a.times).then_with(|| rest(b).cmp(&rest(a)))
        });
        let path = match &self.root {
            Root::Global(module) => format!("{module}.{operand}"),
            Root::Local | Root::Unknown => {
                let file = self.line.file.rsplit('/').next().unwrap_or_default();
                format!("{}() at {file}:{} > {operand}", self.line.function, self.line.line)
            }
        };
        BusyLine {
            habit: match &self.idiom {
                Idiom::Membership(_) => Habit::Membership,
                Idiom::FirstMoves { method, .. } => match *method {
                    "pop" => Habit::TakesFirst,
                    "insert" => Habit::InsertsFirst,
                    "slice" => Habit::SlicesFirst,
                    _ => Habit::DeletesFirst,
                },
                Idiom::Building(_) => Habit::Builds,
                Idiom::Counting(_) => Habit::Counts,
                Idiom::Reading { .. } => Habit::Reads,
            },
            attribute: match self.idiom {
                Idiom::Reading { attribute, .. } => attribute,
                _ => None,
            },
            operand,
            path,
            function: self.line.function,
            file: self.line.file,
            line: self.line.line,
            text: self.line.text,
            samples: self.samples,
            rises: self.rises,
            worked_on,
        }
    }
}
