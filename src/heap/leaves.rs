//! Leaves: small objects that hold nothing, which most objects are. Two bytes say all that is known of one, its kind; a
//! kind is a type and a size.

use rustc_hash::FxHashMap;

use super::objects::NO_OBJECT;
use crate::memory::roomy::roomy;

/// All leaves, in the order in which they were met.
#[derive(Debug)]
pub struct Leaves {
    kind_of: Vec<u16>,
    kinds: Vec<LeafKind>,
    /// The kinds by type and bytes.
    index: FxHashMap<(u32, u32), u16>,
    /// The kinds of the leaves met last, by some bits of type and bytes.
    recent: [u16; RECENT],
}

/// Leaves of one type and size.
#[derive(Debug, Clone, Copy)]
pub struct LeafKind {
    pub type_of: u32,
    /// The bytes of each.
    pub bytes: u32,
    pub count: u32,
}

impl LeafKind {
    /// The bytes of all.
    pub fn all_bytes(&self) -> u64 {
        u64::from(self.bytes) * u64::from(self.count)
    }
}

const RECENT: usize = 256;
/// The first kind, which no leaf is of.
const NO_KIND: LeafKind = LeafKind {
    type_of: NO_OBJECT,
    bytes: 0,
    count: 0,
};

impl Leaves {
    /// With room for `usual` leaves.
    pub fn new(usual: usize) -> Self {
        Leaves {
            kind_of: roomy(usual),
            kinds: vec![NO_KIND],
            index: FxHashMap::default(),
            recent: [0; RECENT],
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.kind_of.len()
    }

    /// Adds a leaf; `false` where there are so many kinds that its own has no number.
    #[inline]
    pub fn push(&mut self, type_of: u32, bytes: u32) -> bool {
        let recent = self.recent[place(type_of, bytes)];
        match self.kinds.get_mut(usize::from(recent)) {
            Some(kind) if kind.type_of == type_of && kind.bytes == bytes => {
                kind.count += 1;
                self.kind_of.push(recent);
                true
            }
            _ => self.push_other(type_of, bytes),
        }
    }

    #[inline(never)]
    fn push_other(&mut self, type_of: u32, bytes: u32) -> bool {
        let Ok(next) = u16::try_from(self.kinds.len()) else {
            return false;
        };
        let number = *self.index.entry((type_of, bytes)).or_insert(next);
        if number == next {
            self.kinds.push(LeafKind {
                type_of,
                bytes,
                count: 0,
            });
        }
        self.recent[place(type_of, bytes)] = number;
        self.kinds[usize::from(number)].count += 1;
        self.kind_of.push(number);
        true
    }

    /// The kind of the nth leaf.
    #[inline]
    pub fn kind(&self, number: usize) -> LeafKind {
        self.kinds[usize::from(self.kind_of[number])]
    }

    /// The kind of each leaf, in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = LeafKind> {
        self.kind_of.iter().map(|&kind| self.kinds[usize::from(kind)])
    }

    /// All kinds.
    pub fn kinds(&self) -> impl Iterator<Item = &LeafKind> {
        self.kinds.iter().skip(1)
    }
}

#[inline]
fn place(type_of: u32, bytes: u32) -> usize {
    (type_of.wrapping_mul(29) ^ (bytes / 16)) as usize % RECENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_leaf_has_its_kind() {
        let mut leaves = Leaves::new(0);
        let given = |number: u32| (1 + number % 7, 16 * (number % 90));
        for number in 0..5000 {
            let (type_of, bytes) = given(number);
            assert!(leaves.push(type_of, bytes));
        }
        for number in 0..5000 {
            let kind = leaves.kind(number as usize);
            assert_eq!((kind.type_of, kind.bytes), given(number));
        }
        assert_eq!(leaves.kinds().count(), 7 * 90);
        assert_eq!(leaves.kinds().map(|kind| kind.count).sum::<u32>(), 5000);
    }

    #[test]
    fn no_leaf_is_of_a_kind_without_number() {
        let mut leaves = Leaves::new(0);
        let numbered = (0..100_000).filter(|&bytes| leaves.push(1, bytes)).count();
        assert_eq!((numbered, leaves.len()), (65_535, 65_535));
    }
}
