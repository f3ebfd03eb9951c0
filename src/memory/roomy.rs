//! Room for millions of rows: space for all that may come, which costs nothing until it is used, in huge pages where the
//! system has them, since the first touch of a small page costs more than filling it.

use std::ffi::c_void;
use std::ptr::NonNull;

use nix::sys::mman::{MmapAdvise, madvise};

const PAGE: usize = super::slots::PAGE_SIZE as usize;
/// What is smaller is better served as it is.
const WORTH_IT: usize = 4 << 20;

/// An empty `Vec` with room for about `count` items, or without where the system does not give so much.
pub fn roomy<T>(count: usize) -> Vec<T> {
    let mut room = Vec::new();
    if room.try_reserve_exact(count).is_ok() {
        advise_huge_pages(&mut room);
    }
    room
}

fn advise_huge_pages<T>(room: &mut Vec<T>) {
    let spare = room.spare_capacity_mut();
    let length = size_of_val(spare) / PAGE * PAGE;
    let Some(start) = NonNull::new(spare.as_mut_ptr().cast::<c_void>()) else {
        return;
    };
    if length < WORTH_IT {
        return;
    }
    let ahead = start.as_ptr().align_offset(PAGE);
    if ahead < PAGE {
        // SAFETY: whole pages of an allocation of ours; the advice changes how they are backed, not what they hold. An
        // error means that the system does not know huge pages.
        let _ = unsafe { madvise(start.byte_add(ahead), length - PAGE, MmapAdvise::MADV_HUGEPAGE) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_or_none() {
        let mut room = roomy::<u64>(1 << 20);
        assert!(room.capacity() >= 1 << 20);
        room.push(7);
        assert_eq!(room, [7]);
        assert_eq!(roomy::<u64>(usize::MAX / 16).capacity(), 0);
    }
}
