//! Which of many objects that are held alike stands for them.
//!
//! Rows are in the order in which they were read, which may differ from one look at the same memory to the next, such as at
//! a program and at its core. What is said of them must not.

use super::Sight;
use crate::heap::objects::HEAP;

impl<M> Sight<'_, '_, M> {
    /// The one at the lowest address.
    pub fn lowest(&self, rows: impl IntoIterator<Item = u32>) -> Option<u32> {
        rows.into_iter().min_by_key(|&row| self.found.address_of(row))
    }

    /// The first in the container that holds the one at the lowest address; that one itself where a name holds it. The rows
    /// must ascend.
    pub fn representative(&self, rows: &[u32]) -> Option<u32> {
        debug_assert!(rows.is_sorted());
        let lowest = self.lowest(rows.iter().copied())?;
        let holder = self.owned.owner(lowest).parent;
        if holder == HEAP || self.is_named(lowest) {
            return Some(lowest);
        }
        let is_of_holder = |row: &u32| rows.binary_search(row).is_ok() && self.owned.owner(*row).parent == holder;
        let mut items = self.found.objects.references(holder).iter().map(|each| each.target);
        items.find(is_of_holder).or(Some(lowest))
    }
}
