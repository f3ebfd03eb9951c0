//! Every block, counted with the stack that it was allocated with, and what was alive of each stack when most was.
//!
//! A tally (`recording::form::Tally`) is whole after every block: the program may end at any time. At a new peak only the
//! peak's number changes; a tally that changes afterwards first says what it was.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::Release};

use recording::form::{Domain, Tally, whose};

use crate::callers::Callers;
use crate::owners::{Owned, Owners};
use crate::region::Area;
use crate::stacks::Stacks;

const DOMAINS: usize = Domain::ALL.len();

/// What is known of all blocks.
pub struct Every {
    callers: Callers,
    owners: Owners,
    /// The numbers of tallies by stack and domain, 0 where there is none.
    tallies: Vec<[u32; DOMAINS]>,
}

impl Every {
    pub const fn new() -> Every {
        Every {
            callers: Callers::new(),
            owners: Owners::new(),
            tallies: Vec::new(),
        }
    }

    /// A block of `size` bytes was given out.
    pub fn note(&mut self, area: Area, stacks: &mut Stacks, domain: Domain, block: *mut c_void, size: u64) {
        let owners = &mut self.owners;
        let stack = self.callers.stack(area, stacks, domain, |code| owners.mark_code(code));
        let tally = match self.tallies.get(stack as usize).map(|known| known[domain as usize]) {
            Some(known) if known != 0 => known,
            _ => self.new_tally(area, stack, domain),
        };
        if let Some(before) = self.owners.put(block as u64, tally, size) {
            self.gone(area, before, size);
        }
        let Some(row) = row(area, tally) else {
            return;
        };
        save(area, row);
        add(&row.blocks, 1);
        add(&row.bytes, size);
        add(&row.alive_blocks, 1);
        add(&row.alive_bytes, size);
        let head = area.head();
        let alive = head.alive_bytes.load(Relaxed).wrapping_add(size);
        head.alive_bytes.store(alive, Relaxed);
        if alive > head.peak_bytes.load(Relaxed) {
            head.peak_bytes.store(alive, Release);
            head.peak.store(head.peak.load(Relaxed) + 1, Release);
        }
    }

    /// A block that occupies `size` bytes is about to be given back, or so much of what was mapped there.
    pub fn forget(&mut self, area: Area, domain: Domain, block: *mut c_void, size: u64) {
        let Some(owned) = self.owners.take(block as u64) else {
            return;
        };
        match owned.size.and_then(|known| known.checked_sub(size)) {
            Some(left) if left > 0 && domain == Domain::Mapped => {
                self.owners.put(block as u64, owned.tally, left);
                if let Some(row) = row(area, owned.tally) {
                    lose(area, row, 0, size);
                }
            }
            _ => self.gone(area, owned, size),
        }
    }

    fn gone(&mut self, area: Area, owned: Owned, size: u64) {
        if owned.is_code {
            self.callers.forget_ways();
        }
        if let Some(row) = row(area, owned.tally) {
            lose(area, row, 1, owned.size.unwrap_or(size));
        }
    }

    /// Begins a tally. When there is no room for one, blocks count as those do whose stack is not known.
    #[cold]
    fn new_tally(&mut self, area: Area, stack: u32, domain: Domain) -> u32 {
        if self.tallies.is_empty() {
            // These are needed when nothing else has room.
            self.tallies.push(Domain::ALL.map(|domain| begin(area, 0, domain)));
        }
        let index = stack as usize;
        if self.tallies.len() <= index {
            self.tallies.resize(index + 1, [0; DOMAINS]);
        }
        if self.tallies[index][domain as usize] == 0 {
            self.tallies[index][domain as usize] = match begin(area, stack, domain) {
                0 => self.tallies[0][domain as usize],
                begun => begun,
            };
        }
        self.tallies[index][domain as usize]
    }

    /// In a child made by `fork`: nothing of its area is used yet.
    pub fn begin_anew(&mut self) {
        self.callers.forget_ways();
        self.owners.begin_anew();
        self.tallies.clear();
    }
}

/// The number of a new tally; 0 when the table is full.
fn begin(area: Area, stack: u32, domain: Domain) -> u32 {
    let head = area.head();
    let used = head.tallies_used.load(Relaxed);
    let Some(row) = area.tallies().get(used as usize) else {
        head.stacks_dropped.fetch_add(1, Relaxed);
        return 0;
    };
    // A process before this one may have left something there.
    let counts = [&row.blocks, &row.bytes, &row.alive_blocks, &row.alive_bytes];
    let at_peak = [&row.peak_blocks, &row.peak_bytes, &row.as_of];
    for count in counts.into_iter().chain(at_peak) {
        count.store(0, Relaxed);
    }
    row.whose.store(whose(stack, domain), Relaxed);
    head.tallies_used.store(used + 1, Release);
    used as u32 + 1
}

/// The tally with this number.
#[inline]
fn row(area: Area, tally: u32) -> Option<&'static Tally> {
    area.tallies().get((tally as usize).checked_sub(1)?)
}

/// Has a tally say what it was at the peak, if it has not changed since.
#[inline]
fn save(area: Area, row: &Tally) {
    let peak = area.head().peak.load(Relaxed);
    if row.as_of.load(Relaxed) != peak {
        row.peak_blocks.store(row.alive_blocks.load(Relaxed), Relaxed);
        row.peak_bytes.store(row.alive_bytes.load(Relaxed), Relaxed);
        row.as_of.store(peak, Release);
    }
}

#[inline]
fn lose(area: Area, row: &Tally, blocks: u64, bytes: u64) {
    save(area, row);
    row.alive_blocks
        .store(row.alive_blocks.load(Relaxed).wrapping_sub(blocks), Release);
    row.alive_bytes
        .store(row.alive_bytes.load(Relaxed).wrapping_sub(bytes), Relaxed);
    let alive = &area.head().alive_bytes;
    alive.store(alive.load(Relaxed).wrapping_sub(bytes), Relaxed);
}

#[inline]
fn add(sum: &AtomicU64, number: u64) {
    sum.store(sum.load(Relaxed).wrapping_add(number), Relaxed);
}
