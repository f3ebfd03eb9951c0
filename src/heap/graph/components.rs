//! Cycles: the strongly connected components among chosen nodes, such as those that no root reaches.
//!
//! The algorithm is D. Pearce's, "A space-efficient algorithm for finding strongly connected components" (2016), with
//! its own stack in place of recursion. It costs 4 bytes a chosen node, 4 more for each in a cycle, and 12 for each level of
//! the walk.

use super::nodes::{NodeSet, RankedSet};
use super::references::References;

/// Components with more than one member, or whose only member refers to itself.
#[derive(Debug, Clone, Default)]
pub struct Components {
    members: Vec<u32>,
    /// Where each component's members end.
    ends: Vec<u32>,
    bytes: Vec<u64>,
}

/// Nodes each of which reaches all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component<'a> {
    /// In order.
    pub members: &'a [u32],
    /// What the members occupy by themselves.
    pub bytes: u64,
}

impl Components {
    /// Finds the components of the graph of `within` and the references between them.
    /// Each node occupies the bytes that `bytes_of` says.
    pub fn find(references: &References, bytes_of: impl Fn(u32) -> u64, within: NodeSet) -> Self {
        let within = RankedSet::new(within);
        let mut search = Search {
            references,
            bytes_of,
            index: vec![NOT_MET; within.len() as usize],
            within: &within,
            met: 0,
            open: Vec::new(),
            rows: Vec::new(),
            found: Components::default(),
        };
        for start in within.set().iter() {
            if search.index_of(start) == Some(NOT_MET) {
                search.visit(start);
            }
        }
        search.found
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The components; one that refers to another comes after it.
    pub fn iter(&self) -> impl Iterator<Item = Component<'_>> {
        let mut start = 0;
        self.ends.iter().zip(&self.bytes).map(move |(&end, &bytes)| {
            let members = &self.members[start as usize..end as usize];
            start = end;
            Component { members, bytes }
        })
    }

    fn add(&mut self, members: impl Iterator<Item = u32>, bytes_of: impl Fn(u32) -> u64) {
        let start = self.members.len();
        self.members.extend(members);
        let members = &mut self.members[start..];
        members.sort_unstable();
        let bytes = members
            .iter()
            .fold(0, |sum: u64, &node| sum.saturating_add(bytes_of(node)));
        self.bytes.push(bytes);
        self.ends.push(self.members.len() as u32);
    }
}

const NOT_MET: u32 = 0;
/// Higher than the index of any node that is still open.
const DONE: u32 = u32::MAX;

struct Search<'a, B> {
    references: &'a References,
    bytes_of: B,
    within: &'a RankedSet,
    /// By rank: the lowest index known to be reached from the node, `NOT_MET` or `DONE`.
    index: Vec<u32>,
    /// How many nodes have got an index and are not done.
    met: u32,
    /// Nodes gone through whose component is not known yet.
    open: Vec<u32>,
    /// The rows that are being gone through.
    rows: Vec<Row>,
    found: Components,
}

#[derive(Clone, Copy)]
struct Row {
    node: u32,
    next: u32,
    /// The index that the node got at first.
    first_index: u32,
}

impl<B: Fn(u32) -> u64> Search<'_, B> {
    fn index_of(&self, node: u32) -> Option<u32> {
        self.within.rank(node).map(|rank| self.index[rank as usize])
    }

    fn set_index(&mut self, node: u32, index: u32) {
        if let Some(rank) = self.within.rank(node) {
            self.index[rank as usize] = index;
        }
    }

    fn enter(&mut self, node: u32) -> Row {
        self.met += 1;
        self.set_index(node, self.met);
        Row {
            node,
            next: self.references.span(node).0,
            first_index: self.met,
        }
    }

    fn visit(&mut self, start: u32) {
        let mut row = self.enter(start);
        let mut lowest = row.first_index;
        loop {
            if row.next < self.references.span(row.node).1 {
                let target = self.references.targets()[row.next as usize];
                match self.index_of(target) {
                    Some(NOT_MET) => {
                        // The reference is looked at again on the way back, when the target has its lowest index.
                        self.set_index(row.node, lowest);
                        self.rows.push(row);
                        row = self.enter(target);
                        lowest = row.first_index;
                    }
                    index => {
                        lowest = lowest.min(index.unwrap_or(DONE));
                        row.next += 1;
                    }
                }
                continue;
            }
            self.set_index(row.node, lowest);
            if lowest == row.first_index {
                self.close(row.node, lowest);
            } else {
                self.open.push(row.node);
            }
            let Some(last) = self.rows.pop() else { break };
            row = last;
            lowest = self.index_of(row.node).unwrap_or(DONE);
        }
    }

    /// Takes out the component of which `node` was met first: it and all open nodes that came after it.
    fn close(&mut self, node: u32, index: u32) {
        let after = |&&member: &&u32| self.index_of(member).is_some_and(|other| other >= index);
        let others = self.open.iter().rev().take_while(after).count();
        let members = self.open.split_off(self.open.len() - others);
        for &member in members.iter().chain([&node]) {
            self.set_index(member, DONE);
        }
        self.met -= members.len() as u32 + 1;
        if !members.is_empty() || self.references.of(node).contains(&node) {
            self.found.add(members.into_iter().chain([node]), &self.bytes_of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{naive, shapes};
    use super::*;

    #[test]
    fn they_are_the_nodes_that_reach_each_other() {
        for (number, graph) in shapes::many(4000).enumerate() {
            let within = NodeSet::where_true(graph.nodes(), |node| number % 2 == 0 || node % 4 != 1);
            let components = Components::find(&graph, u64::from, within.clone());
            let mut found: Vec<Vec<u32>> = Vec::new();
            for component in components.iter() {
                assert_eq!(
                    component.bytes,
                    component.members.iter().map(|&node| u64::from(node)).sum::<u64>()
                );
                found.push(component.members.to_vec());
            }
            assert_eq!(found.len(), components.len());
            for (at, members) in found.iter().enumerate() {
                for later in found[at + 1..].iter().flatten() {
                    assert!(
                        !members.iter().any(|&member| graph.of(member).contains(later)),
                        "{graph:?}"
                    );
                }
            }
            found.sort();
            assert_eq!(found, naive::components(&graph, &within), "{graph:?}");
        }
    }

    #[test]
    fn a_ring_of_a_million_is_one_component() {
        let count = 1_000_000;
        let mut rows = super::super::references::Builder::with_capacity(count, count);
        for node in 0..count as u32 {
            rows.add(node, [(node + 1) % count as u32]).unwrap();
        }
        let graph = rows.finish(count as u32).unwrap();
        let all = NodeSet::where_true(graph.nodes(), |_| true);
        let components = Components::find(&graph, |_| 16, all);
        let found: Vec<(usize, u64)> = components
            .iter()
            .map(|found| (found.members.len(), found.bytes))
            .collect();
        assert_eq!(found, [(count, 16 * count as u64)]);
    }
}
