//! The heap as a graph with names, and what is asked of it over and over: sizes, dominators, the cheapest chains.

use crate::heap::found::Found;
use crate::heap::graph::cheapest::Cheapest;
use crate::heap::graph::dominators::Dominators;
use crate::heap::graph::incoming::Incoming;
use crate::heap::graph::references::{Malformed, References};
use crate::heap::graph::retained::Retained;
use crate::heap::graph::sizes::Sizes;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::objects::{HEAP, NO_OBJECT, Objects};
use crate::heap::paths::Link;
use crate::heap::tasks::{Task, is_call};

use super::prices::Prices;

/// Chains to what no root reaches cost more than any other.
const UNHELD: u32 = 1 << 31;

pub struct Network {
    pub references: References,
    labels: Vec<Label>,
    pub incoming: Incoming,
    prices: Prices,
    pub cheapest: Cheapest,
    pub sizes: Sizes,
    pub dominators: Dominators,
    pub retained: Retained,
    /// The holders that are no objects and hold what no root reaches.
    pub adopters: [u32; 2],
}

impl Network {
    /// Takes over the references, whose targets are rows; the rows `adopters` refer to what is `adopted` as well, and the
    /// heap to `tasks`.
    pub fn of(
        found: &mut Found,
        adopters: [u32; 2],
        adopted: Vec<(u32, Vec<u32>)>,
        tasks: &[Task],
    ) -> Result<Network, Malformed> {
        let (references, labels) = references(&mut found.objects, adopted, tasks)?;
        // What needs most room for itself comes first.
        let dominators = Dominators::find(&references);
        let sizes: Sizes = (0..references.nodes()).map(|row| found.objects.bytes(row)).collect();
        let retained = Retained::sum(&dominators, &sizes);
        let prices = Prices::of(found, &references, adopters, &labels);
        let price = |source, reference| price(&prices, &references, &labels, source, reference);
        let mut cheapest = Cheapest::from_root(&references, price);
        for adopter in adopters {
            cheapest.spread(&references, adopter, UNHELD, price);
        }
        Ok(Network {
            incoming: Incoming::find(&references),
            references,
            labels,
            prices,
            cheapest,
            sizes,
            dominators,
            retained,
            adopters,
        })
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
    pub fn link(&self, found: &Found, before: Option<u32>, reference: u32) -> Link {
        let row = self.target(reference);
        let above = before.map(|before| self.label(before));
        Link {
            row,
            parent: self.references.source(reference),
            label: self.label(reference),
            in_namespace: above == Some(Label::NAMESPACE),
            is_of_task: above.is_some_and(|above| above.kind() == LabelKind::Task) && is_call(found, row),
        }
    }

    /// The bytes of a row and of all that would go with it.
    pub fn retained_bytes(&self, row: u32) -> u64 {
        self.retained.of(&self.dominators, &self.sizes, row).bytes
    }

    /// Whether a row is an object, and not a thread, a frame or the interpreter.
    pub fn is_object(&self, found: &Found, row: u32) -> bool {
        found.objects.type_of(row) != NO_OBJECT
    }
}

fn price(prices: &Prices, references: &References, labels: &[Label], source: u32, reference: u32) -> Option<u32> {
    let target = references.targets()[reference as usize];
    let label = labels.get(reference as usize).copied().unwrap_or(Label::UNNAMED);
    prices.of_step(source, reference, target, label)
}

/// The references of all rows and their labels, by number. The references are taken out of the rows.
fn references(
    objects: &mut Objects,
    mut adopted: Vec<(u32, Vec<u32>)>,
    tasks: &[Task],
) -> Result<(References, Vec<Label>), Malformed> {
    let mut labels = Vec::with_capacity(objects.reference_count() + tasks.len());
    for row in 0..objects.count() as u32 {
        labels.extend(objects.references(row).iter().map(|reference| reference.label));
        if row == HEAP {
            labels.extend(tasks.iter().map(|task| task.label));
        }
        if let Some((_, adopted)) = adopted.iter().find(|(adopter, _)| *adopter == row) {
            labels.resize(labels.len() + adopted.len(), Label::UNNAMED);
        }
    }
    let running = tasks.iter().map(|task| task.row).collect();
    adopted.push((HEAP, running));
    Ok((objects.take_references(&adopted)?, labels))
}
