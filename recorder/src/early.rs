//! Blocks that the C allocator gave before the hooks around CPython's allocators were set, most of them to CPython's raw one.
//!
//! They were counted as C's, and are counted as C's when they are given back, be it through a hook: so in no domain more
//! comes back than was given out.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::lock::Locked;

/// Their addresses.
static EARLY: Locked<Vec<usize>> = Locked::new(Vec::new());
/// A bit for each of them, by their addresses, so that hardly any other block needs a further look.
static BITS: [AtomicU64; 1 << 10] = [const { AtomicU64::new(0) }; 1 << 10];
/// An interpreter has a few hundred before its hooks are set.
const MOST: usize = 1 << 12;
/// What stands before a block of a debug allocator.
const MARK: usize = 16;

/// Notes a block while the hooks are not set. Only for a thread that is inside the recorder.
#[cold]
pub fn note(block: *mut c_void) {
    EARLY.with(|all| {
        if all.len() < MOST {
            all.push(block as usize);
            let (word, bit) = bit_of(block as usize);
            word.fetch_or(bit, Relaxed);
        }
    });
}

/// Whether the block may be one of them, or stand behind the mark of one; hardly any other is.
#[inline]
pub fn may_be(block: *mut c_void) -> bool {
    let is_set = |block: usize| {
        let (word, bit) = bit_of(block);
        word.load(Relaxed) & bit != 0
    };
    is_set(block as usize) || is_set((block as usize).wrapping_sub(MARK))
}

/// Blocks stand 16 bytes apart at least. Those of one part of the memory have bits beside each other.
#[inline]
fn bit_of(block: usize) -> (&'static AtomicU64, u64) {
    let number = block / 16;
    (&BITS[number / 64 % BITS.len()], 1 << (number % 64))
}

/// Whether the block, or the one behind whose mark it stands, was noted, which it is not any more. Only for a thread that is
/// inside the recorder.
#[cold]
pub fn forget(block: *mut c_void) -> bool {
    let block = block as usize;
    EARLY.with(|all| {
        let place = all
            .iter()
            .position(|&early| early == block || early.wrapping_add(MARK) == block);
        place.map(|place| all.swap_remove(place)).is_some()
    })
}

/// Before a fork, as for samples.
pub fn hold() {
    EARLY.acquire();
}

pub fn let_go() {
    EARLY.release();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_early_once() {
        let block = |address: usize| address as *mut c_void;
        note(block(0x5000));
        note(block(0x6000));
        assert!(may_be(block(0x5000)) && may_be(block(0x6010)) && !may_be(block(0x4ff0)) && !may_be(block(0x6020)));
        assert!(forget(block(0x5000)) && !forget(block(0x5000)));
        assert!(forget(block(0x6010)) && !forget(block(0x6000)));
    }
}
