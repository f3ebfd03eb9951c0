//! The lock around what is not done at every call: claiming slots, noting samples, taking them out again.

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::system::sched_yield;

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

    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        self.acquire();
        // SAFETY: this thread holds the lock, and gives it back only after the reference is gone.
        let result = work(unsafe { &mut *self.value.get() });
        self.release();
        result
    }

    /// For a fork, which must find the value whole: `release` follows on both sides.
    pub fn acquire(&self) {
        let mut tries: u32 = 0;
        while self
            .held
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            tries += 1;
            if tries.is_multiple_of(64) {
                // SAFETY: the call has no arguments.
                unsafe { sched_yield() };
            } else {
                spin_loop();
            }
        }
    }

    /// Of a lock that this thread acquired.
    pub fn release(&self) {
        self.held.store(false, Ordering::Release);
    }
}
