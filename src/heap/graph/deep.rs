//! Deep sizes: all that a node reaches, no matter who else reaches it too, as `pympler.asizeof` counts.

use super::ROOT;
use super::nodes::NodeSet;
use super::references::References;
use super::retained::Amount;
use super::sizes::BytesOf;

/// Finds what nodes reach, one question after the other.
#[derive(Debug)]
pub struct Reach<'a> {
    references: &'a References,
    /// The nodes met, all taken out again after each question.
    met: NodeSet,
    /// The nodes met, in the order of coming; those whose references have been followed stay.
    found: Vec<u32>,
}

impl<'a> Reach<'a> {
    pub fn new(references: &'a References) -> Self {
        Reach {
            references,
            met: NodeSet::none_of(references.nodes()),
            found: Vec::new(),
        }
    }

    /// What `starts` reach, themselves included and each node once. The nodes of `stop`, such as modules and types, are
    /// neither counted nor passed, unless they are among the starts.
    pub fn amount(&mut self, sizes: &impl BytesOf, starts: &[u32], stop: Option<&NodeSet>) -> Amount {
        let nodes = self.nodes(starts, stop);
        let bytes = nodes
            .iter()
            .fold(0, |sum: u64, &node| sum.saturating_add(sizes.of(node)));
        Amount {
            bytes,
            nodes: nodes.len() as u32,
        }
    }

    /// The nodes that `amount` counts, nearest first.
    pub fn nodes(&mut self, starts: &[u32], stop: Option<&NodeSet>) -> &[u32] {
        self.found.clear();
        let Reach {
            references, met, found, ..
        } = self;
        found.extend(starts.iter().filter(|&&start| met.insert(start)));
        let mut next = 0;
        while let Some(&node) = found.get(next) {
            next += 1;
            // What turned out to be no reference leads to the root.
            let wanted = |&&target: &&u32| target != ROOT && stop.is_none_or(|stop| !stop.contains(target));
            found.extend(
                references
                    .of(node)
                    .iter()
                    .filter(wanted)
                    .filter(|&&target| met.insert(target)),
            );
        }
        for &node in found.iter() {
            met.remove(node);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::sizes::Sizes;
    use super::super::{naive, shapes};
    use super::*;

    #[test]
    fn all_that_is_reached_counts_once() {
        for graph in shapes::many(1000) {
            let sizes: Sizes = (0..u64::from(graph.nodes())).map(|node| 1 << node).collect();
            let mut reach = Reach::new(&graph);
            let stop = NodeSet::where_true(graph.nodes(), |node| node % 4 == 3);
            for start in 0..graph.nodes() {
                for stop in [None, Some(&stop)] {
                    let expected = naive::reached_from(&graph, start, |node| {
                        node == ROOT || stop.is_some_and(|stop| stop.contains(node))
                    });
                    let amount = reach.amount(&sizes, &[start, start], stop);
                    assert_eq!(amount.nodes, expected.len());
                    assert_eq!(amount.bytes, expected.iter().map(|node| 1_u64 << node).sum::<u64>());
                }
            }
        }
    }
}
