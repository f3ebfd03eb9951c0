//! The calls that are under way: those of threads, and of generators and coroutines that wait for their next turn.

use cpython::layout::{FrameForm, Layout};
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::frames::{SuspendedCall, suspended_call};
use rustc_hash::{FxHashMap, FxHashSet};

use super::found::Found;
use super::objects::NO_OBJECT;

/// A call that a thread is in.
#[derive(Debug, Clone, Copy)]
pub struct ThreadCall {
    /// The row that stands for its frame; `None` where that is an object (3.8 to 3.10).
    pub row: Option<u32>,
    pub call: SuspendedCall,
}

/// A call, and the row that holds its variables.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub row: u32,
    pub call: SuspendedCall,
    /// Rows through which the same variables are seen again: of the frame object that was made for it, and of the generator
    /// when that is running (3.11 and later).
    pub again: [Option<u32>; 2],
}

/// All calls that will go on.
pub fn under_way<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &Found,
    of_threads: &[ThreadCall],
) -> Vec<Call> {
    let (mut frames, mut waiting) = (Vec::new(), Vec::new());
    let kinds = kinds(found);
    for row in 0..found.objects.holders() as u32 {
        match kinds.get(found.objects.type_of(row) as usize) {
            Some(Some(Kind::Frame)) => frames.push(row),
            Some(Some(Kind::Waiting)) => waiting.push(row),
            _ => {}
        }
    }
    let of_waiting = waiting.into_iter().filter_map(|row| {
        let call = suspended_call(memory, layout, found.address_of(row)).ok()??;
        Some(ThreadCall { row: Some(row), call })
    });
    let of_waiting: Vec<ThreadCall> = of_waiting.collect();
    let frame_objects: FxHashMap<u64, u32> = frames.into_iter().map(|row| (found.address_of(row), row)).collect();
    let generators: FxHashMap<u64, u32> =
        (of_waiting.iter().filter_map(|each| Some((each.call.frame, each.row?)))).collect();
    // A generator that is running is a call of its thread.
    let running: FxHashSet<u64> = of_threads.iter().map(|each| each.call.frame).collect();
    let not_running = of_waiting.iter().filter(|each| !running.contains(&each.call.frame));
    let all = of_threads.iter().chain(not_running);
    all.filter_map(|&ThreadCall { row, call }| match layout.frame_object.form {
        FrameForm::Inline { .. } => Some(Call {
            row: *frame_objects.get(&call.frame)?,
            call,
            again: [None, None],
        }),
        FrameForm::Pointer { .. } => {
            let object = memory.word(call.frame.wrapping_add(layout.frame.frame_obj)).ok()?;
            let generator = generators.get(&call.frame).copied();
            Some(Call {
                row: row?,
                call,
                again: [
                    frame_objects.get(&object).copied(),
                    generator.filter(|&generator| Some(generator) != row),
                ],
            })
        }
    })
    .collect()
}

/// Objects that are calls.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Frame,
    /// A generator, a coroutine.
    Waiting,
}

/// By type, which calls its objects are.
fn kinds(found: &Found) -> Vec<Option<Kind>> {
    let kind = |type_of: u32| match found.types.get(type_of).info.of_type.content {
        _ if type_of == NO_OBJECT => None,
        Content::Frame => Some(Kind::Frame),
        Content::Generator | Content::Coroutine => Some(Kind::Waiting),
        _ => None,
    };
    (0..found.types.count()).map(kind).collect()
}
