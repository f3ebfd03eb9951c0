//! A numbering of the address space's used parts: from an address to a small index in two table look-ups.

use std::ops::Range;

/// Slots are this many bytes, and start at multiples of it.
pub const SLOT_SIZE: u64 = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 18;
/// A page, the unit in which mappings begin and end.
pub const PAGE_SIZE: u64 = 4096;
/// User addresses end here on the supported machines.
const ADDRESS_BITS: u32 = 47;
/// One lower table covers this many bits of address.
const TABLE_BITS: u32 = 30;
const TABLE_SLOTS: usize = 1 << (TABLE_BITS - SLOT_BITS);
const NONE: u32 = u32::MAX;

/// Numbers every slot that at least one mapped page lies in.
#[derive(Debug, Clone)]
pub struct Slots {
    /// For each gibibyte the start of its table in `lower`, or `NONE`.
    upper: Vec<u32>,
    lower: Vec<u32>,
    /// The address of each slot.
    starts: Vec<u64>,
    /// For each slot, which of its 64 pages are mapped.
    mapped: Vec<u64>,
}

impl Slots {
    /// The slots of `ranges`, which are addresses of mapped memory in any order; what lies outside user space is left out.
    pub fn new(ranges: &[Range<u64>]) -> Self {
        let mut slots = Slots {
            upper: vec![NONE; 1 << (ADDRESS_BITS - TABLE_BITS)],
            lower: Vec::new(),
            starts: Vec::new(),
            mapped: Vec::new(),
        };
        for range in ranges {
            let end = range.end.min(1 << ADDRESS_BITS);
            let mut at = range.start;
            while at < end {
                let slot_start = at & !(SLOT_SIZE - 1);
                let until = end.min(slot_start + SLOT_SIZE);
                let slot = slots.insert(slot_start);
                slots.mapped[slot] |= pages(at - slot_start, until - slot_start);
                at = until;
            }
        }
        slots
    }

    /// The slot that `address` lies in.
    #[inline]
    pub fn index(&self, address: u64) -> Option<usize> {
        let table = *self.upper.get((address >> TABLE_BITS) as usize)?;
        if table == NONE {
            return None;
        }
        let slot = self.lower[table as usize + (address >> SLOT_BITS) as usize % TABLE_SLOTS];
        (slot != NONE).then_some(slot as usize)
    }

    pub fn count(&self) -> usize {
        self.starts.len()
    }

    pub fn start(&self, slot: usize) -> u64 {
        self.starts[slot]
    }

    /// One bit for each page of the slot.
    pub fn mapped_pages(&self, slot: usize) -> u64 {
        self.mapped[slot]
    }

    fn insert(&mut self, slot_start: u64) -> usize {
        let upper = (slot_start >> TABLE_BITS) as usize;
        if self.upper[upper] == NONE {
            self.upper[upper] = self.lower.len() as u32;
            self.lower.resize(self.lower.len() + TABLE_SLOTS, NONE);
        }
        let entry = &mut self.lower[self.upper[upper] as usize + (slot_start >> SLOT_BITS) as usize % TABLE_SLOTS];
        if *entry == NONE {
            *entry = self.starts.len() as u32;
            self.starts.push(slot_start);
            self.mapped.push(0);
        }
        *entry as usize
    }
}

/// The bits of the pages that the bytes `from..to` of a slot touch.
pub fn pages(from: u64, to: u64) -> u64 {
    let first = from / PAGE_SIZE;
    let count = to.div_ceil(PAGE_SIZE) - first;
    if count >= 64 {
        u64::MAX
    } else {
        ((1 << count) - 1) << first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_have_slots_and_others_do_not() {
        let slots = Slots::new(&[0x1000..0x3000, 0x7f00_0000_0000..0x7f00_0010_0000]);
        assert_eq!(slots.index(0x1000), slots.index(0x3f000));
        assert!(slots.index(0x1000).is_some());
        assert_eq!(slots.index(SLOT_SIZE), None);
        assert_eq!(slots.index(u64::MAX), None);
        assert_eq!(slots.count(), 1 + 4);
    }

    #[test]
    fn holes_in_a_slot_are_known() {
        let slots = Slots::new(&[0x1000..0x3000, 0x5000..0x6000]);
        assert_eq!(slots.mapped_pages(0), 0b10_0110);
        assert_eq!(pages(0, SLOT_SIZE), u64::MAX);
    }
}
