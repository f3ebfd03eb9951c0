//! The program's allocator: the system's, which is asked to back large blocks with huge pages. The first touch of a small
//! page costs more than filling it, and columns with a row for each object have thousands of them.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::ptr::NonNull;

use nix::sys::mman::{MmapAdvise, madvise};

use super::exhaustion;

/// Blocks from this size on are worth a call.
const LARGE: usize = 1 << 20;
const HUGE_PAGE: usize = 2 << 20;
/// The heap grows by so much at a time.
const AHEAD: usize = 64 << 20;

pub struct HugePages;

// SAFETY: every block is the system allocator's, with the layout that was asked for; advice leaves contents as they are.
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the rules of `alloc`, which are the system's too.
        advised(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        advised(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from the system allocator with this layout.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block came from the system allocator with this layout.
        advised(unsafe { System.realloc(block, layout, size) }, size)
    }
}

/// Asks for huge pages where the block is large.
#[inline]
fn advised(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        exhaustion::note_refused();
        return block;
    }
    if size >= LARGE {
        advise(block, size);
    }
    block
}

#[cold]
fn advise(block: *mut u8, size: usize) {
    let before = block as usize % HUGE_PAGE;
    let Some(first) = NonNull::new(block.wrapping_sub(before).cast::<c_void>()) else {
        return;
    };
    // SAFETY: the advice changes how memory is backed, not what it holds, around the block too. An error means that not
    // all around it is mapped, or that the system does not know huge pages.
    let _ = unsafe {
        madvise(
            first,
            (before + size).next_multiple_of(HUGE_PAGE),
            MmapAdvise::MADV_HUGEPAGE,
        )
    };
}

/// Keeps what is freed for what is allocated next, instead of giving it back and getting it again with every page zeroed.
/// What is allocated first comes from huge pages whatever its size.
pub fn keep_freed() {
    // SAFETY: sets numbers of the C library's allocator; what it does not take it leaves as it was.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TOP_PAD, AHEAD as i32);
    }
    // The heap grows by what is asked for and that much more.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE)));
    // SAFETY: asks where the heap ends.
    let end = unsafe { libc::sbrk(0) }.cast::<u8>();
    advise(end.wrapping_sub(AHEAD), AHEAD);
}
