//! Which blocks are noted with their stack: one in so many bytes, by chance.
//!
//! Each byte is as likely as any other to be the one whose block is taken, and what is allocated between two of them is
//! distributed exponentially. So a block of `size` bytes is taken with the probability `1 - exp(-size / mean)`, however
//! blocks of other sizes come between (`recording::weight`).

use std::ffi::c_void;
use std::sync::atomic::Ordering::Relaxed;

use recording::form::{Domain, Slot};

use crate::blocks::{self, Blocks};
use crate::lock::Locked;
use crate::region::{self, Area};
use crate::stacks::Stacks;
use crate::{python, system};

/// A thread looks for a new peak after so many bytes at the latest, so that its counters never lag behind by more.
const LONGEST_BETWEEN_LOOKS: i64 = recording::form::SAMPLE_BYTES as i64;

/// What is known of samples, of all threads.
struct Samples {
    blocks: Blocks,
    stacks: Stacks,
}

static SAMPLES: Locked<Samples> = Locked::new(Samples {
    blocks: Blocks::new(),
    stacks: Stacks::new(),
});

/// Whether [`forget`] has to be told that the block is given back; hardly ever without need.
#[inline]
pub fn may_be_sampled(block: *mut c_void) -> bool {
    blocks::may_have(block as u64)
}

/// Gets a thread's slot ready for its first block.
pub fn begin(slot: &Slot) {
    let here = &raw const *slot as u64;
    let seed = system::thread_number() << 32 ^ here ^ system::cycles();
    slot.random.store(seed | 1, Relaxed);
    restart(slot);
}

/// Called when stacks can be read from now on, by the thread that holds the interpreter's lock.
pub fn get_ready() {
    if let Some(area) = Area::get() {
        SAMPLES.with(|samples| samples.stacks.get_ready(area));
    }
}

/// Called when the countdown is over: takes this block, or only looks whether this is the peak.
#[cold]
pub fn look(slot: &Slot, domain: Domain, block: *mut c_void, size: usize) {
    let Some(area) = Area::get() else {
        return;
    };
    python::see_to_hooks();
    let over = -slot.countdown.load(Relaxed);
    let further = slot.further.load(Relaxed);
    if further > over {
        go_on(slot, further - over);
        return SAMPLES.with(|samples| samples.blocks.look_for_peak(area));
    }
    restart(slot);
    SAMPLES.with(|samples| {
        let stack = samples.stacks.sample(area, size as u64);
        samples.blocks.note(area, domain, block as u64, size as u64, stack);
        samples.blocks.look_for_peak(area);
    });
}

/// The block is about to be given back. After that, another thread may be given it.
#[cold]
pub fn forget(block: *mut c_void) {
    if let Some(area) = Area::get() {
        SAMPLES.with(|samples| samples.blocks.forget(area, block as u64));
    }
}

/// Before a fork: nobody changes what the child gets a copy of.
pub fn hold() {
    SAMPLES.acquire();
}

/// After it, on both sides.
pub fn let_go() {
    SAMPLES.release();
}

/// In a child made by `fork`.
pub fn begin_anew() {
    SAMPLES.with(|samples| {
        samples.blocks.begin_anew();
        samples.stacks.begin_anew();
    });
}

/// Draws how far it is to the next sample.
fn restart(slot: &Slot) {
    let mean = region::sample_bytes();
    if mean == 0 {
        return go_on(slot, 1);
    }
    // Never 0, whose logarithm there is none of.
    let chance = ((random(slot) >> 11) + 1) as f64 / (1u64 << 53) as f64;
    let distance = (-chance.ln() * mean as f64).ceil();
    go_on(slot, (distance as i64).max(1));
}

fn go_on(slot: &Slot, distance: i64) {
    let next = distance.min(LONGEST_BETWEEN_LOOKS);
    slot.further.store(distance - next, Relaxed);
    slot.countdown.store(next, Relaxed);
}

/// Marsaglia's xorshift with a multiplication behind it.
fn random(slot: &Slot) -> u64 {
    let mut state = slot.random.load(Relaxed);
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    slot.random.store(state, Relaxed);
    state.wrapping_mul(0x2545_f491_4f6c_dd1d)
}
