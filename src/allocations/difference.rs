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
    /// The true change of what is alive is no further away than this in 19 of 20 cases.
    pub error_bytes: u64,
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
    let change = |place, of_old: Figures, of_new: Figures| Change {
        place,
        old: of_old,
        new: of_new,
        error_bytes: {
            let [old, new] = [(of_old, old), (of_new, new)].map(|(side, of)| side.alive.seen_in(of.sample_bytes));
            old.and(new).error_bytes()
        },
    };
    let mut changes: Vec<Change<K>> = grouped(new, &place)
        .into_iter()
        .map(|(place, new)| {
            let old = earlier.remove(&place).unwrap_or_default();
            change(place, old, new)
        })
        .collect();
    changes.extend(
        earlier
            .into_iter()
            .map(|(place, old)| change(place, old, Figures::default())),
    );
    changes.retain(|change| change.grown() != [0; 3]);
    changes.sort_by(|a, b| {
        let [of_a, of_b] = [a, b].map(|change| change.grown().map(i64::unsigned_abs));
        of_b.cmp(&of_a).then_with(|| a.place.cmp(&b.place))
    });
    changes
}
