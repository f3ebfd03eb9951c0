//! The dominator tree downwards: what each node dominates immediately. Made by a counting sort.

use super::dominators::Dominators;
use super::{NO_NODE, ROOT};

/// The children of each node in the dominator tree.
#[derive(Debug, Clone)]
pub struct Dominated {
    /// By the dominators' numbers: where a node's children begin, and where the last one's end.
    starts: Vec<u32>,
    nodes: Vec<u32>,
}

impl Dominated {
    pub fn find(dominators: &Dominators) -> Self {
        let mut starts = vec![0; dominators.order().len() + 1];
        for node in 1..dominators.nodes() {
            if let Some(number) = dominator_number(dominators, node) {
                starts[number as usize + 1] += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts[1..] {
            sum += std::mem::replace(start, sum);
        }
        let mut nodes = vec![0; sum as usize];
        for node in 1..dominators.nodes() {
            if let Some(number) = dominator_number(dominators, node) {
                let free = &mut starts[number as usize + 1];
                nodes[*free as usize] = node;
                *free += 1;
            }
        }
        Dominated { starts, nodes }
    }

    /// The nodes whose immediate dominator is `node`, in order.
    pub fn of(&self, dominators: &Dominators, node: u32) -> &[u32] {
        let number = dominators.place(node);
        if number == NO_NODE || !dominators.is_inner(node) {
            return &[];
        }
        &self.nodes[self.starts[number as usize] as usize..self.starts[number as usize + 1] as usize]
    }
}

#[inline]
fn dominator_number(dominators: &Dominators, node: u32) -> Option<u32> {
    let place = dominators.place(node);
    if place == NO_NODE || node == ROOT {
        None
    } else if dominators.is_inner(node) {
        Some(dominators.above()[place as usize])
    } else {
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::super::shapes;
    use super::*;

    #[test]
    fn children_are_those_that_have_the_node_above_them() {
        for graph in shapes::many(1000) {
            let dominators = Dominators::find(&graph);
            let dominated = Dominated::find(&dominators);
            for node in 0..graph.nodes() {
                let expected: Vec<u32> = (0..graph.nodes())
                    .filter(|&child| dominators.of(child) == Some(node))
                    .collect();
                assert_eq!(dominated.of(&dominators, node), expected);
            }
        }
    }
}
