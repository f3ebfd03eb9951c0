//! The heap as a graph with names, and what is asked of it over and over: sizes, dominators, the cheapest chains.

use crate::heap::facts::Facts;
use crate::heap::graph::cheapest::Cheapest;
use crate::heap::graph::dominators::Dominators;
use crate::heap::graph::incoming::Incoming;
use crate::heap::graph::references::References;
use crate::heap::graph::retained::Retained;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::paths::Link;

use super::State;
use super::prices::Prices;

/// Chains from what C code holds cost more than those from roots, and chains from what is garbage more than these, so that
/// a cost tells what keeps an object alive.
const BY_C: u32 = 1 << 31;
const GARBAGE: u32 = 3 << 30;

pub struct Network {
    pub references: References,
    labels: Vec<Label>,
    pub incoming: Incoming,
    prices: Prices,
    pub cheapest: Cheapest,
    pub dominators: Dominators,
    pub retained: Retained,
    /// The holders that are no objects and hold what no root reaches.
    pub adopters: [u32; 2],
}

impl Network {
    /// The references come with a label each.
    pub fn of(facts: &mut impl Facts, references: References, labels: Vec<Label>, adopters: [u32; 2]) -> Network {
        // What needs most room for itself comes first.
        let dominators = Dominators::find(&references);
        let retained = Retained::sum(&dominators, facts);
        let prices = Prices::of(facts, &references, adopters, &labels);
        let price = |source, reference| price(&prices, &references, &labels, source, reference);
        let mut cheapest = Cheapest::from_root(&references, price);
        for (adopter, cost) in adopters.into_iter().zip([BY_C, GARBAGE]) {
            cheapest.spread(&references, adopter, cost, price);
        }
        Network {
            incoming: Incoming::find(&references),
            references,
            labels,
            prices,
            cheapest,
            dominators,
            retained,
            adopters,
        }
    }

    pub fn label(&self, reference: u32) -> Label {
        self.labels.get(reference as usize).copied().unwrap_or(Label::UNNAMED)
    }

    pub fn target(&self, reference: u32) -> u32 {
        self.references.targets()[reference as usize]
    }

    /// What a reference costs the reader of a chain; `None` for the way to what no root reaches.
    pub fn price(&self, source: u32, reference: u32) -> Option<u32> {
        price(&self.prices, &self.references, &self.labels, source, reference)
    }

    /// The cheapest chain to a row, as the numbers of its references from the root on.
    pub fn chain(&self, row: u32) -> Vec<u32> {
        let mut chain = Vec::new();
        let mut at = row;
        while let Some(reference) = self.cheapest.through(at) {
            chain.push(reference);
            at = self.references.source(reference);
        }
        if self.adopters.contains(&at) {
            // What no root reaches has a start of its own, which the heap holds.
            chain.extend(self.incoming.of(at).first());
        }
        chain.reverse();
        chain
    }

    /// A reference that comes behind another one in a chain, as a link of it.
    pub fn link(&self, facts: &impl Facts, before: Option<u32>, reference: u32) -> Link {
        let row = self.target(reference);
        let parent = self.references.source(reference);
        let above = before.map(|before| self.label(before));
        let in_namespace = above == Some(Label::NAMESPACE);
        let of_object = match before {
            Some(before) if in_namespace => {
                let object = self.references.source(before);
                self.cheapest.through(object).map(|reference| self.label(reference))
            }
            _ => above,
        };
        Link {
            row,
            parent,
            label: self.label(reference),
            in_namespace,
            is_of_attributes: !in_namespace && self.is_namespace(parent),
            is_of_task: of_object.is_some_and(|label| label.kind() == LabelKind::Task) && facts.is_call(row),
        }
    }

    /// Where a reference stands, however rows are numbered: by its holder's address, and in this in the order given.
    pub fn place(&self, facts: &impl Facts, reference: u32) -> (u64, u32) {
        let source = self.references.source(reference);
        let (start, _) = self.references.span(source);
        let holder = match facts.address(source) {
            0 => u64::from(source),
            address => address,
        };
        (holder, reference - start)
    }

    /// The bytes of a row and of all that would go with it.
    pub fn retained_bytes(&self, facts: &impl Facts, row: u32) -> u64 {
        self.retained.of(&self.dominators, facts, row).bytes
    }

    /// Whether a row is a dict behind attributes.
    pub fn is_namespace(&self, row: u32) -> bool {
        self.prices.namespaces.contains(row)
    }

    /// What keeps a row alive.
    pub fn state(&self, row: u32) -> State {
        match self.cheapest.cost(row) {
            Some(..BY_C) => State::Held,
            Some(BY_C..GARBAGE) => State::HeldByC,
            _ => State::Garbage,
        }
    }
}

fn price(prices: &Prices, references: &References, labels: &[Label], source: u32, reference: u32) -> Option<u32> {
    let target = references.targets()[reference as usize];
    let label = labels.get(reference as usize).copied().unwrap_or(Label::UNNAMED);
    prices.of_step(source, reference, target, label)
}
