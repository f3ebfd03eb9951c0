//! How many bytes a block occupies, asked of the allocator that gave it out.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use cpython::layout::Allocator;

use crate::arenas;
use crate::next::usable_size;

/// pymalloc gives out blocks in multiples of this (`ALIGNMENT` in obmalloc.c), and larger ones than `SMALL_REQUEST_THRESHOLD`
/// not at all.
const ALIGNMENT: usize = 16;
const LARGEST_SMALL: usize = 512;

/// How an allocator's blocks tell their size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// No block was seen yet that tells.
    Undecided,
    /// By their pool, in an arena; others are blocks of the C allocator.
    Pools,
    /// As blocks of the C allocator.
    C,
    /// Behind marks of a debug allocator (`_PyMem_DebugRawAlloc` in obmalloc.c), as the block that these stand in.
    Debug,
    /// It is not known. Only what is asked for is counted.
    Unknown,
}

const POOLS: u8 = Keeping::Pools as u8;

/// The bits of an address that tell its pool.
static POOL_MASK: AtomicUsize = AtomicUsize::new(!4095);
static POOL_CLASS: AtomicU64 = AtomicU64::new(0);

/// Where pools have their size class.
pub fn learn(allocator: &Allocator) {
    POOL_MASK.store(!(allocator.pool_size as usize).wrapping_sub(1), Relaxed);
    POOL_CLASS.store(allocator.pool_szidx, Relaxed);
}

/// What a block of pymalloc of `size` bytes will occupy, where that is sure before it is given out.
#[inline(always)]
pub fn given_by_pools(size: usize) -> Option<usize> {
    let is_small = size.wrapping_sub(1) < LARGEST_SMALL;
    is_small.then_some((size + ALIGNMENT - 1) & !(ALIGNMENT - 1))
}

/// What a block of pymalloc that occupies `before` will occupy when it has to hold `size` bytes, where that is sure before it
/// is done. A smaller one stays where it stands unless a quarter could be saved (`pymalloc_realloc` in obmalloc.c).
#[inline(always)]
pub fn resized_by_pools(before: usize, size: usize) -> Option<usize> {
    let stays = size <= before && 4 * size > 3 * before;
    given_by_pools(size).map(|given| if stays { before } else { given })
}

impl Keeping {
    const ALL: [Keeping; 5] = [
        Keeping::Undecided,
        Keeping::Pools,
        Keeping::C,
        Keeping::Debug,
        Keeping::Unknown,
    ];

    /// The one with this number in [`Keeping::ALL`], as `as u8` gives it.
    #[inline]
    pub fn numbered(number: u8) -> Keeping {
        match number {
            // The usual one, without a look into the table.
            POOLS => Keeping::Pools,
            other => *Keeping::ALL.get(usize::from(other)).unwrap_or(&Keeping::Unknown),
        }
    }

    /// By a block that was just given out for `size` bytes; `handed_up` is what the C allocator gave up to another one on that
    /// occasion. `None` where the block does not tell.
    ///
    /// # Safety
    ///
    /// The block is alive.
    pub unsafe fn of_block(block: *mut c_void, size: usize, handed_up: usize) -> Option<Keeping> {
        /// A debug allocator puts no more than this before its block.
        const MOST_BEFORE: usize = 64;
        if size == 0 || size > LARGEST_SMALL - MOST_BEFORE {
            // Larger ones any allocator takes from the C allocator.
            return None;
        }
        let is_of_arena = arenas::has(block as usize);
        let before = (block as usize).wrapping_sub(handed_up);
        // SAFETY: in front of a block of an arena stands a pool's header at least, and in front of one that begins within
        // another there is that.
        let is_debug = (is_of_arena || (16..=MOST_BEFORE).contains(&before)) && unsafe { is_debug(block, size) };
        Some(match (is_debug, is_of_arena) {
            (true, _) => Keeping::Debug,
            (_, true) => Keeping::Pools,
            _ if before == 0 => Keeping::C,
            _ => Keeping::Unknown,
        })
    }

    /// What a block occupies that was just given out for `size` bytes.
    #[inline(always)]
    pub fn given(self, block: *mut c_void, size: usize) -> usize {
        match given_by_pools(size).filter(|_| self == Keeping::Pools) {
            Some(occupied) => occupied,
            None => self.given_otherwise(block, size),
        }
    }

    #[inline(never)]
    fn given_otherwise(self, block: *mut c_void, size: usize) -> usize {
        match self {
            // Of no bytes pymalloc has no blocks, and passes the call on.
            Keeping::Pools | Keeping::C => usable_size(block),
            // SAFETY: callers have just been given it.
            Keeping::Debug => unsafe { occupied_with_marks(block) },
            Keeping::Unknown | Keeping::Undecided => size,
        }
    }

    /// What a block occupies that has just been made to hold `size` bytes. One that has shrunk may be as large as it was.
    ///
    /// # Safety
    ///
    /// The block is alive and of this allocator.
    #[inline]
    pub unsafe fn resized(self, block: *mut c_void, size: usize) -> usize {
        match self {
            Keeping::Undecided | Keeping::Unknown => size,
            // SAFETY: as the caller says.
            _ => unsafe { self.occupied(block) },
        }
    }

    /// What a block occupies.
    ///
    /// # Safety
    ///
    /// The block is alive and of this allocator.
    #[inline(always)]
    pub unsafe fn occupied(self, block: *mut c_void) -> usize {
        if self == Keeping::Pools && arenas::has(block as usize) {
            // SAFETY: the block is pymalloc's, and in an arena.
            return unsafe { occupied_in_arena(block) };
        }
        // SAFETY: as the caller says.
        unsafe { self.occupied_otherwise(block) }
    }

    /// # Safety
    ///
    /// As for `occupied`.
    #[inline(never)]
    unsafe fn occupied_otherwise(self, block: *mut c_void) -> usize {
        match self {
            Keeping::Pools | Keeping::C => usable_size(block),
            // SAFETY: as the caller says.
            Keeping::Debug => unsafe { occupied_with_marks(block) },
            Keeping::Unknown | Keeping::Undecided => 0,
        }
    }
}

/// What a block of an arena occupies, as its pool says.
///
/// # Safety
///
/// The block is alive and pymalloc's, in an arena.
#[inline(always)]
pub unsafe fn occupied_in_arena(block: *mut c_void) -> usize {
    let pool = block as usize & POOL_MASK.load(Relaxed);
    // SAFETY: pools are aligned to their size, and begin with their header.
    let class = unsafe { *((pool + POOL_CLASS.load(Relaxed) as usize) as *const u32) };
    (class as usize + 1) * ALIGNMENT
}

/// What a block of a debug allocator occupies, with the marks before and behind it. Where pymalloc passed the call on, the raw
/// domain's debug allocator has put its own around it.
///
/// # Safety
///
/// The block is alive and of a debug allocator.
unsafe fn occupied_with_marks(block: *mut c_void) -> usize {
    /// Before and behind the block.
    const MARKS: [usize; 2] = [16, 8];
    // SAFETY: the marks stand in front of the block, and begin with its size.
    unsafe {
        let size = usize::from_be_bytes(*block.cast::<[u8; 8]>().sub(2));
        let outer = block.cast::<u8>().sub(MARKS[0]).cast::<c_void>();
        if arenas::has(outer as usize) {
            return occupied_in_arena(outer);
        }
        // What the C allocator keeps before its block is as long.
        let is_passed_on = is_debug(outer, size.saturating_add(MARKS.iter().sum()));
        usable_size(if is_passed_on {
            outer.cast::<u8>().sub(MARKS[0]).cast()
        } else {
            outer
        })
    }
}

/// Whether a debug allocator's marks stand before the block of so many bytes.
///
/// # Safety
///
/// The 16 bytes before the block can be read.
unsafe fn is_debug(block: *mut c_void, size: usize) -> bool {
    const FORBIDDEN: u8 = 0xfd;
    // SAFETY: the caller says so.
    let before = unsafe { *block.cast::<[u8; 16]>().sub(1) };
    before[..8] == size.to_be_bytes() && b"rmo".contains(&before[8]) && before[9..] == [FORBIDDEN; 7]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shrinks_little_stays() {
        let cases = [
            (64, 64, 64),
            (64, 49, 64),
            (64, 48, 48),
            (64, 65, 80),
            (16, 1, 16),
            (512, 513, 0),
            (64, 0, 0),
        ];
        for (before, size, now) in cases {
            let expected = (now > 0).then_some(now);
            assert_eq!(resized_by_pools(before, size), expected, "{before} to {size}");
        }
    }

    #[test]
    fn the_marks_of_a_debug_allocator_tell_the_size() {
        let mut bytes = [[0u8; 16]; 3];
        bytes[0] = *b"\0\0\0\0\0\0\0\x05o\xfd\xfd\xfd\xfd\xfd\xfd\xfd";
        let before = bytes.as_ptr() as usize;
        let block = (&raw mut bytes[1]).cast::<c_void>();
        // SAFETY: 16 bytes stand before each of the blocks.
        unsafe {
            assert_eq!(Keeping::of_block(block, 5, before), Some(Keeping::Debug));
            assert_eq!(Keeping::of_block(block, 6, before), Some(Keeping::Unknown));
            assert_eq!(Keeping::of_block(block, 5, block as usize), Some(Keeping::C));
            assert_eq!(Keeping::of_block(block, 5000, block as usize), None);
        }
    }
}
