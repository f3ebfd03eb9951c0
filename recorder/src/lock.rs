//! The lock around what is not done at every call: claiming slots, noting samples, taking them out again.

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::system::{find, sched_yield};

/// Where the C library says whether the process has one thread alone (`__libc_single_threaded`); null before it was looked
/// up, and where it does not say.
static ONLY_THREAD: AtomicPtr<u8> = AtomicPtr::new(null_mut());

/// Has the lock left alone as long as there is nobody to keep out: it would be much of what recording every block costs.
pub fn watch_threads() {
    ONLY_THREAD.store(find(c"__libc_single_threaded").cast(), Ordering::Relaxed);
}

#[inline]
fn is_only_thread() -> bool {
    let says = ONLY_THREAD.load(Ordering::Relaxed);
    // SAFETY: the C library has a `char` there, which it sets to 0 before it begins another thread.
    !says.is_null() && unsafe { says.read_volatile() } != 0
}

/// A value that one thread at a time may change. Nothing that is done under it may wait or allocate, and no thread takes it
/// twice: whoever holds it is inside the recorder (`thread::Inside`).
pub struct Locked<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only by the thread that holds the lock.
unsafe impl<T: Send> Sync for Locked<T> {}

impl<T> Locked<T> {
    pub const fn new(value: T) -> Locked<T> {
        Locked {
            held: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    #[inline(always)]
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        // Nothing that is done under it begins a thread.
        if !is_only_thread() {
            self.acquire();
        }
        // SAFETY: this thread holds the lock, and gives it back only after the reference is gone; or there is no other.
        let result = work(unsafe { &mut *self.value.get() });
        self.release();
        result
    }

    /// For a fork, which must find the value whole: `release` follows on both sides.
    #[inline]
    pub fn acquire(&self) {
        if !self.try_acquire() {
            self.wait();
        }
    }

    #[inline]
    fn try_acquire(&self) -> bool {
        let held = self
            .held
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        held.is_ok()
    }

    #[cold]
    #[inline(never)]
    fn wait(&self) {
        let mut tries: u32 = 0;
        while !self.try_acquire() {
            tries += 1;
            if tries.is_multiple_of(64) {
                // SAFETY: the call has no arguments.
                unsafe { sched_yield() };
            } else {
                spin_loop();
            }
        }
    }

    /// Of a lock that this thread acquired, or had no need to.
    pub fn release(&self) {
        self.held.store(false, Ordering::Release);
    }
}
