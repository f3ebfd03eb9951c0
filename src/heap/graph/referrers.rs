//! The referrers of some chosen nodes, found in two passes over all references, without reversing the whole graph.

use super::nodes::{NodeSet, RankedSet};
use super::references::References;

/// Who refers to the chosen nodes.
#[derive(Debug, Clone)]
pub struct Referrers {
    chosen: RankedSet,
    /// By rank in `chosen`: where each node's referrers begin, and where the last one's end.
    starts: Vec<u32>,
    sources: Vec<u32>,
}

impl Referrers {
    pub fn find(references: &References, chosen: NodeSet) -> Self {
        let chosen = RankedSet::new(chosen);
        let mut starts = vec![0; chosen.len() as usize + 1];
        for &target in references.targets() {
            if let Some(rank) = chosen.rank(target) {
                starts[rank as usize + 1] += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts[1..] {
            sum += std::mem::replace(start, sum);
        }
        let mut sources = vec![0; sum as usize];
        for (source, row) in references.rows() {
            for &target in row {
                if let Some(rank) = chosen.rank(target) {
                    let free = &mut starts[rank as usize + 1];
                    sources[*free as usize] = source;
                    *free += 1;
                }
            }
        }
        Referrers {
            chosen,
            starts,
            sources,
        }
    }

    /// The referrers of `node` in order, with repetitions; `None` when it was not chosen.
    pub fn of(&self, node: u32) -> Option<&[u32]> {
        let rank = self.chosen.rank(node)? as usize;
        Some(&self.sources[self.starts[rank] as usize..self.starts[rank + 1] as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::super::shapes;
    use super::*;

    #[test]
    fn they_are_those_of_the_reversed_graph() {
        for graph in shapes::many(500) {
            let chosen = NodeSet::where_true(graph.nodes(), |node| node % 3 == 1);
            let referrers = Referrers::find(&graph, chosen.clone());
            let reversed = graph.reversed();
            for node in 0..graph.nodes() {
                let expected = chosen.contains(node).then(|| reversed.of(node));
                assert_eq!(referrers.of(node), expected);
            }
        }
    }
}
