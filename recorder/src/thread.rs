//! What each thread keeps for itself: its counters in the shared memory, and whether it is inside an allocator already.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use recording::form::{Domain, SLOTS, Slot};

use crate::region::Area;
use crate::{sampling, system};

/// Of the calling thread.
pub struct Local {
    /// Null before its first block, after its end, and when all slots are taken.
    slot: Cell<*const Slot>,
    /// So many allocators are under way, one within the other: only the outermost is counted.
    inside: Cell<u32>,
    /// The last block that the C allocator gave to another allocator.
    handed_up: Cell<usize>,
    /// No slot is to be had for it.
    is_shared: Cell<bool>,
}

thread_local! {
    // Without a destructor, so that there is nothing to set up and nothing that could come too late.
    static LOCAL: Local = const {
        Local {
            slot: Cell::new(null()),
            inside: Cell::new(0),
            handed_up: Cell::new(0),
            is_shared: Cell::new(false),
        }
    };
}

/// Gives the calling thread's own.
#[inline]
pub fn local<R>(work: impl FnOnce(&Local) -> R) -> R {
    LOCAL.with(work)
}

impl Local {
    /// Does what is no call of the program's own: whatever it allocates is not counted.
    #[inline]
    pub fn inside<R>(&self, work: impl FnOnce() -> R) -> R {
        self.inside.set(self.inside.get() + 1);
        let result = work();
        self.inside.set(self.inside.get() - 1);
        result
    }

    #[inline]
    pub fn is_inside(&self) -> bool {
        self.inside.get() > 0
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
        let left = slot.countdown.load(Relaxed) - requested.max(1) as i64;
        slot.countdown.store(left, Relaxed);
        if left <= 0 {
            self.inside(|| sampling::look(slot, domain, block, requested));
        }
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
            self.inside(|| sampling::forget(block));
        }
    }

    /// Counts `old` and what it occupies as given back, and what `reallocate` gives as a new block, where that succeeds.
    #[inline]
    pub fn reallocated(
        &self,
        domain: Domain,
        (old, occupied): (*mut c_void, usize),
        reallocate: impl FnOnce() -> *mut c_void,
        measure: impl FnOnce(*mut c_void) -> (usize, usize),
    ) -> *mut c_void {
        // Before another thread can be given it.
        if !old.is_null() {
            self.freed(domain, old, occupied);
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
        let size = requested.max(1) as i64;
        if shared.countdown.fetch_sub(size, Relaxed) <= size {
            self.inside(|| sampling::look(shared, domain, block, requested));
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

/// In a child made by `fork`: the thread has no counters in the new area yet.
pub fn begin_anew() {
    local(|local| {
        local.slot.set(null());
        local.is_shared.set(false);
    });
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
