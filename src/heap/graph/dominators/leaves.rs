//! The dominators of leaves: the nearest common ancestor of all referrers in the dominator tree.
//!
//! The rows are gone through once, in order. Each leaf starts under its first referrer and is moved up until the node it
//! is under dominates the next one, which an interval of the tree's own numbering tells at once.

use super::super::NO_NODE;
use super::super::references::References;
use super::ladder::Ladder;
use super::spans::Span;

/// Writes the dominator's number into `place` of each leaf that some root reaches.
pub fn place(references: &References, spans: &[Span], ladder: &mut Ladder, place: &mut [u32]) {
    let holders = references.holders();
    let (numbers, above_leaves) = place.split_at_mut(holders as usize);
    for (&referrer, (_, row)) in numbers.iter().zip(references.rows()) {
        if referrer == NO_NODE {
            continue;
        }
        let position = spans[referrer as usize].first;
        for &target in row.iter().filter(|&&target| target >= holders) {
            let above = &mut above_leaves[(target - holders) as usize];
            *above = match *above {
                NO_NODE => referrer,
                0 => 0,
                above => ladder.climb(above, |at| spans[at as usize].holds(position)),
            };
        }
    }
}
