//! Objects of one type that are held alike, and what they keep together.

use cpython::memory::ReadMemory;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::objects::{HEAP, NO_OBJECT};
use crate::heap::retention::RetainedSizes;

/// So many places are described, those with most first.
const MOST_PLACES: usize = 100;

/// Objects of one type that are held alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pile {
    /// The container that holds the first of them; that one itself where no container does.
    pub subject: Subject,
    /// The path of the first of them.
    pub first: String,
    /// `module.qualname` of their type.
    pub type_name: String,
    pub count: u64,
    /// What would be freed with all of them and with their places in the container.
    pub retained_bytes: u64,
    /// Their part of the container's own bytes.
    pub container_bytes: u64,
    /// Their rows, until it is known what they retain.
    #[serde(skip)]
    pub rows: Vec<u32>,
}

impl Pile {
    pub(super) fn add_retained(&mut self, retention: &RetainedSizes<'_>) {
        self.subject.add_retained(retention);
        let rows = std::mem::take(&mut self.rows).into_iter();
        self.retained_bytes = rows.fold(self.container_bytes, |sum, row| {
            sum.saturating_add(retention.bytes(row))
        });
    }
}

impl<M: ReadMemory> Sight<'_, '_, M> {
    /// Puts these objects together by how they are held; places with fewer than `fewest` are left out.
    pub fn piles(&mut self, rows: &[u32], fewest: usize) -> Vec<Pile> {
        let mut places: FxHashMap<(u32, u32), Vec<u32>> = FxHashMap::default();
        for &row in rows {
            let key = (self.owned.owner(row).frame, self.found.objects.type_of(row));
            places.entry(key).or_default().push(row);
        }
        let large = places.into_values().filter(|rows| rows.len() >= fewest);
        let large = large.filter_map(|mut rows| {
            rows.sort_unstable();
            let first = self.representative(&rows)?;
            Some((self.found.address_of(first), first, rows))
        });
        let mut places: Vec<(u64, u32, Vec<u32>)> = large.collect();
        places.sort_unstable_by_key(|(address, _, rows)| (std::cmp::Reverse(rows.len()), *address));
        places.truncate(MOST_PLACES);
        let piles = places.into_iter().map(|(_, first, rows)| self.pile(first, rows));
        piles.collect()
    }

    fn pile(&mut self, first: u32, rows: Vec<u32>) -> Pile {
        let holder = self.owned.owner(first).parent;
        let is_object = holder != HEAP && self.found.objects.type_of(holder) != NO_OBJECT;
        let subject = if is_object && !self.is_named(first) {
            holder
        } else {
            first
        };
        let length = self.found.objects.references(subject).len() as u64;
        let own = u128::from(self.found.objects.bytes(subject)) * rows.len() as u128 / u128::from(length.max(1));
        Pile {
            container_bytes: if subject == first {
                0
            } else {
                u64::try_from(own).unwrap_or(0)
            },
            subject: self.subject(subject, length),
            first: self.path(first),
            type_name: self.found.types.get(self.found.objects.type_of(first)).name.to_string(),
            count: rows.len() as u64,
            retained_bytes: 0,
            rows,
        }
    }
}
