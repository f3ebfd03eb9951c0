//! Which tally each living block belongs to, where every block is recorded.
//!
//! Blocks of pymalloc's arenas stand close together, so there is a table beside them, with a number for every place where a
//! block can begin: neighbours in memory are neighbours there, and nothing is searched. All others are in a hash table.
//! Both grow with what is alive.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::Relaxed};

use crate::blocks::Spread;
use crate::{arenas, system};

/// Blocks of arenas begin at multiples of this (`ALIGNMENT` in obmalloc.c).
const ALIGNMENT_BITS: u32 = 4;
/// Bits of addresses below which a leaf has a number for each place.
const LEAF_BITS: u32 = 30;
const ADDRESS_BITS: u32 = 47;
const LEAF_PLACES: usize = 1 << (LEAF_BITS - ALIGNMENT_BITS);
const LEAF_BYTES: usize = LEAF_PLACES * size_of::<AtomicU32>();

/// Written under the lock of `sampling`.
static LEAVES: [AtomicPtr<AtomicU32>; 1 << (ADDRESS_BITS - LEAF_BITS)] =
    [const { AtomicPtr::new(null_mut()) }; 1 << (ADDRESS_BITS - LEAF_BITS)];

/// Set beside the number of a tally when a code object stands there, whose lines are known.
const CODE: u32 = 1 << 31;

/// What is known of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// The number of its tally; 0 when it was not recorded.
    pub tally: u32,
    /// `None` where the allocator is asked.
    pub size: Option<u64>,
    /// It is a code object whose lines are known.
    pub is_code: bool,
}

impl Owned {
    fn of(word: u32, size: Option<u64>) -> Owned {
        Owned {
            tally: word & !CODE,
            size,
            is_code: word & CODE != 0,
        }
    }
}

/// The blocks that are alive.
pub struct Owners {
    elsewhere: HashMap<u64, (u32, u64), Spread>,
}

impl Owners {
    pub const fn new() -> Owners {
        Owners {
            elsewhere: HashMap::with_hasher(BuildHasherDefault::new()),
        }
    }

    /// Notes whose a new block is. Answers what stood there, which was given back in a way that nobody saw.
    #[inline(always)]
    pub fn put(&mut self, address: u64, tally: u32, size: u64) -> Option<Owned> {
        match place(address, true) {
            Some(place) => {
                let before = place.load(Relaxed);
                place.store(tally, Relaxed);
                (before != 0).then(|| Owned::of(before, None))
            }
            None => {
                let before = self.elsewhere.insert(address, (tally, size));
                before.map(|(word, size)| Owned::of(word, Some(size)))
            }
        }
    }

    /// Takes a block out that is given back.
    #[inline(always)]
    pub fn take(&mut self, address: u64) -> Option<Owned> {
        if let Some(place) = place(address, false) {
            let word = place.load(Relaxed);
            if word != 0 {
                place.store(0, Relaxed);
                return Some(Owned::of(word, None));
            }
        }
        let (word, size) = self.elsewhere.remove(&address)?;
        Some(Owned::of(word, Some(size)))
    }

    /// Has [`Owners::take`] say that a code object stood there.
    pub fn mark_code(&mut self, address: u64) {
        match place(address, true) {
            Some(place) => place.store(place.load(Relaxed) | CODE, Relaxed),
            None => self.elsewhere.entry(address).or_default().0 |= CODE,
        }
    }

    /// In a child made by `fork`: what it has is its parent's.
    pub fn begin_anew(&mut self) {
        *self = Owners::new();
        for leaf in &LEAVES {
            let memory = leaf.load(Relaxed);
            if !memory.is_null() {
                leaf.store(null_mut(), Relaxed);
                // SAFETY: the leaf is not reached any more, and the parent has its own mapping of it.
                unsafe { system::unmap(memory.cast(), LEAF_BYTES) };
            }
        }
    }
}

/// Gives back what belongs to an arena that is no more, so that what is kept grows with what is alive.
pub fn release(address: usize, length: usize) {
    const PAGE: usize = 4096 / size_of::<AtomicU32>();
    let leaf = LEAVES.get(address >> LEAF_BITS).map(|leaf| leaf.load(Relaxed));
    let Some(leaf) = leaf.filter(|leaf| !leaf.is_null()) else {
        return;
    };
    let start = (address >> ALIGNMENT_BITS) % LEAF_PLACES;
    let end = (start + (length >> ALIGNMENT_BITS)).min(LEAF_PLACES);
    let (first, last) = (start.next_multiple_of(PAGE), end / PAGE * PAGE);
    if first < last {
        // SAFETY: the pages lie within the leaf. No block stands where they are about: the arena is about to be unmapped.
        unsafe { system::clear(leaf.add(first).cast(), (last - first) * size_of::<AtomicU32>()) };
    }
}

/// The place of a block of an arena.
#[inline]
fn place(address: u64, make: bool) -> Option<&'static AtomicU32> {
    let address = address as usize;
    if !arenas::has(address) {
        return None;
    }
    let root = LEAVES.get(address >> LEAF_BITS)?;
    let mut leaf = root.load(Relaxed);
    if leaf.is_null() {
        leaf = if make { new_leaf(root)? } else { return None };
    }
    // SAFETY: a leaf has that many places, all of them zero at first, and stays.
    Some(unsafe { &*leaf.add((address >> ALIGNMENT_BITS) % LEAF_PLACES) })
}

#[cold]
fn new_leaf(root: &AtomicPtr<AtomicU32>) -> Option<*mut AtomicU32> {
    let leaf = system::map_named(LEAF_BYTES)?.cast();
    root.store(leaf, Relaxed);
    Some(leaf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_again_wherever_they_stand() {
        let mut owners = Owners::new();
        let arena = 0x4000_0000_0000;
        arenas::set(arena, 0x10_0000, true);
        for address in [arena as u64 + 32, 0x1234_5670] {
            assert_eq!(owners.put(address, 7, 90), None);
            owners.mark_code(address);
            let owned = owners.take(address).unwrap();
            assert_eq!((owned.tally, owned.is_code), (7, true));
            assert_eq!(owners.take(address), None);
        }
        assert_eq!(owners.put(0x1234_5670, 1, 64), None);
        assert_eq!(owners.put(0x1234_5670, 2, 32).unwrap().size, Some(64));
    }

    #[test]
    fn an_arena_that_goes_leaves_nothing() {
        let mut owners = Owners::new();
        let arena = 0x5000_0000_0000;
        arenas::set(arena, 0x10_0000, true);
        owners.put(arena as u64 + 64, 7, 90);
        release(arena, 0x10_0000);
        assert_eq!(owners.take(arena as u64 + 64), None);
    }
}
