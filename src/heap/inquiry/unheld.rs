//! What no root reaches: garbage that the collector has yet to free, or held by C code that no survey can look into.

use super::{Inquiry, State};
use crate::heap::facts::Facts;
use crate::heap::graph::deep::Reach;
use crate::heap::graph::nodes::NodeSet;

/// The rows that no root reaches.
pub struct Unheld {
    all: NodeSet,
    /// Those that C code holds, and what these reach.
    by_c: NodeSet,
}

impl State {
    /// What stands in place of a root.
    pub fn name(self) -> Option<&'static str> {
        match self {
            State::Held => None,
            State::HeldByC => Some("(held by C code)"),
            State::Garbage => Some("(garbage)"),
        }
    }
}

impl Unheld {
    pub fn state(&self, row: u32) -> State {
        match (self.all.contains(row), self.by_c.contains(row)) {
            (false, _) => State::Held,
            (true, true) => State::HeldByC,
            (true, false) => State::Garbage,
        }
    }
}

impl<F: Facts> Inquiry<F> {
    /// Everything that only the holder of the unreached leads to, and which of it has more references than are known.
    pub fn unheld(&mut self) -> Unheld {
        let all = self.network.dominated_by(self.network.adopter);
        let network = &self.network;
        let known = |row: u32| {
            let incoming = network.incoming.of(row).iter();
            incoming
                .filter(|&&reference| network.references.source(reference) != network.adopter)
                .count() as u64
        };
        let has_more = |facts: &mut F, row: u32| facts.unknown_references(row, known(row)) > 0;
        let surplus: Vec<u32> = all.iter().filter(|&row| has_more(&mut self.facts, row)).collect();
        let mut by_c = NodeSet::none_of(network.references.nodes());
        for &row in Reach::new(&network.references).nodes(&surplus, None) {
            by_c.insert(row);
        }
        Unheld { all, by_c }
    }
}
