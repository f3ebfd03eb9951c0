//! The hooks around the allocators of CPython's three domains (`PyMem_SetAllocator`).
//!
//! Most blocks are small, pymalloc's, and neither sampled nor the end of a countdown. These are counted before they are
//! given out or taken back, and the call goes on to the allocator for good (a jump, where the compiler sees it): that is most
//! of what recording costs. A small block counts even if there is no memory for it, after which hardly anything goes on.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering::Relaxed};

use recording::Domain;

use crate::region::Area;
use crate::sizes::Keeping;
use crate::thread::{Local, local};
use crate::{arenas, bookkeeping, sizes, system};

/// `PyMemAllocatorEx`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Allocator {
    context: *mut c_void,
    malloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
    calloc: unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void,
    realloc: unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void, *mut c_void),
}

/// `PyMem_GetAllocator` and `PyMem_SetAllocator`; the domain is numbered as in [`HOOKS`].
type Access = unsafe extern "C" fn(c_int, *mut Allocator);

impl Allocator {
    /// Whether both are one allocator, by what is called first.
    fn is(&self, other: &Allocator) -> bool {
        self.context == other.context && self.malloc as usize == other.malloc as usize
    }
}

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
static HOOKS: [Hook; 3] = [hook(Domain::Raw), hook(Domain::Mem), hook(Domain::Object)];

/// Sets all hooks. False when that cannot be done.
pub fn set() -> bool {
    GET.store(system::find(c"PyMem_GetAllocator"), Relaxed);
    SET.store(system::find(c"PyMem_SetAllocator"), Relaxed);
    (0..HOOKS.len()).all(set_one)
}

/// Sets those hooks again in whose place stands what stood there before them.
pub fn set_again() {
    for (number, hook) in HOOKS.iter().enumerate() {
        // SAFETY: it was written before, if ever.
        if let (Some(behind), Some(now)) = (unsafe { &*hook.behind.get() }, current(number))
            && now.is(behind)
        {
            put(number, hook);
        }
    }
}

fn set_one(number: usize) -> bool {
    let (Some(behind), hook) = (current(number), &HOOKS[number]) else {
        return false;
    };
    // SAFETY: nobody can have got here by this hook, which is set now.
    unsafe { *hook.behind.get() = Some(behind) };
    put(number, hook);
    if let Some(area) = Area::get() {
        area.head().hooked.fetch_or(1 << hook.domain as u32, Relaxed);
    }
    true
}

fn current(number: usize) -> Option<Allocator> {
    let mut allocator = std::mem::MaybeUninit::uninit();
    // SAFETY: the function fills in the whole structure for the three domains that there are.
    unsafe {
        access(&GET)?(number as c_int, allocator.as_mut_ptr());
        Some(allocator.assume_init())
    }
}

fn put(number: usize, hook: &'static Hook) {
    let mut allocator = Allocator {
        context: (&raw const *hook).cast_mut().cast(),
        malloc,
        calloc,
        realloc,
        free,
    };
    if let Some(set) = access(&SET) {
        // SAFETY: the functions below keep the promises of an allocator, since they hand every call on to one.
        unsafe { set(number as c_int, &mut allocator) };
    }
}

/// The functions that hooks are set with, looked up once: the dynamic loader's lock is not to be waited for later.
static GET: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
static SET: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

fn access(function: &AtomicPtr<c_void>) -> Option<Access> {
    let function = function.load(Relaxed);
    // SAFETY: `set` has put functions there that have this type.
    (!function.is_null()).then(|| unsafe { std::mem::transmute::<*mut c_void, Access>(function) })
}

impl Hook {
    /// The hook that CPython gives back as context, and what stands behind it.
    ///
    /// # Safety
    ///
    /// `context` is that of `put`.
    #[inline(always)]
    unsafe fn of<'a>(context: *mut c_void) -> (&'a Hook, &'a Allocator) {
        // SAFETY: the context is one of `HOOKS`; what is behind was written before it was put there.
        unsafe {
            let hook = &*context.cast::<Hook>();
            (hook, (*hook.behind.get()).as_ref().unwrap_unchecked())
        }
    }

    /// Counts a block of `size` bytes that is about to be given out, if that is all there is to do.
    #[inline(always)]
    fn is_counted_ahead(&self, local: &Local, size: usize) -> bool {
        self.has_pools()
            && match sizes::given_by_pools(size) {
                Some(occupied) => local.allocated_ahead(self.domain, size, occupied),
                None => false,
            }
    }

    /// The same of a block that is about to be taken back.
    ///
    /// # Safety
    ///
    /// The block is alive and of this allocator, or null.
    #[inline(always)]
    unsafe fn is_freed_ahead(&self, local: &Local, block: *mut c_void) -> bool {
        self.has_pools()
            && arenas::has_unsampled(block as usize)
            // SAFETY: as the caller says; it is in an arena.
            && local.freed_ahead(self.domain, || unsafe { sizes::occupied_in_arena(block) })
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
    unsafe fn malloc(&self, behind: &Allocator, size: usize) -> *mut c_void {
        // SAFETY: as the caller says.
        self.give(size, || unsafe { (behind.malloc)(behind.context, size) })
    }

    /// # Safety
    ///
    /// As of the function below.
    #[inline(never)]
    unsafe fn free(&self, behind: &Allocator, block: *mut c_void) {
        // SAFETY: as the caller says.
        let free = || unsafe { (behind.free)(behind.context, block) };
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

    /// In which domain a block was counted that is given back.
    #[inline]
    fn of_block(&self, local: &Local, block: *mut c_void) -> Domain {
        match local.forget_early(block) {
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

unsafe extern "C" fn malloc(context: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: CPython gives the context that it was told, and the allocator behind is called as CPython called us.
    unsafe {
        let (hook, behind) = Hook::of(context);
        if local(|local| hook.is_counted_ahead(local, size)) {
            return (behind.malloc)(behind.context, size);
        }
        hook.malloc(behind, size)
    }
}

unsafe extern "C" fn calloc(context: *mut c_void, count: usize, each: usize) -> *mut c_void {
    // SAFETY: as in `malloc`.
    unsafe {
        let (hook, behind) = Hook::of(context);
        let size = count.saturating_mul(each);
        if local(|local| hook.is_counted_ahead(local, size)) {
            return (behind.calloc)(behind.context, count, each);
        }
        hook.give(size, || (behind.calloc)(behind.context, count, each))
    }
}

unsafe extern "C" fn realloc(context: *mut c_void, old: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: as in `malloc`; the old block is one of this allocator's, and alive until it is called.
    unsafe {
        let (hook, behind) = Hook::of(context);
        local(|local| {
            if local.is_inside() {
                if hook.domain == Domain::Raw {
                    bookkeeping::forget(old);
                }
                return hook.given_inside(local, (behind.realloc)(behind.context, old, size));
            }
            let occupied = if old.is_null() { 0 } else { hook.keeping().occupied(old) };
            let block = local.reallocated(
                (hook.domain, hook.of_block(local, old)),
                (old, occupied),
                || (behind.realloc)(behind.context, old, size),
                |block| (size, hook.keeping().resized(block, size)),
            );
            if !local.nested.is_empty() {
                local.inside(|| local.nested.settle(block));
            }
            block
        })
    }
}

unsafe extern "C" fn free(context: *mut c_void, block: *mut c_void) {
    // SAFETY: as in `realloc`.
    unsafe {
        let (hook, behind) = Hook::of(context);
        if local(|local| hook.is_freed_ahead(local, block)) {
            return (behind.free)(behind.context, block);
        }
        hook.free(behind, block);
    }
}
