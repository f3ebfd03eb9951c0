//! What the nodes of a group retain, such as all instances of a type: each amount counted once, for the outermost node.
//!
//! A node inside what another node of its group retains adds nothing. The dominator tree is walked downwards, and of each
//! group it is known whether the walk is below one of its nodes. What only several nodes of a group hold together is
//! their common dominator's, and not in these sums.

use super::dominated::Dominated;
use super::dominators::Dominators;
use super::retained::{Amount, Retained};
use super::sizes::Sizes;
use super::{NO_NODE, ROOT};

/// A node whose children are being gone through.
struct Level<'a> {
    children: std::slice::Iter<'a, u32>,
    /// The group that begins to be outermost here; `NO_NODE` when none does.
    opened: u32,
}

/// By group: what its nodes retain. `group_of` gives each node's group, below `groups`; others are left out.
pub fn retained(
    dominators: &Dominators,
    dominated: &Dominated,
    sizes: &Sizes,
    amounts: &Retained,
    groups: u32,
    group_of: impl Fn(u32) -> u32,
) -> Vec<Amount> {
    let mut sums = vec![Amount::default(); groups as usize];
    let mut inside = vec![false; groups as usize];
    let mut levels = vec![Level {
        children: dominated.of(dominators, ROOT).iter(),
        opened: NO_NODE,
    }];
    while let Some(level) = levels.last_mut() {
        let Some(&node) = level.children.next() else {
            if let Some(open) = inside.get_mut(level.opened as usize) {
                *open = false;
            }
            levels.pop();
            continue;
        };
        let group = group_of(node);
        let outermost = inside.get(group as usize) == Some(&false);
        if outermost {
            let amount = amounts.of(dominators, sizes, node);
            let sum = &mut sums[group as usize];
            sum.bytes = sum.bytes.saturating_add(amount.bytes);
            sum.nodes += amount.nodes;
        }
        let children = dominated.of(dominators, node);
        if !children.is_empty() {
            if outermost {
                inside[group as usize] = true;
            }
            levels.push(Level {
                children: children.iter(),
                opened: if outermost { group } else { NO_NODE },
            });
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::super::shapes;
    use super::*;

    #[test]
    fn only_the_outermost_nodes_of_a_group_count() {
        for graph in shapes::many(1500) {
            let sizes: Sizes = (0..u64::from(graph.nodes())).map(|node| 7 + node * 3).collect();
            let dominators = Dominators::find(&graph);
            let amounts = Retained::sum(&dominators, &sizes);
            let dominated = Dominated::find(&dominators);
            let group_of = |node: u32| node * 7 % 11 % 4;
            let found = retained(&dominators, &dominated, &sizes, &amounts, 3, group_of);
            let mut expected = vec![Amount::default(); 3];
            for node in 1..graph.nodes() {
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
