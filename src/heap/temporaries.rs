//! Large objects that nothing holds but a local variable of a call under way, which never reads it again.

use std::collections::hash_map::Entry;
use std::rc::Rc;

use cpython::bytecode::CodeLiveness;
use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::examine::Examiner;
use cpython::objects::lines;
use rustc_hash::{FxHashMap, FxHashSet};

use super::calls::{self, Call, ThreadCall};
use super::containers;
use super::found::Found;
use super::labels::{Label, LabelKind};
use super::leftovers;
use super::names::Form;
use super::naming;
use super::ownership::Ownership;
use super::paths::Paths;
use super::retention::Retention;

/// What retains less is not looked at.
const LEAST_BYTES: u64 = 64 << 10;
/// More of them are left out, the smallest first.
const MOST: usize = 1_000;

/// Such an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    pub address: u64,
    /// `module.qualname` of its type.
    pub type_name: Rc<str>,
    /// Its items; 0 for what has none.
    pub length: u64,
    /// The variables that hold it, all of the same call: mostly one.
    pub names: Vec<Rc<str>>,
    /// The function that was called, without its brackets, and where the call stands in it.
    pub function: String,
    pub file: String,
    pub line: u32,
    /// Who holds it: `thread MainThread > main() at app.py:41 > rows`.
    pub path: String,
    /// Its own bytes and those of all objects first reached through it.
    pub kept_bytes: u64,
    /// What would go with it.
    pub retained_bytes: u64,
}

/// Temporaries with their rows, before it is known what they retain.
pub struct Candidates(Vec<(u32, Temporary)>);

/// Finds them among what calls hold; the references must still have their labels.
pub fn find<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    walker: &mut Examiner,
    found: &mut Found,
    owned: &Ownership,
    of_threads: &[ThreadCall],
) -> Candidates {
    let mut codes: FxHashMap<u64, Option<CodeLiveness>> = FxHashMap::default();
    let mut held: Vec<Held> = Vec::new();
    for call in calls::under_way(memory, layout, found, of_threads) {
        if holds_much(found, owned, call) {
            let liveness = match codes.entry(call.call.code) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(CodeLiveness::read(memory, layout, call.call.code).ok()),
            };
            if let Some(labels) = liveness
                .as_ref()
                .and_then(|code| never_read(memory, layout, found, code, call))
            {
                held.extend(held_by(found, owned, call, &labels));
            }
        }
    }
    let references = leftovers::count(found.objects.targets(), held.iter().map(|each| each.row));
    held.retain(|each| references.get(&each.row) == Some(&(each.labels.len() as u64)));
    held.sort_unstable_by_key(|each| (std::cmp::Reverse(owned.kept(each.row)), each.row));
    held.truncate(MOST);
    let describe = |each: &Held| Some((each.row, describe(memory, layout, walker, found, owned, each)?));
    Candidates(held.iter().filter_map(describe).collect())
}

impl Candidates {
    /// Those that retain much, the largest first.
    pub fn with_retained(self, retention: &Retention) -> Vec<Temporary> {
        let with_retained = |(row, temporary)| Temporary {
            retained_bytes: retention.bytes(row),
            ..temporary
        };
        let mut temporaries: Vec<Temporary> = self.0.into_iter().map(with_retained).collect();
        temporaries.retain(|each| each.retained_bytes >= LEAST_BYTES);
        temporaries.sort_by_key(|each| std::cmp::Reverse(each.retained_bytes));
        temporaries
    }
}

/// What a call holds by variables that it never reads again.
struct Held {
    row: u32,
    call: Call,
    /// The labels of the references from the call to the row.
    labels: Vec<Label>,
}

/// Whether reading the call's code may be worth it.
fn holds_much(found: &Found, owned: &Ownership, call: Call) -> bool {
    let references = found.objects.references(call.row).iter();
    let mut by_variables = references.filter(|each| each.label.kind() == LabelKind::Local);
    by_variables.any(|each| owned.kept(each.target) >= LEAST_BYTES)
}

/// The labels of the variables that the call never reads again.
fn never_read<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &mut Found,
    code: &CodeLiveness,
    call: Call,
) -> Option<FxHashSet<Label>> {
    let offset = lines::instruction(memory, layout, call.call).ok()??;
    let names = code.never_read(offset)?;
    let label = |name| Some(Label::new(LabelKind::Local, u64::from(found.names.object(name)?)));
    Some(names.into_iter().filter_map(label).collect())
}

/// What the call holds by these labels, each row once.
fn held_by(found: &Found, owned: &Ownership, call: Call, labels: &FxHashSet<Label>) -> Vec<Held> {
    let mut held: Vec<Held> = Vec::new();
    for reference in found.objects.references(call.row) {
        if labels.contains(&reference.label) && owned.kept(reference.target) >= LEAST_BYTES {
            match held.iter_mut().find(|each| each.row == reference.target) {
                Some(known) => known.labels.push(reference.label),
                None => held.push(Held {
                    row: reference.target,
                    call,
                    labels: vec![reference.label],
                }),
            }
        }
    }
    held
}

/// `None` where the call has no line, or a variable no name that code can have.
fn describe<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    walker: &mut Examiner,
    found: &mut Found,
    owned: &Ownership,
    held: &Held,
) -> Option<Temporary> {
    let Call { call, .. } = held.call;
    let mut names = Vec::new();
    for label in &held.labels {
        let read = found.names.read(memory, layout, label.number(), Form::Name);
        names.push(found.names.get(read));
    }
    // The iterator of a generator expression is called `.0`.
    if names.iter().any(|name| name.starts_with('.')) {
        return None;
    }
    let (file, first_line) = naming::definition(memory, layout, call.code)?;
    let line = lines::of_suspended(memory, layout, call).ok().flatten();
    let function = naming::function_of(memory, layout, call.code);
    Some(Temporary {
        address: found.address_of(held.row),
        type_name: Rc::clone(&found.types.get(found.objects.type_of(held.row)).name),
        length: containers::length(memory, walker, found, held.row),
        names,
        function: function.trim_end_matches("()").to_owned(),
        file,
        line: line.unwrap_or(first_line),
        path: Paths { layout, found, owned }.path(memory, held.row),
        kept_bytes: owned.kept(held.row),
        retained_bytes: 0,
    })
}
