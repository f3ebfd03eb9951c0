//! Reads a recording, finished or not, whole or damaged. Rows that make no sense are left out.

use std::fmt;
use std::mem::{offset_of, size_of};

use crate::form::{
    AREA_BYTES, AREAS, AreaHead, BLOCKS, BLOCKS_AT, Block, Domain, FileHead, Frame, HEAD_BYTES, LENGTH_BITS,
    LONGEST_TEXT, MAGIC, MOST_CALLS, Room, SLOTS, SLOTS_AT, Slot, Stack, Stacks, TALLIES, TALLIES_AT, Tally, VERSION,
};
use crate::tallies::{Tallied, tallied};
use crate::totals::thread;
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
    /// In the order in which they began.
    pub areas: Vec<Area>,
    /// Processes that found no room.
    pub unrecorded: u64,
}

/// What one process has written.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    pub pid: u64,
    /// Its number in the file.
    pub number: usize,
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

/// What found no room, and is in no table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    pub blocks: u64,
    pub stacks: u64,
    pub texts: u64,
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
        let present = bounded(claimed, AREAS);
        let sample_bytes = word(&head, offset_of!(FileHead, sample_bytes));
        let room = Room::of(sample_bytes);
        Ok(Recording {
            sample_bytes,
            areas: (0..present).filter_map(|number| area(file, room, number)).collect(),
            unrecorded: claimed.saturating_sub(present as u64),
        })
    }

    /// What a block of this size stands for.
    pub fn weight(&self, size: u64) -> Weight {
        weight(size, self.sample_bytes)
    }
}

impl Area {
    /// What all threads gave out and took back, by domain.
    pub fn totals(&self) -> [Totals; Domain::ALL.len()] {
        let mut sum = [Totals::default(); Domain::ALL.len()];
        for thread in &self.threads {
            for (sum, totals) in sum.iter_mut().zip(&thread.totals) {
                *sum = sum.plus(*totals);
            }
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

/// The area with this number; `None` when its process has not begun.
fn area(file: &mut impl ReadFile, room: Room, number: usize) -> Option<Area> {
    let start = HEAD_BYTES + number * AREA_BYTES;
    let head = file.read(start, size_of::<AreaHead>());
    let of_head = |offset: usize| word(&head, offset);
    let pid = of_head(offset_of!(AreaHead, pid));
    if pid == 0 {
        return None;
    }
    let mut table = |at: usize, used: usize, most: usize, row: usize| {
        let rows = bounded(of_head(used), most);
        file.read(start + at, rows * row)
    };
    let slots = table(SLOTS_AT, offset_of!(AreaHead, slots_used), SLOTS, size_of::<Slot>());
    let blocks = table(BLOCKS_AT, offset_of!(AreaHead, blocks_used), BLOCKS, size_of::<Block>());
    let stacks = table(
        room.stacks_at,
        offset_of!(AreaHead, stacks_used),
        room.stacks,
        size_of::<Stack>(),
    );
    let frames = table(
        room.frames_at,
        offset_of!(AreaHead, frames_used),
        room.frames,
        size_of::<Frame>(),
    );
    let texts = table(room.text_at, offset_of!(AreaHead, text_used), room.text_bytes, 1);
    let tallies = table(
        TALLIES_AT,
        offset_of!(AreaHead, tallies_used),
        TALLIES,
        size_of::<Tally>(),
    );
    // What no thread of its own counted stands in the last slot.
    let last = file.read(start + SLOTS_AT + (SLOTS - 1) * size_of::<Slot>(), size_of::<Slot>());
    let threads = rows::<Slot>(&slots).take(SLOTS - 1).map(thread);
    let shared = rows::<Slot>(&last).map(|row| Thread {
        id: None,
        ..thread(row)
    });
    let peak = of_head(offset_of!(AreaHead, peak));
    let hooked = of_head(offset_of!(AreaHead, hooked));
    let domains = Domain::ALL.into_iter();
    Some(Area {
        pid,
        number,
        parent: bounded(of_head(offset_of!(AreaHead, parent)), AREAS).checked_sub(1),
        hooked: domains.filter(|&domain| hooked >> domain as u32 & 1 == 1).collect(),
        stacks: *Stacks::ALL
            .get(bounded(of_head(offset_of!(AreaHead, stacks)), Stacks::ALL.len()))
            .unwrap_or(&Stacks::Unknown),
        threads: threads.chain(shared).collect(),
        now: of_head(offset_of!(AreaHead, now)),
        peak_bytes: of_head(offset_of!(AreaHead, peak_bytes)),
        blocks: rows::<Block>(&blocks).filter_map(|row| block(row, peak)).collect(),
        tallies: rows::<Tally>(&tallies).filter_map(|row| tallied(row, peak)).collect(),
        stack_rows: rows::<Stack>(&stacks).enumerate().map(stack).collect(),
        frames: rows::<Frame>(&frames).map(|row| call(row, &texts)).collect(),
        dropped: Dropped {
            blocks: of_head(offset_of!(AreaHead, blocks_dropped)),
            stacks: of_head(offset_of!(AreaHead, stacks_dropped)),
            texts: of_head(offset_of!(AreaHead, texts_dropped)),
            mappings: of_head(offset_of!(AreaHead, mappings_dropped)),
        },
    })
}

fn block(row: &[u8], peak: u64) -> Option<SampledBlock> {
    let birth = word(row, offset_of!(Block, birth));
    let death = word(row, offset_of!(Block, death));
    let is_alive = death == 0;
    let was_at_peak = birth <= peak && (is_alive || death > peak);
    if birth == 0 || !(is_alive || was_at_peak) {
        return None;
    }
    Some(SampledBlock {
        address: word(row, offset_of!(Block, address)),
        size: word(row, offset_of!(Block, size)),
        stack: word(row, offset_of!(Block, stack)),
        domain: Domain::numbered(word(row, offset_of!(Block, domain)))?,
        birth,
        is_alive,
        was_at_peak,
    })
}

fn stack((index, row): (usize, &[u8])) -> StackRow {
    let sum = |offset: usize| Some(f64::from_bits(word(row, offset))).filter(|sum| sum.is_finite() && *sum > 0.0);
    let parent = word(row, offset_of!(Stack, parent));
    StackRow {
        // Callers come before the called: a chain of rows always ends.
        parent: if parent <= index as u64 { parent } else { 0 },
        frame: word(row, offset_of!(Stack, frame)),
        allocated: Weight {
            blocks: sum(offset_of!(Stack, blocks)).unwrap_or_default(),
            bytes: sum(offset_of!(Stack, bytes)).unwrap_or_default(),
            variance: sum(offset_of!(Stack, variance)).unwrap_or_default(),
            seen: sum(offset_of!(Stack, seen)).unwrap_or_default(),
        },
    }
}

fn call(row: &[u8], texts: &[u8]) -> Call {
    if word(row, offset_of!(Frame, whole)) != 1 {
        return Call::default();
    }
    let line = word(row, offset_of!(Frame, line)).checked_sub(1);
    Call {
        function: text(texts, word(row, offset_of!(Frame, function))),
        file: text(texts, word(row, offset_of!(Frame, file))),
        line: line.and_then(|line| u32::try_from(line).ok()),
    }
}

fn text(texts: &[u8], place: u64) -> String {
    let length = bounded(place & ((1 << LENGTH_BITS) - 1), LONGEST_TEXT);
    let offset = bounded(place >> LENGTH_BITS, texts.len());
    let bytes = texts.get(offset..).unwrap_or_default();
    String::from_utf8_lossy(&bytes[..length.min(bytes.len())]).into_owned()
}

fn rows<T>(table: &[u8]) -> impl Iterator<Item = &[u8]> {
    table.chunks_exact(size_of::<T>())
}

fn bounded(number: u64, most: usize) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).min(most)
}

/// The word at `offset`; zero when the bytes end before it.
pub(crate) fn word(bytes: &[u8], offset: usize) -> u64 {
    match bytes.get(offset..).and_then(|rest| rest.first_chunk()) {
        Some(&word) => u64::from_le_bytes(word),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (in_area(offset_of!(AreaHead, pid)), 1),
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
        words.extend((0..32).map(|word| (in_area(8 * word), u64::MAX)));
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
