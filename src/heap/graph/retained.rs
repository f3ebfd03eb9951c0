//! Retained sizes: what would be freed with a node, that is the node itself and all that it dominates.
//!
//! Every dominator has a smaller number than what it dominates, so one sweep from the highest number down sums all.
//! Leaves retain only themselves and have no row here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::dominators::Dominators;
use super::sizes::BytesOf;
use super::{NO_NODE, ROOT};

/// Bytes and numbers of nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    pub bytes: u64,
    /// The nodes, the virtual root never among them.
    pub nodes: u32,
}

/// What each node retains. Made from dominators and sizes, which must be handed in again to ask.
#[derive(Debug, Clone)]
pub struct Retained {
    /// By the dominators' numbers.
    amounts: Vec<Amount>,
}

impl Retained {
    pub fn sum(dominators: &Dominators, sizes: &impl BytesOf) -> Self {
        let above = dominators.above();
        let own = |&node: &u32| match node {
            // What the virtual root has of its own is nobody's.
            ROOT => Amount::default(),
            node => Amount {
                bytes: sizes.of(node),
                nodes: 1,
            },
        };
        let mut amounts: Vec<Amount> = dominators.order().iter().map(own).collect();
        let first_leaf = dominators.leaves().start;
        let places = &dominators.places()[first_leaf as usize..];
        for (&place, bytes) in places.iter().zip(sizes.from(first_leaf)) {
            if let Some(amount) = amounts.get_mut(place as usize) {
                amount.bytes = amount.bytes.saturating_add(bytes);
                amount.nodes += 1;
            }
        }
        for number in (1..above.len()).rev() {
            let dominator = above[number];
            let Amount { bytes, nodes } = amounts[number];
            let sum = &mut amounts[dominator as usize];
            sum.bytes = sum.bytes.saturating_add(bytes);
            sum.nodes += nodes;
        }
        Retained { amounts }
    }

    /// What `node` retains; nothing when no root reaches it. The virtual root retains all that is reached.
    #[inline]
    pub fn of(&self, dominators: &Dominators, sizes: &impl BytesOf, node: u32) -> Amount {
        let place = dominators.place(node);
        if place == NO_NODE {
            return Amount::default();
        }
        if dominators.is_inner(node) {
            return self.by_number(place);
        }
        Amount {
            bytes: sizes.of(node),
            nodes: 1,
        }
    }

    /// By the dominators' numbers.
    #[inline]
    pub(super) fn by_number(&self, number: u32) -> Amount {
        self.amounts[number as usize]
    }

    /// The nodes that retain most bytes among those for which `wanted` holds, the largest first and of equals the lower
    /// node first; the virtual root is not among them.
    pub fn top(
        &self,
        dominators: &Dominators,
        sizes: &impl BytesOf,
        most: usize,
        mut wanted: impl FnMut(u32) -> bool,
    ) -> Vec<(u32, Amount)> {
        if most == 0 {
            return Vec::new();
        }
        // The least of those kept is on top of the heap: the first that has to go.
        let mut kept: BinaryHeap<Reverse<(u64, Reverse<u32>)>> = BinaryHeap::new();
        let mut offer = |bytes: u64, node: u32| {
            let candidate = (bytes, Reverse(node));
            let full = kept.len() >= most;
            if full && kept.peek().is_some_and(|Reverse(least)| *least > candidate) || !wanted(node) {
                return;
            }
            if full {
                kept.pop();
            }
            kept.push(Reverse(candidate));
        };
        for (&node, amount) in dominators.order().iter().zip(&self.amounts).skip(1) {
            offer(amount.bytes, node);
        }
        for node in 0..dominators.nodes() {
            if !dominators.is_inner(node) && dominators.reached(node) {
                offer(sizes.of(node), node);
            }
        }
        let largest_first = kept.into_sorted_vec();
        largest_first
            .into_iter()
            .map(|Reverse((_, Reverse(node)))| (node, self.of(dominators, sizes, node)))
            .collect()
    }

    /// What all roots together reach.
    pub fn reached(&self) -> Amount {
        self.by_number(ROOT)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sizes::Sizes;
    use super::super::{naive, shapes};
    use super::*;

    #[test]
    fn they_are_what_becomes_unreachable_without_the_node() {
        for graph in shapes::many(3000) {
            let sizes: Sizes = (0..u64::from(graph.nodes())).map(|node| 10 + node * node).collect();
            let dominators = Dominators::find(&graph);
            let retained = Retained::sum(&dominators, &sizes);
            let before = naive::reached_without(&graph, None);
            for node in 1..graph.nodes() {
                let after = naive::reached_without(&graph, Some(node));
                let freed = (1..graph.nodes()).filter(|&other| before.contains(other) && !after.contains(other));
                let expected = freed.fold(Amount::default(), |sum, freed| Amount {
                    bytes: sum.bytes + sizes.of(freed),
                    nodes: sum.nodes + 1,
                });
                assert_eq!(
                    retained.of(&dominators, &sizes, node),
                    expected,
                    "node {node} of {graph:?}"
                );
            }
            assert_eq!(retained.reached().nodes, before.len() - 1);
        }
    }

    #[test]
    fn the_top_are_the_largest_of_those_wanted() {
        for graph in shapes::many(500) {
            let sizes: Sizes = (0..u64::from(graph.nodes())).map(|node| node % 4).collect();
            let dominators = Dominators::find(&graph);
            let retained = Retained::sum(&dominators, &sizes);
            let mut all: Vec<(u32, Amount)> = (1..graph.nodes())
                .filter(|&node| node % 5 != 0 && dominators.reached(node))
                .map(|node| (node, retained.of(&dominators, &sizes, node)))
                .collect();
            all.sort_by_key(|&(node, amount)| (Reverse(amount.bytes), node));
            for most in [0, 1, 3, 100] {
                let top = retained.top(&dominators, &sizes, most, |node| node % 5 != 0);
                assert_eq!(top, all[..most.min(all.len())]);
            }
        }
    }
}
