//! What each thread keeps for itself: its counters in the shared memory, and whether it is inside an allocator already.

#[cfg(target_arch = "x86_64")]
use std::arch::{asm, global_asm};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use recording::form::{Domain, SLOTS, Slot};

use crate::bookkeeping::Nested;
use crate::region::Area;
use crate::{early, sampling, system};

/// Of the calling thread.
pub struct Local {
    /// Null before its first block, after its end, and when all slots are taken.
    slot: Cell<*const Slot>,
    /// An allocator is under way, or the recorder: what these ask for is not counted.
    inside: Cell<bool>,
    /// The last block that the C allocator gave to another allocator.
    handed_up: Cell<usize>,
    /// No slot is to be had for it.
    is_shared: Cell<bool>,
    pub nested: Nested,
}

impl Local {
    #[cfg(not(target_arch = "x86_64"))]
    const fn new() -> Local {
        Local {
            slot: Cell::new(null()),
            inside: Cell::new(false),
            handed_up: Cell::new(0),
            is_shared: Cell::new(false),
            nested: Nested::new(),
        }
    }
}

/// Gives the calling thread's own.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn local<R>(work: impl FnOnce(&Local) -> R) -> R {
    let place: *const Local;
    // The library is loaded with the program, never later, so its thread-local memory stands at a fixed distance from the
    // thread's pointer (the model `initial-exec`). `thread_local!` would call a function for it each time.
    // SAFETY: the instructions add that distance to the thread's pointer, which stands at its beginning.
    unsafe {
        asm!(
            "mov {place}, qword ptr fs:[0]",
            "add {place}, qword ptr [rip + pymemscope_local@GOTTPOFF]",
            place = out(reg) place,
            options(pure, nomem, nostack),
        );
    }
    // SAFETY: the memory has the size and alignment of a `Local`, it is zero at first, which is a `Local` of its own, and no other
    // thread looks at it.
    work(unsafe { &*place })
}

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".section .tbss,\"awT\",@nobits",
    ".hidden pymemscope_local",
    ".globl pymemscope_local",
    ".type pymemscope_local, @object",
    ".size pymemscope_local, {size}",
    ".p2align 4",
    "pymemscope_local:",
    ".zero {size}",
    ".previous",
    size = const size_of::<Local>(),
);
#[cfg(target_arch = "x86_64")]
const _: () = assert!(align_of::<Local>() <= 16);

#[cfg(not(target_arch = "x86_64"))]
thread_local! {
    // Without a destructor, so that there is nothing to set up and nothing that could come too late.
    static LOCAL: Local = const { Local::new() };
}

/// Gives the calling thread's own.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn local<R>(work: impl FnOnce(&Local) -> R) -> R {
    LOCAL.with(work)
}

impl Local {
    /// Does what is no call of the program's own: whatever it allocates is not counted.
    #[inline]
    pub fn inside<R>(&self, work: impl FnOnce() -> R) -> R {
        let before = self.inside.replace(true);
        let result = work();
        self.inside.set(before);
        result
    }

    #[inline]
    pub fn is_inside(&self) -> bool {
        self.inside.get()
    }

    pub fn hand_up(&self, block: *mut c_void) {
        self.handed_up.set(block as usize);
    }

    pub fn handed_up(&self) -> usize {
        self.handed_up.get()
    }

    /// Counts a block of `requested` bytes that occupies `occupied`, and looks at it closer if it is its turn.
    #[inline]
    pub fn allocated(&self, domain: Domain, block: *mut c_void, requested: usize, occupied: usize) {
        let slot = self.slot.get();
        if slot.is_null() {
            return self.allocated_elsewhere(domain, block, requested, occupied);
        }
        // SAFETY: a slot lies in the area, which stays mapped.
        let slot = unsafe { &*slot };
        let counters = &slot.counters[domain as usize];
        add(&counters.requested, requested);
        add(&counters.allocated, occupied);
        add(&counters.blocks, 1);
        let size = sampled_size(requested, occupied);
        let left = slot.countdown.load(Relaxed) - size as i64;
        slot.countdown.store(left, Relaxed);
        if left <= 0 {
            self.look(domain, block, size, occupied);
        }
    }

    /// The counters, where nothing more is to be done than to count.
    #[inline(always)]
    fn slot_ahead(&self) -> Option<&Slot> {
        let slot = self.slot.get();
        // SAFETY: as in `allocated`.
        (!self.inside.get() && !slot.is_null()).then(|| unsafe { &*slot })
    }

    /// Counts a block that is about to be given out, unless there is more to do about it than that.
    #[inline(always)]
    pub fn allocated_ahead(&self, domain: Domain, requested: usize, occupied: usize) -> bool {
        let Some(slot) = self.slot_ahead() else {
            return false;
        };
        let left = slot.countdown.load(Relaxed) - occupied as i64;
        if left <= 0 {
            return false;
        }
        slot.countdown.store(left, Relaxed);
        let counters = &slot.counters[domain as usize];
        add(&counters.requested, requested);
        add(&counters.allocated, occupied);
        add(&counters.blocks, 1);
        true
    }

    /// Counts a block that is about to be given back, and is not sampled, unless there is more to do about it than that.
    #[inline(always)]
    pub fn freed_ahead(&self, domain: Domain, occupied: impl FnOnce() -> usize) -> bool {
        let Some(slot) = self.slot_ahead() else {
            return false;
        };
        let counters = &slot.counters[domain as usize];
        add(&counters.freed, occupied());
        add(&counters.freed_blocks, 1);
        true
    }

    /// Counts one for the other: a block that occupies `before` and is not sampled, and one that will occupy `now`.
    #[inline(always)]
    pub fn resized_ahead(&self, domain: Domain, requested: usize, before: usize, now: usize) -> bool {
        // In this order: where the first answers false nothing was counted.
        self.allocated_ahead(domain, requested, now) && self.freed_ahead(domain, || before)
    }

    #[cold]
    #[inline(never)]
    fn look(&self, domain: Domain, block: *mut c_void, size: usize, occupied: usize) {
        // SAFETY: as in `allocated`, which has found it.
        if let Some(slot) = unsafe { self.slot.get().as_ref() } {
            self.inside(|| sampling::look(slot, domain, block, size, occupied));
        }
    }

    #[cold]
    #[inline(never)]
    fn forget(&self, domain: Domain, block: *mut c_void, occupied: usize) {
        self.inside(|| sampling::forget(domain, block, occupied));
    }

    /// Counts a block that is about to be given back.
    #[inline]
    pub fn freed(&self, domain: Domain, block: *mut c_void, occupied: usize) {
        let slot = self.slot.get();
        if slot.is_null() {
            self.freed_elsewhere(domain, occupied, 1);
        } else {
            // SAFETY: as in `allocated`.
            let counters = &unsafe { &*slot }.counters[domain as usize];
            add(&counters.freed, occupied);
            add(&counters.freed_blocks, 1);
        }
        if sampling::may_be_sampled(block) {
            self.forget(domain, block, occupied);
        }
    }

    /// Whether the block was given out before the hooks were set; it counts as that no more.
    #[inline]
    pub fn forget_early(&self, block: *mut c_void) -> bool {
        early::may_be(block) && self.inside(|| early::forget(block))
    }

    /// Counts `old` and what it occupies as given back, in its own domain, and what `reallocate` gives as a new block, where
    /// that succeeds.
    #[inline]
    pub fn reallocated(
        &self,
        (domain, of_old): (Domain, Domain),
        (old, occupied): (*mut c_void, usize),
        reallocate: impl FnOnce() -> *mut c_void,
        measure: impl FnOnce(*mut c_void) -> (usize, usize),
    ) -> *mut c_void {
        // Before another thread can be given it.
        if !old.is_null() {
            self.freed(of_old, old, occupied);
        }
        let block = self.inside(reallocate);
        if !block.is_null() {
            let (requested, now) = measure(block);
            self.allocated(domain, block, requested, now);
        } else if !old.is_null() {
            // It is still there.
            self.allocated(domain, old, occupied, occupied);
        }
        block
    }

    #[cold]
    fn allocated_elsewhere(&self, domain: Domain, block: *mut c_void, requested: usize, occupied: usize) {
        let Some(area) = Area::get() else {
            return;
        };
        if !self.is_shared.get() {
            self.claim(area);
        }
        if !self.slot.get().is_null() {
            return self.allocated(domain, block, requested, occupied);
        }
        let shared = shared(area);
        let counters = &shared.counters[domain as usize];
        counters.requested.fetch_add(requested as u64, Relaxed);
        counters.allocated.fetch_add(occupied as u64, Relaxed);
        counters.blocks.fetch_add(1, Relaxed);
        let size = sampled_size(requested, occupied);
        if shared.countdown.fetch_sub(size as i64, Relaxed) <= size as i64 {
            self.inside(|| sampling::look(shared, domain, block, size, occupied));
        }
    }

    /// Counts blocks given back, by a thread that has no counters of its own.
    #[cold]
    pub fn freed_elsewhere(&self, domain: Domain, occupied: usize, blocks: u64) {
        if let Some(area) = Area::get() {
            let counters = &shared(area).counters[domain as usize];
            counters.freed.fetch_add(occupied as u64, Relaxed);
            counters.freed_blocks.fetch_add(blocks, Relaxed);
        }
    }

    #[cold]
    fn claim(&self, area: Area) {
        let number = system::thread_number();
        let slots = &area.slots()[..SLOTS - 1];
        let free = |slot: &&Slot| slot.owner.compare_exchange(0, number, Relaxed, Relaxed).is_ok();
        let Some((index, slot)) = slots.iter().enumerate().find(|(_, slot)| free(slot)) else {
            self.is_shared.set(true);
            return;
        };
        area.head().slots_used.fetch_max(index as u64 + 1, Relaxed);
        sampling::begin(slot);
        self.slot.set(slot);
        self.inside(|| at_end(slot));
    }
}

/// Gets the counters ready that threads share; the others are when a thread claims them.
pub fn begin() {
    if let Some(area) = Area::get() {
        sampling::begin(shared(area));
    }
}

/// In a child made by `fork`: the thread has no counters in the new area yet.
pub fn begin_anew() {
    begin();
    local(|local| {
        local.slot.set(null());
        local.is_shared.set(false);
    });
}

/// By what a block is sampled, and stands for: what it occupies, or was asked for where that is not known.
#[inline(always)]
fn sampled_size(requested: usize, occupied: usize) -> usize {
    occupied.max(requested).max(1)
}

/// The counters that threads share which have none of their own.
fn shared(area: Area) -> &'static Slot {
    &area.slots()[SLOTS - 1]
}

/// Adds to a counter that this thread alone writes.
#[inline]
fn add(counter: &AtomicU64, number: usize) {
    counter.store(counter.load(Relaxed).wrapping_add(number as u64), Relaxed);
}

/// The key whose value is the slot of each thread, plus one; 0 when there is none.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Sees to it that threads give back their slots when they end.
pub fn watch_ends() {
    let mut key = 0;
    // SAFETY: the key is written where it stands; `ended` takes what `at_end` leaves there.
    if unsafe { system::pthread_key_create(&mut key, Some(ended)) } == 0 {
        KEY.store(key + 1, Relaxed);
    }
}

fn at_end(slot: &'static Slot) {
    if let Some(key) = KEY.load(Relaxed).checked_sub(1) {
        // SAFETY: the key was made; the value is a slot, which stays.
        unsafe { system::pthread_setspecific(key, (&raw const *slot).cast()) };
    }
}

/// Called by the C library in a thread that ends. What it still frees is counted with what threads share.
unsafe extern "C" fn ended(slot: *mut c_void) {
    local(|local| {
        if local.slot.get() != slot.cast_const().cast() {
            // In a child: the slot was of the area of its parent.
            return;
        }
        local.slot.set(null());
        local.is_shared.set(true);
        // SAFETY: `at_end` left a slot there.
        unsafe { &*slot.cast_const().cast::<Slot>() }.owner.store(0, Relaxed);
    });
}
