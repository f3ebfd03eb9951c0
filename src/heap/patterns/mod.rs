//! What rules ask of a heap besides its containers: gathered while references and memory are at hand, kept as plain data.
//!
//! One file for each kind of evidence. Rows that may be evidence are picked in one pass over the types of all rows; what is
//! not looked for costs nothing.

mod busy_lines;
mod cached_instances;
mod captured;
mod context_users;
mod contexts;
mod copies;
mod functions;
mod futures;
mod held_alone;
mod instances;
mod iterated;
mod libraries;
mod numbers;
mod picked;
mod piles;
mod queries;
mod records;
mod repeats;
mod representative;
mod resources;
mod responses;
mod sparse;
mod subject;
mod temporaries;
mod tracebacks;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::blocks;
use cpython::objects::content::Content;
use cpython::objects::int::int_value;
use serde::{Deserialize, Serialize};

pub use self::busy_lines::{BusyLine, BusyLines, Habit, UnknownSource, WorkedOn};
pub use self::cached_instances::CachedInstances;
pub use self::captured::{Captor, Captured};
pub use self::contexts::ContextValues;
pub use self::copies::Copies;
pub use self::functions::{Keeper, MutableDefault};
pub use self::held_alone::HeldAlone;
pub use self::instances::ClassInstances;
pub use self::iterated::IteratedList;
pub use self::libraries::ModuleFile;
pub use self::numbers::NumberSequences;
pub use self::piles::Pile;
pub use self::queries::{CachedField, CachedRows, PrefetchedRows, is_query_set};
pub use self::records::Records;
pub use self::repeats::Repeats;
pub use self::resources::{OpenResources, ResourceKind};
pub use self::responses::BufferedBody;
pub use self::sparse::SparseTable;
pub use self::subject::Subject;
pub use self::temporaries::Temporary;
pub use self::tracebacks::KeptExceptions;

use self::libraries::Libraries;
use self::picked::Picked;
use super::calls::{self, ThreadCall};
use super::found::Found;
use super::key_hashes::{KeyHashes, KeySet};
use super::labels::{Label, LabelKind};
use super::names::Form;
use super::ownership::{Owner, Ownership};
use super::retention::RetainedSizes;

/// The evidence of patterns; empty where nobody gathered it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PatternFacts {
    pub numbers: Vec<NumberSequences>,
    pub classes: Vec<ClassInstances>,
    pub records: Vec<Records>,
    pub sparse: Vec<SparseTable>,
    pub temporaries: Vec<Temporary>,
    /// Lists that only a loop holds.
    pub iterated: Vec<IteratedList>,
    pub repeats: Vec<Repeats>,
    pub defaults: Vec<MutableDefault>,
    pub captured: Vec<Captured>,
    pub exceptions: Vec<KeptExceptions>,
    pub contexts: Vec<ContextValues>,
    /// Instances that caches on methods keep alive.
    pub cached_instances: Vec<CachedInstances>,
    /// Tasks and futures that are done.
    pub finished: Vec<Pile>,
    pub cached_rows: Vec<CachedRows>,
    pub prefetched_rows: Vec<PrefetchedRows>,
    /// Requests and responses that modules keep.
    pub requests: Vec<Pile>,
    pub bodies: Vec<BufferedBody>,
    /// Containers with the same contents.
    pub copies: Vec<Copies>,
    /// Files, sockets and the like that are open.
    pub resources: Vec<OpenResources>,
    /// The files of the program's own modules, and of what it was started with, by name.
    pub modules: Vec<ModuleFile>,
    /// What was seen of the program between the snapshots.
    pub busy: BusyLines,
}

/// What those who gather evidence look at.
struct Sight<'a, 'b, M> {
    memory: &'a mut M,
    layout: &'a Layout,
    found: &'a mut Found<'b>,
    owned: &'a Ownership,
    modules: Vec<u32>,
    /// Once somebody has asked for them.
    libraries: Option<Libraries>,
    key_hashes: KeyHashes,
}

/// Gathers the evidence. The references must still have their labels. Of the calls under way those `of_threads` are known, and
/// perhaps which `descriptors` the process has open.
pub fn gather<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &mut Found,
    owned: &Ownership,
    of_threads: &[ThreadCall],
    descriptors: Option<&[u32]>,
) -> PatternFacts {
    let calls = calls::under_way(memory, layout, found, of_threads);
    let mut picked = Picked::of(found, owned);
    let key_hashes = std::mem::take(&mut found.key_hashes);
    let mut sight = Sight {
        memory,
        layout,
        found,
        owned,
        modules: std::mem::take(&mut picked.modules),
        libraries: None,
        key_hashes,
    };
    let mut functions = functions::gather(&mut sight, &picked.functions, &calls);
    captured::gather(&mut sight, &picked, &mut functions.captured);
    let queries = queries::gather(&mut sight, &picked.query_sets);
    PatternFacts {
        numbers: numbers::gather(&mut sight),
        classes: instances::gather(&mut sight, &picked.instances),
        records: records::gather(&mut sight, &picked.dicts),
        sparse: sparse::gather(&mut sight, &picked.tables),
        temporaries: temporaries::gather(&mut sight, &calls),
        iterated: iterated::gather(&mut sight, &calls),
        repeats: repeats::gather(&mut sight),
        defaults: functions.defaults,
        captured: functions.captured,
        exceptions: tracebacks::gather(&mut sight, &picked.tracebacks),
        contexts: contexts::gather(&mut sight, &picked, &calls),
        cached_instances: cached_instances::gather(&mut sight, &picked.caches),
        finished: futures::gather(&mut sight, &picked.futures),
        cached_rows: queries.cached,
        prefetched_rows: queries.prefetched,
        requests: responses::kept_by_modules(&mut sight, &picked.requests),
        bodies: responses::bodies(&mut sight, &picked.requests),
        copies: copies::gather(&mut sight),
        resources: resources::gather(&mut sight, descriptors),
        modules: sight.libraries().own_files(),
        // Seen when the program is looked at, and not in its memory.
        busy: BusyLines::default(),
    }
}

impl PatternFacts {
    /// Adds what is known last: what would be freed with each object.
    pub fn add_retained(&mut self, retention: &RetainedSizes<'_>) {
        for each in &mut self.numbers {
            each.add_retained(retention);
        }
        let exceptions = self.exceptions.iter_mut().map(|each| &mut each.pile);
        let contexts = self.contexts.iter_mut().map(|each| &mut each.pile);
        let resources = self.resources.iter_mut().map(|each| &mut each.pile);
        let piles = self.finished.iter_mut().chain(&mut self.requests);
        for pile in piles.chain(exceptions).chain(contexts).chain(resources) {
            pile.add_retained(retention);
        }
        for each in &mut self.cached_instances {
            each.add_retained(retention);
        }
        for each in &mut self.cached_rows {
            each.add_retained(retention);
        }
        for each in &mut self.copies {
            each.add_retained(retention);
        }
        for each in &mut self.prefetched_rows {
            each.add_retained(retention);
        }
        self.defaults.retain_mut(|each| each.held.is_so(retention));
        self.captured
            .retain_mut(|each| each.held.is_so(retention) && each.held.subject.retained_bytes >= captured::LARGE);
        let records = self.records.iter_mut().map(|each| &mut each.subject);
        let sparse = self.sparse.iter_mut().map(|each| &mut each.subject);
        let repeats = self.repeats.iter_mut().map(|each| &mut each.subject);
        let bodies = self.bodies.iter_mut().map(|each| &mut each.subject);
        let temporaries = self.temporaries.iter_mut().map(|each| &mut each.subject);
        let iterated = self.iterated.iter_mut().map(|each| &mut each.subject);
        for subject in records
            .chain(sparse)
            .chain(repeats)
            .chain(bodies)
            .chain(temporaries)
            .chain(iterated)
        {
            subject.add_retained(retention);
        }
    }
}

impl<M: ReadMemory> Sight<'_, '_, M> {
    /// Which modules are not the program's own.
    fn libraries(&mut self) -> &Libraries {
        let Sight {
            memory, layout, found, ..
        } = self;
        let modules = &self.modules;
        self.libraries
            .get_or_insert_with(|| Libraries::of(*memory, layout, found, modules))
    }

    fn content(&self, row: u32) -> Content {
        let type_of = self.found.objects.type_of(row);
        self.found.types.get(type_of).info.of_type.content
    }

    /// The keys of a dict, or of the attributes that an instance keeps without one.
    fn key_set(&mut self, row: u32) -> KeySet {
        let Found { objects, names, .. } = &*self.found;
        let references = objects.references(row);
        self.key_hashes.set_of(self.memory, self.layout, names, references)
    }

    /// The text of a name that a label has.
    fn name(&mut self, label: Label, form: Form) -> String {
        let names = &mut self.found.names;
        let read = names.read(self.memory, self.layout, label.number(), form);
        names.get(read).to_string()
    }

    /// The name of an attribute that is held like this; `None` for what is held otherwise.
    fn attribute_name(&mut self, label: Label) -> Option<String> {
        let is_named = matches!(label.kind(), LabelKind::Attribute | LabelKind::Value | LabelKind::Slot);
        is_named.then(|| self.name(label, Form::Name))
    }

    /// What an instance has as the attribute `name`, when that is no leaf.
    fn attribute(&mut self, row: u32, name: &str) -> Option<u32> {
        let parts = self.items(row);
        let dict = parts.iter().find(|(_, label)| *label == Label::NAMESPACE);
        let in_dict = dict.map_or_else(Vec::new, |&(dict, _)| self.items(dict));
        let mut all = parts.into_iter().chain(in_dict);
        let found = all.find(|&(_, label)| self.attribute_name(label).as_deref() == Some(name));
        found.map(|(value, _)| value)
    }

    /// The number that an instance has as the attribute `name`.
    fn number(&mut self, row: u32, name: &str) -> Option<i128> {
        let of = |row: u32, sight: &Self| sight.found.objects.references(row).to_vec();
        let own = of(row, self);
        let dict = own
            .iter()
            .find(|each| each.label == Label::NAMESPACE)
            .map(|each| each.target);
        let in_dict = dict.map_or_else(Vec::new, |dict| of(dict, self));
        for each in own.into_iter().chain(in_dict) {
            if self.type_name(each.target) == "builtins.int" && self.attribute_name(each.label).as_deref() == Some(name)
            {
                let address = self.found.address_of(each.target);
                return int_value(self.memory, self.layout, address).ok().flatten();
            }
        }
        None
    }

    /// The block of an instance of a class with so many slots, behind the head that the collector needs.
    fn slotted(&self, slots: u64) -> u64 {
        let at = &self.layout.object;
        blocks::small(at.gc_head + at.size + 8 * slots)
    }
}

impl<M> Sight<'_, '_, M> {
    /// `module.qualname` of the type of a row; empty for what is no object.
    fn type_name(&self, row: u32) -> &str {
        &self.found.types.get(self.found.objects.type_of(row)).name
    }

    /// Whether a name holds the row: a variable or an attribute, and no place in a container.
    fn is_named(&self, row: u32) -> bool {
        let Owner { label, parent, .. } = self.owned.owner(row);
        match label.kind() {
            LabelKind::Value | LabelKind::Entry => self.owned.is_namespace(parent),
            LabelKind::Index | LabelKind::Unnamed => false,
            _ => true,
        }
    }
}
