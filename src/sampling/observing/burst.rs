//! A burst of readings: the innermost call of a thread and the last of the youngest objects, many times within
//! microseconds, each as close to the other as can be.

use std::time::Instant;

use cpython::memory::{ReadMemory, word_at};
use cpython::stack::Innermost;

use super::pace::Pace;

/// What is read in each round, one after the other: the word that leads to the innermost frame, the memory that holds
/// frames, the head of the youngest objects. All rounds together are one call of the system, which takes about as long for a
/// whole page as for a word: so it is few pages, and not many frames, that are read.
#[derive(Debug, Default)]
pub struct Burst {
    ranges: Vec<(u64, usize)>,
    /// The memory that holds frames: its first address, its length, and where it stands in each round.
    regions: Vec<(u64, usize, usize)>,
    bytes: Vec<u8>,
    stride: usize,
    head_length: usize,
    rounds: usize,
    through: Option<u64>,
    is_steady: bool,
}

/// Where a burst reads.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// What leads to the innermost frame.
    pub innermost: Innermost,
    /// The list of the youngest objects, and so many bytes from its head on.
    pub head: u64,
    pub head_length: usize,
}

/// Bytes of the word that leads to the innermost frame.
const POINTER: usize = 8;
/// Regions are made of these.
const PAGE: u64 = 4096;

/// The pages that hold the first and the last of so many bytes.
pub fn pages_of(address: u64, length: usize) -> [u64; 2] {
    let end = address.saturating_add(length as u64).saturating_sub(1);
    [address & !(PAGE - 1), end & !(PAGE - 1)]
}

impl Burst {
    /// Reads `rounds` rounds of these places; `pages` are those that calls may stand in.
    pub fn read<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        places: Places,
        pages: &[u64],
        rounds: usize,
        pace: &mut Pace,
    ) {
        let Places { innermost, .. } = places;
        self.head_length = places.head_length;
        self.lay_out(pages);
        self.through = innermost.through;
        self.ranges.clear();
        for _ in 0..rounds {
            self.ranges.push((innermost.pointer, POINTER));
            self.ranges
                .extend(self.regions.iter().map(|&(start, length, _)| (start, length)));
            self.ranges.push((places.head, places.head_length));
        }
        let started = Instant::now();
        let read = memory.read_series(&self.ranges, &mut self.bytes);
        self.rounds = read / self.stride;
        // What ended early took no time worth knowing.
        self.is_steady = self.rounds == rounds && pace.is_steady(started, rounds * self.cost());
    }

    fn lay_out(&mut self, pages: &[u64]) {
        let mut sorted = pages.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        self.regions.clear();
        for page in sorted {
            match self.regions.last_mut() {
                Some((first, length, _)) if page == first.saturating_add(*length as u64) => *length += PAGE as usize,
                _ => self.regions.push((page, PAGE as usize, 0)),
            }
        }
        let mut at = POINTER;
        for (_, length, place) in &mut self.regions {
            *place = at;
            at += *length;
        }
        self.stride = at + self.head_length;
    }

    /// What a round takes, in parts of what a small range does: a further page of a range costs half as much as a range.
    fn cost(&self) -> usize {
        let pages: usize = self.regions.iter().map(|(_, length, _)| length / PAGE as usize).sum();
        4 + self.regions.len() + pages
    }

    /// Whether it was read without interruption, and right after the one before.
    pub fn is_steady(&self) -> bool {
        self.is_steady
    }

    /// How many rounds were read to the end.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// The innermost frame at the beginning of a round; or the address of the word that points at it, when that was not read.
    pub fn innermost(&self, round: usize) -> Result<u64, u64> {
        let pointer = word_at(&self.bytes, (round * self.stride) as u64);
        let Some(offset) = self.through else {
            return Ok(pointer);
        };
        let at = pointer.wrapping_add(offset);
        self.memory(round, at, POINTER).map(|bytes| word_at(bytes, 0)).ok_or(at)
    }

    /// What stood at an address in a round, when it was among what was read.
    pub fn memory(&self, round: usize, address: u64, length: usize) -> Option<&[u8]> {
        let holds = |&&(start, held, _): &&(u64, usize, usize)| {
            address >= start && address.saturating_add(length as u64) <= start.saturating_add(held as u64)
        };
        let (start, _, place) = self.regions.iter().find(holds)?;
        let at = round * self.stride + place + (address - start) as usize;
        self.bytes.get(at..at + length)
    }

    /// The bytes from the list's head on at the end of a round.
    pub fn head(&self, round: usize) -> &[u8] {
        let end = (round + 1) * self.stride;
        self.bytes
            .get(end.saturating_sub(self.head_length)..end)
            .unwrap_or_default()
    }
}
