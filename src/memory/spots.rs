//! The places of a program's memory where objects stand: a set of addresses, with a small number for each.

use std::rc::Rc;

use super::roomy::roomy;
use super::slots::{SLOT_SIZE, Slots};

/// Objects stand at multiples of this.
pub const OBJECT_ALIGNMENT: u64 = 8;
/// Places in a slot.
const PLACES: usize = (SLOT_SIZE / OBJECT_ALIGNMENT) as usize;
const PLACE_BITS: u32 = PLACES.trailing_zeros();
const WORDS: usize = PLACES / 64;
/// So many slots can have members: their objects' numbers must fit in 32 bits.
const MOST_CHUNKS: usize = 1 << (32 - PLACE_BITS);
const NONE: u32 = u32::MAX;

/// An address in four bytes: the number of its slot among those that have members, and its place in that slot.
pub type Spot = u32;

/// A set of addresses, made for many members that lie close together.
pub struct Spots {
    slots: Rc<Slots>,
    /// For each slot the number of its chunk, once it has a member.
    chunk_of: Vec<u32>,
    /// For each chunk its slot.
    slot_of: Vec<u32>,
    /// A bitmap of the places of each chunk, one behind the other.
    bits: Vec<u64>,
    /// The slots that were asked for last, by some bits of their addresses.
    recent: [Recent; RECENT],
}

/// A slot that has members.
#[derive(Debug, Clone, Copy)]
struct Recent {
    start: u64,
    /// The spot at its beginning.
    first: Spot,
    slot: u32,
}

const RECENT: usize = 64;
/// The bits of an address that say in which slot it lies, and whether it is aligned.
const SLOT_AND_ALIGNMENT: u64 = !(SLOT_SIZE - 1) | (OBJECT_ALIGNMENT - 1);
/// No slot begins there.
const NOT_RECENT: Recent = Recent {
    start: !SLOT_AND_ALIGNMENT,
    first: 0,
    slot: 0,
};

/// What came of adding an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is new, and lies in this slot.
    First(Spot, u32),
    Again(Spot),
    /// Nothing is mapped there, or no object can stand there.
    Nowhere,
}

impl Spots {
    pub fn new(slots: Rc<Slots>) -> Self {
        Spots {
            chunk_of: vec![NONE; slots.count()],
            slot_of: Vec::new(),
            bits: roomy(slots.count() * WORDS),
            slots,
            recent: [NOT_RECENT; RECENT],
        }
    }

    #[inline(always)]
    pub fn add(&mut self, address: u64) -> Added {
        let mut found = self.recent[(address / SLOT_SIZE) as usize % RECENT];
        if found.start != address & SLOT_AND_ALIGNMENT {
            match self.find_slot(address) {
                Some(slot) => found = slot,
                None => return Added::Nowhere,
            }
        }
        let spot = found.first + (address % SLOT_SIZE / OBJECT_ALIGNMENT) as u32;
        let Some(word) = self.bits.get_mut(spot as usize / 64) else {
            return Added::Nowhere;
        };
        let before = *word;
        *word |= 1 << (spot % 64);
        if *word == before {
            Added::Again(spot)
        } else {
            Added::First(spot, found.slot)
        }
    }

    /// The spot of a member.
    #[inline]
    pub fn find(&self, address: u64) -> Option<Spot> {
        let (slot, place) = self.position(address)?;
        let chunk = self.chunk_of[slot];
        let spot = chunk << PLACE_BITS | place;
        (chunk != NONE && self.bits[spot as usize / 64] & 1 << (spot % 64) != 0).then_some(spot)
    }

    /// The spot at the beginning of a slot that has members.
    pub fn first_of(&self, slot: usize) -> Spot {
        self.chunk_of[slot] << PLACE_BITS
    }

    /// Whether an object can stand at `address` at all: it is mapped, and aligned.
    pub fn can_hold(&self, address: u64) -> bool {
        self.position(address).is_some()
    }

    #[inline]
    pub fn address(&self, spot: Spot) -> u64 {
        let slot = self.slot_of[(spot >> PLACE_BITS) as usize];
        self.slots.start(slot as usize) + u64::from(spot % PLACES as u32) * OBJECT_ALIGNMENT
    }

    /// Numbers the members from 0 on in the order of their spots; nothing may be added afterwards.
    pub fn ranks(&self) -> Ranks {
        let mut sum = 0;
        let words = self.bits.iter().map(|&bits| {
            let before = sum;
            sum += bits.count_ones();
            RankedWord { bits, before }
        });
        Ranks {
            words: words.collect(),
            count: sum as usize,
        }
    }

    /// The same in the order of the members' addresses.
    pub fn ranks_by_address(&self) -> Ranks {
        let mut chunks: Vec<usize> = (0..self.slot_of.len()).collect();
        chunks.sort_unstable_by_key(|&chunk| self.slots.start(self.slot_of[chunk] as usize));
        let none = RankedWord { bits: 0, before: 0 };
        let mut words = vec![none; self.bits.len()];
        let mut sum = 0;
        for chunk in chunks {
            let places = chunk * WORDS..(chunk + 1) * WORDS;
            for (word, &bits) in words[places.clone()].iter_mut().zip(&self.bits[places]) {
                *word = RankedWord { bits, before: sum };
                sum += bits.count_ones();
            }
        }
        Ranks {
            words,
            count: sum as usize,
        }
    }

    /// The slot of an address where an object can stand.
    #[inline(never)]
    fn find_slot(&mut self, address: u64) -> Option<Recent> {
        let (slot, _) = self.position(address)?;
        let chunk = match self.chunk_of[slot] {
            NONE => self.new_chunk(slot)?,
            chunk => chunk,
        };
        let found = Recent {
            start: address & !(SLOT_SIZE - 1),
            first: chunk << PLACE_BITS,
            slot: slot as u32,
        };
        self.recent[(address / SLOT_SIZE) as usize % RECENT] = found;
        Some(found)
    }

    #[cold]
    fn new_chunk(&mut self, slot: usize) -> Option<u32> {
        // The last chunk's last spot would be the number that stands for none.
        if self.slot_of.len() + 1 >= MOST_CHUNKS {
            return None;
        }
        let chunk = self.slot_of.len() as u32;
        self.chunk_of[slot] = chunk;
        self.slot_of.push(slot as u32);
        self.bits.resize(self.bits.len() + WORDS, 0);
        Some(chunk)
    }

    #[inline]
    fn position(&self, address: u64) -> Option<(usize, u32)> {
        if !address.is_multiple_of(OBJECT_ALIGNMENT) {
            return None;
        }
        let slot = self.slots.index(address)?;
        Some((slot, (address % SLOT_SIZE / OBJECT_ALIGNMENT) as u32))
    }
}

/// The number of each member among all.
pub struct Ranks {
    words: Vec<RankedWord>,
    pub count: usize,
}

#[derive(Debug, Clone, Copy)]
struct RankedWord {
    bits: u64,
    /// How many members come before those of the word.
    before: u32,
}

impl Ranks {
    /// The number of the member at `spot`.
    #[inline(always)]
    pub fn of(&self, spot: Spot) -> u32 {
        let word = &self.words[spot as usize / 64];
        let below = word.bits & ((1 << (spot % 64)) - 1);
        word.before + below.count_ones()
    }

    /// Calls `see` with the number of the member at each of `spots`, in their order.
    #[inline]
    pub fn of_each<T>(&self, spots: impl Iterator<Item = (Spot, T)>, see: impl FnMut(u32, T)) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("popcnt") {
            // SAFETY: the processor has the instruction.
            return unsafe { self.of_each_counting(spots, see) };
        }
        self.of_each_anywhere(spots, see);
    }

    /// With the instruction that counts the bits of a word, which not every processor of this kind has.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "popcnt")]
    fn of_each_counting<T>(&self, spots: impl Iterator<Item = (Spot, T)>, see: impl FnMut(u32, T)) {
        self.of_each_anywhere(spots, see);
    }

    #[inline(always)]
    fn of_each_anywhere<T>(&self, spots: impl Iterator<Item = (Spot, T)>, mut see: impl FnMut(u32, T)) {
        for (spot, each) in spots {
            see(self.of(spot), each);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spots() -> Spots {
        let ranges = [0x1000..0x9000, 5 * SLOT_SIZE..6 * SLOT_SIZE];
        Spots::new(Rc::new(Slots::new(&ranges)))
    }

    #[test]
    fn an_address_is_first_once() {
        let mut spots = spots();
        let Added::First(spot, 0) = spots.add(0x1008) else {
            panic!("not the first");
        };
        assert_eq!(spots.add(0x1008), Added::Again(spot));
        assert_eq!(spots.address(spot), 0x1008);
        assert!(matches!(spots.add(0x1010), Added::First(_, 0)));
        assert_eq!(spots.add(0x1004), Added::Nowhere);
        assert_eq!(spots.add(SLOT_SIZE * 3), Added::Nowhere);
        assert!(spots.find(0x1010).is_some() && spots.find(0x1018).is_none());
        assert!(spots.can_hold(0x1018) && !spots.can_hold(0x1019));
    }

    #[test]
    fn ranks_count_the_members_before() {
        let mut spots = spots();
        let addresses = [5 * SLOT_SIZE + 0x88, 0x2000, 0x1ff8, 5 * SLOT_SIZE, 6 * SLOT_SIZE - 8];
        let mut all: Vec<Spot> = addresses
            .iter()
            .map(|&address| match spots.add(address) {
                Added::First(spot, _) => spot,
                other => panic!("{other:?}"),
            })
            .collect();
        all.sort_unstable();
        let ranks = spots.ranks();
        assert_eq!(ranks.count, all.len());
        for (rank, &spot) in all.iter().enumerate() {
            assert_eq!(ranks.of(spot), rank as u32);
        }
        let mut found = Vec::new();
        ranks.of_each(all.iter().copied().zip(0u32..), |rank, expected| {
            found.push((rank, expected))
        });
        assert!(found.len() == all.len() && found.iter().all(|(rank, expected)| rank == expected));
        all.sort_unstable_by_key(|&spot| spots.address(spot));
        let ranks = spots.ranks_by_address();
        assert_eq!(ranks.count, all.len());
        for (rank, &spot) in all.iter().enumerate() {
            assert_eq!(ranks.of(spot), rank as u32);
        }
    }
}
