//! The tasks of `asyncio` that are not done. Each is a root of its own, as a thread is: what its coroutines hold is held by
//! the task, and not by whatever is to wake it up.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::examine::Examiner;
use cpython::objects::frames::suspended_call;
use cpython::objects::types::{FieldName, InstanceDict, TypeInfo};

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
    /// The row that refers to its coroutine: its own, or that of the dict behind its attributes.
    pub holder: u32,
    /// What `asyncio` calls it.
    pub label: Label,
    /// The name that it shares with all tasks of its function: `task handle()`.
    pub kind: u32,
}

/// Where a task has its coroutine and its name.
#[derive(Debug, Clone, Copy)]
enum Members {
    /// At these offsets (`TaskObj`, Modules/_asynciomodule.c).
    Fields { coroutine: u64, name: u64 },
    /// In its attributes `_coro` and `_name` (`Task`, Lib/asyncio/tasks.py).
    Attributes,
}

impl Members {
    /// `None` for types that are no tasks.
    fn of<M: ReadMemory>(memory: &mut M, layout: &Layout, info: &TypeInfo) -> Option<Members> {
        let field = |name: &'static str| {
            let known = info.fields.iter().find(|field| field.name == FieldName::Known(name));
            known.map(|field| field.offset)
        };
        if field("fut_waiter").is_some() {
            return Some(Members::Fields {
                coroutine: field("coro")?,
                name: field("name")?,
            });
        }
        let has_attributes = info.instance_dict != InstanceDict::None;
        let is_task = has_attributes && naming::inherits_from(memory, layout, info, "asyncio.tasks", "Task");
        is_task.then_some(Members::Attributes)
    }

    /// The addresses of the coroutine and of the name of the task at `address`.
    fn read<M: ReadMemory>(self, memory: &mut M, walker: &mut Examiner, address: u64) -> Option<(u64, u64)> {
        match self {
            Members::Fields { coroutine, name } => Some((
                memory.word(address.wrapping_add(coroutine)).ok()?,
                memory.word(address.wrapping_add(name)).ok()?,
            )),
            Members::Attributes => Some((
                walker.attribute(memory, address, "_coro").ok()??,
                walker.attribute(memory, address, "_name").ok()??,
            )),
        }
    }
}

/// All tasks whose coroutines have not ended, in the order of their addresses.
pub fn pending<M: ReadMemory>(memory: &mut M, layout: &Layout, walker: &mut Examiner, found: &mut Found) -> Vec<Task> {
    let members: Vec<Option<Members>> = (0..found.types.count())
        .map(|index| Members::of(memory, layout, &found.types.get(index).info.of_type))
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
        .filter_map(|(address, row, members)| {
            let (coroutine, name) = members.read(memory, walker, address)?;
            task(memory, layout, found, row, coroutine, name)
        })
        .collect()
}

/// The task of a row; `coroutine` and `name` are the addresses of what it has.
fn task<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &mut Found,
    row: u32,
    coroutine: u64,
    name: u64,
) -> Option<Task> {
    let (holder, row_of_coroutine) = held_call(found, row, coroutine)?;
    let call = suspended_call(memory, layout, coroutine).ok()??;
    let function = naming::function_of(memory, layout, call.code);
    Some(Task {
        row,
        coroutine: row_of_coroutine,
        holder,
        label: Label::new(LabelKind::Task, u64::from(found.names.object(name)?)),
        kind: found.names.text(&format!("task {function}")),
    })
}

/// Which row refers to the call at `address`, that of the task or that of the dict behind its attributes, and the row of
/// the call.
fn held_call(found: &Found, row: u32, address: u64) -> Option<(u32, u32)> {
    let references = found.objects.references(row).iter();
    let namespaces = references
        .filter(|reference| reference.label == Label::NAMESPACE)
        .map(|reference| reference.target);
    std::iter::once(row).chain(namespaces).find_map(|holder| {
        let held = found
            .objects
            .references(holder)
            .iter()
            .map(|reference| reference.target);
        let call = held
            .clone()
            .find(|&target| found.address_of(target) == address && is_call(found, target));
        call.map(|call| (holder, call))
    })
}

/// Whether the row is a call that is suspended: a generator or a coroutine.
pub fn is_call(found: &Found, row: u32) -> bool {
    let type_of = found.types.get(found.objects.type_of(row));
    matches!(type_of.info.of_type.content, Content::Generator | Content::Coroutine)
}
