//! Reads a recording, finished or not, whole or damaged. Rows that make no sense are left out.

use std::fmt;
use std::mem::{offset_of, size_of};

mod rows;

pub(crate) use self::rows::word;
use self::rows::{area, bounded};
use crate::form::{AREAS, Domain, FileHead, MAGIC, MOST_CALLS, Room, Stacks, VERSION, pid};
use crate::tallies::Tallied;
pub use crate::totals::{Thread, Totals};
use crate::weight::{Weight, weight};

/// Gives so many bytes of the file from an offset on, or fewer where it ends.
pub trait ReadFile {
    fn read(&mut self, offset: usize, length: usize) -> Vec<u8>;
}

/// Why a file is no recording that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// It does not begin as a recording does.
    NoRecording,
    /// It was written by another release.
    OtherVersion(u64),
}

impl fmt::Display for Foreign {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Foreign::NoRecording => out.write_str("it is no recording"),
            Foreign::OtherVersion(version) => write!(out, "it is a recording of form {version}, not {VERSION}"),
        }
    }
}

/// A recording: what every process of it has written so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// 0 when every block was recorded.
    pub sample_bytes: u64,
    /// In the order in which their processes began.
    pub areas: Vec<Area>,
    /// Processes that found no room.
    pub unrecorded: u64,
    /// The process that recorded first.
    pub program: u64,
}

/// What one process has written.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// See [`crate::form::process`].
    pub process: u64,
    /// Its number in the file.
    pub number: usize,
    /// Which of all processes it was; 0 while it is getting ready.
    pub serial: u64,
    /// The interpreter's version; `None` where it could not be asked.
    pub python: Option<[u8; 3]>,
    /// Seconds since 1970.
    pub started: f64,
    pub executable: String,
    pub command: Vec<String>,
    /// What processes counted that had the area before, by domain, and how many they were.
    pub earlier: [Totals; Domain::ALL.len()],
    pub earlier_processes: u64,
    /// The number of the area of the process that it was forked from.
    pub parent: Option<usize>,
    /// Which of CPython's domains are hooked.
    pub hooked: Vec<Domain>,
    pub stacks: Stacks,
    pub threads: Vec<Thread>,
    /// What sampled blocks that come from now on are born after.
    pub now: u64,
    /// Bytes that were alive at the highest point that was seen.
    pub peak_bytes: u64,
    pub blocks: Vec<SampledBlock>,
    /// Where every block is recorded: all of them, by stack and domain.
    pub tallies: Vec<Tallied>,
    /// The stack with number `n` is at `n - 1`.
    pub stack_rows: Vec<StackRow>,
    /// What the samples stand for whose stack found no room; their blocks have the number [`crate::form::REST`].
    pub rest: Weight,
    frames: Vec<Call>,
    pub dropped: Dropped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampledBlock {
    pub address: u64,
    pub size: u64,
    /// 0 when it is not known.
    pub stack: u64,
    pub domain: Domain,
    /// By the count that [`Area::now`] is of.
    pub birth: u64,
    pub is_alive: bool,
    /// Whether it was alive when most was.
    pub was_at_peak: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StackRow {
    /// The caller's; 0 for the outermost call.
    pub parent: u64,
    frame: u64,
    /// All that was allocated with this stack.
    pub allocated: Weight,
}

/// A line of a function. The names are bytes of UTF-8, where they could be had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    pub function: String,
    pub file: String,
    pub line: Option<u32>,
}

/// Samples that found no room for the block, or for its stack; and mappings that are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    pub blocks: u64,
    pub stacks: u64,
    pub mappings: u64,
}

impl Recording {
    /// Reads what was written so far.
    pub fn read(file: &mut impl ReadFile) -> Result<Recording, Foreign> {
        let head = file.read(0, size_of::<FileHead>());
        if word(&head, offset_of!(FileHead, magic)) != MAGIC {
            return Err(Foreign::NoRecording);
        }
        match word(&head, offset_of!(FileHead, version)) {
            VERSION => {}
            other => return Err(Foreign::OtherVersion(other)),
        }
        let claimed = word(&head, offset_of!(FileHead, claimed));
        let used = 0..bounded(claimed, AREAS);
        let sample_bytes = word(&head, offset_of!(FileHead, sample_bytes));
        let room = Room::of(sample_bytes);
        let mut areas: Vec<Area> = used.filter_map(|number| area(file, room, number)).collect();
        areas.sort_by_key(|area| area.serial);
        Ok(Recording {
            sample_bytes,
            areas,
            unrecorded: word(&head, offset_of!(FileHead, unrecorded)),
            program: word(&head, offset_of!(FileHead, program)),
        })
    }

    /// What a block of this size stands for.
    pub fn weight(&self, size: u64) -> Weight {
        weight(size, self.sample_bytes)
    }
}

impl Area {
    /// The process's number in its namespace.
    pub fn pid(&self) -> u32 {
        pid(self.process)
    }

    /// What all threads of the process gave out and took back, by domain.
    pub fn totals(&self) -> [Totals; Domain::ALL.len()] {
        let mut sum = [Totals::default(); Domain::ALL.len()];
        for thread in &self.threads {
            for (sum, totals) in sum.iter_mut().zip(&thread.totals) {
                *sum = sum.plus(*totals);
            }
        }
        for (sum, earlier) in sum.iter_mut().zip(&self.earlier) {
            *sum = sum.minus(*earlier);
        }
        sum
    }

    /// The calls of the stack with this number, the outermost first.
    pub fn calls(&self, stack: u64) -> Vec<&Call> {
        let mut calls = Vec::new();
        let mut number = stack;
        while let Some(row) = numbered(&self.stack_rows, number).filter(|_| calls.len() < MOST_CALLS) {
            calls.extend(numbered(&self.frames, row.frame));
            number = row.parent;
        }
        calls.reverse();
        calls
    }
}

/// The row with this number, which counts from 1.
fn numbered<T>(rows: &[T], number: u64) -> Option<&T> {
    rows.get(usize::try_from(number).ok()?.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{AreaHead, BLOCKS_AT, Block, HEAD_BYTES};

    /// A file of words that are set; all others are 0.
    struct Words(std::collections::BTreeMap<usize, u64>);

    impl ReadFile for Words {
        fn read(&mut self, offset: usize, length: usize) -> Vec<u8> {
            let words = offset / 8..(offset + length).div_ceil(8);
            let bytes = words.flat_map(|index| self.0.get(&(8 * index)).copied().unwrap_or_default().to_le_bytes());
            bytes.skip(offset % 8).take(length).collect()
        }
    }

    fn file(words: &[(usize, u64)]) -> Words {
        let head = [(0, MAGIC), (8, VERSION), (24, 1)];
        Words(head.into_iter().chain(words.iter().copied()).collect())
    }

    fn in_area(offset: usize) -> usize {
        HEAD_BYTES + offset
    }

    #[test]
    fn strangers_are_told_apart() {
        assert_eq!(
            Recording::read(&mut Words(Default::default())),
            Err(Foreign::NoRecording)
        );
        assert_eq!(Recording::read(&mut file(&[(8, 77)])), Err(Foreign::OtherVersion(77)));
    }

    #[test]
    fn a_block_that_died_after_the_peak_was_at_the_peak() {
        let mut words = vec![
            (in_area(offset_of!(AreaHead, process)), 1),
            (in_area(offset_of!(AreaHead, peak)), 5),
            (in_area(offset_of!(AreaHead, blocks_used)), 4),
        ];
        for (index, (birth, death)) in [(3, 0), (3, 6), (3, 5), (6, 0)].into_iter().enumerate() {
            let at = in_area(BLOCKS_AT + index * size_of::<Block>());
            words.push((at + offset_of!(Block, birth), birth));
            words.push((at + offset_of!(Block, death), death));
        }
        let area = Recording::read(&mut file(&words)).unwrap().areas.remove(0);
        let seen: Vec<_> = area
            .blocks
            .iter()
            .map(|block| (block.is_alive, block.was_at_peak))
            .collect();
        assert_eq!(seen, [(true, true), (false, true), (true, false)]);
    }

    #[test]
    fn lies_are_bounded() {
        let mut words = Vec::new();
        words.extend((0..64).map(|word| (in_area(8 * word), u64::MAX)));
        let room = Room::of(1);
        words.push((offset_of!(FileHead, sample_bytes), 1));
        words.extend((0..64).map(|word| (in_area(room.stacks_at + 8 * word), u64::MAX)));
        words.extend((0..64).map(|word| (in_area(room.frames_at + 8 * word), 1)));
        let recording = Recording::read(&mut file(&words)).unwrap();
        let area = &recording.areas[0];
        assert_eq!(area.stack_rows.len(), room.stacks);
        assert!(area.calls(1).len() <= 1 && area.calls(u64::MAX).is_empty());
    }
}
