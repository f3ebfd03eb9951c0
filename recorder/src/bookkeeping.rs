//! What pymalloc keeps for itself: blocks of the raw allocator that it asks for while it looks for one to give.
//!
//! They are no blocks of the program's, and not counted. Where pymalloc gives them back nobody is inside of it any more: when
//! an interpreter ends that has arenas of its own. So they are remembered, to be left out then as well.

use std::cell::Cell;
use std::ffi::c_void;

use crate::lock::Locked;

/// Their addresses: a few of each interpreter.
static KEPT: Locked<Vec<usize>> = Locked::new(Vec::new());
/// Further ones are counted when they are given back.
const MOST: usize = 1 << 12;
/// All of them are at least this large.
pub const SMALLEST: usize = 512;
/// What stands before a block of a debug allocator is smaller.
const LONGEST_MARK: usize = 64;

/// Blocks of the raw allocator that an allocator was given since the program called it: for the program, or for itself.
pub struct Nested(Cell<[usize; 4]>);

impl Nested {
    #[cfg(not(target_arch = "x86_64"))]
    pub const fn new() -> Nested {
        Nested(Cell::new([0; 4]))
    }

    /// Of more, the last ones are forgotten.
    #[cold]
    pub fn note(&self, block: *mut c_void) {
        let mut blocks = self.0.get();
        if let Some(place) = blocks.iter_mut().find(|place| **place == 0) {
            *place = block as usize;
        }
        self.0.set(blocks);
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.get()[0] == 0
    }

    /// Remembers all but the one that the program is given with `block`. Only for a thread that is inside the recorder.
    #[cold]
    pub fn settle(&self, block: *mut c_void) {
        let own = |&kept: &usize| kept != 0 && (block as usize).wrapping_sub(kept) >= LONGEST_MARK;
        KEPT.with(|all| {
            let room = MOST.saturating_sub(all.len());
            all.extend(self.0.take().into_iter().filter(own).take(room));
        });
    }
}

/// Whether the block was remembered, which it is not any more. Only for a thread that is inside the recorder.
#[cold]
pub fn forget(block: *mut c_void) -> bool {
    KEPT.with(|all| {
        let place = all.iter().position(|&kept| kept == block as usize);
        place.map(|place| all.swap_remove(place)).is_some()
    })
}

/// Before a fork, as for samples.
pub fn hold() {
    KEPT.acquire();
}

pub fn let_go() {
    KEPT.release();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_is_given_is_its_own() {
        let nested = Nested(Cell::new([0; 4]));
        let block = |address: usize| address as *mut c_void;
        for address in [0x1000, 0x2000, 0x3000] {
            nested.note(block(address));
        }
        assert!(!nested.is_empty());
        nested.settle(block(0x2010));
        assert!(nested.is_empty());
        assert!(!forget(block(0x2000)));
        assert!(forget(block(0x1000)) && forget(block(0x3000)));
        assert!(!forget(block(0x1000)));
    }
}
