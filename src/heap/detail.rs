//! Every object and every reference of a heap, with names, free of the program that it was read from.
//!
//! Objects have numbers. The first ones stand for holders that are no objects: 0 for the heap as a whole, then its
//! threads, frames and the like; behind these come the objects in the order of their addresses.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::facts::WeakReference;
use super::graph::nodes::NodeSet;
use super::labels::{Label, LabelKind};
use super::values::Values;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detail {
    /// How many of the first numbers stand for what is no object.
    pub holders: usize,
    /// 0 for what is no object.
    pub addresses: Vec<u64>,
    /// Which of the heap's `types` each is of; [`NO_TYPE`] for what is no object.
    pub types: Vec<u32>,
    /// The blocks that it and its private tables occupy.
    pub bytes: Vec<u64>,
    /// What would go with it.
    pub retained_bytes: Vec<u64>,
    /// The last holder that all chains from the roots to it pass; its own number for the heap as a whole.
    pub dominators: Vec<u32>,
    /// Where the references of each end, which begin where those of the one before do.
    pub ends: Vec<u32>,
    pub references: Vec<Held>,
    /// References that hold nothing, in the order of their holders.
    pub weak: Vec<WeakReference>,
    /// The texts of names and keys.
    pub names: Vec<Rc<str>>,
    /// Of suspended calls, the number of a text: `handle() at app.py:41`.
    pub calls: FxHashMap<u32, u32>,
    /// By closure and place: the name of the variable whose cell stands there.
    pub variables: FxHashMap<(u32, u32), u32>,
    /// Where they were asked for.
    pub values: Option<Values>,
}

/// A reference: what is held, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub target: u32,
    label: Label,
}

/// How a holder holds an object; the numbers of names are those of [`Detail::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// An attribute, a module's global; of the heap itself a module or a thread.
    Attribute(u32),
    /// Of `__slots__`, or another member that a class tells of.
    Slot(u32),
    /// A member of a C structure.
    Member(u32),
    /// The dict behind attributes.
    Namespace,
    /// Under a key in a dict; `None` where the key could not be read.
    Key(Option<u32>),
    Index(u32),
    /// A local variable of a function under way.
    Local(u32),
    /// Of the heap itself, a task that is not done.
    Task(u32),
    /// As a dict's key, a set's member, a value on a stack.
    Unnamed,
}

impl By {
    /// The number of the name that it has.
    pub fn name(self) -> Option<u32> {
        match self {
            By::Attribute(name) | By::Slot(name) | By::Member(name) | By::Local(name) | By::Task(name) => Some(name),
            By::Key(name) => name,
            By::Namespace | By::Index(_) | By::Unnamed => None,
        }
    }

    /// In four bytes. A key that could not be read is the entry at no place.
    fn label(self) -> Label {
        let named = |kind, name: u32| Label::new(kind, u64::from(name));
        match self {
            By::Attribute(name) => named(LabelKind::Attribute, name),
            By::Slot(name) => named(LabelKind::Slot, name),
            By::Member(name) => named(LabelKind::Member, name),
            By::Namespace => Label::NAMESPACE,
            By::Key(Some(name)) => named(LabelKind::Value, name),
            By::Key(None) => named(LabelKind::Entry, 0),
            By::Index(place) => named(LabelKind::Index, place),
            By::Local(name) => named(LabelKind::Local, name),
            By::Task(name) => named(LabelKind::Task, name),
            By::Unnamed => Label::UNNAMED,
        }
    }
}

impl Held {
    pub fn new(target: u32, by: By) -> Held {
        let label = by.label();
        Held { target, label }
    }

    pub fn by(self) -> By {
        let number = self.label.number();
        match self.label.kind() {
            LabelKind::Attribute => By::Attribute(number),
            LabelKind::Slot => By::Slot(number),
            LabelKind::Member => By::Member(number),
            LabelKind::Namespace => By::Namespace,
            LabelKind::Value => By::Key(Some(number)),
            LabelKind::Entry => By::Key(None),
            LabelKind::Index => By::Index(number),
            LabelKind::Local => By::Local(number),
            LabelKind::Task => By::Task(number),
            LabelKind::Unnamed => By::Unnamed,
        }
    }

    pub(super) fn label(self) -> Label {
        self.label
    }
}

pub const NO_TYPE: u32 = u32::MAX;

impl Detail {
    /// The references of an object.
    pub fn references(&self, object: u32) -> &[Held] {
        let object = object as usize;
        let start = object.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.references[start as usize..self.ends[object] as usize]
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.addresses.len()
    }

    /// The object at an address.
    pub fn at(&self, address: u64) -> Option<u32> {
        let objects = self.addresses.get(self.holders..)?;
        let place = objects.binary_search(&address).ok()?;
        Some((self.holders + place) as u32)
    }

    /// The dicts behind attributes.
    pub fn namespaces(&self) -> NodeSet {
        let mut namespaces = NodeSet::none_of(self.count() as u32);
        for held in self.references.iter().filter(|held| held.label == Label::NAMESPACE) {
            namespaces.insert(held.target);
        }
        namespaces
    }
}
