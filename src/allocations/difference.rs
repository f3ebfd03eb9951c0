//! What has changed from one recording to another, by whatever tells sites apart.

use std::hash::Hash;

use super::figures::{Figures, grouped};
use super::recorded::{Allocations, RecordedSite};
use crate::heap::difference::grown;

/// One place in both recordings; what one of them lacks is 0 there.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<K> {
    pub place: K,
    pub old: Figures,
    pub new: Figures,
}

impl<K> Change<K> {
    /// Bytes that are alive, were at the peak, and were allocated in all: new less old.
    pub fn grown(&self) -> [i64; 3] {
        let [old, new] = [self.old, self.new].map(|side| [side.alive, side.peak, side.allocated]);
        std::array::from_fn(|index| grown(Some(old[index].bytes), Some(new[index].bytes)))
    }
}

/// The places whose figures differ, what changed most first. Sampled figures differ by chance, too.
pub fn difference<'a, K: Eq + Hash + Ord>(
    old: &'a Allocations,
    new: &'a Allocations,
    place: impl Fn(&'a RecordedSite) -> Option<K>,
) -> Vec<Change<K>> {
    let mut earlier = grouped(old, &place);
    let mut changes: Vec<Change<K>> = grouped(new, &place)
        .into_iter()
        .map(|(place, new)| Change {
            old: earlier.remove(&place).unwrap_or_default(),
            new,
            place,
        })
        .collect();
    changes.extend(earlier.into_iter().map(|(place, old)| Change {
        place,
        old,
        new: Figures::default(),
    }));
    changes.retain(|change| change.grown() != [0; 3]);
    changes.sort_by(|a, b| {
        let [of_a, of_b] = [a, b].map(|change| change.grown().map(i64::unsigned_abs));
        of_b.cmp(&of_a).then_with(|| a.place.cmp(&b.place))
    });
    changes
}
