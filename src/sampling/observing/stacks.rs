//! Stacks of calls: as they stand in a round of a burst, and each different one under a number.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::stack::{self, RunningCall};
use rustc_hash::FxHashMap;

use super::burst::Burst;
use super::codes::{Codes, Place, Standing};
use crate::sampling::births::Call;

/// Deeper calls are left out of stacks, from the outermost on.
const MOST_CALLS: usize = 1 << 10;
/// More different stacks are not told apart from the next best: only their places are.
const MOST_STACKS: usize = 1 << 16;
/// A stack that stands in a burst is looked at so far, before the calls outside of it go on.
const MOST_IN_BURST: usize = 64;

/// The calls of a thread as they were before a burst, the innermost first.
#[derive(Debug, Default)]
pub struct Thread {
    calls: Vec<(u64, RunningCall)>,
}

impl Thread {
    /// Reads the calls from the frame on that the word at `pointer` points at.
    pub fn read<M: ReadMemory>(memory: &mut M, layout: &Layout, pointer: u64) -> Thread {
        let mut calls = Vec::new();
        let mut frame = memory.word(pointer).unwrap_or(0);
        while frame != 0 && calls.len() < MOST_CALLS {
            let Ok(bytes) = memory.read(frame, stack::needed(layout)) else {
                break;
            };
            let call = stack::call(layout, bytes);
            calls.push((frame, call));
            frame = call.previous;
        }
        Thread { calls }
    }

    /// The addresses of some of the innermost frames.
    pub fn innermost(&self, most: usize) -> impl Iterator<Item = u64> {
        self.calls.iter().take(most).map(|&(frame, _)| frame)
    }
}

/// All stacks that were met.
#[derive(Debug, Default)]
pub struct Stacks {
    needed: usize,
    numbers: FxHashMap<Rc<[Place]>, u32>,
    all: Vec<Rc<[Place]>>,
    /// The calls of the thread that is looked at.
    thread: Thread,
    /// Of its frames, by address: their places outwards, once one has asked.
    outer: FxHashMap<u64, Option<Rc<[Place]>>>,
}

impl Stacks {
    pub fn new(layout: &Layout) -> Stacks {
        Stacks {
            needed: stack::needed(layout),
            ..Stacks::default()
        }
    }

    /// From now on it is this thread that is looked at.
    pub fn look_again(&mut self, thread: Thread) {
        self.thread = thread;
        self.outer.clear();
    }

    /// The number of the stack in a round, and where its instruction stands; `None` where it changed under the reading.
    pub fn in_round<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        layout: &Layout,
        codes: &mut Codes,
        burst: &Burst,
        round: usize,
    ) -> Option<(u32, i32)> {
        let mut frame = burst.innermost(round).ok()?;
        let mut places = Vec::new();
        let mut offset = 0;
        for _ in 0..MOST_IN_BURST {
            let Some(bytes) = burst.memory(round, frame, self.needed) else {
                break;
            };
            let call = stack::call(layout, bytes);
            match codes.standing(memory, layout, &call) {
                Standing::At(place) => {
                    if places.is_empty() {
                        offset = call.offset as i32;
                    }
                    places.push(place);
                }
                Standing::OfCaller if places.is_empty() || call.code == 0 => {}
                Standing::OfCaller | Standing::Torn => return None,
            }
            frame = call.previous;
        }
        if frame != 0 {
            let outer = self.outwards(memory, layout, codes, frame)?;
            places.extend(outer.iter().copied());
        }
        Some((self.number(&places)?, offset))
    }

    /// The places from a frame outwards that had been there before the burst, and stands where it stood then.
    fn outwards<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        layout: &Layout,
        codes: &mut Codes,
        frame: u64,
    ) -> Option<Rc<[Place]>> {
        if let Some(known) = self.outer.get(&frame) {
            return known.clone();
        }
        let found = self.read_outwards(memory, layout, codes, frame);
        self.outer.insert(frame, found.clone());
        found
    }

    fn read_outwards<M: ReadMemory>(
        &self,
        memory: &mut M,
        layout: &Layout,
        codes: &mut Codes,
        frame: u64,
    ) -> Option<Rc<[Place]>> {
        let first = self.thread.calls.iter().position(|&(address, _)| address == frame)?;
        let before = self.thread.calls.get(first..)?;
        let bytes = memory.read(frame, self.needed).ok()?;
        if stack::call(layout, bytes) != before.first()?.1 {
            return None;
        }
        let mut places = Vec::with_capacity(before.len());
        for (_, call) in before {
            match codes.standing(memory, layout, call) {
                Standing::At(place) => places.push(place),
                Standing::OfCaller => {}
                Standing::Torn => return None,
            }
        }
        Some(places.into())
    }

    /// The number of a stack, whose innermost place comes first. 0 is none.
    fn number(&mut self, places: &[Place]) -> Option<u32> {
        let place = places.first()?;
        if let Some(&number) = self.numbers.get(places) {
            return Some(number);
        }
        let places = if self.all.len() < MOST_STACKS {
            places
        } else {
            std::slice::from_ref(place)
        };
        if let Some(&number) = self.numbers.get(places) {
            return Some(number);
        }
        if self.all.len() >= 2 * MOST_STACKS {
            return None;
        }
        let places: Rc<[Place]> = places.into();
        self.all.push(Rc::clone(&places));
        let number = self.all.len() as u32;
        self.numbers.insert(places, number);
        Some(number)
    }

    /// The place where a stack made what it made.
    pub fn place(&self, number: u32) -> Option<Place> {
        self.all.get((number as usize).checked_sub(1)?)?.first().copied()
    }

    /// A stack in words, the outermost call first.
    pub fn calls(&self, codes: &Codes, number: u32) -> Option<Rc<[Call]>> {
        let places = self.all.get((number as usize).checked_sub(1)?)?;
        places.iter().rev().map(|&place| codes.call(place)).collect()
    }
}
