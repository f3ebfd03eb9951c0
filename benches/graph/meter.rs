//! CPU time and peak memory of a piece of work.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// The system's allocator, with an account of what is allocated now and what was at most.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    let now = NOW.fetch_add(bytes, Relaxed) + bytes;
    MOST.fetch_max(now, Relaxed);
}

// SAFETY: all calls are passed on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        NOW.fetch_sub(layout.size(), Relaxed);
        add(size);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a piece of work cost.
pub struct Cost {
    pub seconds: f64,
    /// Bytes a node that were allocated at the peak, beyond those before.
    pub peak: f64,
    /// Bytes a node that the result holds.
    pub kept: f64,
}

impl Cost {
    pub fn print(&self, what: &str) {
        let Cost { seconds, peak, kept } = self;
        println!("{what:<34} {seconds:>9.3} {peak:>14.1} {kept:>14.1}");
    }
}

const RUNS: usize = 5;

/// Runs the work several times; the least time counts.
pub fn measure<T>(nodes: u32, work: impl Fn() -> T) -> (Cost, T) {
    let per_node = |bytes: usize| bytes as f64 / f64::from(nodes);
    let mut least = f64::INFINITY;
    let mut run = || {
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        let start = cpu();
        let result = black_box(work());
        let seconds = (cpu() - start).as_secs_f64();
        let peak = MOST.load(Relaxed) - before;
        let kept = NOW.load(Relaxed).saturating_sub(before);
        least = least.min(seconds);
        (peak, kept, result)
    };
    let (mut peak, mut kept, mut result) = run();
    for _ in 1..RUNS {
        drop(result);
        (peak, kept, result) = run();
    }
    let cost = Cost {
        seconds: least,
        peak: per_node(peak),
        kept: per_node(kept),
    };
    (cost, result)
}

/// What this process has spent on processors, in its own code and in the kernel's.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)
        .map(Duration::from)
        .unwrap_or_default()
}
