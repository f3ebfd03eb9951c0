//! Makes a [`Detail`] of what a survey has found: numbers the objects by their addresses, and reads all names.

use cpython::memory::ReadMemory;
use rustc_hash::FxHashMap;

use super::TypeTotals;
use super::detail::{By, Detail, Held, NO_TYPE};
use super::facts::{Facts, Nature, WeakReference};
use super::found::Found;
use super::graph::NO_NODE;
use super::graph::nodes::NodeSet;
use super::labels::{Label, LabelKind};
use super::live::Live;
use super::objects::{HEAP, Reference};
use super::retention::Retention;
use super::tasks::Task;
use super::texts::Texts;
use super::values;
use super::wanted::Wanted;

/// More texts of keys than these are not kept: they are data.
const MOST_TEXTS: usize = 1 << 23;
/// The member of a function that has its cells, and the one that has its code (`PyFunctionObject`).
const CLOSURE: &str = "__closure__";
const CODE: &str = "__code__";

/// The numbers that rows get, and the rows in their order.
pub struct Numbering {
    rows: Vec<u32>,
    number_of: Vec<u32>,
}

impl Numbering {
    /// Of `holders` rows that are no objects and all others.
    fn of(found: &Found, holders: usize) -> Numbering {
        let (count, ranks) = (found.objects.count(), found.spots.ranks_by_address());
        // What was met and is no object has a rank and no row.
        let mut row_at = vec![NO_NODE; ranks.count];
        for row in holders as u32..count as u32 {
            row_at[ranks.of(found.objects.spot(row)) as usize] = row;
        }
        drop(ranks);
        let mut rows: Vec<u32> = Vec::with_capacity(count);
        rows.extend(0..holders as u32);
        rows.extend(row_at.into_iter().filter(|&row| row != NO_NODE));
        let mut number_of = vec![0; count];
        for (number, &row) in rows.iter().enumerate() {
            number_of[row as usize] = number as u32;
        }
        Numbering { rows, number_of }
    }

    fn number(&self, row: u32) -> u32 {
        self.number_of[row as usize]
    }
}

/// What nothing in the heap's own references tells of.
pub struct Besides<'a> {
    /// Tasks that are not done, which the heap itself holds.
    pub tasks: &'a [Task],
    /// Rows that no root reaches, by the holders that hold them: the last of those that are no objects.
    pub adopted: &'a [(u32, Vec<u32>)],
    /// So many rows are no objects.
    pub holders: usize,
}

/// Reads the names of all references.
pub fn describe<M: ReadMemory>(facts: Live<'_, '_, M>, besides: &Besides, wanted: Wanted) -> (Detail, Numbering) {
    let numbering = Numbering::of(facts.found, besides.holders);
    let mut describing = Describing {
        namespaces: namespaces(facts.found),
        facts,
        texts: Texts::default(),
        known: Default::default(),
        numbering: &numbering,
    };
    let count = numbering.rows.len();
    let references = describing.facts.found.objects.reference_count() + besides.tasks.len() + besides.adopted.len();
    let mut detail = Detail {
        holders: besides.holders,
        addresses: Vec::with_capacity(count),
        bytes: Vec::with_capacity(count),
        ends: Vec::with_capacity(count),
        references: Vec::with_capacity(references),
        ..Detail::default()
    };
    for (&row, number) in numbering.rows.iter().zip(0..) {
        detail.addresses.push(describing.facts.address(row));
        detail.bytes.push(describing.facts.bytes(row));
        describing.add_references(row, &mut detail.references);
        if row == HEAP {
            for task in besides.tasks {
                let name = describing.name(row, task.label).unwrap_or_default();
                let target = numbering.number(task.row);
                detail.references.push(Held::new(target, By::Task(name)));
            }
        }
        if let Some((_, adopted)) = besides.adopted.iter().find(|(adopter, _)| *adopter == row) {
            let adopted = adopted.iter().map(|&row| numbering.number(row));
            detail
                .references
                .extend(adopted.map(|target| Held::new(target, By::Unnamed)));
        }
        detail.ends.push(detail.references.len() as u32);
        describing.add_texts_of(row, number, &mut detail);
    }
    detail.weak = describing.weak_references();
    let objects = &numbering.rows[besides.holders..];
    detail.values = wanted.values.then(|| values::read(&mut describing.facts, objects));
    detail.names = describing.texts.into_all();
    (detail, numbering)
}

/// The dicts behind attributes.
fn namespaces(found: &Found) -> NodeSet {
    let objects = &found.objects;
    let mut namespaces = NodeSet::none_of(objects.count() as u32);
    for row in 0..objects.holders() as u32 {
        for reference in objects
            .references(row)
            .iter()
            .filter(|each| each.label == Label::NAMESPACE)
        {
            namespaces.insert(reference.target);
        }
    }
    namespaces
}

/// Turns labels into names.
struct Describing<'a, 'b, 'c, M> {
    facts: Live<'a, 'b, M>,
    namespaces: NodeSet,
    texts: Texts,
    /// By the numbers of names, as names and as keys: the numbers of their texts.
    known: [Vec<Option<u32>>; 2],
    numbering: &'c Numbering,
}

impl<M: ReadMemory> Describing<'_, '_, '_, M> {
    fn add_references(&mut self, row: u32, to: &mut Vec<Held>) {
        let is_namespace = self.namespaces.contains(row);
        for place in 0..self.facts.found.objects.references(row).len() {
            let reference = self.facts.found.objects.references(row)[place];
            // What turned out to be no reference leads to the heap as a whole.
            if reference.target == HEAP {
                continue;
            }
            let by = self.by(row, is_namespace, reference.label);
            to.push(Held::new(self.numbering.number(reference.target), by));
        }
    }

    fn by(&mut self, row: u32, is_namespace: bool, label: Label) -> By {
        let name = |of: &mut Self| of.name(row, label).unwrap_or_default();
        match label.kind() {
            LabelKind::Attribute => By::Attribute(name(self)),
            LabelKind::Slot => By::Slot(name(self)),
            LabelKind::Member => By::Member(name(self)),
            LabelKind::Local => By::Local(name(self)),
            LabelKind::Task => By::Task(name(self)),
            LabelKind::Namespace => By::Namespace,
            LabelKind::Index => By::Index(label.number()),
            LabelKind::Value | LabelKind::Entry if is_namespace => match self.name(row, label) {
                Some(name) => By::Attribute(name),
                None => By::Key(None),
            },
            LabelKind::Value | LabelKind::Entry => By::Key(self.key(row, label)),
            LabelKind::Unnamed => By::Unnamed,
        }
    }

    /// The number of the text under which `row` holds something, as code has it.
    fn name(&mut self, row: u32, label: Label) -> Option<u32> {
        self.text(row, label, label.kind() == LabelKind::Task)
    }

    fn key(&mut self, row: u32, label: Label) -> Option<u32> {
        self.text(row, label, true)
    }

    fn text(&mut self, row: u32, label: Label, as_key: bool) -> Option<u32> {
        let noted = (label.kind() != LabelKind::Entry).then_some(label.number() as usize);
        let known = noted.and_then(|name| self.known[usize::from(as_key)].get(name).copied());
        if let Some(number) = known.flatten() {
            return Some(number);
        }
        if noted.is_none() && self.texts.len() >= MOST_TEXTS {
            return None;
        }
        let text = match as_key {
            true => self.facts.key(row, label),
            false => self.facts.name(row, label),
        };
        let number = self.texts.number(&text?);
        if let Some(name) = noted {
            let known = &mut self.known[usize::from(as_key)];
            known.resize(known.len().max(name + 1), None);
            known[name] = Some(number);
        }
        Some(number)
    }

    /// Adds what cannot be said of a single reference: of calls where they stand, of functions which variables they share.
    fn add_texts_of(&mut self, row: u32, number: u32, detail: &mut Detail) {
        match self.facts.nature(row) {
            Nature::Call => {
                if let Some(call) = self.facts.call(row) {
                    detail.calls.insert(number, self.texts.number(&call));
                }
            }
            Nature::Function => self.add_variables(row, detail),
            _ => {}
        }
    }

    fn add_variables(&mut self, function: u32, detail: &mut Detail) {
        let member = |facts: &mut Live<M>, name| {
            let label = facts.member(name);
            let references = facts.found.objects.references(function).iter();
            let of_member = |each: &&Reference| each.label == label;
            references.clone().find(of_member).map(|each| each.target)
        };
        let (code, closure) = (member(&mut self.facts, CODE), member(&mut self.facts, CLOSURE));
        let (Some(code), Some(closure)) = (code, closure) else {
            return;
        };
        for place in 0..self.facts.found.objects.references(closure).len() as u32 {
            if let Some(name) = self.facts.variable(code, closure, place) {
                let name = self.texts.number(&name);
                detail.variables.insert((self.numbering.number(closure), place), name);
            }
        }
    }

    fn weak_references(&mut self) -> Vec<WeakReference> {
        let numbered = |each: WeakReference| WeakReference {
            holder: self.numbering.number(each.holder),
            target: self.numbering.number(each.target),
        };
        self.facts.weak_references().into_iter().map(numbered).collect()
    }
}

/// Adds what is known when the names have been read: of which of `types` each object is, what it retains, and what of the
/// unreached has holders that nobody knows.
pub fn complete(
    detail: &mut Detail,
    facts: Live<'_, '_, impl ReadMemory>,
    numbering: &Numbering,
    types: &[TypeTotals],
    retention: Option<&Retention>,
) {
    let numbers: FxHashMap<&str, u32> = types.iter().map(|each| &*each.name).zip(0..).collect();
    let all = &facts.found.types;
    let number_of_type: Vec<u32> = (0..all.count())
        .map(|index| numbers.get(&*all.get(index).name).copied())
        .map(|number| number.unwrap_or(NO_TYPE))
        .collect();
    let count = numbering.rows.len();
    detail.types.reserve_exact(count);
    if retention.is_some() {
        detail.retained_bytes.reserve_exact(count);
        detail.dominators.reserve_exact(count);
    }
    for (number, &row) in numbering.rows.iter().enumerate() {
        let type_of = number_of_type[facts.found.objects.type_of(row) as usize];
        detail
            .types
            .push(if number < detail.holders { NO_TYPE } else { type_of });
        if let Some(retention) = retention {
            detail.retained_bytes.push(retention.bytes(&facts.found.objects, row));
            let dominator = retention.dominator(row).unwrap_or(HEAP);
            detail.dominators.push(numbering.number(dominator));
        }
    }
}
