//! Which pages belong to pymalloc's arenas: of a block there, its pool tells the size; of no other.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering::Relaxed};

use crate::system;

const PAGE_BITS: u32 = 12;
/// Bits of addresses below which a leaf has a bit for each page.
const LEAF_BITS: u32 = 30;
const ADDRESS_BITS: u32 = 47;
const LEAF_BYTES: usize = 1 << (LEAF_BITS - PAGE_BITS - 3);

static LEAVES: [AtomicPtr<AtomicU8>; 1 << (ADDRESS_BITS - LEAF_BITS)] =
    [const { AtomicPtr::new(null_mut()) }; 1 << (ADDRESS_BITS - LEAF_BITS)];

/// Whether memory of this length can be an arena (`ARENA_SIZE` in obmalloc.c: 256 KiB, later 1 MiB, 2 MiB with huge pages).
pub fn may_be(length: usize) -> bool {
    matches!(length, 0x4_0000 | 0x10_0000 | 0x20_0000)
}

/// Whether the block lies in what may be an arena.
#[inline]
pub fn has(address: usize) -> bool {
    let Some(leaf) = LEAVES.get(address >> LEAF_BITS) else {
        return false;
    };
    let leaf = leaf.load(Relaxed);
    if leaf.is_null() {
        return false;
    }
    let (byte, bit) = place(address);
    // SAFETY: a leaf has `LEAF_BYTES` bytes, below which `place` stays, and is never given back.
    unsafe { &*leaf.add(byte) }.load(Relaxed) & bit != 0
}

/// Notes that the pages of a mapping are an arena, or are none any more.
pub fn set(address: usize, length: usize, is_arena: bool) {
    let end = address.saturating_add(length);
    let mut page = address;
    while page < end {
        let Some(leaf) = leaf(page, is_arena) else {
            page = ((page >> LEAF_BITS) + 1) << LEAF_BITS;
            continue;
        };
        let (byte, bit) = place(page);
        // SAFETY: as in `has`.
        let bits = unsafe { &*leaf.add(byte) };
        match is_arena {
            true => bits.fetch_or(bit, Relaxed),
            false => bits.fetch_and(!bit, Relaxed),
        };
        page += 1 << PAGE_BITS;
    }
}

fn place(address: usize) -> (usize, u8) {
    let page = address >> PAGE_BITS;
    (page / 8 % LEAF_BYTES, 1 << (page % 8))
}

fn leaf(address: usize, make: bool) -> Option<*mut AtomicU8> {
    let place = LEAVES.get(address >> LEAF_BITS)?;
    let leaf = place.load(Relaxed);
    if !leaf.is_null() || !make {
        return (!leaf.is_null()).then_some(leaf);
    }
    let made = system::map_private(LEAF_BYTES)?.cast::<AtomicU8>();
    // Where two threads make one at the same time, the second leaf stays unused.
    match place.compare_exchange(null_mut(), made, Relaxed, Relaxed) {
        Ok(_) => Some(made),
        Err(other) => Some(other),
    }
}
