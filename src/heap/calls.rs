//! The calls that are under way: those of threads, and of generators and coroutines that wait for their next turn.

use cpython::layout::{FrameForm, Layout};
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::frames::{SuspendedCall, suspended_call};
use rustc_hash::FxHashMap;

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
}

/// All calls that will go on.
pub fn under_way<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &Found,
    of_threads: &[ThreadCall],
) -> Vec<Call> {
    let of_row = |each: &ThreadCall| {
        Some(Call {
            row: each.row?,
            call: each.call,
        })
    };
    let mut calls: Vec<Call> = of_threads.iter().filter_map(of_row).collect();
    let mut frames: FxHashMap<u64, SuspendedCall> = of_threads
        .iter()
        .filter(|each| each.row.is_none())
        .map(|each| (each.call.frame, each.call))
        .collect();
    let has_frame_objects = matches!(layout.frame_object.form, FrameForm::Inline { .. });
    let contents = contents(found);
    let content = |row: u32| contents.get(found.objects.type_of(row) as usize).copied().flatten();
    let holders = || 0..found.objects.holders() as u32;
    for row in holders().filter(|&row| matches!(content(row), Some(Content::Generator | Content::Coroutine))) {
        if let Ok(Some(call)) = suspended_call(memory, layout, found.address_of(row)) {
            match has_frame_objects {
                true => drop(frames.insert(call.frame, call)),
                false => calls.push(Call { row, call }),
            }
        }
    }
    if has_frame_objects {
        let of_frame = |row: u32| {
            let call = *frames.get(&found.address_of(row))?;
            Some(Call { row, call })
        };
        calls.extend(
            holders()
                .filter(|&row| content(row) == Some(Content::Frame))
                .filter_map(of_frame),
        );
    }
    calls
}

/// By type, the contents that calls may have.
fn contents(found: &Found) -> Vec<Option<Content>> {
    let content = |type_of: u32| match found.types.get(type_of).info.of_type.content {
        content @ (Content::Generator | Content::Coroutine | Content::Frame) => Some(content),
        _ => None,
    };
    (0..found.types.count())
        .map(|type_of| if type_of == NO_OBJECT { None } else { content(type_of) })
        .collect()
}
