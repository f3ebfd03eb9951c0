//! Reads what threads gave out and took back.

use std::mem::{offset_of, size_of};

use crate::form::{Counters, Domain, Slot};
use crate::read::word;

/// What a thread, or several one after the other, gave out and took back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The number of the last one; `None` for what threads share that found no counters of their own.
    pub id: Option<u64>,
    /// In the order of [`Domain::ALL`].
    pub totals: [Totals; Domain::ALL.len()],
}

/// Bytes and blocks; see [`Counters`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub requested: u64,
    pub allocated: u64,
    pub blocks: u64,
    pub freed: u64,
    pub freed_blocks: u64,
}

impl Totals {
    /// The sum of both.
    pub fn plus(self, other: Totals) -> Totals {
        Totals {
            requested: self.requested.saturating_add(other.requested),
            allocated: self.allocated.saturating_add(other.allocated),
            blocks: self.blocks.saturating_add(other.blocks),
            freed: self.freed.saturating_add(other.freed),
            freed_blocks: self.freed_blocks.saturating_add(other.freed_blocks),
        }
    }

    /// What was counted since `earlier`.
    pub fn minus(self, earlier: Totals) -> Totals {
        Totals {
            requested: self.requested.saturating_sub(earlier.requested),
            allocated: self.allocated.saturating_sub(earlier.allocated),
            blocks: self.blocks.saturating_sub(earlier.blocks),
            freed: self.freed.saturating_sub(earlier.freed),
            freed_blocks: self.freed_blocks.saturating_sub(earlier.freed_blocks),
        }
    }
}

/// The counters of one slot.
pub(crate) fn thread(row: &[u8]) -> Thread {
    Thread {
        id: Some(word(row, offset_of!(Slot, owner))),
        totals: Domain::ALL.map(|domain| counters(row, offset_of!(Slot, counters), domain)),
    }
}

/// Those of a domain, of all domains' counters that stand at `at`.
pub(crate) fn counters(row: &[u8], at: usize, domain: Domain) -> Totals {
    let at = at + domain as usize * size_of::<Counters>();
    let count = |offset: usize| word(row, at + offset);
    Totals {
        requested: count(offset_of!(Counters, requested)),
        allocated: count(offset_of!(Counters, allocated)),
        blocks: count(offset_of!(Counters, blocks)),
        freed: count(offset_of!(Counters, freed)),
        freed_blocks: count(offset_of!(Counters, freed_blocks)),
    }
}
