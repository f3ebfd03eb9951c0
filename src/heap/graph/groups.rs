//! What the nodes of a group retain, such as all instances of a type: each amount counted once, for the outermost node.
//!
//! A node inside what another node of its group retains adds nothing. The dominator tree is gone through depth first, in
//! which what a node dominates comes right behind it: of each group it is known up to where the last outermost node goes.
//! What only several nodes of a group hold together is their common dominator's, and not in these sums.

use super::NO_NODE;
use super::dominators::{Dominators, Span};
use super::retained::{Amount, Retained};
use super::sizes::BytesOf;

/// What is known of a group.
#[derive(Debug, Clone, Default)]
struct Group {
    sum: Amount,
    /// Up to where what its last outermost node dominates goes.
    end: u32,
    has_leaves: bool,
    /// Where its outermost nodes are that dominate others, in order, as far as it has leaves, which may lie there.
    outermost: Vec<Span>,
}

/// By group: what its nodes retain. `leaves` are the sums of the leaves of each group, all of which some root reaches;
/// `group_of` gives each node's group, and those that are in none of `leaves.len()` groups are left out.
pub fn retained(
    dominators: &Dominators,
    sizes: &impl BytesOf,
    amounts: &Retained,
    leaves: Vec<Amount>,
    group_of: impl Fn(u32) -> u32,
) -> Vec<Amount> {
    let with_leaves = leaves.into_iter().map(|sum| Group {
        sum,
        has_leaves: sum.nodes > 0,
        ..Group::default()
    });
    let mut groups: Vec<Group> = with_leaves.collect();
    let (order, spans) = (dominators.order(), dominators.spans());
    for number in in_depth_first_order(spans) {
        let Some(group) = groups.get_mut(group_of(order[number as usize]) as usize) else {
            continue;
        };
        let span = spans[number as usize];
        if span.first < group.end {
            continue;
        }
        group.end = span.end;
        let amount = amounts.by_number(number);
        group.sum.bytes = group.sum.bytes.saturating_add(amount.bytes);
        group.sum.nodes += amount.nodes;
        if group.has_leaves && amount.nodes > 1 {
            group.outermost.push(span);
        }
    }
    if groups.iter().any(|group| !group.outermost.is_empty()) {
        for leaf in dominators.leaves() {
            if let Some(group) = groups.get_mut(group_of(leaf) as usize)
                && group.dominates_below(spans[dominators.place(leaf) as usize])
            {
                group.sum.bytes = group.sum.bytes.saturating_sub(sizes.of(leaf));
                group.sum.nodes -= 1;
            }
        }
    }
    groups.into_iter().map(|group| group.sum).collect()
}

impl Group {
    /// Whether one of the group's nodes is, or dominates, the one at `span`.
    fn dominates_below(&self, span: Span) -> bool {
        let after = self
            .outermost
            .partition_point(|outermost| outermost.first <= span.first);
        self.outermost[..after]
            .last()
            .is_some_and(|outermost| outermost.holds(span.first))
    }
}

/// The numbers of all nodes but the root, each right before what it dominates.
fn in_depth_first_order(spans: &[Span]) -> Vec<u32> {
    let mut order = vec![NO_NODE; spans.len()];
    for (number, span) in (0..).zip(spans) {
        order[span.first as usize] = number;
    }
    order.split_off(1.min(spans.len()))
}

#[cfg(test)]
mod tests {
    use super::super::sizes::Sizes;
    use super::super::{ROOT, shapes};
    use super::*;

    #[test]
    fn only_the_outermost_nodes_of_a_group_count() {
        for graph in shapes::many(3000) {
            let sizes: Sizes = (0..u64::from(graph.nodes())).map(|node| 7 + node * 3).collect();
            let dominators = Dominators::find(&graph);
            let amounts = Retained::sum(&dominators, &sizes);
            let group_of = |node: u32| node * 7 % 11 % 4;
            if dominators.leaves().any(|leaf| !dominators.reached(leaf)) {
                continue;
            }
            let mut leaves = vec![Amount::default(); 3];
            for leaf in dominators.leaves() {
                if let Some(sum) = leaves.get_mut(group_of(leaf) as usize) {
                    sum.bytes += sizes.of(leaf);
                    sum.nodes += 1;
                }
            }
            let found = retained(&dominators, &sizes, &amounts, leaves, group_of);
            let mut expected = vec![Amount::default(); 3];
            for node in (1..graph.nodes()).filter(|&node| dominators.reached(node)) {
                let nested = dominators
                    .path(node)
                    .any(|above| above != ROOT && group_of(above) == group_of(node));
                if let Some(sum) = expected.get_mut(group_of(node) as usize).filter(|_| !nested) {
                    let amount = amounts.of(&dominators, &sizes, node);
                    sum.bytes += amount.bytes;
                    sum.nodes += amount.nodes;
                }
            }
            assert_eq!(found, expected);
        }
    }
}
