//! The hooks around the allocators of CPython's three domains (`PyMem_SetAllocator`).
//!
//! Most blocks are small, pymalloc's, and neither sampled nor the end of a countdown. These are counted before they are
//! given out or taken back, and the call goes on to the allocator for good (a jump, where the compiler sees it): that is most
//! of what recording costs. A small block counts even if there is no memory for it, after which hardly anything goes on.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use recording::Domain;

use crate::allocator::Allocator;
use crate::region::Area;
use crate::sizes::Keeping;
use crate::thread::{Local, local};
use crate::{allocator, arenas, bookkeeping, sizes};

/// A hook, and the allocator that stood there before.
struct Hook {
    domain: Domain,
    /// `None` until it is set. Written by one thread, before any other can get here by the hook.
    behind: UnsafeCell<Option<Allocator>>,
    /// A [`Keeping`].
    keeping: AtomicU8,
}

// SAFETY: see `behind`.
unsafe impl Sync for Hook {}

const fn hook(domain: Domain) -> Hook {
    Hook {
        domain,
        behind: UnsafeCell::new(None),
        keeping: AtomicU8::new(Keeping::Undecided as u8),
    }
}

/// By the numbers of `PyMemAllocatorDomain`.
const DOMAINS: [Domain; 3] = [Domain::Raw, Domain::Mem, Domain::Object];
static HOOKS: [Hook; DOMAINS.len()] = [hook(DOMAINS[0]), hook(DOMAINS[1]), hook(DOMAINS[2])];
/// What CPython is given for each of them.
const OURS: [Allocator; HOOKS.len()] = [ours::<0>(), ours::<1>(), ours::<2>()];

const fn ours<const NUMBER: usize>() -> Allocator {
    Allocator {
        context: null_mut(),
        malloc: malloc::<NUMBER>,
        calloc: calloc::<NUMBER>,
        realloc: realloc::<NUMBER>,
        free: free::<NUMBER>,
    }
}

/// Sets all hooks. False when that cannot be done.
pub fn set() -> bool {
    allocator::look_up();
    (0..HOOKS.len()).all(set_one)
}

/// Sets those hooks again in whose place stands what stood there before them.
pub fn set_again() {
    for (number, hook) in HOOKS.iter().enumerate() {
        // SAFETY: it was written before, if ever.
        if let (Some(behind), Some(now)) = (unsafe { &*hook.behind.get() }, Allocator::current(number))
            && now.is(behind)
        {
            put(number);
        }
    }
}

fn set_one(number: usize) -> bool {
    let (Some(behind), hook) = (Allocator::current(number), &HOOKS[number]) else {
        return false;
    };
    // SAFETY: nobody can have got here by this hook, which is set now.
    unsafe { *hook.behind.get() = Some(behind) };
    put(number);
    if let Some(area) = Area::get() {
        area.head().hooked.fetch_or(1 << hook.domain as u32, Relaxed);
    }
    true
}

fn put(number: usize) {
    // SAFETY: the functions below keep the promises of an allocator, since they hand every call on to one.
    unsafe { OURS[number].set(number) };
}

impl Hook {
    /// What stands behind it.
    ///
    /// # Safety
    ///
    /// The hook was set.
    #[inline(always)]
    unsafe fn behind(&self) -> &Allocator {
        // SAFETY: that was written before the hook was set.
        unsafe { (*self.behind.get()).as_ref().unwrap_unchecked() }
    }

    /// Counts a block of `size` bytes that is about to be given out, if that is all there is to do.
    #[inline(always)]
    fn is_counted_ahead(&self, local: &Local, domain: Domain, size: usize) -> bool {
        self.has_pools()
            && match sizes::given_by_pools(size) {
                Some(occupied) => local.allocated_ahead(domain, size, occupied),
                None => false,
            }
    }

    /// The same of a block that is about to be taken back.
    ///
    /// # Safety
    ///
    /// The block is alive and of this allocator, or null.
    #[inline(always)]
    unsafe fn is_freed_ahead(&self, local: &Local, domain: Domain, block: *mut c_void) -> bool {
        self.has_pools()
            && arenas::has_unsampled(block as usize)
            // SAFETY: as the caller says; it is in an arena.
            && local.freed_ahead(domain, || unsafe { sizes::occupied_in_arena(block) })
    }

    /// The same of a block that is about to be made to hold `size` bytes, by whatever block that will be.
    ///
    /// # Safety
    ///
    /// As for `is_freed_ahead`.
    #[inline(always)]
    unsafe fn is_resized_ahead(&self, local: &Local, domain: Domain, old: *mut c_void, size: usize) -> bool {
        if !self.has_pools() || !arenas::has_unsampled(old as usize) {
            return false;
        }
        // SAFETY: as the caller says; it is in an arena.
        let before = unsafe { sizes::occupied_in_arena(old) };
        match sizes::resized_by_pools(before, size) {
            Some(now) => local.resized_ahead(domain, size, before, now),
            None => false,
        }
    }

    #[inline(always)]
    fn has_pools(&self) -> bool {
        self.keeping.load(Relaxed) == Keeping::Pools as u8
    }

    #[inline]
    fn keeping(&self) -> Keeping {
        Keeping::numbered(self.keeping.load(Relaxed))
    }

    /// What a block occupies that was just given out for `size` bytes.
    #[inline(always)]
    fn given(&self, local: &Local, block: *mut c_void, size: usize) -> usize {
        let mut keeping = self.keeping();
        if keeping == Keeping::Undecided {
            keeping = self.decide(local, block, size);
        }
        keeping.given(block, size)
    }

    /// The allocator itself is never asked for a block to find out how it keeps them: it may have been in the middle of
    /// something when the hooks were set.
    #[cold]
    #[inline(never)]
    fn decide(&self, local: &Local, block: *mut c_void, size: usize) -> Keeping {
        // SAFETY: the block is alive.
        let keeping = unsafe { Keeping::of_block(block, size, local.handed_up()) };
        if let Some(keeping) = keeping {
            self.keeping.store(keeping as u8, Relaxed);
        }
        self.keeping()
    }

    /// # Safety
    ///
    /// As of the function below.
    #[inline(never)]
    unsafe fn malloc(&self, size: usize) -> *mut c_void {
        // SAFETY: as the caller says.
        unsafe {
            let behind = self.behind();
            self.give(size, || (behind.malloc)(behind.context, size))
        }
    }

    /// # Safety
    ///
    /// As of the function below.
    #[inline(never)]
    unsafe fn realloc(&self, old: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: as the caller says.
        let reallocate = || unsafe {
            let behind = self.behind();
            (behind.realloc)(behind.context, old, size)
        };
        local(|local| {
            if local.is_inside() {
                if self.domain == Domain::Raw {
                    bookkeeping::forget(old);
                }
                return self.given_inside(local, reallocate());
            }
            let occupied = match old.is_null() {
                true => 0,
                // SAFETY: as the caller says.
                false => unsafe { self.keeping().occupied(old) },
            };
            let block = local.reallocated(
                (self.domain, self.of_block(local, old)),
                (old, occupied),
                reallocate,
                // SAFETY: it has just been given out.
                |block| (size, unsafe { self.keeping().resized(block, size) }),
            );
            if !local.nested.is_empty() {
                local.inside(|| local.nested.settle(block));
            }
            block
        })
    }

    /// # Safety
    ///
    /// As of the function below.
    #[inline(never)]
    unsafe fn free(&self, block: *mut c_void) {
        // SAFETY: as the caller says; what is of pools stands in an arena.
        unsafe {
            if !self.is_of_pools(block) || local(Local::is_inside) {
                return self.free_otherwise(block);
            }
            local(|local| local.freed(self.domain, block, sizes::occupied_in_arena(block)));
            let behind = self.behind();
            (behind.free)(behind.context, block);
        }
    }

    /// # Safety
    ///
    /// As of the function below.
    #[inline(never)]
    unsafe fn free_otherwise(&self, block: *mut c_void) {
        // SAFETY: as the caller says.
        let free = || unsafe {
            let behind = self.behind();
            (behind.free)(behind.context, block);
        };
        local(|local| {
            if local.is_inside() || block.is_null() {
                return free();
            }
            // SAFETY: as the caller says.
            let occupied = unsafe { self.keeping().occupied(block) };
            let is_kept = self.domain == Domain::Raw
                && occupied >= bookkeeping::SMALLEST
                && local.inside(|| bookkeeping::forget(block));
            if !is_kept {
                local.freed(self.of_block(local, block), block, occupied);
            }
            local.inside(free);
        });
    }

    /// Whether the block stands in a pool: then it is no other allocator's, and was given out through this hook.
    #[inline]
    fn is_of_pools(&self, block: *mut c_void) -> bool {
        self.has_pools() && arenas::has(block as usize)
    }

    /// In which domain a block was counted that is given back.
    #[inline]
    fn of_block(&self, local: &Local, block: *mut c_void) -> Domain {
        match !self.is_of_pools(block) && local.forget_early(block) {
            true => Domain::C,
            false => self.domain,
        }
    }

    /// A block that another allocator asked for.
    #[inline]
    fn given_inside(&self, local: &Local, block: *mut c_void) -> *mut c_void {
        if self.domain == Domain::Raw && !block.is_null() {
            local.nested.note(block);
        }
        block
    }

    /// Counts the block that `allocate` gives, unless that is another allocator's business.
    #[inline]
    fn give(&self, size: usize, allocate: impl FnOnce() -> *mut c_void) -> *mut c_void {
        local(|local| {
            if local.is_inside() {
                return self.given_inside(local, allocate());
            }
            local.hand_up(null_mut());
            let block = local.inside(allocate);
            if !local.nested.is_empty() {
                local.inside(|| local.nested.settle(block));
            }
            if !block.is_null() {
                local.allocated(self.domain, block, size, self.given(local, block, size));
            }
            block
        })
    }
}

// CPython gives the context that it was told, which these functions have no need of: each knows its hook.

unsafe extern "C" fn malloc<const NUMBER: usize>(_: *mut c_void, size: usize) -> *mut c_void {
    let hook = &HOOKS[NUMBER];
    // SAFETY: CPython calls what `put` has set, and the allocator behind is called as CPython called us.
    unsafe {
        let behind = hook.behind();
        if local(|local| hook.is_counted_ahead(local, DOMAINS[NUMBER], size)) {
            return (behind.malloc)(behind.context, size);
        }
        hook.malloc(size)
    }
}

unsafe extern "C" fn calloc<const NUMBER: usize>(_: *mut c_void, count: usize, each: usize) -> *mut c_void {
    let hook = &HOOKS[NUMBER];
    let size = count.saturating_mul(each);
    // SAFETY: as in `malloc`.
    unsafe {
        let behind = hook.behind();
        if local(|local| hook.is_counted_ahead(local, DOMAINS[NUMBER], size)) {
            return (behind.calloc)(behind.context, count, each);
        }
        hook.give(size, || (behind.calloc)(behind.context, count, each))
    }
}

unsafe extern "C" fn realloc<const NUMBER: usize>(_: *mut c_void, old: *mut c_void, size: usize) -> *mut c_void {
    let hook = &HOOKS[NUMBER];
    // SAFETY: as in `malloc`; the old block is one of this allocator's, and alive until it is called.
    unsafe {
        let behind = hook.behind();
        if local(|local| hook.is_resized_ahead(local, DOMAINS[NUMBER], old, size)) {
            return (behind.realloc)(behind.context, old, size);
        }
        hook.realloc(old, size)
    }
}

unsafe extern "C" fn free<const NUMBER: usize>(_: *mut c_void, block: *mut c_void) {
    let hook = &HOOKS[NUMBER];
    // SAFETY: as in `realloc`.
    unsafe {
        let behind = hook.behind();
        if local(|local| hook.is_freed_ahead(local, DOMAINS[NUMBER], block)) {
            return (behind.free)(behind.context, block);
        }
        hook.free(block);
    }
}
