//! Every object and every reference of a heap, with names, free of the program that it was read from.
//!
//! Objects have numbers. The first ones stand for holders that are no objects: 0 for the heap as a whole, then its
//! threads, frames and the like; behind these come the objects in the order of their addresses.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use rustc_hash::FxHashMap;

use super::TypeTotals;
use super::found::Found;
use super::labels::{Label, LabelKind};
use super::names::Form;
use super::objects::{HEAP, Reference};
use super::ownership::Ownership;
use super::paths::key_at;
use super::retention::Retention;
use super::tasks::Task;
use super::texts::Texts;

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
    /// The texts of names and keys.
    pub names: Vec<Rc<str>>,
}

/// A reference: what is held, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub target: u32,
    pub by: By,
}

/// How a holder holds an object; the numbers of names are those of [`Detail::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// An attribute, a member of a C structure, a module's global; of the heap itself a module or a thread.
    Attribute(u32),
    /// The dict behind attributes.
    Namespace,
    /// Under a key in a dict; `None` where the key could not be read.
    Key(Option<u32>),
    Index(u32),
    /// A local variable of a function under way.
    Local(u32),
    /// As a dict's key, a set's member, a value on a stack.
    Unnamed,
}

impl By {
    /// The number of the name that it has.
    pub fn name(self) -> Option<u32> {
        match self {
            By::Attribute(name) | By::Local(name) => Some(name),
            By::Key(name) => name,
            By::Namespace | By::Index(_) | By::Unnamed => None,
        }
    }
}

pub const NO_TYPE: u32 = u32::MAX;

/// More texts of keys than these are not kept: they are data.
const MOST_TEXTS: usize = 1 << 23;

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
}

/// The numbers that rows get, and the rows in their order.
pub struct Numbering {
    rows: Vec<u32>,
    number_of: Vec<u32>,
}

impl Numbering {
    /// Of `holders` rows that are no objects and all others.
    fn of(found: &Found, holders: usize) -> Numbering {
        let count = found.objects.count() as u32;
        let mut rows: Vec<u32> = (0..count).collect();
        rows[holders..].sort_by_cached_key(|&row| found.spots.address(found.objects.spot(row)));
        let mut number_of = vec![0; rows.len()];
        for (number, &row) in rows.iter().enumerate() {
            number_of[row as usize] = number as u32;
        }
        Numbering { rows, number_of }
    }
}

/// Reads the names of all references. `holders` rows are no objects; the last of them hold what was adopted, the
/// first one the tasks that are not done.
pub fn detail<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &mut Found,
    owned: &Ownership,
    tasks: &[Task],
    holders: usize,
) -> (Detail, Numbering) {
    let numbering = Numbering::of(found, holders);
    let mut detail = Detail {
        holders,
        ..Detail::default()
    };
    let mut naming = Naming {
        memory,
        layout,
        texts: Texts::default(),
        known: FxHashMap::default(),
    };
    for &row in &numbering.rows {
        let is_object = row as usize >= holders;
        let spot = found.objects.spot(row);
        detail
            .addresses
            .push(if is_object { found.spots.address(spot) } else { 0 });
        detail.bytes.push(found.objects.bytes(row));
        for place in 0..found.objects.references(row).len() {
            let reference = found.objects.references(row)[place];
            let by = naming.by(found, owned, row, reference);
            let target = numbering.number_of[reference.target as usize];
            detail.references.push(Held { target, by });
        }
        if row == HEAP {
            for task in tasks {
                let name = naming.name(found, task.label, Form::Key);
                let target = numbering.number_of[task.row as usize];
                let by = By::Attribute(name);
                detail.references.push(Held { target, by });
            }
        }
        if let Some((_, adopted)) = owned.adopted.iter().find(|(adopter, _)| *adopter == row) {
            let adopted = adopted.iter().map(|&row| numbering.number_of[row as usize]);
            let held = adopted.map(|target| Held {
                target,
                by: By::Unnamed,
            });
            detail.references.extend(held);
        }
        detail.ends.push(detail.references.len() as u32);
    }
    detail.names = naming.texts.into_all();
    (detail, numbering)
}

impl Detail {
    /// Adds what is known when the names have been read: of which of `types` each object is, and what it retains.
    pub fn complete(
        &mut self,
        numbering: &Numbering,
        found: &Found,
        types: &[TypeTotals],
        retention: Option<&Retention>,
    ) {
        let numbers: FxHashMap<&str, u32> = types.iter().map(|each| &*each.name).zip(0..).collect();
        let number_of_type: Vec<u32> = (0..found.types.count())
            .map(|index| numbers.get(&*found.types.get(index).name).copied())
            .map(|number| number.unwrap_or(NO_TYPE))
            .collect();
        for &row in &numbering.rows {
            let is_object = numbering.number_of[row as usize] as usize >= self.holders;
            let type_of = number_of_type[found.objects.type_of(row) as usize];
            self.types.push(if is_object { type_of } else { NO_TYPE });
            if let Some(retention) = retention {
                self.retained_bytes.push(retention.bytes(row));
                let dominator = retention.dominator(row).unwrap_or(HEAP);
                self.dominators.push(numbering.number_of[dominator as usize]);
            }
        }
    }
}

/// Turns labels into names.
struct Naming<'a, M> {
    memory: &'a mut M,
    layout: &'a Layout,
    texts: Texts,
    /// Of names that were met before, the numbers of their texts.
    known: FxHashMap<(u32, Form), u32>,
}

impl<M: ReadMemory> Naming<'_, M> {
    fn by(&mut self, found: &mut Found, owned: &Ownership, row: u32, reference: Reference) -> By {
        let label: Label = reference.label;
        let in_namespace = owned.is_namespace(row);
        match label.kind() {
            LabelKind::Attribute => By::Attribute(self.name(found, label, Form::Name)),
            LabelKind::Value if in_namespace => By::Attribute(self.name(found, label, Form::Name)),
            LabelKind::Value => By::Key(Some(self.name(found, label, Form::Key))),
            LabelKind::Task => By::Attribute(self.name(found, label, Form::Key)),
            LabelKind::Local => By::Local(self.name(found, label, Form::Name)),
            LabelKind::Namespace => By::Namespace,
            LabelKind::Index => By::Index(label.number()),
            LabelKind::Entry => {
                let dict = found.spots.address(found.objects.spot(row));
                let text = key_at(self.memory, self.layout, dict, u64::from(label.number()))
                    .filter(|_| self.texts.len() < MOST_TEXTS)
                    .map(|key| match in_namespace {
                        true => found.names.name_at(self.memory, self.layout, key),
                        false => found.names.key_at(self.memory, self.layout, key),
                    })
                    .map(|text| self.texts.number(&text));
                match text {
                    Some(name) if in_namespace => By::Attribute(name),
                    text => By::Key(text),
                }
            }
            LabelKind::Unnamed => By::Unnamed,
        }
    }

    fn name(&mut self, found: &mut Found, label: Label, form: Form) -> u32 {
        let name = label.number();
        if let Some(&known) = self.known.get(&(name, form)) {
            return known;
        }
        let read = found.names.read(self.memory, self.layout, name, form);
        let number = self.texts.number(&found.names.get(read));
        self.known.insert((name, form), number);
        number
    }
}
