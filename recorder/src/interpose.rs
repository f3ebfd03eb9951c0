//! `malloc` and its kin, which stand before those of the C library.
//!
//! They do what the next allocator does, to the letter. Until that is found, which takes memory itself, blocks come from a
//! reserve.

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use recording::Domain;

use crate::next::{
    ALIGNED_ALLOC, CALLOC, Calloc, FREE, Free, MALLOC, MEMALIGN, Malloc, POSIX_MEMALIGN, PosixMemalign, REALLOC,
    Realloc, from_reserve, is_of_reserve, next, usable_size,
};
use crate::thread::local;
use crate::{early, python};

/// Counts a block that the next allocator gave, unless another allocator of the process asked for it.
#[inline]
fn given(block: *mut c_void, size: usize) -> *mut c_void {
    local(|local| {
        if local.is_inside() {
            local.hand_up(block);
            return;
        }
        if python::is_starting() {
            // The call with which the hooks are set was made without them, too.
            if python::is_unhooked() && !block.is_null() {
                local.inside(|| early::note(block));
            }
            local.inside(python::go_on);
        }
        if !block.is_null() {
            local.allocated(Domain::C, block, size, usable_size(block));
        }
    });
    block
}

/// As malloc(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    match next!(MALLOC, Malloc) {
        // SAFETY: the call is handed on as it came.
        Some(next) => given(unsafe { next(size) }, size),
        None => from_reserve(size),
    }
}

/// As calloc(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn calloc(count: usize, each: usize) -> *mut c_void {
    match next!(CALLOC, Calloc) {
        // SAFETY: the call is handed on as it came.
        Some(next) => given(unsafe { next(count, each) }, count.saturating_mul(each)),
        None => from_reserve(count.saturating_mul(each)),
    }
}

/// As realloc(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
    let (Some(next), false) = (next!(REALLOC, Realloc), is_of_reserve(old)) else {
        return moved_out_of_reserve(old, size);
    };
    local(|local| {
        if local.is_inside() {
            // SAFETY: the call is handed on as it came.
            let block = unsafe { next(old, size) };
            local.hand_up(block);
            return block;
        }
        let occupied = if old.is_null() { 0 } else { usable_size(old) };
        local.forget_early(old);
        if size == 0 && !old.is_null() {
            // The C library frees the block and answers NULL; others answer a block of no bytes.
            local.freed(Domain::C, old, occupied);
            // SAFETY: as above.
            return given(unsafe { next(old, size) }, size);
        }
        let block = local.reallocated(
            (Domain::C, Domain::C),
            (old, occupied),
            // SAFETY: as above.
            || unsafe { next(old, size) },
            |block| (size, usable_size(block)),
        );
        if python::is_unhooked() && !block.is_null() {
            local.inside(|| early::note(block));
        }
        block
    })
}

/// A block with the content of one of the reserve, whose size nobody knows.
#[cold]
fn moved_out_of_reserve(old: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: this is the function above.
    let block = unsafe { malloc(size) };
    if !block.is_null() && !old.is_null() {
        for offset in 0..size {
            // SAFETY: the new block has `size` bytes; what is behind the old one's end is checked to be of the reserve, too.
            unsafe {
                let from = old.cast::<u8>().add(offset);
                if !is_of_reserve(from.cast()) {
                    break;
                }
                *block.cast::<u8>().add(offset) = *from;
            }
        }
    }
    block
}

/// As free(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    if block.is_null() || is_of_reserve(block) {
        return;
    }
    let Some(next) = next!(FREE, Free) else {
        return;
    };
    local(|local| {
        if !local.is_inside() {
            local.forget_early(block);
            local.freed(Domain::C, block, usable_size(block));
        }
    });
    // SAFETY: the call is handed on as it came.
    unsafe { next(block) };
}

/// As posix_memalign(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(into: *mut *mut c_void, alignment: usize, size: usize) -> c_int {
    const ENOMEM: c_int = 12;
    let Some(next) = next!(POSIX_MEMALIGN, PosixMemalign) else {
        return ENOMEM;
    };
    // SAFETY: the call is handed on as it came; when it succeeds the block stands there.
    unsafe {
        let failed = next(into, alignment, size);
        if failed == 0 {
            given(*into, size);
        }
        failed
    }
}

/// As aligned_alloc(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    match next!(ALIGNED_ALLOC, Calloc) {
        // SAFETY: the call is handed on as it came; the function takes two sizes, as `calloc` does.
        Some(next) => given(unsafe { next(alignment, size) }, size),
        None => null_mut(),
    }
}

/// As memalign(3).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
    match next!(MEMALIGN, Calloc) {
        // SAFETY: as in `aligned_alloc`.
        Some(next) => given(unsafe { next(alignment, size) }, size),
        None => null_mut(),
    }
}
