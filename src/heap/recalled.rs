//! What can be asked of a heap that was saved: its [`Detail`], without the memory that it was read from.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::TypeTotals;
use super::detail::{Detail, NO_TYPE};
use super::facts::{Facts, Kind, WeakReference};
use super::graph::references::{Malformed, References};
use super::labels::{Label, LabelKind};

pub struct Recalled {
    detail: Detail,
    /// That of what is no object, then the types of the heap.
    kinds: Vec<Kind>,
    /// The labels of members that were asked for by name.
    members: FxHashMap<String, Label>,
    rejected: u64,
}

impl Recalled {
    pub fn new(detail: Detail, types: &[TypeTotals], rejected: u64) -> Self {
        let none = Kind {
            name: "".into(),
            nature: Default::default(),
            count: 0,
            bytes: 0,
        };
        let kind = |each: &TypeTotals| Kind {
            name: Rc::clone(&each.name),
            nature: each.nature,
            count: each.count,
            bytes: each.bytes,
        };
        Recalled {
            detail,
            kinds: std::iter::once(none).chain(types.iter().map(kind)).collect(),
            members: FxHashMap::default(),
            rejected,
        }
    }

    /// Takes the references out, with a label each.
    pub fn take_references(&mut self) -> Result<(References, Vec<Label>), Malformed> {
        let namespaces = self.detail.namespaces();
        let ends = std::mem::take(&mut self.detail.ends);
        let references = std::mem::take(&mut self.detail.references);
        let mut labels: Vec<Label> = references.iter().map(|held| held.label()).collect();
        for namespace in namespaces.iter() {
            let start = namespace.checked_sub(1).map_or(0, |before| ends[before as usize]);
            for label in &mut labels[start as usize..ends[namespace as usize] as usize] {
                // What a namespace has under a key is an attribute only to those who come from its owner.
                if label.kind() == LabelKind::Attribute {
                    *label = Label::new(LabelKind::Value, u64::from(label.number()));
                }
            }
        }
        let targets = references.into_iter().map(|held| held.target).collect();
        let starts = std::iter::once(0).chain(ends).collect();
        Ok((References::from_rows(starts, targets, self.nodes())?, labels))
    }

    /// The holders of what no root reaches: the last of those that are no objects.
    pub fn adopters(&self) -> [u32; 2] {
        let holders = self.detail.holders as u32;
        [2, 1].map(|from_end| holders.saturating_sub(from_end))
    }

    fn text(&self, label: Label) -> Option<Rc<str>> {
        let is_known = label.kind() != LabelKind::Entry;
        let name = self.detail.names.get(label.number() as usize).filter(|_| is_known)?;
        Some(Rc::clone(name))
    }
}

impl Facts for Recalled {
    fn nodes(&self) -> u32 {
        self.detail.count() as u32
    }

    fn address(&self, node: u32) -> u64 {
        self.detail.addresses[node as usize]
    }

    fn bytes(&self, node: u32) -> u64 {
        self.detail.bytes[node as usize]
    }

    fn kind_of(&self, node: u32) -> u32 {
        match self.detail.types[node as usize] {
            NO_TYPE => 0,
            number => number + 1,
        }
    }

    fn kind(&self, number: u32) -> &Kind {
        &self.kinds[number as usize]
    }

    fn kinds(&self) -> u32 {
        self.kinds.len() as u32
    }

    fn is_object(&self, node: u32) -> bool {
        node as usize >= self.detail.holders
    }

    fn member(&mut self, name: &str) -> Label {
        if let Some(&known) = self.members.get(name) {
            return known;
        }
        let names = &mut self.detail.names;
        let number = names.iter().position(|each| &**each == name).unwrap_or_else(|| {
            names.push(name.into());
            names.len() - 1
        });
        let label = Label::new(LabelKind::Member, number as u64);
        self.members.insert(name.to_owned(), label);
        label
    }

    fn name_number(&mut self, _holder: u32, label: Label) -> u32 {
        label.number()
    }

    fn name(&mut self, _holder: u32, label: Label) -> Option<Rc<str>> {
        self.text(label)
    }

    fn key(&mut self, _holder: u32, label: Label) -> Option<Rc<str>> {
        self.text(label)
    }

    fn call(&mut self, node: u32) -> Option<Rc<str>> {
        let &text = self.detail.calls.get(&node)?;
        self.detail.names.get(text as usize).map(Rc::clone)
    }

    fn variable(&mut self, _code: u32, closure: u32, place: u32) -> Option<Rc<str>> {
        let &name = self.detail.variables.get(&(closure, place))?;
        self.detail.names.get(name as usize).map(Rc::clone)
    }

    fn weak_references(&mut self) -> Vec<WeakReference> {
        self.detail.weak.clone()
    }

    fn rejected(&self) -> u64 {
        self.rejected
    }
}
