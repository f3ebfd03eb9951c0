//! What is still to be examined, by slot: what lies together is examined together, so that each part of the memory is
//! read about once.

use crate::memory::slots::{SLOT_SIZE, Slots};
use crate::memory::spots::OBJECT_ALIGNMENT;

/// Addresses of objects that were met and not yet examined.
pub struct Worklist {
    /// For each slot the places that wait, as numbers of the alignment.
    waiting: Vec<Vec<u16>>,
    /// The slot that was taken last.
    at: usize,
}

/// What is at hand is preferred when it is at most so many slots away.
const NEIGHBOURHOOD: usize = 128;
/// A slot that has to be read should have much to be done in it, compared with those at most so many slots away.
const REGION: usize = 512;

impl Worklist {
    pub fn new(slots: &Slots) -> Self {
        Worklist {
            waiting: vec![Vec::new(); slots.count()],
            at: 0,
        }
    }

    #[inline]
    pub fn push(&mut self, slot: u32, address: u64) {
        let place = address % SLOT_SIZE / OBJECT_ALIGNMENT;
        self.waiting[slot as usize].push(place as u16);
    }

    /// The nearest slot that has something and `is_at_hand`, or else the nearest one in which much waits. Objects refer to
    /// what was made at about the same time and lies near; what is far collects more to be done in one go.
    pub fn next_slot(&mut self, is_at_hand: impl Fn(usize) -> bool) -> Option<usize> {
        let next = self
            .nearest(NEIGHBOURHOOD, is_at_hand)
            .or_else(|| {
                let much = self.fullest_around() / 2;
                self.nearest(REGION, |slot| self.waiting[slot].len() >= much)
            })
            .or_else(|| self.nearest(self.waiting.len(), |_| true))?;
        self.at = next;
        Some(next)
    }

    /// How many objects wait in a slot.
    pub fn waiting_in(&self, slot: usize) -> usize {
        self.waiting[slot].len()
    }

    /// Takes all places of a slot into `places`, as numbers of the alignment; `false` when there are none.
    pub fn take(&mut self, slot: usize, places: &mut Vec<u16>) -> bool {
        places.clear();
        std::mem::swap(&mut self.waiting[slot], places);
        !places.is_empty()
    }

    /// Gives back the room of a slot that is finished.
    pub fn finish(&mut self, slot: usize) {
        self.waiting[slot] = Vec::new();
    }

    /// How much waits where most waits, not too far away.
    fn fullest_around(&self) -> usize {
        let around = self.at.saturating_sub(REGION)..self.waiting.len().min(self.at + REGION);
        self.waiting[around].iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The slot with something in it that is nearest to the last one, of those less than `most` away.
    fn nearest(&self, most: usize, is_wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let is_next =
            |&slot: &usize| self.waiting.get(slot).is_some_and(|waiting| !waiting.is_empty()) && is_wanted(slot);
        (0..most).find_map(|distance| {
            let below = self.at.checked_sub(distance).filter(is_next);
            below.or_else(|| Some(self.at + distance).filter(is_next))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_at_hand_comes_first_and_then_what_is_near() {
        let slots = Slots::new(std::slice::from_ref(&(0..8 * SLOT_SIZE)));
        let mut worklist = Worklist::new(&slots);
        let push =
            |worklist: &mut Worklist, slot: u64, within: u64| worklist.push(slot as u32, slot * SLOT_SIZE + within);
        for (slot, within) in [(3, 0), (6, 8), (1, 8), (1, 16)] {
            push(&mut worklist, slot, within);
        }
        assert_eq!(worklist.next_slot(|_| false), Some(1));
        let mut places = Vec::new();
        assert!(worklist.take(1, &mut places));
        assert_eq!(places, [1, 2]);
        assert!(!worklist.take(1, &mut places));
        push(&mut worklist, 0, 32);
        push(&mut worklist, 5, 40);
        assert_eq!(worklist.next_slot(|slot| slot == 5), Some(5));
        assert!(worklist.take(5, &mut places));
        for slot in [6, 3, 0] {
            assert_eq!(worklist.next_slot(|_| false), Some(slot));
            assert!(worklist.take(slot, &mut places));
        }
        assert_eq!(worklist.next_slot(|_| false), None);
    }

    #[test]
    fn where_little_waits_nothing_is_read_yet() {
        let slots = Slots::new(std::slice::from_ref(&(0..8 * SLOT_SIZE)));
        let mut worklist = Worklist::new(&slots);
        for (slot, count) in [(1, 4), (2, 5), (5, 10)] {
            (0..count).for_each(|place| worklist.push(slot, place * OBJECT_ALIGNMENT));
        }
        assert_eq!(worklist.next_slot(|_| false), Some(2));
        assert_eq!(worklist.next_slot(|slot| slot == 1), Some(1));
    }
}
