//! References by the node that they lead to, each by its number, so that its name can be had.

use super::references::References;

/// The numbers of the references that lead to each node.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// By node: where the references to it begin, and where the last one's end.
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl Incoming {
    pub fn find(references: &References) -> Self {
        let mut starts = vec![0; references.nodes() as usize + 1];
        for &target in references.targets() {
            starts[target as usize + 1] += 1;
        }
        // Each beginning stands one place early and moves to its end, the next one's beginning, as it is filled.
        let mut sum = 0;
        for start in &mut starts[1..] {
            sum += std::mem::replace(start, sum);
        }
        let mut numbers = vec![0; references.targets().len()];
        for (&target, number) in references.targets().iter().zip(0..) {
            let free = &mut starts[target as usize + 1];
            numbers[*free as usize] = number;
            *free += 1;
        }
        Incoming { starts, numbers }
    }

    /// The numbers of the references to `node`, in order.
    pub fn of(&self, node: u32) -> &[u32] {
        let at = node as usize;
        &self.numbers[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::super::shapes;
    use super::*;

    #[test]
    fn their_sources_are_those_of_the_reversed_graph() {
        for graph in shapes::many(500) {
            let (incoming, reversed) = (Incoming::find(&graph), graph.reversed());
            for node in 0..graph.nodes() {
                let numbers = incoming.of(node);
                assert!(numbers.iter().all(|&number| graph.targets()[number as usize] == node));
                let sources: Vec<u32> = numbers.iter().map(|&number| graph.source(number)).collect();
                assert_eq!(sources, reversed.of(node));
            }
        }
    }
}
