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
    /// The slot whose objects are being examined.
    at: usize,
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
            at: 0,
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

    /// The next address: of the same slot as the last one while there are any, then of one that `is_at_hand`, then of the
    /// next one of the sweep.
    #[inline]
    pub fn pop(&mut self, slots: &Slots, is_at_hand: impl Fn(u64) -> bool) -> Option<u64> {
        loop {
            if let Some(place) = self.waiting.get_mut(self.at)?.pop() {
                return Some(slots.start(self.at) + u64::from(place) * OBJECT_ALIGNMENT);
            }
            self.at = match self.next_fresh(slots, &is_at_hand) {
                Some(slot) => slot,
                None => self.next_swept()?,
            };
        }
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
        let mut order = vec![worklist.pop(&slots, |_| false).unwrap()];
        push(&mut worklist, 24);
        for _ in 0..3 {
            order.push(worklist.pop(&slots, |_| false).unwrap());
        }
        push(&mut worklist, 32);
        push(&mut worklist, 2 * SLOT_SIZE);
        while let Some(address) = worklist.pop(&slots, |_| false) {
            order.push(address);
        }
        let expected = [16, 24, 8, SLOT_SIZE + 8, 2 * SLOT_SIZE, 3 * SLOT_SIZE, 32];
        assert_eq!(order, expected);
    }
}
