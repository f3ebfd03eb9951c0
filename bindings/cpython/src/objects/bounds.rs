//! What is believed of an address or a length before anything is done with it.

use crate::memory::{ReadMemory, Unreadable};

/// User addresses end below this on every supported machine, so that sums with sizes do not overflow.
const ADDRESSES_END: u64 = 1 << 56;
/// Blocks up to this length are read without further ado: a fault comes soon enough.
const SHORT: u64 = 16 << 10;
/// So many words of nothing in a row are taken for memory that nobody ever wrote: 32 MiB.
const LONGEST_GAP: u64 = 1 << 22;

/// What a program's memory has room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// No block is longer.
    pub largest: u64,
    /// So many bytes of long blocks can still be there: blocks do not overlap.
    left: u64,
}

impl Bounds {
    /// Those of a program of which nothing is known: the bounds of an address space.
    pub fn of_anything() -> Bounds {
        Bounds {
            largest: 1 << 46,
            left: u64::MAX,
        }
    }

    /// Those of a program with `mapped` bytes of memory. Some tables are read through more than one object (shared keys
    /// of instances, names of variables), and always shorter than what the objects have of their own.
    pub fn of_program(mapped: u64) -> Bounds {
        Bounds {
            largest: mapped,
            left: mapped.saturating_mul(4),
        }
    }

    /// Refuses a block that does not end in readable memory, or for which there is no room.
    pub fn block<M: ReadMemory>(&mut self, memory: &mut M, start: u64, length: u64) -> Result<(), Unreadable> {
        if length <= SHORT {
            return Ok(());
        }
        self.room(start, length)?;
        memory.byte(start.wrapping_add(length - 1))?;
        Ok(())
    }

    /// Refuses blocks of `length` bytes together, of which the first is at `start`, when there is no room for them.
    pub fn room(&mut self, start: u64, length: u64) -> Result<(), Unreadable> {
        let implausible = Unreadable::Implausible {
            what: "length",
            at: start,
        };
        if length > self.largest {
            return Err(implausible);
        }
        self.left = self.left.checked_sub(length).ok_or(implausible)?;
        Ok(())
    }
}

/// Refuses what cannot be the address of an object.
#[inline]
pub(super) fn object(address: u64) -> Result<(), Unreadable> {
    if address < ADDRESSES_END {
        Ok(())
    } else {
        Err(Unreadable::Implausible {
            what: "object",
            at: address,
        })
    }
}

/// Notices that what is read has been empty for too long: a misread length in a large mapping that was never used.
#[derive(Debug)]
pub(super) struct Gap {
    words: u64,
    most: u64,
}

impl Gap {
    /// `expected` words of nothing are no wonder.
    pub fn new(expected: u64) -> Gap {
        Gap {
            words: 0,
            most: LONGEST_GAP.saturating_add(expected),
        }
    }

    /// Takes note of the next `words`; answers whether to stop.
    pub fn is_endless(&mut self, words: u64, are_empty: bool) -> bool {
        self.words = if are_empty { self.words + words } else { 0 };
        self.words > self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Fault;

    struct Nothing;

    impl ReadMemory for Nothing {
        fn read(&mut self, at: u64, length: usize) -> Result<&[u8], Fault> {
            if at < 1 << 32 {
                Ok(&[0])
            } else {
                Err(Fault { at, length })
            }
        }
    }

    #[test]
    fn blocks_end_in_memory_and_have_room() {
        let mut bounds = Bounds::of_program(1 << 20);
        assert!(bounds.block(&mut Nothing, 1 << 40, SHORT).is_ok());
        assert!(bounds.block(&mut Nothing, 1 << 40, SHORT + 1).is_err());
        assert!(bounds.block(&mut Nothing, 0, (1 << 20) + 1).is_err());
        for _ in 0..3 {
            assert!(bounds.block(&mut Nothing, 0, 1 << 20).is_ok());
        }
        assert!(bounds.block(&mut Nothing, 0, 1 << 20).is_err());
    }

    #[test]
    fn a_gap_ends_with_a_word() {
        let mut gap = Gap::new(0);
        assert!(!gap.is_endless(LONGEST_GAP, true));
        assert!(!gap.is_endless(1, false));
        assert!(!gap.is_endless(LONGEST_GAP, true));
        assert!(gap.is_endless(1, true));
    }
}
