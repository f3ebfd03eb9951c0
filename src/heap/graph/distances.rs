//! How far each node is from the roots, and the referrer through which it is reached first: breadth first, so that the
//! chain of these referrers is a shortest one.

use super::nodes::NodeSet;
use super::references::References;
use super::{NO_NODE, ROOT};

/// The shortest chains from the virtual root.
#[derive(Debug, Clone)]
pub struct Distances {
    /// The number of references from the virtual root; `NO_NODE` for what is not reached.
    distance: Vec<u32>,
    /// The first referrer met; `NO_NODE` for the root and for what is not reached.
    holder: Vec<u32>,
}

impl Distances {
    /// Follows the references for which `follow` holds, which is asked with the source and the reference's number.
    /// Of several referrers at the same distance the one met first counts: that of the first root, and so on down.
    pub fn measure(references: &References, follow: impl Fn(u32, u32) -> bool) -> Self {
        let nodes = references.nodes();
        let targets = references.targets();
        let mut distance = vec![NO_NODE; nodes as usize];
        let mut holder = vec![NO_NODE; nodes as usize];
        let mut met = NodeSet::none_of(nodes);
        met.insert(ROOT);
        distance[ROOT as usize] = 0;
        let mut layer = vec![ROOT];
        let mut next_layer = Vec::new();
        let mut depth = 0;
        while !layer.is_empty() {
            depth += 1;
            for &source in &layer {
                let (start, end) = references.span(source);
                for (&target, reference) in targets[start as usize..end as usize].iter().zip(start..) {
                    if follow(source, reference) && met.insert(target) {
                        distance[target as usize] = depth;
                        holder[target as usize] = source;
                        next_layer.push(target);
                    }
                }
            }
            layer.clear();
            std::mem::swap(&mut layer, &mut next_layer);
        }
        Distances { distance, holder }
    }

    /// The number of references from the virtual root: 1 for a root.
    #[inline]
    pub fn of(&self, node: u32) -> Option<u32> {
        match self.distance[node as usize] {
            NO_NODE => None,
            distance => Some(distance),
        }
    }

    /// The referrer before `node` on its shortest chain: the virtual root for a root.
    #[inline]
    pub fn holder(&self, node: u32) -> Option<u32> {
        match self.holder[node as usize] {
            NO_NODE => None,
            holder => Some(holder),
        }
    }

    /// The shortest chain, from the first referrer of `node` up to the virtual root.
    pub fn holders(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(self.holder(node), |&at| self.holder(at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{naive, shapes};
    use super::*;

    #[test]
    fn no_chain_is_shorter() {
        for graph in shapes::many(2000) {
            let found = Distances::measure(&graph, |_, _| true);
            let expected = naive::distances(&graph, |_, _| true);
            for node in 0..graph.nodes() {
                assert_eq!(found.of(node), expected[node as usize]);
                let mut below = node;
                for holder in found.holders(node) {
                    assert!(graph.of(holder).contains(&below));
                    below = holder;
                }
                assert_eq!(below == ROOT, found.of(node).is_some());
                assert_eq!(found.holders(node).count() as u32, found.of(node).unwrap_or(0));
            }
        }
    }

    #[test]
    fn references_left_out_are_not_followed() {
        for graph in shapes::many(500) {
            let follow = |source: u32, reference: u32| !(source + reference).is_multiple_of(3);
            let found = Distances::measure(&graph, follow);
            let expected = naive::distances(&graph, follow);
            for node in 0..graph.nodes() {
                assert_eq!(found.of(node), expected[node as usize]);
            }
        }
    }
}
