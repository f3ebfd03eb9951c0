//! Which variables may still be read from each place: those that are read on some way onwards before they are written.

use super::decode::{Access, Instruction};
use super::graph::Node;

/// What a search may cost, in words of 64 variables that are looked at. Code that people write takes a few thousand; a loop
/// in a loop is gone through once more.
const MOST_WORK: usize = 1 << 24;
/// What the sets of all places may take, in the same words.
const MOST_WORDS: usize = 1 << 22;

/// For each node the variables that may be read from there on, the node itself included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Liveness {
    /// The words of a set.
    words: usize,
    sets: Vec<u64>,
}

impl Liveness {
    /// Of `variables` variables; `None` when the search would cost too much.
    pub fn search(nodes: &[Node], instructions: &[Instruction], variables: u32) -> Option<Liveness> {
        let words = (variables as usize).div_ceil(64).max(1);
        let mut liveness = Liveness {
            words,
            sets: vec![0; nodes.len().checked_mul(words).filter(|&all| all <= MOST_WORDS)?],
        };
        // What comes later in the code mostly comes later when it runs, so that few rounds suffice.
        let mut order: Vec<usize> = (0..nodes.len()).collect();
        order.sort_unstable_by_key(|&node| std::cmp::Reverse(nodes[node].instruction));
        let mut set = vec![0; words];
        let mut work = 0;
        let mut has_changed = true;
        while has_changed {
            work += liveness.sets.len();
            if work > MOST_WORK {
                return None;
            }
            has_changed = false;
            for &number in &order {
                let node = &nodes[number];
                liveness.behind(node, &mut set);
                for access in instructions
                    .get(node.instruction as usize)?
                    .accesses
                    .iter()
                    .rev()
                    .flatten()
                {
                    apply(*access, &mut set);
                }
                if let Some(handler) = node.handler {
                    liveness.add(handler, &mut set);
                }
                let known = &mut liveness.sets[number * words..][..words];
                if known != set {
                    known.copy_from_slice(&set);
                    has_changed = true;
                }
            }
        }
        Some(liveness)
    }

    /// Makes `set` what may be read behind a node, exceptions apart.
    fn behind(&self, node: &Node, set: &mut [u64]) {
        set.fill(0);
        for next in node.next.into_iter().flatten() {
            self.add(next, set);
        }
    }

    fn add(&self, node: u32, set: &mut [u64]) {
        for (word, more) in set.iter_mut().zip(self.words_of(node)) {
            *word |= more;
        }
    }

    fn words_of(&self, node: u32) -> &[u64] {
        self.sets
            .get(node as usize * self.words..)
            .unwrap_or_default()
            .get(..self.words)
            .unwrap_or_default()
    }

    /// Whether `variable` may be read from the node on.
    pub fn is_read_from(&self, node: u32, variable: u32) -> bool {
        let word = self.words_of(node).get(variable as usize / 64);
        word.is_some_and(|word| word >> (variable % 64) & 1 == 1)
    }
}

fn apply(access: Access, set: &mut [u64]) {
    let (Access::Read(variable) | Access::Write(variable)) = access;
    let Some(word) = set.get_mut(variable as usize / 64) else {
        return;
    };
    let bit = 1 << (variable % 64);
    match access {
        Access::Read(_) => *word |= bit,
        Access::Write(_) => *word &= !bit,
    }
}
