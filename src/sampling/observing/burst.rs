//! A burst of readings: the innermost call of a thread and the last of the youngest objects, many times within
//! microseconds, each as close to the other as can be.

use std::time::Instant;

use cpython::memory::{ReadMemory, word_at};
use cpython::youngest;

use super::pace::Pace;

/// What is read in each round, one after the other: frames, the word that points at the innermost one, the head of the
/// youngest objects; and before the first round that word as well. All together are one call of the system.
#[derive(Debug, Default)]
pub struct Burst {
    ranges: Vec<(u64, usize)>,
    /// The memory that holds frames: its first address, its length, and where it stands in each round.
    frames: Vec<(u64, usize, usize)>,
    bytes: Vec<u8>,
    stride: usize,
    rounds: usize,
    is_steady: bool,
}

/// Where a burst reads.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// The word that points at the innermost frame.
    pub pointer: u64,
    /// The list of the youngest objects.
    pub head: u64,
    /// Bytes of a frame.
    pub frame_length: usize,
}

/// Bytes of the word that points at the innermost frame.
const POINTER: usize = 8;
/// Frames that lie closer together are read with what is between them.
const NEAR: u64 = 2048;

impl Burst {
    /// Reads `rounds` rounds of these places; `frames` are those that the innermost one may be.
    pub fn read<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        places: Places,
        frames: &[u64],
        rounds: usize,
        pace: &mut Pace,
    ) {
        let Places { pointer, head, .. } = places;
        self.lay_out(frames, places.frame_length);
        self.ranges.clear();
        self.ranges.push((pointer, POINTER));
        for _ in 0..rounds {
            self.ranges
                .extend(self.frames.iter().map(|&(start, length, _)| (start, length)));
            self.ranges.push((pointer, POINTER));
            self.ranges.push((head, youngest::HEAD));
        }
        let started = Instant::now();
        let read = memory.read_series(&self.ranges, &mut self.bytes);
        self.is_steady = pace.is_steady(started, self.ranges.len());
        self.rounds = read.saturating_sub(POINTER) / self.stride;
    }

    fn lay_out(&mut self, frames: &[u64], frame_length: usize) {
        let mut sorted = frames.to_vec();
        sorted.sort_unstable();
        self.frames.clear();
        for start in sorted {
            let end = start.saturating_add(frame_length as u64);
            match self.frames.last_mut() {
                Some((first, length, _)) if start < first.saturating_add(*length as u64 + NEAR) => {
                    *length = (*length).max((end - *first) as usize);
                }
                _ => self.frames.push((start, frame_length, 0)),
            }
        }
        let mut at = 0;
        for (_, length, place) in &mut self.frames {
            *place = at;
            at += *length;
        }
        self.stride = at + POINTER + youngest::HEAD;
    }

    /// Whether it was read without interruption, and right after the one before.
    pub fn is_steady(&self) -> bool {
        self.is_steady
    }

    /// How many rounds were read to the end.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// The innermost frame in a round; `None` when it was another one before.
    pub fn innermost(&self, round: usize) -> Option<u64> {
        let before = match round.checked_sub(1) {
            Some(round) => self.pointer(round),
            None => word_at(&self.bytes, 0),
        };
        (self.pointer(round) == before).then_some(before)
    }

    /// The innermost frame by the end of a round.
    pub fn pointer(&self, round: usize) -> u64 {
        let end = POINTER + (round + 1) * self.stride;
        word_at(&self.bytes, end.saturating_sub(youngest::HEAD + POINTER) as u64)
    }

    /// The bytes of a frame in a round, when it was among those that were read.
    pub fn frame(&self, round: usize, address: u64, length: usize) -> Option<&[u8]> {
        let holds = |&&(start, held, _): &&(u64, usize, usize)| {
            address >= start && address.saturating_add(length as u64) <= start.saturating_add(held as u64)
        };
        let (start, _, place) = self.frames.iter().find(holds)?;
        let at = POINTER + round * self.stride + place + (address - start) as usize;
        self.bytes.get(at..at + length)
    }

    /// The first bytes of the list's head in a round.
    pub fn head(&self, round: usize) -> &[u8] {
        let end = POINTER + (round + 1) * self.stride;
        self.bytes
            .get(end.saturating_sub(youngest::HEAD)..end)
            .unwrap_or_default()
    }
}
