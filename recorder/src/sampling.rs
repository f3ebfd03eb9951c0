//! Which blocks are noted with their stack: one in so many bytes, by chance.
//!
//! Each byte is as likely as any other to be the one whose block is taken, and what is allocated between two of them is
//! distributed exponentially. So a block of `size` bytes is taken with the probability `1 - exp(-size / mean)`, however
//! blocks of other sizes come between (`recording::weight`). Where every block is wanted, none is left to chance.

use std::ffi::c_void;
use std::sync::atomic::Ordering::Relaxed;

use recording::form::{Domain, Slot};

use crate::blocks::{self, Blocks};
use crate::every::Every;
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
    every: Every,
}

static SAMPLES: Locked<Samples> = Locked::new(Samples {
    blocks: Blocks::new(),
    stacks: Stacks::new(),
    every: Every::new(),
});

/// Whether [`forget`] has to be told that the block is given back; hardly ever without need.
#[inline]
pub fn may_be_sampled(block: *mut c_void) -> bool {
    blocks::may_have(block as u64)
}

/// Gets a thread's slot ready for its first block.
pub fn begin(slot: &Slot) {
    let here = &raw const *slot as u64;
    let (told, before) = (region::seed(), slot.random.load(Relaxed));
    let seed = if told == 0 {
        system::thread_number() << 32 ^ here ^ system::cycles()
    } else if before != 0 {
        // Of a thread that has ended: the next one must not have the same chances again.
        before
    } else {
        // Threads differ by the place of their slots, which are given out in order.
        let first = Area::get().map_or(here, |area| area.slots().as_ptr() as u64);
        (told + here - first).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    slot.random.store(seed | 1, Relaxed);
    if region::sample_bytes() == 0 {
        blocks::expect_any();
    }
    restart(slot, region::sample_bytes());
}

/// Called when stacks can be read from now on, by the thread that holds the interpreter's lock.
pub fn get_ready() {
    if let Some(area) = Area::get() {
        SAMPLES.with(|samples| samples.stacks.get_ready(area));
    }
}

/// Called when the countdown is over: takes this block, or only looks whether this is the peak. It counts as `size` bytes where
/// it is left to chance, and occupies `occupied`.
#[inline(always)]
pub fn look(slot: &Slot, domain: Domain, block: *mut c_void, size: usize, occupied: usize) {
    let Some(area) = Area::get() else {
        return;
    };
    if region::sample_bytes() == 0 {
        return note_every(slot, area, domain, block, occupied);
    }
    note_some(slot, area, domain, block, size);
}

#[inline(never)]
fn note_some(slot: &Slot, area: Area, domain: Domain, block: *mut c_void, size: usize) {
    python::see_to_hooks();
    if !is_due(slot, region::sample_bytes()) {
        return SAMPLES.with(|samples| samples.blocks.look_for_peak(area));
    }
    SAMPLES.with(|samples| {
        let stack = samples.stacks.sample(area, size as u64);
        samples.blocks.note(area, domain, block as u64, size as u64, stack);
        samples.blocks.look_for_peak(area);
    });
}

/// Leaves the countdown over.
#[inline(always)]
fn note_every(slot: &Slot, area: Area, domain: Domain, block: *mut c_void, size: usize) {
    let further = slot.further.load(Relaxed) - size as i64;
    slot.further.store(further, Relaxed);
    if further < 0 {
        slot.further.store(LONGEST_BETWEEN_LOOKS, Relaxed);
        python::see_to_hooks();
    }
    SAMPLES.with(|samples| {
        samples
            .every
            .note(area, &mut samples.stacks, domain, block, size as u64);
    });
}

/// The block, which occupies so many bytes, is about to be given back. After that, another thread may be given it.
pub fn forget(domain: Domain, block: *mut c_void, occupied: usize) {
    if let Some(area) = Area::get() {
        SAMPLES.with(|samples| match region::sample_bytes() {
            0 => samples.every.forget(area, domain, block, occupied as u64),
            _ => samples.blocks.forget(area, block as u64),
        });
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
        samples.every.begin_anew();
    });
}

/// Whether the block with which the countdown was over is a sample; sets it anew.
fn is_due(slot: &Slot, mean: u64) -> bool {
    let over = -slot.countdown.load(Relaxed);
    let further = slot.further.load(Relaxed);
    if further > over {
        go_on(slot, further - over);
        return false;
    }
    restart(slot, mean);
    true
}

/// Draws how far it is to the next sample.
fn restart(slot: &Slot, mean: u64) {
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

#[cfg(test)]
mod tests {
    use recording::weight::{Weight, weight};

    use super::*;

    const MEAN: u64 = 64 << 10;
    /// The blocks that are allocated at each of some sites: their size, and how many.
    const SITES: [(u64, u64); 12] = [
        (64, 200),
        (64, 700),
        (512, 100),
        (512, 250),
        (48, 8_000),
        (1_024, 700),
        (32, 40_000),
        (4_096, 800),
        (100_000, 3),
        (100_000, 40),
        (400_000, 2),
        (30_000, 5),
    ];

    fn slot(seed: u64) -> Slot {
        // SAFETY: a slot of zeros is one that nobody has claimed.
        let slot: Slot = unsafe { std::mem::zeroed() };
        slot.random.store(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, Relaxed);
        restart(&slot, MEAN);
        slot
    }

    /// What the samples of the sites add up to, which are allocated in turns.
    fn sampled(seed: u64) -> [Weight; SITES.len()] {
        let (slot, mut sums) = (slot(seed), [Weight::default(); SITES.len()]);
        let most = SITES.iter().map(|&(_, count)| count).max().unwrap();
        for turn in 0..most {
            for (sum, &(size, count)) in sums.iter_mut().zip(&SITES) {
                // Spread evenly over all turns.
                if turn * count / most == (turn + 1) * count / most {
                    continue;
                }
                let left = slot.countdown.load(Relaxed) - size as i64;
                slot.countdown.store(left, Relaxed);
                if left <= 0 && is_due(&slot, MEAN) {
                    sum.add(weight(size, MEAN));
                }
            }
        }
        sums
    }

    #[test]
    fn twenty_seeds_are_unbiased_and_their_intervals_hold() {
        const SEEDS: u64 = 20;
        let runs: Vec<_> = (1..=SEEDS).map(sampled).collect();
        let (mut shown, mut held) = (0, 0);
        for (site, &(size, count)) in SITES.iter().enumerate() {
            let truth = (size * count) as f64;
            let of_site = || runs.iter().map(|run| run[site]);
            let mean = of_site().map(|sum| sum.bytes).sum::<f64>() / SEEDS as f64;
            // Of one run, from what the sampling is known to do.
            let chance = -(-(size as f64) / MEAN as f64).exp_m1();
            let deviation = size as f64 * (count as f64 * (1.0 - chance) / chance).sqrt();
            let error = (mean - truth) / (deviation / (SEEDS as f64).sqrt()).max(1.0);
            assert!(error.abs() < 3.0, "{count} blocks of {size}: {error} standard errors");
            for sum in of_site().filter(|sum| sum.blocks > 0.0) {
                let (least, most) = sum.interval(MEAN);
                shown += 1;
                held += u32::from((least..=most).contains(&truth));
            }
        }
        assert!(shown > 180, "{shown}");
        assert!(f64::from(held) >= 0.95 * f64::from(shown), "{held} of {shown}");
        assert!(held < shown, "intervals that always hold are too wide");
    }
}
