//! The tasks of `asyncio` that are not done. Each is a root of its own, as a thread is: what its coroutines hold is held by
//! the task, and not by whatever is to wake it up.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::frames::suspended_call;
use cpython::objects::types::{FieldName, TypeInfo};

use super::found::Found;
use super::labels::{Label, LabelKind};
use super::naming;

/// Of more tasks than these the rest are ordinary objects.
const MOST_TASKS: usize = 100_000;

/// A task that is not done.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    pub row: u32,
    /// The row of its coroutine.
    pub coroutine: u32,
    /// What `asyncio` calls it.
    pub label: Label,
    /// The name that it shares with all tasks of its function: `task handle()`.
    pub kind: u32,
}

/// Where a task's members stand (`TaskObj`, Modules/_asynciomodule.c).
#[derive(Debug, Clone, Copy)]
struct Members {
    coroutine: u64,
    name: u64,
}

impl Members {
    /// `None` for types that are no tasks.
    fn of(info: &TypeInfo) -> Option<Members> {
        let field = |name: &'static str| {
            let known = info.fields.iter().find(|field| field.name == FieldName::Known(name));
            known.map(|field| field.offset)
        };
        field("fut_waiter")?;
        Some(Members {
            coroutine: field("coro")?,
            name: field("name")?,
        })
    }
}

/// All tasks whose coroutines have not ended, in the order of their addresses.
pub fn pending<M: ReadMemory>(memory: &mut M, layout: &Layout, found: &mut Found) -> Vec<Task> {
    let members: Vec<Option<Members>> = (0..found.types.count())
        .map(|index| Members::of(&found.types.get(index).info.of_type))
        .collect();
    if members.iter().all(Option::is_none) {
        return Vec::new();
    }
    let members_of = |found: &Found, row: u32| members.get(found.objects.type_of(row) as usize).copied().flatten();
    let mut rows: Vec<(u64, u32, Members)> = (0..found.objects.count() as u32)
        .filter_map(|row| Some((found.address_of(row), row, members_of(found, row)?)))
        .collect();
    rows.sort_unstable_by_key(|(address, ..)| *address);
    rows.truncate(MOST_TASKS);
    rows.into_iter()
        .filter_map(|(address, row, members)| task(memory, layout, found, address, row, members))
        .collect()
}

fn task<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &mut Found,
    address: u64,
    row: u32,
    members: Members,
) -> Option<Task> {
    let address_of_coroutine = memory.word(address.wrapping_add(members.coroutine)).ok()?;
    let coroutine = found
        .objects
        .references(row)
        .iter()
        .map(|reference| reference.target)
        .find(|&target| found.address_of(target) == address_of_coroutine && is_call(found, target))?;
    let call = suspended_call(memory, layout, address_of_coroutine).ok()??;
    let name = memory.word(address.wrapping_add(members.name)).ok()?;
    let function = naming::function_of(memory, layout, call.code);
    Some(Task {
        row,
        coroutine,
        label: Label::new(LabelKind::Task, u64::from(found.names.object(name)?)),
        kind: found.names.text(&format!("task {function}")),
    })
}

/// Whether the row is a call that is suspended: a generator or a coroutine.
pub fn is_call(found: &Found, row: u32) -> bool {
    let type_of = found.types.get(found.objects.type_of(row));
    matches!(type_of.info.of_type.content, Content::Generator | Content::Coroutine)
}
