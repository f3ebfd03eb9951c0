//! Immediate dominators: for each node the last one that all chains from the roots pass, so that it would go with it.
//!
//! The algorithm is SEMI-NCA (L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems", 2005; after
//! Lengauer and Tarjan, 1979), fitted to heaps, most of whose nodes refer to nothing:
//!
//! 1. `walk` numbers the nodes that have rows, depth first. The leaves take no part.
//! 2. `semi` finds their semidominators, and from these their dominators. Only nodes with several referrers need theirs
//!    looked up, from the references that the walk did not follow; the only referrer of a node is its dominator.
//! 3. `leaves` finds the dominator of each leaf: the nearest common ancestor of its referrers in the dominator tree.
//!
//! The climbs of 2 and 3 are short in ordinary heaps; where they are not, `ladder` keeps them logarithmic.

mod ladder;
mod leaves;
mod semi;
mod spans;
mod walk;

use super::nodes::NodeSet;
use super::references::References;
use super::{NO_NODE, ROOT};
pub(super) use spans::Span;

/// The dominator tree.
///
/// Nodes that have rows are numbered in the order of a depth-first walk: a node's number is greater than that of
/// its dominator. Leaves, which dominate nothing, have no number.
#[derive(Debug, Clone)]
pub struct Dominators {
    /// Of a node with a row its number, of a leaf its dominator's; `NO_NODE` when no root reaches the node.
    place: Vec<u32>,
    /// How many nodes have rows; they come first.
    holders: u32,
    /// The numbered nodes.
    order: Vec<u32>,
    /// By number: the dominator's number. The root is its own.
    above: Vec<u32>,
    /// By number: where the node stands among all of the tree.
    spans: Vec<Span>,
}

impl Dominators {
    /// Finds the dominators of all nodes. A graph has at least the root.
    pub fn find(references: &References) -> Self {
        let mut walk = walk::walk(references);
        let mut ladder = semi::dominators(&mut walk);
        let walk::Walk { mut place, order, .. } = walk;
        let spans = spans::spans(ladder.above());
        leaves::place(references, &spans, &mut ladder, &mut place);
        Dominators {
            place,
            holders: references.holders(),
            order,
            above: ladder.into_above(),
            spans,
        }
    }

    /// The number of nodes of the graph.
    pub fn nodes(&self) -> u32 {
        self.place.len() as u32
    }

    /// Whether some root reaches the node.
    #[inline]
    pub fn reached(&self, node: u32) -> bool {
        self.place[node as usize] != NO_NODE
    }

    /// The immediate dominator of `node`; `None` for the root, and for nodes that no root reaches.
    #[inline]
    pub fn of(&self, node: u32) -> Option<u32> {
        let place = self.place[node as usize];
        if place == NO_NODE || node == ROOT {
            return None;
        }
        let dominator = if self.is_inner(node) {
            self.above[place as usize]
        } else {
            place
        };
        Some(self.order[dominator as usize])
    }

    /// All nodes that the root reaches, each after its dominator, and with that.
    pub fn top_down(&self) -> impl Iterator<Item = (u32, u32)> {
        let numbered = self.order.iter().zip(&self.above).skip(1);
        let numbered = numbered.map(|(&node, &above)| (node, self.order[above as usize]));
        let leaves = self.leaves().filter(|&leaf| self.reached(leaf));
        numbered.chain(leaves.map(|leaf| (leaf, self.order[self.place(leaf) as usize])))
    }

    /// The dominators of `node`, the immediate one first, the root last.
    pub fn path(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(self.of(node), |&at| self.of(at))
    }

    /// The nodes that no root reaches.
    pub fn unreached(&self) -> NodeSet {
        NodeSet::where_true(self.nodes(), |node| !self.reached(node))
    }

    /// The number of `node` if it has a row, else that of its dominator; `NO_NODE` when no root reaches it.
    #[inline]
    pub(super) fn place(&self, node: u32) -> u32 {
        self.place[node as usize]
    }

    /// By node: what `place` answers.
    #[inline]
    pub(super) fn places(&self) -> &[u32] {
        &self.place
    }

    /// Whether the node has a row, so that it can dominate others.
    #[inline]
    pub(super) fn is_inner(&self, node: u32) -> bool {
        node < self.holders
    }

    /// The nodes without rows.
    #[inline]
    pub(super) fn leaves(&self) -> std::ops::Range<u32> {
        self.holders..self.nodes()
    }

    /// The numbered nodes.
    #[inline]
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// By number: the dominator's number.
    #[inline]
    pub(super) fn above(&self) -> &[u32] {
        &self.above
    }

    /// By number: where the node stands in a depth-first numbering of the tree.
    #[inline]
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }
}

#[cfg(test)]
mod tests {
    use super::super::{naive, shapes};
    use super::*;

    fn assert_right(graph: &References) {
        let found = Dominators::find(graph);
        let expected = naive::dominators(graph);
        for (node, &dominator) in (0..).zip(&expected) {
            assert_eq!(found.of(node), dominator, "node {node} of {graph:?}");
        }
        assert_eq!(found.unreached(), naive::unreached(graph));
        let mut met = NodeSet::none_of(graph.nodes());
        met.insert(ROOT);
        for (node, dominator) in found.top_down() {
            assert_eq!(found.of(node), Some(dominator), "node {node} of {graph:?}");
            assert!(met.contains(dominator) && met.insert(node), "node {node} of {graph:?}");
        }
        let reached = (0..graph.nodes()).filter(|&node| found.reached(node)).count();
        assert_eq!(met.len() as usize, reached, "{graph:?}");
    }

    #[test]
    fn they_are_what_removing_each_node_says() {
        for graph in shapes::many(4000) {
            assert_right(&graph);
        }
    }

    #[test]
    fn the_path_leads_to_the_root() {
        // 0 → 1 → {2, 3} → 4 → 5
        let graph = shapes::from_rows(&[&[1], &[2, 3], &[4], &[4], &[5], &[]]);
        let dominators = Dominators::find(&graph);
        assert_eq!(dominators.path(5).collect::<Vec<_>>(), [4, 1, 0]);
        assert_eq!(dominators.path(0).count(), 0);
    }

    #[test]
    fn a_graph_may_be_the_root_alone() {
        assert_right(&shapes::from_rows(&[&[]]));
        assert_right(&shapes::from_rows(&[&[0]]));
        assert_right(&shapes::from_rows(&[&[], &[2], &[1]]));
    }

    #[test]
    fn what_many_hold_is_under_the_node_above_all_of_them() {
        // A star within: 1 holds all of 2..100, each of these holds 100, and that holds 1 again, a leaf and itself.
        let rays = 2..100;
        let mut builder = super::super::references::Builder::default();
        builder.add(0, [1]).unwrap();
        builder.add(1, rays.clone()).unwrap();
        rays.clone().for_each(|ray| builder.add(ray, [100, 100]).unwrap());
        builder.add(100, [1, 101, 100]).unwrap();
        assert_right(&builder.finish(102).unwrap());
        assert_right(&shapes::complete(40));
        // Each of 1..20 holds each of 20..40, and these in turn hold leaves.
        let mut builder = super::super::references::Builder::default();
        builder.add(0, 1..20).unwrap();
        (1..20).for_each(|one| builder.add(one, 20..40).unwrap());
        (20..40).for_each(|other| builder.add(other, [40, 21 + other]).unwrap());
        assert_right(&builder.finish(62).unwrap());
    }

    /// A list whose values a table holds too, so that the climb from each value's place in the list is as long as it.
    #[test]
    fn long_climbs_stay_cheap() {
        for leaves in [true, false] {
            let graph = shapes::shared_list(300_000, leaves);
            let dominators = Dominators::find(&graph);
            for node in 1..graph.nodes() - 1 {
                let is_later_link = node % 2 == 1 && node > 1;
                let expected = if is_later_link { node - 2 } else { ROOT };
                assert_eq!(dominators.of(node), Some(expected), "node {node}");
            }
        }
    }

    #[test]
    fn a_list_of_ten_million_is_no_deeper_than_memory() {
        let links = 10_000_000;
        let mut builder = super::super::references::Builder::with_capacity(links as usize + 1, links as usize);
        for node in 0..links {
            builder.add(node, [node + 1]).unwrap();
        }
        let dominators = Dominators::find(&builder.finish(links + 1).unwrap());
        assert!((1..=links).all(|node| dominators.of(node) == Some(node - 1)));
    }
}
