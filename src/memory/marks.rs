//! One bit for each eight bytes of a program's memory: which objects have been met.

use std::rc::Rc;

use super::slots::{SLOT_SIZE, Slots};

/// Objects stand at multiples of this.
pub const OBJECT_ALIGNMENT: u64 = 8;
const WORDS: usize = (SLOT_SIZE / OBJECT_ALIGNMENT / 64) as usize;

/// A set of addresses, made for many members that lie close together.
pub struct Marks {
    slots: Rc<Slots>,
    /// A bitmap for each slot that has a member.
    bitmaps: Vec<Option<Box<[u64; WORDS]>>>,
}

/// What came of marking an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    First,
    Again,
    /// Nothing is mapped there, or no object can stand there.
    Nowhere,
}

impl Marks {
    pub fn new(slots: Rc<Slots>) -> Self {
        let bitmaps = (0..slots.count()).map(|_| None).collect();
        Marks { slots, bitmaps }
    }

    #[inline]
    pub fn mark(&mut self, address: u64) -> Marked {
        let Some((slot, word, bit)) = self.position(address) else {
            return Marked::Nowhere;
        };
        let bitmap = self.bitmaps[slot].get_or_insert_with(|| Box::new([0; WORDS]));
        if bitmap[word] & bit != 0 {
            return Marked::Again;
        }
        bitmap[word] |= bit;
        Marked::First
    }

    #[inline]
    pub fn contains(&self, address: u64) -> bool {
        self.position(address).is_some_and(|(slot, word, bit)| {
            self.bitmaps[slot]
                .as_ref()
                .is_some_and(|bitmap| bitmap[word] & bit != 0)
        })
    }

    /// Whether an object can stand at `address` at all: it is mapped, and aligned.
    pub fn can_hold(&self, address: u64) -> bool {
        self.position(address).is_some()
    }

    /// The members that are not in `others`, in the order of slots and, within a slot, of addresses. Both must be over the
    /// same slots.
    pub fn difference(&self, others: &Marks) -> Vec<u64> {
        let mut found = Vec::new();
        for (slot, bitmap) in self.bitmaps.iter().enumerate() {
            let Some(bitmap) = bitmap else {
                continue;
            };
            let other = others.bitmaps.get(slot).and_then(Option::as_ref);
            for (word, &bits) in bitmap.iter().enumerate() {
                let mut left = bits & !other.map_or(0, |other| other[word]);
                while left != 0 {
                    let place = 64 * word as u64 + u64::from(left.trailing_zeros());
                    found.push(self.slots.start(slot) + place * OBJECT_ALIGNMENT);
                    left &= left - 1;
                }
            }
        }
        found
    }

    #[inline]
    fn position(&self, address: u64) -> Option<(usize, usize, u64)> {
        if !address.is_multiple_of(OBJECT_ALIGNMENT) {
            return None;
        }
        let slot = self.slots.index(address)?;
        let place = (address % SLOT_SIZE / OBJECT_ALIGNMENT) as usize;
        Some((slot, place / 64, 1 << (place % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_first_once() {
        let mut marks = Marks::new(Rc::new(Slots::new(std::slice::from_ref(&(0x1000..0x9000)))));
        assert_eq!(marks.mark(0x1008), Marked::First);
        assert_eq!(marks.mark(0x1008), Marked::Again);
        assert_eq!(marks.mark(0x1010), Marked::First);
        assert_eq!(marks.mark(0x1004), Marked::Nowhere);
        assert_eq!(marks.mark(SLOT_SIZE * 3), Marked::Nowhere);
        assert!(marks.contains(0x1010) && !marks.contains(0x1018));
        assert!(marks.can_hold(0x1018) && !marks.can_hold(0x1019));
        let mut others = Marks::new(Rc::clone(&marks.slots));
        others.mark(0x1010);
        assert_eq!(marks.difference(&others), [0x1008]);
    }
}
