//! Which pages belong to pymalloc's arenas: of a block there, its pool tells the size; of no other. And on which of them
//! sampled blocks stand: all others are given back without further questions.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering::Relaxed};

use crate::{region, system};

const PAGE_BITS: u32 = 12;
/// Bits of addresses below which a leaf has a byte for each page.
const LEAF_BITS: u32 = 30;
const ADDRESS_BITS: u32 = 47;
/// The byte of a page that is no arena's, and of one that is; sampled blocks on it add one each, up to the most.
const NONE: u8 = 0;
const ARENA: u8 = 1;
const LEAF_BYTES: usize = 1 << (LEAF_BITS - PAGE_BITS);

static LEAVES: [AtomicPtr<AtomicU8>; 1 << (ADDRESS_BITS - LEAF_BITS)] =
    [const { AtomicPtr::new(null_mut()) }; 1 << (ADDRESS_BITS - LEAF_BITS)];

/// Whether memory of this length can be an arena (`ARENA_SIZE` in obmalloc.c: 256 KiB, later 1 MiB, 2 MiB with huge pages).
pub fn may_be(length: usize) -> bool {
    matches!(length, 0x4_0000 | 0x10_0000 | 0x20_0000)
}

/// Whether the block lies in what may be an arena.
#[inline]
pub fn has(address: usize) -> bool {
    page(address).is_some_and(|page| page.load(Relaxed) != NONE)
}

/// The same, where no block on the page is sampled.
#[inline(always)]
pub fn has_unsampled(address: usize) -> bool {
    page(address).is_some_and(|page| page.load(Relaxed) == ARENA)
}

/// Notes that the pages of a mapping are an arena, or are none any more.
pub fn set(address: usize, length: usize, is_arena: bool) {
    let state = match (is_arena, region::sample_bytes()) {
        (false, _) => NONE,
        // Every block is recorded.
        (true, 0) => u8::MAX,
        (true, _) => ARENA,
    };
    let end = address.saturating_add(length);
    let mut page = address;
    while page < end {
        let Some(leaf) = leaf(page, is_arena) else {
            page = ((page >> LEAF_BITS) + 1) << LEAF_BITS;
            continue;
        };
        // SAFETY: as in `page`.
        unsafe { &*leaf.add(place(page)) }.store(state, Relaxed);
        page += 1 << PAGE_BITS;
    }
}

/// Notes that one more block of a page is sampled, or one less, under the lock of `sampling`.
pub fn sampled(address: u64, is_more: bool) {
    if let Some(page) = page(address as usize) {
        let state = page.load(Relaxed);
        match is_more {
            true if state != NONE => page.store(state.saturating_add(1), Relaxed),
            // A page that was full once is not counted down any more.
            false if state > ARENA && state != u8::MAX => page.store(state - 1, Relaxed),
            _ => {}
        }
    }
}

#[inline(always)]
fn page(address: usize) -> Option<&'static AtomicU8> {
    let leaf = LEAVES.get(address >> LEAF_BITS)?.load(Relaxed);
    // SAFETY: a leaf has `LEAF_BYTES` bytes, below which `place` stays, and is never given back.
    (!leaf.is_null()).then(|| unsafe { &*leaf.add(place(address)) })
}

#[inline(always)]
fn place(address: usize) -> usize {
    (address >> PAGE_BITS) % LEAF_BYTES
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
