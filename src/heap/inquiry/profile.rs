//! One object's facts: what it reaches, by attribute; and who refers to it, weak references apart.

use std::cmp::Reverse;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::alike::{Likenesses, NO_STEP};
use super::{Inquiry, Part, Profile, Sum, Weak};
use crate::heap::facts::{Facts, Nature};
use crate::heap::graph::deep::Reach;
use crate::heap::graph::nodes::NodeSet;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::objects::HEAP;
use crate::heap::paths::Link;

/// So many parts are told.
const MOST_PARTS: usize = 20;
/// What an object holds in more places than these is told by type.
const MOST_PLACES: usize = 64;
/// So many weak references are told.
const MOST_WEAK: usize = 20;

impl<F: Facts> Inquiry<F> {
    pub fn profile(&mut self, address: u64, row: u32) -> Profile {
        let parts = self.parts(row);
        let stop = self.bounds_of_objects();
        let network = &self.network;
        let mut reach = Reach::new(&network.references);
        let deep = reach.amount(&self.facts, &[row], Some(&stop));
        let mut told: Vec<Part> = Vec::new();
        for (name, type_name, rows) in parts {
            let sum = rows.iter().fold(Sum::default(), |sum, &row| Sum {
                count: sum.count + 1,
                bytes: sum.bytes.saturating_add(self.facts.bytes(row)),
                retained_bytes: sum.retained_bytes.saturating_add(self.retained_bytes(row)),
            });
            let entered: Vec<u32> = rows.into_iter().filter(|&row| !stop.contains(row)).collect();
            told.push(Part {
                name,
                type_name,
                sum,
                deep_bytes: reach
                    .amount(&self.facts, &entered, Some(&stop))
                    .bytes
                    .max(sum.retained_bytes),
            });
        }
        told.sort_by_key(|part| Reverse((part.deep_bytes, part.sum.bytes)));
        told.truncate(MOST_PARTS);
        Profile {
            address,
            deep_bytes: deep.bytes.max(self.retained_bytes(row)),
            deep_objects: u64::from(deep.nodes),
            parts: told,
        }
    }

    /// What a row holds, by name; what it holds in many places by type.
    fn parts(&mut self, row: u32) -> Vec<(String, Rc<str>, Vec<u32>)> {
        let links = self.links_below(row);
        let are_many = links.len() > MOST_PLACES;
        let mut numbers: FxHashMap<(String, u32), usize> = FxHashMap::default();
        let mut parts: Vec<(String, Rc<str>, Vec<u32>)> = Vec::new();
        let mut met: FxHashSet<u32> = FxHashSet::default();
        let mut likenesses = Likenesses::new();
        for link in links {
            if !met.insert(link.row) {
                continue;
            }
            let name = match are_many {
                true => {
                    let likeness = self.step_below(&mut likenesses, NO_STEP, link);
                    likenesses.path(likeness, None)
                }
                false => self.step(link),
            };
            let type_of = self.facts.kind_of(link.row);
            let number = *numbers.entry((name.clone(), type_of)).or_insert_with(|| {
                parts.push((name, self.facts.type_name(link.row), Vec::new()));
                parts.len() - 1
            });
            parts[number].2.push(link.row);
        }
        parts
    }

    /// What a row holds, what the dict behind its attributes holds among it; values come before keys.
    pub fn links_below(&self, row: u32) -> Vec<Link> {
        let network = &self.network;
        let mut links = Vec::new();
        let numbers = |row: u32| network.references.span(row).0..network.references.span(row).1;
        for reference in numbers(row) {
            let link = network.link(&self.facts, None, reference);
            match link.label == Label::NAMESPACE {
                true => links.extend(numbers(link.row).map(|inner| network.link(&self.facts, Some(reference), inner))),
                false => links.push(link),
            }
        }
        // The names of attributes are nobody's data.
        links.retain(|link| !(link.in_namespace && link.label.kind() == LabelKind::Unnamed) && link.row != HEAP);
        links.sort_by_key(|link| link.label.kind() == LabelKind::Unnamed);
        links
    }

    /// Modules, classes, functions and code: what a program is made of, and no part of any one object.
    pub fn bounds_of_objects(&self) -> NodeSet {
        NodeSet::where_true(self.facts.nodes(), |row| {
            matches!(
                self.facts.nature(row),
                Nature::Module | Nature::Class | Nature::Code | Nature::Function
            )
        })
    }

    /// By type, how many references lead to these rows from outside of them, the most first.
    pub fn referrers(&self, rows: &[u32]) -> Vec<(Rc<str>, u64)> {
        let network = &self.network;
        let mut counts: FxHashMap<Rc<str>, u64> = FxHashMap::default();
        for &row in rows {
            for &reference in network.incoming.of(row) {
                let source = network.references.source(reference);
                if source == HEAP || network.adopters.contains(&source) {
                    continue;
                }
                let name = match self.facts.is_object(source) {
                    true => self.facts.type_name(source),
                    false => "(thread, frame or interpreter)".into(),
                };
                *counts.entry(name).or_default() += 1;
            }
        }
        let mut counts: Vec<(Rc<str>, u64)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts
    }

    /// The weak references to these rows.
    pub fn weak_references(&mut self, rows: &[u32]) -> Vec<Weak> {
        let asked: FxHashSet<u32> = rows.iter().copied().collect();
        let mut holders: Vec<u32> = self
            .facts
            .weak_references()
            .iter()
            .filter(|each| asked.contains(&each.target))
            .map(|each| each.holder)
            .collect();
        holders.truncate(MOST_WEAK);
        let told = holders.into_iter().map(|row| {
            let chain = self.network.chain(row);
            Weak {
                path: self.chain(&chain, None).path,
                type_name: self.facts.type_name(row),
                address: self.facts.address(row),
            }
        });
        told.collect()
    }
}
