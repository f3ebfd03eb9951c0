//! Large objects that nothing holds but a local variable of a call under way, which never reads it again.

use std::collections::hash_map::Entry;
use std::rc::Rc;

use cpython::bytecode::CodeLiveness;
use cpython::memory::ReadMemory;
use cpython::objects::lines;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::calls::Call;
use crate::heap::found::Found;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::leftovers;
use crate::heap::names::Form;
use crate::heap::naming;
use crate::heap::ownership::Ownership;

/// What keeps less is not looked at.
const LEAST_BYTES: u64 = 64 << 10;
/// More of them are left out, the smallest first.
const MOST: usize = 1_000;

/// An object that a call holds and never reads again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Temporary {
    pub subject: Subject,
    /// The variables that hold it, all of the same call: mostly one.
    pub names: Vec<Rc<str>>,
    /// The function that was called, and where the call stands in it.
    pub function: String,
    pub file: String,
    pub line: u32,
}

/// What a call holds by variables that it never reads again.
struct Held {
    row: u32,
    call: Call,
    /// The labels of the references from the call to the row.
    labels: Vec<Label>,
}

impl Held {
    /// How many references lead from the call to the row.
    fn references(&self, found: &Found) -> u64 {
        let again = self.call.again.iter().flatten();
        let again = again.flat_map(|&row| found.objects.references(row));
        let again = again.filter(|each| each.target == self.row).count();
        (self.labels.len() + again) as u64
    }
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, calls: &[Call]) -> Vec<Temporary> {
    let mut codes: FxHashMap<u64, Option<CodeLiveness>> = FxHashMap::default();
    let mut held: Vec<Held> = Vec::new();
    for &call in calls {
        if !holds_much(sight.found, sight.owned, call) {
            continue;
        }
        let liveness = match codes.entry(call.call.code) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(CodeLiveness::read(sight.memory, sight.layout, call.call.code).ok()),
        };
        if let Some(labels) = liveness.as_ref().and_then(|code| never_read(sight, code, call)) {
            held.extend(held_by(sight.found, sight.owned, call, &labels));
        }
    }
    if held.is_empty() {
        return Vec::new();
    }
    let references = leftovers::count(sight.found.objects.sure_targets(), held.iter().map(|each| each.row));
    held.retain(|each| references.get(&each.row) == Some(&each.references(sight.found)));
    held.sort_unstable_by_key(|each| {
        let address = sight.found.address_of(each.row);
        (std::cmp::Reverse(sight.owned.kept(each.row)), address)
    });
    held.truncate(MOST);
    let lengths = lengths(sight.found, &held);
    held.iter()
        .filter_map(|each| temporary(sight, each, lengths.get(&each.row).copied().unwrap_or(0)))
        .collect()
}

/// Whether reading the call's code may be worth it.
fn holds_much(found: &Found, owned: &Ownership, call: Call) -> bool {
    let references = found.objects.references(call.row).iter();
    let mut by_variables = references.filter(|each| each.label.kind() == LabelKind::Local);
    by_variables.any(|each| keeps_much(found, owned, each.target))
}

/// Leaves keep little: large objects are none, even if they hold nothing.
fn keeps_much(found: &Found, owned: &Ownership, row: u32) -> bool {
    (row as usize) < found.objects.holders() && owned.kept(row) >= LEAST_BYTES
}

/// The labels of the variables that the call never reads again.
fn never_read<M: ReadMemory>(sight: &mut Sight<M>, code: &CodeLiveness, call: Call) -> Option<FxHashSet<Label>> {
    let offset = lines::instruction(sight.memory, sight.layout, call.call).ok()??;
    let names = code.never_read(offset)?;
    let label = |name| Some(Label::new(LabelKind::Local, u64::from(sight.found.names.object(name)?)));
    Some(names.into_iter().filter_map(label).collect())
}

/// What the call holds by these labels, each row once.
fn held_by(found: &Found, owned: &Ownership, call: Call, labels: &FxHashSet<Label>) -> Vec<Held> {
    let mut held: Vec<Held> = Vec::new();
    for reference in found.objects.references(call.row) {
        let (row, label) = (reference.target, reference.label);
        if labels.contains(&label) && keeps_much(found, owned, row) {
            match held.iter_mut().find(|each| each.row == row) {
                Some(known) => known.labels.push(label),
                None => held.push(Held {
                    row,
                    call,
                    labels: vec![label],
                }),
            }
        }
    }
    held
}

/// The lengths of those that are long containers.
fn lengths(found: &Found, held: &[Held]) -> FxHashMap<u32, u64> {
    let rows: FxHashSet<u32> = held.iter().map(|each| each.row).collect();
    let long = found.long.iter().copied();
    long.filter(|(row, _)| rows.contains(row)).collect()
}

/// `None` where a variable has no name that code can have, or nobody knows where the call stands.
fn temporary<M: ReadMemory>(sight: &mut Sight<M>, held: &Held, length: u64) -> Option<Temporary> {
    let Call { call, .. } = held.call;
    let name = |label: &Label| Rc::from(sight.name(*label, Form::Name));
    let names: Vec<Rc<str>> = held.labels.iter().map(name).collect();
    // The iterator of a generator expression is called `.0`.
    if names.iter().any(|name| name.starts_with('.')) {
        return None;
    }
    let (file, first_line) = naming::definition(sight.memory, sight.layout, call.code)?;
    let line = lines::of_suspended(sight.memory, sight.layout, call).ok().flatten();
    let function = naming::function_of(sight.memory, sight.layout, call.code);
    Some(Temporary {
        subject: sight.subject(held.row, length),
        names,
        function: function.trim_end_matches("()").to_owned(),
        file,
        line: line.unwrap_or(first_line),
    })
}
