//! What is still to be examined, by slot: what lies together is examined together, so that each part of the memory is
//! read about once.

use crate::memory::slots::{SLOT_SIZE, Slots};
use crate::memory::spots::OBJECT_ALIGNMENT;

/// Addresses of objects that were met and not yet examined.
pub struct Worklist {
    /// For each slot the places that wait, as numbers of the alignment.
    waiting: Vec<Vec<u16>>,
    /// Slots that came to have something, the last one first: they may be at hand.
    fresh: Vec<u32>,
    /// Where the sweep is.
    swept: usize,
    /// Sweeps go up and down in turn: what was read last is used first.
    upwards: bool,
}

impl Worklist {
    pub fn new(slots: &Slots) -> Self {
        Worklist {
            waiting: vec![Vec::new(); slots.count()],
            fresh: Vec::new(),
            swept: 0,
            upwards: true,
        }
    }

    #[inline]
    pub fn push(&mut self, slot: u32, address: u64) {
        let place = address % SLOT_SIZE / OBJECT_ALIGNMENT;
        let waiting = &mut self.waiting[slot as usize];
        if waiting.is_empty() {
            self.fresh.push(slot);
        }
        waiting.push(place as u16);
    }

    /// A slot that has something: one that `is_at_hand`, or else the next one of the sweep.
    pub fn next_slot(&mut self, slots: &Slots, is_at_hand: impl Fn(u64) -> bool) -> Option<usize> {
        self.next_fresh(slots, is_at_hand).or_else(|| self.next_swept())
    }

    /// Takes a place of a slot, as a number of the alignment.
    #[inline]
    pub fn pop(&mut self, slot: usize) -> Option<u16> {
        self.waiting[slot].pop()
    }

    /// Gives back the room of a slot that is finished.
    pub fn finish(&mut self, slot: usize) {
        self.waiting[slot] = Vec::new();
    }

    fn next_fresh(&mut self, slots: &Slots, is_at_hand: impl Fn(u64) -> bool) -> Option<usize> {
        while let Some(slot) = self.fresh.pop() {
            let slot = slot as usize;
            if !self.waiting[slot].is_empty() && is_at_hand(slots.start(slot)) {
                return Some(slot);
            }
        }
        None
    }

    /// The nearest slot with something in it in the direction of the sweep, or else in the other one.
    fn next_swept(&mut self) -> Option<usize> {
        let is_busy = |waiting: &Vec<u16>| !waiting.is_empty();
        let at = self.swept;
        let above = || Some(at + self.waiting[at..].iter().position(is_busy)?);
        let below = || self.waiting[..at].iter().rposition(is_busy);
        let ahead = if self.upwards { above() } else { below() };
        let next = match ahead {
            Some(next) => next,
            None => {
                self.upwards = !self.upwards;
                if self.upwards { above()? } else { below()? }
            }
        };
        self.swept = next;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_finished_before_the_next_one_and_sweeps_turn() {
        let slots = Slots::new(std::slice::from_ref(&(0..4 * SLOT_SIZE)));
        let mut worklist = Worklist::new(&slots);
        let push = |worklist: &mut Worklist, address: u64| {
            worklist.push((address / SLOT_SIZE) as u32, address);
        };
        for address in [3 * SLOT_SIZE, 8, SLOT_SIZE + 8, 16] {
            push(&mut worklist, address);
        }
        assert_eq!(worklist.next_slot(&slots, |_| false), Some(0));
        assert_eq!(
            (worklist.pop(0), worklist.pop(0), worklist.pop(0)),
            (Some(2), Some(1), None)
        );
        assert_eq!(worklist.next_slot(&slots, |_| false), Some(1));
        assert_eq!(worklist.pop(1), Some(1));
        push(&mut worklist, 32);
        push(&mut worklist, 2 * SLOT_SIZE);
        // What is at hand comes first.
        assert_eq!(worklist.next_slot(&slots, |start| start == 0), Some(0));
        assert_eq!(worklist.pop(0), Some(4));
        push(&mut worklist, 40);
        for slot in [2, 3, 0] {
            assert_eq!(worklist.next_slot(&slots, |_| false), Some(slot));
            assert!(worklist.pop(slot).is_some());
        }
        assert_eq!(worklist.next_slot(&slots, |_| false), None);
    }
}
