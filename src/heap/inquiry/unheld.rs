//! What no root reaches: garbage that the collector has yet to free, or held by C code that no survey can look into.

use cpython::memory::ReadMemory;

use super::{Inquiry, State};
use crate::heap::graph::deep::Reach;
use crate::heap::graph::dominated::Dominated;
use crate::heap::graph::nodes::NodeSet;
use crate::heap::leftovers::REFERENCE_COUNT;

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

impl<M: ReadMemory> Inquiry<'_, '_, M> {
    /// Everything that only the holder of the unreached leads to, and which of it has more references than are known.
    pub fn unheld(&mut self) -> Unheld {
        let dominated = Dominated::find(&self.network.dominators);
        let network = &self.network;
        let mut all = NodeSet::none_of(network.references.nodes());
        let mut open = vec![network.adopter];
        while let Some(row) = open.pop() {
            for &below in dominated.of(&network.dominators, row) {
                all.insert(below);
                open.push(below);
            }
        }
        let surplus: Vec<u32> = all.iter().filter(|&row| self.has_unknown_holder(row)).collect();
        let mut by_c = NodeSet::none_of(self.network.references.nodes());
        for &row in Reach::new(&self.network.references).nodes(&surplus, None) {
            by_c.insert(row);
        }
        Unheld { all, by_c }
    }

    /// Whether an object has more references than lead to it.
    fn has_unknown_holder(&mut self, row: u32) -> bool {
        let network = &self.network;
        let known = network.incoming.of(row).iter();
        let known = known.filter(|&&reference| network.references.source(reference) != network.adopter);
        let known = known.count() as u64;
        let counter = self.address(row).wrapping_add(self.layout.object.refcnt);
        let count = self.memory.word(counter).unwrap_or(0) & REFERENCE_COUNT;
        count > known
    }
}
