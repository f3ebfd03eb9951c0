//! Instances that a `functools.lru_cache` on a method keeps alive, since they are part of its keys.

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::Sight;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::retention::RetainedSizes;

/// From the cache to an instance there are its dict, an entry, a key and not much more.
const MOST_STEPS: usize = 8;
/// So many keys of a cache are looked at.
const MOST_KEYS: usize = 1 << 20;

/// The instances among the first arguments that a cache knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedInstances {
    /// The cache's address.
    pub address: u64,
    /// Those that nothing else keeps alive, and what they retain.
    pub instances: u64,
    pub retained_bytes: u64,
    /// The row of the cache and those of all instances, until it is known who retains them.
    #[serde(skip)]
    pub cache: u32,
    #[serde(skip)]
    pub rows: Vec<u32>,
}

impl CachedInstances {
    pub(super) fn add_retained(&mut self, retention: &RetainedSizes<'_>) {
        for row in std::mem::take(&mut self.rows) {
            let mut above = std::iter::successors(retention.dominator(row), |&row| retention.dominator(row));
            if above.by_ref().take(MOST_STEPS).any(|row| row == self.cache) {
                self.instances += 1;
                self.retained_bytes = self.retained_bytes.saturating_add(retention.bytes(row));
            }
        }
    }
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, caches: &[u32]) -> Vec<CachedInstances> {
    let first_place = Label::new(LabelKind::Index, 0);
    let mut all = Vec::new();
    for &cache in caches {
        let parts = sight.items(cache).into_iter().map(|(row, _)| row);
        let dicts = parts.filter(|&row| sight.content(row) == Content::Dict);
        let keys = dicts.flat_map(|dict| sight.items(dict)).take(MOST_KEYS);
        let keys = keys.filter(|&(row, _)| sight.content(row) == Content::Tuple);
        let first = keys.filter_map(|(key, _)| {
            let arguments = sight.items(key);
            arguments
                .iter()
                .find(|(_, label)| *label == first_place)
                .map(|&(row, _)| row)
        });
        let is_instance = |row: &u32| {
            let of_type = sight.found.types.get(sight.found.objects.type_of(*row));
            of_type.info.of_type.content == Content::Plain && !of_type.name.starts_with("builtins.")
        };
        let rows: FxHashSet<u32> = first.filter(is_instance).collect();
        if !rows.is_empty() {
            all.push(CachedInstances {
                address: sight.found.address_of(cache),
                cache,
                rows: rows.into_iter().collect(),
                ..CachedInstances::default()
            });
        }
    }
    all
}
