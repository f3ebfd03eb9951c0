//! The cheapest chains from the root to one node, found from the node backwards.
//!
//! A best-first search (A*, Hart, Nilsson and Raphael, 1968): a part of a chain, from some node down to the end, is
//! continued upwards in the order of what it could cost at best, which the cheapest chains from the root tell. The
//! referrers of a node are tried one after the other, the cheapest first, so that a node with millions of them costs one
//! sorting and not millions of parts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::ROOT;
use super::cheapest::Cheapest;
use super::incoming::Incoming;
use super::references::References;

/// How long to search.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// So many chains at most.
    pub chains: usize,
    /// None that costs more.
    pub cost: u32,
    /// So many parts of chains are looked at.
    pub steps: u32,
}

/// The graph that is searched.
#[derive(Clone, Copy)]
pub struct Graph<'a> {
    pub references: &'a References,
    pub incoming: &'a Incoming,
    /// Found with the prices that are searched with.
    pub cheapest: &'a Cheapest,
    /// In what order references come that cost the same.
    pub order: &'a dyn Fn(u32) -> (u64, u32),
}

/// A way by which a node is held: from whom, through which reference, and what that costs.
#[derive(Debug, Clone, Copy)]
struct Way {
    source: u32,
    reference: u32,
    price: u32,
    /// Of the cheapest chain to the node by this way.
    from_root: u32,
}

/// A chain from a node to the end: the node, and the rest of the chain.
struct Part {
    node: u32,
    /// The reference to the node of the rest, and the rest; `None` for the end itself.
    rest: Option<(u32, u32)>,
    cost: u32,
}

/// Parts wait as (cost at best, number in order of coming, part, which way is next).
type Waiting = BinaryHeap<Reverse<(u32, u32, u32, u32)>>;

struct Search<'a, P> {
    graph: Graph<'a>,
    price: P,
    parts: Vec<Part>,
    waiting: Waiting,
    /// By node: the ways by which it is held, the cheapest first, one for each referrer that a root reaches.
    ways: FxHashMap<u32, Rc<[Way]>>,
    came: u32,
}

/// The cheapest chains from the root to `end`, the cheapest first, each as the numbers of its references from the root on.
/// None passes a node twice. Of several references between the same two nodes the cheapest is taken.
pub fn cheapest(graph: Graph, end: u32, limits: Limits, price: impl Fn(u32, u32) -> Option<u32>) -> Vec<Vec<u32>> {
    let mut search = Search {
        graph,
        price,
        parts: Vec::new(),
        waiting: Waiting::new(),
        ways: FxHashMap::default(),
        came: 0,
    };
    let mut chains = Vec::new();
    search.parts.push(Part {
        node: end,
        rest: None,
        cost: 0,
    });
    search.wait(0, 0);
    for _ in 0..limits.steps {
        if chains.len() >= limits.chains {
            break;
        }
        let Some(Reverse((best, _, part, which))) = search.waiting.pop() else {
            break;
        };
        if best > limits.cost {
            break;
        }
        search.wait(part, which + 1);
        let way = search.ways[&search.parts[part as usize].node][which as usize];
        if way.source == ROOT {
            let rest = search.parts(part).filter_map(|part| part.rest);
            chains.push(
                std::iter::once(way.reference)
                    .chain(rest.map(|(through, _)| through))
                    .collect(),
            );
        } else if search.parts(part).all(|part| part.node != way.source) {
            let cost = search.parts[part as usize].cost.saturating_add(way.price);
            search.parts.push(Part {
                node: way.source,
                rest: Some((way.reference, part)),
                cost,
            });
            search.wait(search.parts.len() as u32 - 1, 0);
        }
    }
    chains
}

impl<P: Fn(u32, u32) -> Option<u32>> Search<'_, P> {
    /// A part and the parts within it, down to the end.
    fn parts(&self, part: u32) -> impl Iterator<Item = &Part> {
        let first = &self.parts[part as usize];
        std::iter::successors(Some(first), |at| at.rest.map(|(_, rest)| &self.parts[rest as usize]))
    }

    /// Lets `part` wait to be continued by one of the ways to its first node, if there are so many.
    fn wait(&mut self, part: u32, which: u32) {
        let Part { node, cost, .. } = self.parts[part as usize];
        let (graph, price) = (self.graph, &self.price);
        let ways = self.ways.entry(node).or_insert_with(|| ways(graph, node, price));
        if let Some(way) = ways.get(which as usize) {
            self.came = self.came.wrapping_add(1);
            let best = cost.saturating_add(way.from_root);
            self.waiting.push(Reverse((best, self.came, part, which)));
        }
    }
}

fn ways(graph: Graph, node: u32, price: impl Fn(u32, u32) -> Option<u32>) -> Rc<[Way]> {
    let way = |&reference: &u32| {
        let source = graph.references.source(reference);
        let price = price(source, reference)?;
        Some(Way {
            source,
            reference,
            price,
            from_root: graph.cheapest.cost(source)?.saturating_add(price),
        })
    };
    let mut ways: Vec<Way> = graph.incoming.of(node).iter().filter_map(way).collect();
    ways.sort_unstable_by_key(|way| (way.source, way.from_root, way.reference));
    ways.dedup_by_key(|way| way.source);
    ways.sort_by_cached_key(|way| (way.from_root, (graph.order)(way.reference)));
    ways.into()
}

#[cfg(test)]
mod tests {
    use super::super::{naive, shapes};
    use super::*;

    const ALL: Limits = Limits {
        chains: usize::MAX,
        cost: u32::MAX,
        steps: u32::MAX,
    };

    /// The nodes that a chain leads through, the root left out.
    fn nodes(graph: &References, chain: &[u32]) -> Vec<u32> {
        let target = |&reference: &u32| graph.targets()[reference as usize];
        for pair in chain.windows(2) {
            assert_eq!(target(&pair[0]), graph.source(pair[1]));
        }
        assert_eq!(chain.first().map(|&first| graph.source(first)), Some(ROOT));
        chain.iter().map(target).collect()
    }

    #[test]
    fn all_simple_chains_come_cheapest_first() {
        for graph in shapes::many(2000).filter(|graph| graph.nodes() <= 9) {
            let incoming = Incoming::find(&graph);
            for bar in [0, 3] {
                // The price depends on the nodes alone, so that it is the same for each of several references.
                let price = |source: u32, reference: u32| {
                    let target = graph.targets()[reference as usize];
                    (source != bar || bar == 0).then_some((source * 3 + target) % 4)
                };
                let known = Cheapest::from_root(&graph, price);
                let searched = Graph {
                    references: &graph,
                    incoming: &incoming,
                    cheapest: &known,
                    order: &|reference| (0, reference),
                };
                for end in 1..graph.nodes() {
                    let mut expected = naive::chains(&graph, end, |node| bar == 0 || node != bar);
                    let found = cheapest(searched, end, ALL, price);
                    let cost = |chain: &Vec<u32>| -> u32 {
                        chain.iter().map(|&each| price(graph.source(each), each).unwrap()).sum()
                    };
                    assert!(found.iter().map(cost).is_sorted());
                    for most in [0, 1, 2] {
                        let few = cheapest(searched, end, Limits { chains: most, ..ALL }, price);
                        assert_eq!(few, found[..most.min(found.len())]);
                    }
                    let cheap = cheapest(searched, end, Limits { cost: 3, ..ALL }, price);
                    assert_eq!(cheap.len(), found.iter().filter(|chain| cost(chain) <= 3).count());
                    let mut found: Vec<Vec<u32>> = found.iter().map(|chain| nodes(&graph, chain)).collect();
                    found.sort();
                    expected.sort();
                    assert_eq!(found, expected);
                }
            }
        }
    }

    #[test]
    fn steps_are_bounded() {
        let graph = shapes::complete(40);
        let incoming = Incoming::find(&graph);
        let known = Cheapest::from_root(&graph, |_, _| Some(1));
        let searched = Graph {
            references: &graph,
            incoming: &incoming,
            cheapest: &known,
            order: &|reference| (0, reference),
        };
        let found = cheapest(searched, 7, Limits { steps: 10_000, ..ALL }, |_, _| Some(1));
        assert!((1000..=10_000).contains(&found.len()));
        assert_eq!(nodes(&graph, &found[0]), [7]);
    }
}
