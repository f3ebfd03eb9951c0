//! What objects retain: what would go with them, because every chain of references from the roots to it passes through
//! them.

use rustc_hash::FxHashMap;

use super::TypeTotals;
use super::graph::NO_NODE;
use super::graph::dominators::Dominators;
use super::graph::groups;
use super::graph::references::References;
use super::graph::retained::{Amount, Retained};
use super::objects::Objects;
use super::types::Types;

/// The retained sizes of all rows. They must all be reached.
pub struct Retention {
    dominators: Dominators,
    amounts: Retained,
}

/// Those sizes with the objects, whose own bytes some of them are.
pub struct RetainedSizes<'a> {
    retention: &'a Retention,
    objects: &'a Objects,
}

impl RetainedSizes<'_> {
    /// What [`Retention::bytes`] says.
    pub fn bytes(&self, row: u32) -> u64 {
        self.retention.bytes(self.objects, row)
    }

    /// What [`Retention::dominator`] says.
    pub fn dominator(&self, row: u32) -> Option<u32> {
        self.retention.dominator(row)
    }
}

impl Retention {
    /// Takes the references, which are of no use once the dominators are known.
    pub fn of(references: References, objects: &Objects) -> Retention {
        let dominators = Dominators::find(&references);
        drop(references);
        let amounts = Retained::sum(&dominators, objects);
        Retention { dominators, amounts }
    }

    /// The bytes of a row and of everything that is reached through it alone.
    pub fn bytes(&self, objects: &Objects, row: u32) -> u64 {
        self.amounts.of(&self.dominators, objects, row).bytes
    }

    /// The sizes of rows that are asked about without their objects.
    pub fn with<'a>(&'a self, objects: &'a Objects) -> RetainedSizes<'a> {
        RetainedSizes {
            retention: self,
            objects,
        }
    }

    /// The last holder that all chains from the roots to a row pass; `None` for the heap as a whole.
    pub fn dominator(&self, row: u32) -> Option<u32> {
        self.dominators.of(row)
    }

    /// All rows but that of the heap as a whole, each after its dominator, and with that.
    pub fn top_down(&self) -> impl Iterator<Item = (u32, u32)> {
        self.dominators.top_down()
    }

    /// Says of each type what its objects retain.
    pub fn add_to_types(&self, objects: &Objects, types: &Types, totals: &mut [TypeTotals]) {
        let group_of_name: FxHashMap<&str, u32> = totals.iter().map(|each| &*each.name).zip(0..).collect();
        // Several types may have one name; some have no objects any more.
        let group_of_type: Vec<u32> = (0..types.count())
            .map(|index| group_of_name.get(&*types.get(index).name).copied())
            .map(|group| group.unwrap_or(NO_NODE))
            .collect();
        let mut leaves = vec![Amount::default(); totals.len()];
        for kind in objects.leaf_kinds() {
            let group = group_of_type[kind.type_of as usize];
            if let Some(sum) = leaves.get_mut(group as usize) {
                sum.bytes += kind.all_bytes();
                sum.nodes += kind.count;
            }
        }
        let group_of = |row| group_of_type[objects.type_of(row) as usize];
        let retained = groups::retained(&self.dominators, objects, &self.amounts, leaves, group_of);
        for (type_of, amount) in totals.iter_mut().zip(retained) {
            type_of.retained_bytes = amount.bytes;
        }
    }
}
