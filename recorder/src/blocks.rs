//! The sampled blocks that are alive, or were when most was.
//!
//! Rows are never copied at a new peak: a row says when its block came and went, and whoever reads compares that with the time of
//! the peak. So a block that dies after the peak keeps its row until there is a higher one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed, Ordering::Release};

use recording::form::{BLOCKS, Block, Counters, Domain, SLOTS};

use crate::arenas;
use crate::region::Area;

/// A hash of numbers: they need no more than to be spread.
pub type Spread = BuildHasherDefault<Spreading>;

#[derive(Default)]
pub struct Spreading(u64);

impl Hasher for Spreading {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(SPREAD);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

/// 2 to the power of 64, divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// How many sampled blocks have this hash, in so few bytes that they stay in the processor's cache, and in so many that other
/// blocks hardly ever share one. What was at its most stays there.
static SMALL_FILTER: [AtomicU8; 1 << SMALL_BITS] = [const { AtomicU8::new(0) }; 1 << SMALL_BITS];
static LARGE_FILTER: [AtomicU8; 1 << LARGE_BITS] = [const { AtomicU8::new(0) }; 1 << LARGE_BITS];
const SMALL_BITS: u32 = 13;
const LARGE_BITS: u32 = 20;

/// The block's place in both filters.
#[inline]
fn in_filters(address: u64) -> [&'static AtomicU8; 2] {
    let hash = (address >> 4).wrapping_mul(SPREAD);
    [
        &SMALL_FILTER[(hash >> (64 - SMALL_BITS)) as usize],
        &LARGE_FILTER[(hash >> (64 - LARGE_BITS)) as usize],
    ]
}

/// Whether the block may have a row; hardly any other one does.
#[inline]
pub fn may_have(address: u64) -> bool {
    let [small, large] = in_filters(address);
    match small.load(Relaxed) {
        0 => false,
        u8::MAX => true,
        _ => large.load(Relaxed) != 0,
    }
}

/// From now on, any block may.
pub fn expect_any() {
    for count in &SMALL_FILTER {
        count.store(u8::MAX, Relaxed);
    }
}

/// Which rows are whose.
pub struct Blocks {
    /// By address.
    alive: HashMap<u64, u32, Spread>,
    /// Rows whose blocks were there at the peak, and are not any more.
    since_peak: Vec<u32>,
    free: Vec<u32>,
}

impl Blocks {
    pub const fn new() -> Blocks {
        Blocks {
            alive: HashMap::with_hasher(BuildHasherDefault::new()),
            since_peak: Vec::new(),
            free: Vec::new(),
        }
    }

    pub fn note(&mut self, area: Area, domain: Domain, address: u64, size: u64, stack: u32) {
        // One that stands there already was given back by ways that nobody saw.
        self.forget(area, address);
        let head = area.head();
        let Some(row) = self.free.pop().or_else(|| fresh(area)) else {
            head.blocks_dropped.fetch_add(1, Relaxed);
            return;
        };
        let block: &Block = &area.blocks()[row as usize];
        block.birth.store(0, Release);
        block.death.store(0, Relaxed);
        block.address.store(address, Relaxed);
        block.size.store(size, Relaxed);
        block.stack.store(u64::from(stack), Relaxed);
        block.domain.store(domain as u64, Relaxed);
        let now = head.now.fetch_add(1, Relaxed) + 1;
        block.birth.store(now, Release);
        self.alive.insert(address, row);
        arenas::sampled(address, true);
        for count in in_filters(address) {
            count.store(count.load(Relaxed).saturating_add(1), Relaxed);
        }
    }

    pub fn forget(&mut self, area: Area, address: u64) {
        let Some(row) = self.alive.remove(&address) else {
            return;
        };
        arenas::sampled(address, false);
        for count in in_filters(address) {
            if count.load(Relaxed) != u8::MAX {
                count.store(count.load(Relaxed) - 1, Relaxed);
            }
        }
        self.look_for_peak(area);
        let head = area.head();
        let block = &area.blocks()[row as usize];
        let now = head.now.fetch_add(1, Relaxed) + 1;
        block.death.store(now, Release);
        match block.birth.load(Relaxed) <= head.peak.load(Relaxed) {
            true => self.since_peak.push(row),
            false => self.free.push(row),
        }
    }

    /// If more is alive than ever before, this is the peak.
    pub fn look_for_peak(&mut self, area: Area) {
        let head = area.head();
        let alive = alive(area);
        if alive > head.peak_bytes.load(Relaxed) {
            head.peak_bytes.store(alive, Relaxed);
            head.peak.store(head.now.load(Relaxed), Release);
            self.free.append(&mut self.since_peak);
        }
    }

    /// In a child made by `fork`: nothing of its area is used yet.
    pub fn begin_anew(&mut self) {
        *self = Blocks::new();
        for count in SMALL_FILTER
            .iter()
            .chain(&LARGE_FILTER)
            .filter(|count| count.load(Relaxed) != 0)
        {
            count.store(0, Relaxed);
        }
    }
}

fn fresh(area: Area) -> Option<u32> {
    let used = &area.head().blocks_used;
    let row = used.load(Relaxed);
    if row >= BLOCKS as u64 {
        return None;
    }
    used.store(row + 1, Release);
    Some(row as u32)
}

/// The bytes that all threads were given and have not given back.
fn alive(area: Area) -> u64 {
    let slots = area.slots();
    let used = (area.head().slots_used.load(Relaxed) as usize).min(SLOTS - 1);
    let own = slots[..used].iter().chain(&slots[SLOTS - 1..]);
    let counters = own.flat_map(|slot| &slot.counters);
    let left = |counters: &Counters| {
        let (given, back) = (counters.allocated.load(Relaxed), counters.freed.load(Relaxed));
        given.wrapping_sub(back) as i64
    };
    let earlier = area.head().earlier.iter().map(left).fold(0, i64::wrapping_add);
    let alive = counters.map(left).fold(0, i64::wrapping_add).wrapping_sub(earlier);
    // Blocks that were there before the recording can be given back.
    u64::try_from(alive).unwrap_or(0)
}
