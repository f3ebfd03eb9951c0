//! The cheapest chain from the root to each node, where every reference has a price: a whole number below 128, 0 included.
//!
//! Dijkstra's algorithm with a bucket for each cost (R. Dial, "Algorithm 360: Shortest-path forest with topological
//! ordering", 1969): prices are small, so that no queue has to be kept in order.

use super::references::References;
use super::{NO_NODE, ROOT};

/// Prices are less than this.
pub const PRICE_LIMIT: u32 = 128;
/// The cost of what is not reached.
const NOT_REACHED: u32 = u32::MAX;

/// The cheapest chains from the virtual root, and from further starts.
#[derive(Debug, Clone)]
pub struct Cheapest {
    cost: Vec<u32>,
    /// The reference through which each node is reached; `NO_NODE` for the starts and for what is not reached.
    through: Vec<u32>,
}

impl Cheapest {
    /// Finds the chains from the root. `price` is asked with a reference's source and number; `None` bars it. Of several
    /// chains of the same cost the one met first counts.
    pub fn from_root(references: &References, price: impl Fn(u32, u32) -> Option<u32>) -> Self {
        let nodes = references.nodes() as usize;
        let mut cheapest = Cheapest {
            cost: vec![NOT_REACHED; nodes],
            through: vec![NO_NODE; nodes],
        };
        cheapest.spread(references, ROOT, 0, price);
        cheapest
    }

    /// Finds the chains that begin at `start`, which costs `cost`, as far as they are cheaper than what is known.
    pub fn spread(&mut self, references: &References, start: u32, cost: u32, price: impl Fn(u32, u32) -> Option<u32>) {
        let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); PRICE_LIMIT as usize];
        if self.cost[start as usize] <= cost {
            return;
        }
        self.cost[start as usize] = cost;
        self.through[start as usize] = NO_NODE;
        buckets[(cost % PRICE_LIMIT) as usize].push(start);
        let (mut at, mut waiting) = (cost, 1_u64);
        while waiting > 0 {
            let mut bucket = std::mem::take(&mut buckets[(at % PRICE_LIMIT) as usize]);
            let mut next = 0;
            // References that cost nothing add to the bucket that is being emptied.
            while let Some(&source) = bucket.get(next) {
                next += 1;
                waiting -= 1;
                if self.cost[source as usize] != at {
                    continue;
                }
                let (start, end) = references.span(source);
                let targets = &references.targets()[start as usize..end as usize];
                for (&target, reference) in targets.iter().zip(start..) {
                    let Some(price) = price(source, reference) else {
                        continue;
                    };
                    let cost = at.saturating_add(price.min(PRICE_LIMIT - 1));
                    if cost < self.cost[target as usize] {
                        self.cost[target as usize] = cost;
                        self.through[target as usize] = reference;
                        waiting += 1;
                        match cost == at {
                            true => bucket.push(target),
                            false => buckets[(cost % PRICE_LIMIT) as usize].push(target),
                        }
                    }
                }
            }
            bucket.clear();
            buckets[(at % PRICE_LIMIT) as usize] = bucket;
            at = at.saturating_add(1);
        }
    }

    /// What the chain to `node` costs; `None` when it is not reached.
    #[inline]
    pub fn cost(&self, node: u32) -> Option<u32> {
        match self.cost[node as usize] {
            NOT_REACHED => None,
            cost => Some(cost),
        }
    }

    /// The reference through which `node` is reached; `None` for a start, and for what is not reached.
    #[inline]
    pub fn through(&self, node: u32) -> Option<u32> {
        match self.through[node as usize] {
            NO_NODE => None,
            reference => Some(reference),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{naive, shapes};
    use super::*;

    #[test]
    fn no_chain_is_cheaper() {
        for (number, graph) in (0_u32..).zip(shapes::many(2000)) {
            let price = |source: u32, reference: u32| match (source * 7 + reference * 5 + number) % 11 {
                0 => None,
                other => Some(other * other % 17),
            };
            let found = Cheapest::from_root(&graph, price);
            let expected = naive::costs(&graph, price);
            for node in 0..graph.nodes() {
                assert_eq!(found.cost(node), expected[node as usize]);
                let mut at = node;
                while let Some(reference) = found.through(at) {
                    let source = graph.source(reference);
                    assert_eq!(graph.targets()[reference as usize], at);
                    let before = found.cost(source).unwrap() + price(source, reference).unwrap();
                    assert_eq!(found.cost(at), Some(before));
                    at = source;
                }
                assert_eq!(at == ROOT, found.cost(node).is_some());
            }
        }
    }

    #[test]
    fn a_second_start_reaches_what_the_first_did_not() {
        let graph = shapes::from_rows(&[&[1], &[2], &[], &[2, 4], &[]]);
        let mut found = Cheapest::from_root(&graph, |_, _| Some(3));
        assert_eq!((found.cost(2), found.cost(4)), (Some(6), None));
        found.spread(&graph, 3, 1000, |_, _| Some(3));
        assert_eq!(
            (found.cost(2), found.cost(4), found.through(3)),
            (Some(6), Some(1003), None)
        );
    }

    #[test]
    fn a_long_list_is_followed_to_its_end() {
        let links = 1_000_000;
        let mut builder = super::super::references::Builder::default();
        (0..links).for_each(|node| builder.add(node, [node + 1]).unwrap());
        let found = Cheapest::from_root(&builder.finish(links + 1).unwrap(), |_, _| Some(127));
        assert_eq!(found.cost(links), Some(127 * links));
    }
}
