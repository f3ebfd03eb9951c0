//! Lists that nothing holds but a loop that goes over them: its iterator, and the value stack of the call.

use cpython::bytecode;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::lines;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::calls::Call;
use crate::heap::labels::LabelKind;
use crate::heap::naming;
use crate::heap::objects::HEAP;

/// What keeps less is not looked at.
const LEAST_BYTES: u64 = 64 << 10;
/// More of them are left out, the smallest first.
const MOST: usize = 200;
/// The iterator of a list, and what may stand between it and the loop.
const ITERATOR: &str = "builtins.list_iterator";
const AROUND: [&str; 5] = [
    ITERATOR,
    "builtins.enumerate",
    "builtins.zip",
    "builtins.map",
    "builtins.filter",
];
const MOST_AROUND: usize = 6;
/// A function that names one of these may need the list as a whole: to bring it in order, or because the loop changes what
/// it was made from.
const NEED_A_LIST: [&str; 7] = ["sorted", "sort", "reversed", "shuffle", "remove", "discard", "popleft"];

/// A list that is gone over once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IteratedList {
    pub subject: Subject,
    /// The function with the loop, and where the call stands in it.
    pub function: String,
    pub file: String,
    pub line: u32,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, calls: &[Call]) -> Vec<IteratedList> {
    let is_large = |row: u32| sight.content(row) == Content::List && sight.owned.kept(row) >= LEAST_BYTES;
    let long = sight.found.long.iter().copied();
    let mut lists: Vec<(u32, u64, Call)> = Vec::new();
    let of_rows: FxHashMap<u32, Call> = calls.iter().map(|call| (call.row, *call)).collect();
    for (row, length) in long.filter(|&(row, _)| is_large(row)) {
        lists.extend(loop_over(sight, row, &of_rows).map(|call| (row, length, call)));
    }
    if lists.is_empty() {
        return Vec::new();
    }
    let in_use = held_otherwise(sight, &lists, &of_rows);
    lists.retain(|(row, ..)| !in_use.contains(row));
    lists.sort_unstable_by_key(|&(row, ..)| (std::cmp::Reverse(sight.owned.kept(row)), sight.found.address_of(row)));
    lists.truncate(MOST);
    let described = lists
        .into_iter()
        .filter_map(|(row, length, call)| describe(sight, row, length, call));
    described.collect()
}

/// The call whose loop goes over the list, when that is its first holder.
fn loop_over<M>(sight: &Sight<M>, list: u32, calls: &FxHashMap<u32, Call>) -> Option<Call> {
    let mut row = list;
    for _ in 0..MOST_AROUND {
        let owner = sight.owned.owner(row);
        if let Some(call) = calls.get(&owner.parent) {
            // A variable would have the list, or its iterator, for later as well; that of a generator expression is `.0`.
            return (owner.label.kind() != LabelKind::Local || row != list).then_some(*call);
        }
        if !AROUND.contains(&sight.type_name(owner.parent)) {
            return None;
        }
        row = owner.parent;
    }
    None
}

/// The lists that anything else holds.
fn held_otherwise<M>(sight: &Sight<M>, lists: &[(u32, u64, Call)], calls: &FxHashMap<u32, Call>) -> FxHashSet<u32> {
    let rows: FxHashSet<u32> = lists.iter().map(|&(row, ..)| row).collect();
    let mut in_use = FxHashSet::default();
    for holder in 0..sight.found.objects.holders() as u32 {
        for each in sight.found.objects.references(holder) {
            let is_of_loop = || {
                let on_stack = calls.contains_key(&holder) && each.label.kind() != LabelKind::Local;
                on_stack || sight.type_name(holder) == ITERATOR
            };
            if each.target != HEAP && rows.contains(&each.target) && !is_of_loop() {
                in_use.insert(each.target);
            }
        }
    }
    in_use
}

fn describe<M: ReadMemory>(sight: &mut Sight<M>, row: u32, length: u64, call: Call) -> Option<IteratedList> {
    let code = call.call.code;
    for name in bytecode::names_used(sight.memory, sight.layout, code).ok()? {
        let name = naming::name_text(sight.memory, sight.layout, name);
        if name.is_some_and(|name| NEED_A_LIST.contains(&&*name)) {
            return None;
        }
    }
    let (file, first_line) = naming::definition(sight.memory, sight.layout, code)?;
    let line = lines::of_suspended(sight.memory, sight.layout, call.call)
        .ok()
        .flatten();
    let function = naming::function_of(sight.memory, sight.layout, code);
    Some(IteratedList {
        subject: sight.subject(row, length),
        function: function.trim_end_matches("()").to_owned(),
        file,
        line: line.unwrap_or(first_line),
    })
}
