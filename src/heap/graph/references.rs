//! References in compressed rows: the targets of all nodes in one array, and where the row of each node begins.
//!
//! Nodes that refer to nothing need no row when they come last. Four bytes a row and four a reference. The same form
//! holds the reversed graph (`reversed`), made by a counting sort.

use thiserror::Error;

/// Why a graph could not be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("a heap graph holds at most {} references", u32::MAX)]
    TooManyReferences,
    #[error("a heap graph holds at most {} nodes", u32::MAX - 1)]
    TooManyNodes,
    #[error("the references of node {source_node} came after those of node {expected}")]
    OutOfOrder { source_node: u32, expected: u32 },
    #[error("a reference leads to node {target}, but there are only {nodes} nodes")]
    UnknownTarget { target: u32, nodes: u32 },
    #[error("the beginnings of the rows do not rise from 0 to the number of references")]
    BrokenRows,
    #[error("{rows} rows were given for {nodes} nodes")]
    TooManyRows { rows: u32, nodes: u32 },
}

/// The references of a graph, by the node that they start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    /// Where each row begins, and where the last one ends.
    starts: Vec<u32>,
    targets: Vec<u32>,
    nodes: u32,
}

impl References {
    /// Takes rows that are there already: row `n` is `targets[starts[n]..starts[n + 1]]`. Further ones of the `nodes` are
    /// leaves.
    pub fn from_rows(starts: Vec<u32>, targets: Vec<u32>, nodes: u32) -> Result<Self, Malformed> {
        let rows = match u32::try_from(starts.len()) {
            Ok(0) => return Err(Malformed::BrokenRows),
            Ok(u32::MAX) | Err(_) => return Err(Malformed::TooManyNodes),
            Ok(starts) => starts - 1,
        };
        if rows > nodes {
            return Err(Malformed::TooManyRows { rows, nodes });
        }
        if nodes == u32::MAX {
            return Err(Malformed::TooManyNodes);
        }
        let count = u32::try_from(targets.len()).map_err(|_| Malformed::TooManyReferences)?;
        if starts.first() != Some(&0) || starts.last() != Some(&count) || !starts.is_sorted() {
            return Err(Malformed::BrokenRows);
        }
        match targets.iter().copied().max() {
            Some(target) if target >= nodes => Err(Malformed::UnknownTarget { target, nodes }),
            _ => Ok(References { starts, targets, nodes }),
        }
    }

    /// The number of nodes, the virtual root included.
    #[inline]
    pub fn nodes(&self) -> u32 {
        self.nodes
    }

    /// The number of nodes that have a row, even an empty one. They come first; those behind them are leaves.
    #[inline]
    pub fn holders(&self) -> u32 {
        (self.starts.len() - 1) as u32
    }

    /// The number of references.
    pub fn count(&self) -> u32 {
        self.targets.len() as u32
    }

    /// What `node` refers to, in the order given, with repetitions.
    #[inline]
    pub fn of(&self, node: u32) -> &[u32] {
        let (start, end) = self.span(node);
        &self.targets[start as usize..end as usize]
    }

    /// Where the row of `node` begins and ends in `targets`. The position of a reference is its number, under which a
    /// caller may keep more about it, such as its name.
    #[inline]
    pub fn span(&self, node: u32) -> (u32, u32) {
        match self.starts.get(node as usize..node as usize + 2) {
            Some(&[start, end]) => (start, end),
            _ => (self.count(), self.count()),
        }
    }

    /// The node that a reference starts from, by the reference's number.
    pub fn source(&self, number: u32) -> u32 {
        // Rows without references begin where the next one does: the last such beginning is the right one.
        (self.starts.partition_point(|&start| start <= number) as u32).saturating_sub(1)
    }

    /// The targets of all references, by number.
    #[inline]
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// Each node that has a row with that, in order.
    pub fn rows(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let spans = self.starts.windows(2).zip(0..);
        spans.map(|(span, node)| (node, &self.targets[span[0] as usize..span[1] as usize]))
    }

    /// The same references by the node that they lead to: each node's referrers, in order.
    pub fn reversed(&self) -> References {
        let mut starts = vec![0; self.nodes as usize + 1];
        for &target in &self.targets {
            starts[target as usize + 1] += 1;
        }
        // Each row's beginning stands one place early and moves to its end, the next row's beginning, as it is filled.
        let mut sum = 0;
        for start in &mut starts[1..] {
            sum += std::mem::replace(start, sum);
        }
        let mut sources = vec![0; self.targets.len()];
        for (source, row) in self.rows() {
            for &target in row {
                let free = &mut starts[target as usize + 1];
                sources[*free as usize] = source;
                *free += 1;
            }
        }
        References {
            starts,
            targets: sources,
            nodes: self.nodes,
        }
    }
}

/// Builds a graph from a stream of references.
#[derive(Debug, Default)]
pub struct Builder {
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Builder {
    /// Room for so many is made at once; more are welcome.
    pub fn with_capacity(nodes: usize, references: usize) -> Self {
        Builder {
            starts: Vec::with_capacity(nodes.saturating_add(1)),
            targets: Vec::with_capacity(references),
        }
    }

    /// Adds all references of `source`. Sources come in rising order; those left out have no references.
    pub fn add(&mut self, source: u32, targets: impl IntoIterator<Item = u32>) -> Result<(), Malformed> {
        self.begin(source)?;
        self.targets.extend(targets);
        Ok(())
    }

    /// Begins the row of `source`, for `refer`. Sources come in rising order; those left out have no references.
    pub fn begin(&mut self, source: u32) -> Result<(), Malformed> {
        let expected = self.starts.len();
        if (source as usize) < expected {
            return Err(Malformed::OutOfOrder {
                source_node: source,
                expected: expected as u32,
            });
        }
        let start = u32::try_from(self.targets.len()).map_err(|_| Malformed::TooManyReferences)?;
        self.starts.resize(source as usize + 1, start);
        Ok(())
    }

    /// Adds one reference to the row begun last.
    #[inline]
    pub fn refer(&mut self, target: u32) {
        self.targets.push(target);
    }

    /// The graph of so many nodes.
    pub fn finish(mut self, nodes: u32) -> Result<References, Malformed> {
        let begun = self.starts.len();
        if (nodes as usize) < begun {
            return Err(Malformed::OutOfOrder {
                source_node: begun as u32 - 1,
                expected: nodes,
            });
        }
        let end = u32::try_from(self.targets.len()).map_err(|_| Malformed::TooManyReferences)?;
        // The last rows may be empty; the root has one.
        while self.starts.len() > 1 && self.starts.last() == Some(&end) {
            self.starts.pop();
        }
        self.starts.resize(self.starts.len().max(nodes.min(1) as usize), 0);
        self.starts.push(end);
        References::from_rows(self.starts, self.targets, nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::shapes;
    use super::*;

    #[test]
    fn rows_come_back_as_given() {
        let mut builder = Builder::with_capacity(4, 4);
        builder.add(0, [1, 3]).unwrap();
        builder.begin(2).unwrap();
        builder.refer(2);
        builder.refer(0);
        let graph = builder.finish(4).unwrap();
        let rows: Vec<_> = graph.rows().map(|(node, row)| (node, row.to_vec())).collect();
        assert_eq!(rows, [(0, vec![1, 3]), (1, vec![]), (2, vec![2, 0])]);
        assert_eq!((graph.span(2), graph.of(2)), ((2, 4), &[2, 0][..]));
        assert_eq!((graph.span(3), graph.of(3)), ((4, 4), &[][..]));
        assert_eq!((graph.nodes(), graph.holders(), graph.count()), (4, 3, 4));
    }

    #[test]
    fn what_cannot_be_a_graph_is_refused() {
        let mut builder = Builder::default();
        builder.add(1, [0]).unwrap();
        let again = builder.add(1, [0]);
        assert!(matches!(
            again,
            Err(Malformed::OutOfOrder {
                source_node: 1,
                expected: 2
            })
        ));
        assert_eq!(
            References::from_rows(vec![0, 1], vec![1], 1),
            Err(Malformed::UnknownTarget { target: 1, nodes: 1 })
        );
        assert_eq!(
            References::from_rows(vec![0, 1, 1], vec![0], 1),
            Err(Malformed::TooManyRows { rows: 2, nodes: 1 })
        );
        for starts in [vec![], vec![0, 2], vec![1, 1], vec![0, 1, 0, 1]] {
            assert_eq!(References::from_rows(starts, vec![0], 9), Err(Malformed::BrokenRows));
        }
        let mut builder = Builder::default();
        builder.begin(3).unwrap();
        assert!(builder.finish(3).is_err());
    }

    #[test]
    fn each_reference_is_found_from_its_target() {
        for graph in shapes::many(500) {
            let mut expected: Vec<(u32, u32)> = Vec::new();
            for (source, row) in graph.rows() {
                expected.extend(row.iter().map(|&target| (target, source)));
            }
            expected.sort_unstable();
            let reversed = graph.reversed();
            let found: Vec<(u32, u32)> = reversed
                .rows()
                .flat_map(|(target, row)| row.iter().map(move |&source| (target, source)))
                .collect();
            assert_eq!(found, expected);
            assert_eq!(reversed.nodes(), graph.nodes());
        }
    }
}
