//! `mmap` and its kin, which stand before those of the C library: anonymous memory that the program maps by itself counts as
//! allocated.

use std::ffi::{c_int, c_void};
use std::sync::atomic::Ordering::Relaxed;

use recording::Domain;

use crate::lock::Locked;
use crate::next::{MMAP, MREMAP, MUNMAP, Mmap, Mremap, Munmap, next};
use crate::region::Area;
use crate::system::{MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_WRITE};
use crate::thread::{Local, local};
use crate::{arenas, owners, system};

/// What is mapped and counted: first and last address plus one, in order.
static MAPPED: Locked<Vec<(usize, usize)>> = Locked::new(Vec::new());
/// Further mappings are not counted.
const MOST_MAPPED: usize = 1 << 16;

/// As mmap(2).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap(
    wanted: *mut c_void,
    length: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> *mut c_void {
    let Some(next) = next!(MMAP, Mmap) else {
        return MAP_FAILED;
    };
    // SAFETY: the call is handed on as it came.
    let address = unsafe { next(wanted, length, protection, flags, file, offset) };
    if address != MAP_FAILED && Area::get().is_some() {
        let is_plain = flags & MAP_ANONYMOUS != 0 && protection & PROT_WRITE != 0;
        mapped(address, length, is_plain, is_plain && flags & MAP_PRIVATE != 0);
    }
    address
}

/// As mmap(2), which programs with large files call by this name.
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap64(
    wanted: *mut c_void,
    length: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> *mut c_void {
    // SAFETY: both are one function where offsets have 64 bits.
    unsafe { mmap(wanted, length, protection, flags, file, offset) }
}

/// As munmap(2).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn munmap(address: *mut c_void, length: usize) -> c_int {
    if Area::get().is_some() {
        local(|local| unmapped(local, address, length));
    }
    match next!(MUNMAP, Munmap) {
        // SAFETY: the call is handed on as it came.
        Some(next) => unsafe { next(address, length) },
        None => -1,
    }
}

/// As mremap(2).
///
/// # Safety
///
/// Of a C function; see there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mremap(
    old: *mut c_void,
    old_length: usize,
    length: usize,
    flags: c_int,
    wanted: *mut c_void,
) -> *mut c_void {
    let Some(next) = next!(MREMAP, Mremap) else {
        return MAP_FAILED;
    };
    let was_counted = Area::get().is_some() && local(|local| unmapped(local, old, old_length)) > 0;
    // SAFETY: the call is handed on as it came; the last argument is looked at when the flags say so.
    let address = unsafe { next(old, old_length, length, flags, wanted) };
    if was_counted {
        let failed = address == MAP_FAILED;
        // Counting must not change what the call has left there.
        // SAFETY: the C library answers the place of the thread's own error number.
        let error = unsafe { &mut *system::__errno_location() };
        let kept = *error;
        match failed {
            true => mapped(old, old_length, true, false),
            false => mapped(address, length, true, false),
        }
        *error = kept;
    }
    address
}

fn mapped(address: *mut c_void, length: usize, is_counted: bool, is_private: bool) {
    let length = length.next_multiple_of(4096);
    local(|local| {
        // What stood there before, if anything, is gone.
        unmapped(local, address, length);
        if is_private && arenas::may_be(length) {
            arenas::set(address as usize, length, true);
        }
        if is_counted && !local.is_inside() && local.inside(|| insert(address as usize, length)) {
            local.allocated(Domain::Mapped, address, length, length);
        }
    });
}

fn insert(address: usize, length: usize) -> bool {
    MAPPED.with(|mapped| {
        if mapped.len() >= MOST_MAPPED {
            if let Some(area) = Area::get() {
                area.head().mappings_dropped.fetch_add(1, Relaxed);
            }
            return false;
        }
        let place = mapped.partition_point(|&(start, _)| start < address);
        mapped.insert(place, (address, address.saturating_add(length)));
        true
    })
}

/// Counts what was mapped there as given back, and answers how many bytes that is.
fn unmapped(local: &Local, address: *mut c_void, length: usize) -> usize {
    let (from, to) = (address as usize, (address as usize).saturating_add(length));
    arenas::set(from, length, false);
    owners::release(from, length);
    let gone = local.inside(|| MAPPED.with(|mapped| cut(mapped, from, to)));
    if gone > 0 {
        local.freed(Domain::Mapped, address, gone);
    }
    gone
}

/// Takes the addresses `from` up to `to` out of what is mapped, and answers how many there were.
fn cut(mapped: &mut Vec<(usize, usize)>, from: usize, to: usize) -> usize {
    let first = mapped.partition_point(|&(_, end)| end <= from);
    let last = mapped.partition_point(|&(start, _)| start < to);
    if first >= last {
        return 0;
    }
    let (start, end) = (mapped[first].0, mapped[last - 1].1);
    let before = mapped[first..last]
        .iter()
        .map(|&(start, end)| end - start)
        .sum::<usize>();
    let left = [(start, from.max(start)), (to.min(end), end)];
    let left: Vec<_> = left.into_iter().filter(|(start, end)| start < end).collect();
    let remaining = left.iter().map(|&(start, end)| end - start).sum::<usize>();
    mapped.splice(first..last, left);
    before - remaining
}

/// In a child made by `fork`: its mappings count for its parent.
pub fn begin_anew() {
    MAPPED.with(Vec::clear);
}

/// Before a fork, as for samples.
pub fn hold() {
    MAPPED.acquire();
}

pub fn let_go() {
    MAPPED.release();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_out_leaves_both_ends() {
        let mut mapped = vec![(10, 20), (20, 30), (50, 60)];
        assert_eq!(cut(&mut mapped, 15, 25), 10);
        assert_eq!(mapped, [(10, 15), (25, 30), (50, 60)]);
        assert_eq!(cut(&mut mapped, 30, 50), 0);
        assert_eq!(cut(&mut mapped, 0, 100), 20);
        assert!(mapped.is_empty());
    }

    #[test]
    fn a_hole_divides() {
        let mut mapped = vec![(0, 100)];
        assert_eq!(cut(&mut mapped, 40, 60), 20);
        assert_eq!(mapped, [(0, 40), (60, 100)]);
    }
}
