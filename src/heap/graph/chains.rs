//! The shortest chains from roots to one node, found from the node backwards.
//!
//! A best-first search (A*, Hart, Nilsson and Raphael, 1968): a part of a chain, from some node down to the end, is
//! continued upwards in the order of the length that it could have at best, which the distances from the root tell. The
//! referrers of a node are tried one after the other, the nearest to the root first, so that a node with millions of
//! them costs one sorting and not millions of parts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::ROOT;
use super::distances::Distances;
use super::references::References;

/// How long to search.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// So many chains at most.
    pub chains: usize,
    /// Each with so many nodes at most.
    pub length: u32,
    /// So many parts of chains are looked at.
    pub steps: u32,
}

/// A chain from a node to the end: the node, and the rest of the chain.
struct Part {
    node: u32,
    /// `None` for the end itself.
    rest: Option<u32>,
    length: u32,
}

/// Parts wait as (length at best, number in order of coming, part, which referrer is next).
type Waiting = BinaryHeap<Reverse<(u32, u32, u32, u32)>>;

struct Search<'a> {
    reversed: &'a References,
    distances: &'a Distances,
    parts: Vec<Part>,
    waiting: Waiting,
    /// By node: its referrers that a root reaches, the nearest to the root first.
    referrers: FxHashMap<u32, Rc<[u32]>>,
    came: u32,
}

/// The shortest chains from a root to `end`, the shortest first. Each begins with a root, ends with `end`, and passes no
/// node twice and only such for which `may_pass` holds; the virtual root is left out. `reversed` is the reversed graph,
/// and `distances` are those in the graph, with no more references left out than `may_pass` does.
pub fn shortest(
    reversed: &References,
    distances: &Distances,
    end: u32,
    limits: Limits,
    may_pass: impl Fn(u32) -> bool,
) -> Vec<Vec<u32>> {
    let mut search = Search {
        reversed,
        distances,
        parts: Vec::new(),
        waiting: BinaryHeap::new(),
        referrers: FxHashMap::default(),
        came: 0,
    };
    let mut chains = Vec::new();
    search.parts.push(Part {
        node: end,
        rest: None,
        length: 1,
    });
    search.wait(0, 0, &may_pass);
    for _ in 0..limits.steps {
        if chains.len() >= limits.chains {
            break;
        }
        let Some(Reverse((best, _, part, which))) = search.waiting.pop() else {
            break;
        };
        if best > limits.length {
            break;
        }
        let referrer = search.referrers[&search.parts[part as usize].node][which as usize];
        search.wait(part, which + 1, &may_pass);
        if referrer == ROOT {
            chains.push(search.nodes(part).collect());
        } else if search.nodes(part).all(|node| node != referrer) {
            let length = search.parts[part as usize].length + 1;
            search.parts.push(Part {
                node: referrer,
                rest: Some(part),
                length,
            });
            search.wait(search.parts.len() as u32 - 1, 0, &may_pass);
        }
    }
    chains
}

impl Search<'_> {
    /// The nodes of a part, from its first down to the end.
    fn nodes(&self, part: u32) -> impl Iterator<Item = u32> + '_ {
        let parts = std::iter::successors(Some(part), |&at| self.parts[at as usize].rest);
        parts.map(|at| self.parts[at as usize].node)
    }

    /// Lets `part` wait to be continued by one of its first node's referrers, if there are so many.
    fn wait(&mut self, part: u32, which: u32, may_pass: &impl Fn(u32) -> bool) {
        let Part { node, length, .. } = self.parts[part as usize];
        let (reversed, distances) = (self.reversed, self.distances);
        let referrers = self
            .referrers
            .entry(node)
            .or_insert_with(|| nearest_first(reversed.of(node), distances, may_pass));
        let distance = referrers.get(which as usize).and_then(|&next| distances.of(next));
        if let Some(distance) = distance {
            self.came = self.came.wrapping_add(1);
            let best = length.saturating_add(distance);
            self.waiting.push(Reverse((best, self.came, part, which)));
        }
    }
}

fn nearest_first(referrers: &[u32], distances: &Distances, may_pass: &impl Fn(u32) -> bool) -> Rc<[u32]> {
    let mut reached: Vec<(u32, u32)> = referrers
        .iter()
        .filter(|&&node| node == ROOT || may_pass(node))
        .filter_map(|&node| distances.of(node).map(|distance| (distance, node)))
        .collect();
    reached.sort_unstable();
    reached.dedup();
    reached.into_iter().map(|(_, node)| node).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{naive, shapes};
    use super::*;

    const ALL: Limits = Limits {
        chains: usize::MAX,
        length: u32::MAX,
        steps: u32::MAX,
    };

    fn lengths(chains: &[Vec<u32>]) -> Vec<usize> {
        chains.iter().map(Vec::len).collect()
    }

    #[test]
    fn all_simple_chains_come_shortest_first() {
        for graph in shapes::many(2000).filter(|graph| graph.nodes() <= 9) {
            let reversed = graph.reversed();
            let distances = Distances::measure(&graph, |_, _| true);
            for end in 1..graph.nodes() {
                for bar in [0, end / 2] {
                    let may_pass = |node| node != bar;
                    let mut expected = naive::chains(&graph, end, may_pass);
                    expected.sort_by(|one, two| (one.len(), one).cmp(&(two.len(), two)));
                    let mut found = shortest(&reversed, &distances, end, ALL, may_pass);
                    assert!(lengths(&found).is_sorted());
                    for most in [0, 1, 2] {
                        let limits = Limits { chains: most, ..ALL };
                        let few = shortest(&reversed, &distances, end, limits, may_pass);
                        assert_eq!(few, found[..most.min(found.len())]);
                    }
                    let limits = Limits { length: 3, ..ALL };
                    let short = shortest(&reversed, &distances, end, limits, may_pass);
                    assert_eq!(short.len(), expected.iter().filter(|chain| chain.len() <= 3).count());
                    found.sort_by(|one, two| (one.len(), one).cmp(&(two.len(), two)));
                    assert_eq!(found, expected);
                }
            }
        }
    }

    #[test]
    fn steps_are_bounded() {
        let graph = shapes::complete(40);
        let reversed = graph.reversed();
        let distances = Distances::measure(&graph, |_, _| true);
        let limits = Limits { steps: 10_000, ..ALL };
        let found = shortest(&reversed, &distances, 7, limits, |_| true);
        assert!((1000..=10_000).contains(&found.len()));
        assert_eq!(found[0], [7]);
    }
}
