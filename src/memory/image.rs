//! An image of a program's memory, read when it is first asked for, little where little is wanted, and held within a
//! budget.

use std::io;
use std::rc::Rc;

use cpython::memory::{Fault, ReadMemory};
use memmap2::{Advice, MmapMut, MmapOptions, UncheckedAdvice};

use super::bulk::{BulkRead, read_pages, with_neighbours};
use super::slots::{SLOT_SIZE, Slots, pages};

const PIECE: usize = SLOT_SIZE as usize;
const ABSENT: u32 = u32::MAX;
const ALL_PAGES: u64 = u64::MAX;
/// The least number of pieces that are held: 8 MiB.
const FEWEST_PIECES: usize = 32;
/// Where only single places are expected to be asked for, so many pages are read at first, and then more and more;
const FEW_PAGES: u64 = 4;
/// while all of the memory is gone through, so many.
const MANY_PAGES: u64 = 16;
/// A single read longer than this is taken for a misread length.
const LONGEST_READ: usize = 1 << 26;

/// Memory that is held by slots. When the budget is used up, a piece makes room for the next one: the source must be
/// frozen for what is read later to fit what was read before.
pub struct Image<S> {
    source: S,
    slots: Rc<Slots>,
    held: Vec<Held>,
    /// For each piece the slot that it holds.
    slot_of: Vec<u32>,
    /// Room for all pieces; what was never filled costs nothing.
    buffer: MmapMut,
    budget: usize,
    /// All of it is held, and stays.
    is_whole: bool,
    /// Of a slot so many pages are read at first.
    pages_at_first: u64,
    /// The piece that makes room next: the one that was filled the longest ago.
    victim: usize,
    /// The slots that were read last, by some bits of their addresses, where all of them can be read.
    recent: [Recent; RECENT],
    loads: usize,
    distinct: usize,
    straddling: Vec<u8>,
}

/// What is held of a slot.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// The piece of the buffer that holds it, or `ABSENT`.
    piece: u32,
    /// It was held before.
    was_held: bool,
    /// The pages that the piece has, or that there are none of.
    tried: u64,
    /// Those of them that could be read.
    readable: u64,
}

/// A slot that is held in full, found without looking it up.
#[derive(Debug, Clone, Copy)]
struct Recent {
    /// Where it begins in the program's memory; no slot begins at an odd address.
    start: u64,
    /// The piece of the buffer that holds it.
    piece: usize,
}

const NOT_RECENT: Recent = Recent { start: 1, piece: 0 };
const RECENT: usize = 64;

const NOT_HELD: Held = Held {
    piece: ABSENT,
    was_held: false,
    tried: 0,
    readable: 0,
};

impl<S: BulkRead> Image<S> {
    /// An image of what `source` has in `slots`, which holds at most about `budget` bytes at a time, more only when it
    /// would otherwise read the same memory over and over.
    pub fn new(source: S, slots: Rc<Slots>, budget: u64) -> io::Result<Self> {
        let (buffer, room) = reserve(slots.count())?;
        Ok(Image {
            source,
            held: vec![NOT_HELD; slots.count()],
            slots,
            slot_of: Vec::new(),
            buffer,
            budget: pieces(budget, room),
            is_whole: false,
            pages_at_first: FEW_PAGES,
            victim: 0,
            recent: [NOT_RECENT; RECENT],
            loads: 0,
            distinct: 0,
            straddling: Vec::new(),
        })
    }

    /// Reads everything in `wanted` now, whatever the budget: for memory that will not stay frozen.
    pub fn load_all(&mut self, wanted: impl Fn(usize) -> bool) {
        self.budget = self.room();
        self.is_whole = true;
        for slot in 0..self.slots.count() {
            if wanted(slot) {
                // A slot that cannot be had is a fault where somebody asks for it.
                let _ = self.load(slot, ALL_PAGES);
            }
        }
    }

    /// How often a piece was read, and how many bytes are held.
    pub fn statistics(&self) -> (usize, u64) {
        (self.loads, self.slot_of.len() as u64 * SLOT_SIZE)
    }

    fn room(&self) -> usize {
        self.buffer.len() / PIECE
    }

    /// Has at least the `wanted` pages of a slot read.
    #[cold]
    fn load(&mut self, slot: usize, wanted: u64) -> Result<Held, Fault> {
        let start = self.slots.start(slot);
        if self.held[slot].piece == ABSENT {
            let piece = self.free_piece(slot).ok_or(Fault {
                at: start,
                length: PIECE,
            })?;
            self.slot_of[piece] = slot as u32;
            self.count_in(slot);
            self.held[slot] = Held {
                piece: piece as u32,
                was_held: true,
                tried: 0,
                readable: 0,
            };
        }
        let held = &mut self.held[slot];
        let lacking = wanted & !held.tried;
        let into = &mut self.buffer[held.piece as usize * PIECE..][..PIECE];
        let mapped = self.slots.mapped_pages(slot);
        held.readable |= read_pages(&mut self.source, start, mapped & lacking, into);
        held.tried |= lacking;
        Ok(*held)
    }

    /// Counts that a slot is held anew. A heap that is walked in an order that defeats a small buffer is dearer than a
    /// larger buffer.
    fn count_in(&mut self, slot: usize) {
        self.loads += 1;
        self.distinct += usize::from(!self.held[slot].was_held);
        if self.loads > 8 * self.distinct.max(self.budget) {
            self.budget = (self.budget + self.budget / 2).min(self.room());
        }
    }

    /// Gives all pieces back. Small pages for what is asked for from now on.
    fn let_go(&mut self) {
        for slot in self.slot_of.drain(..) {
            let held = &mut self.held[slot as usize];
            (held.piece, held.tried, held.readable) = (ABSENT, 0, 0);
        }
        self.recent = [NOT_RECENT; RECENT];
        self.victim = 0;
        let _ = self.buffer.advise(Advice::NoHugePage);
        // SAFETY: what the pieces held is not asked for any more; those that are filled anew begin with zeros.
        let _ = unsafe { self.buffer.unchecked_advise(UncheckedAdvice::DontNeed) };
    }

    fn free_piece(&mut self, slot: usize) -> Option<usize> {
        let used = self.slot_of.len();
        if used < self.budget {
            self.slot_of.push(slot as u32);
            return Some(used);
        }
        let piece = self.victim % used.max(1);
        self.victim = piece + 1;
        let slot = *self.slot_of.get(piece)? as usize;
        self.held[slot].piece = ABSENT;
        self.held[slot].tried = 0;
        self.recent[recent(self.slots.start(slot))] = NOT_RECENT;
        Some(piece)
    }

    /// A read that crosses from slot to slot is put together in a buffer of its own.
    #[cold]
    fn read_across(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        let fault = Fault { at: address, length };
        let end = address.checked_add(length as u64).ok_or(fault)?;
        if length > LONGEST_READ {
            return Err(fault);
        }
        let mut whole = std::mem::take(&mut self.straddling);
        whole.clear();
        let mut at = address;
        while at < end {
            let until = end.min((at & !(SLOT_SIZE - 1)) + SLOT_SIZE);
            match self.read(at, (until - at) as usize) {
                Ok(bytes) => whole.extend_from_slice(bytes),
                Err(_) => {
                    self.straddling = whole;
                    return Err(fault);
                }
            }
            at = until;
        }
        self.straddling = whole;
        Ok(&self.straddling)
    }
}

impl<S: BulkRead> ReadMemory for Image<S> {
    #[inline]
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        let recent = self.recent[recent(address)];
        let within = (address % SLOT_SIZE) as usize;
        if recent.start == address - within as u64 && length <= PIECE - within {
            let (pieces, _) = self.buffer.as_chunks::<PIECE>();
            let piece = pieces.get(recent.piece).ok_or(Fault { at: address, length })?;
            return Ok(&piece[within..within + length]);
        }
        self.read_elsewhere(address, length)
    }

    fn has_at_hand(&self, address: u64) -> bool {
        self.slots
            .index(address)
            .is_some_and(|slot| self.held[slot].piece != ABSENT)
    }

    fn expect(&mut self, address: u64) {
        self.pages_at_first = MANY_PAGES;
        if let Some(slot) = self.slots.index(address)
            && self.held[slot].tried != ALL_PAGES
        {
            // What cannot be had is a fault where somebody asks for it.
            let _ = self.load(slot, ALL_PAGES);
        }
    }

    fn expect_little(&mut self) {
        self.pages_at_first = FEW_PAGES;
        // The least that is held costs more to get again than it is worth to others.
        if !self.is_whole && self.budget > FEWEST_PIECES {
            self.let_go();
        }
    }
}

impl<S: BulkRead> Image<S> {
    #[inline(never)]
    fn read_elsewhere(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        let within = (address % SLOT_SIZE) as usize;
        if length > PIECE - within {
            return self.read_across(address, length);
        }
        let fault = Fault { at: address, length };
        let slot = self.slots.index(address).ok_or(fault)?;
        let wanted = pages(within as u64, (within + length.max(1)) as u64);
        let mut held = self.held[slot];
        if wanted & !held.tried != 0 {
            held = self.load(slot, with_neighbours(wanted, held.tried, self.pages_at_first))?;
        }
        if wanted & !held.readable != 0 {
            return Err(fault);
        }
        let start = held.piece as usize * PIECE + within;
        if held.readable == ALL_PAGES {
            self.recent[recent(address)] = Recent {
                start: address - within as u64,
                piece: held.piece as usize,
            };
        }
        self.buffer.get(start..start + length).ok_or(fault)
    }
}

/// How many pieces a budget is good for.
fn pieces(budget: u64, room: usize) -> usize {
    ((budget / SLOT_SIZE) as usize).clamp(FEWEST_PIECES.min(room), room)
}

#[inline]
fn recent(address: u64) -> usize {
    (address / SLOT_SIZE) as usize % RECENT
}

/// Address space for `pieces`, or as many as the system gives; answers for how many there is room.
fn reserve(pieces: usize) -> io::Result<(MmapMut, usize)> {
    let mut room = pieces.max(FEWEST_PIECES);
    loop {
        match MmapOptions::new().len(room * PIECE).no_reserve_swap().map_anon() {
            Ok(buffer) => {
                // Huge pages make the first touch several times cheaper; without them all works the same.
                let _ = buffer.advise(Advice::HugePage);
                return Ok((buffer, room));
            }
            Err(error) if room == FEWEST_PIECES => return Err(error),
            Err(_) => room = (room / 2).max(FEWEST_PIECES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::slots::PAGE_SIZE;

    /// Each word of this source is its own address; pages from `missing` on cannot be read.
    struct Numbered {
        missing: u64,
        bytes_read: u64,
    }

    impl BulkRead for Numbered {
        fn read_into(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
            if address + into.len() as u64 > self.missing {
                return Err(Fault {
                    at: address,
                    length: into.len(),
                });
            }
            self.bytes_read += into.len() as u64;
            for (word, bytes) in into.chunks_mut(8).enumerate() {
                bytes.copy_from_slice(&(address + 8 * word as u64).to_le_bytes());
            }
            Ok(())
        }
    }

    fn image(missing: u64, budget: u64) -> Image<Numbered> {
        let slots = Rc::new(Slots::new(std::slice::from_ref(&(0x1000..64 * SLOT_SIZE))));
        let bytes_read = 0;
        Image::new(Numbered { missing, bytes_read }, slots, budget).unwrap()
    }

    #[test]
    fn reads_within_and_across_pieces() {
        let mut image = image(u64::MAX, u64::MAX);
        assert_eq!(image.word(0x2468), Ok(0x2468));
        let across = image.read(SLOT_SIZE - 8, 16).map(<[u8]>::to_vec);
        let expected: Vec<u8> = [SLOT_SIZE - 8, SLOT_SIZE]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        assert_eq!(across, Ok(expected));
    }

    #[test]
    fn holes_and_ends_are_faults() {
        let mut image = image(SLOT_SIZE + 0x3000, u64::MAX);
        assert!(image.word(0x800).is_err());
        assert_eq!(image.word(SLOT_SIZE + 0x2ff8), Ok(SLOT_SIZE + 0x2ff8));
        assert!(image.word(SLOT_SIZE + 0x3000).is_err());
        assert!(image.read(SLOT_SIZE, 0x3008).is_err());
        assert!(image.read(64 * SLOT_SIZE - 8, 16).is_err());
    }

    #[test]
    fn so_much_is_read_as_is_expected() {
        let mut image = image(u64::MAX, u64::MAX);
        assert_eq!(image.read(2 * SLOT_SIZE, 0), Ok(&[][..]));
        assert_eq!(image.source.bytes_read, FEW_PAGES * PAGE_SIZE);
        image.expect(2 * SLOT_SIZE + 0x8000);
        assert_eq!(image.source.bytes_read, SLOT_SIZE);
        assert_eq!(image.word(3 * SLOT_SIZE - 8), Ok(3 * SLOT_SIZE - 8));
        image.expect_little();
        assert!(!image.has_at_hand(2 * SLOT_SIZE));
        assert_eq!(image.word(3 * SLOT_SIZE - 8), Ok(3 * SLOT_SIZE - 8));
        assert_eq!(image.source.bytes_read, SLOT_SIZE + FEW_PAGES * PAGE_SIZE);
    }

    #[test]
    fn a_small_image_keeps_what_it_holds() {
        let mut image = image(u64::MAX, 0);
        image.expect(2 * SLOT_SIZE);
        image.expect_little();
        assert!(image.has_at_hand(2 * SLOT_SIZE));
        assert_eq!(image.word(3 * SLOT_SIZE - 8), Ok(3 * SLOT_SIZE - 8));
        assert_eq!(image.source.bytes_read, SLOT_SIZE);
    }

    #[test]
    fn a_small_budget_gives_the_same_bytes() {
        let mut image = image(u64::MAX, 0);
        for round in 0..3 {
            for slot in 1..64 {
                let address = slot * SLOT_SIZE + 8 * round;
                assert_eq!(image.word(address), Ok(address));
            }
        }
        assert!(image.statistics().1 < 64 * SLOT_SIZE);
    }
}
