//! The dominators of leaves: the nearest common ancestor of all referrers in the dominator tree.
//!
//! The rows are gone through once, in order. Each leaf starts under its first referrer and is moved up until the node it
//! is under dominates the next one, which an interval of the tree's own numbering tells at once.

use super::super::NO_NODE;
use super::super::nodes::NodeSet;
use super::super::references::References;
use super::ladder::Ladder;

/// Writes the dominator's number into `place` of each leaf that some root reaches.
pub fn place(references: &References, inner: &NodeSet, ladder: &mut Ladder, place: &mut [u32]) {
    let spans = spans(ladder.above());
    for (source, row) in references.rows() {
        let referrer = place[source as usize];
        if row.is_empty() || referrer == NO_NODE {
            continue;
        }
        let position = spans[referrer as usize].first;
        for &leaf in row {
            if inner.contains(leaf) {
                continue;
            }
            let above = place[leaf as usize];
            place[leaf as usize] = match above {
                NO_NODE => referrer,
                0 => 0,
                _ => ladder.climb(above, |at| spans[at as usize].holds(position)),
            };
        }
    }
}

/// Where a node and all that it dominates stand in a depth-first numbering of the dominator tree.
#[derive(Clone, Copy)]
struct Span {
    first: u32,
    end: u32,
}

impl Span {
    #[inline]
    fn holds(self, position: u32) -> bool {
        self.first <= position && position < self.end
    }
}

fn spans(above: &[u32]) -> Vec<Span> {
    // First `end` counts the nodes below and including each; then `first` is dealt out from above, and `end` says where
    // the next child goes until it has come to the node's own end.
    let mut spans = vec![Span { first: 0, end: 1 }; above.len()];
    for number in (1..above.len()).rev() {
        spans[above[number] as usize].end += spans[number].end;
    }
    let whole = above.len() as u32;
    spans[0] = Span { first: 0, end: 1 };
    for number in 1..above.len() {
        let size = spans[number].end;
        let parent = &mut spans[above[number] as usize];
        let first = parent.end;
        parent.end += size;
        spans[number] = Span { first, end: first + 1 };
    }
    debug_assert_eq!(spans[0].end, whole);
    spans
}
