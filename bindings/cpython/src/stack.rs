//! The frames of a program that goes on, from bytes that were read a moment ago: they may be half written, or of a call
//! that has ended meanwhile.

use crate::layout::{CurrentFrame, FrameForm, Layout, LineTable};
use crate::memory::{ReadMemory, Unreadable, half_at, word_at};

/// What a frame says of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningCall {
    /// The code object that it runs; 0 where it stands for C code.
    pub code: u64,
    /// Where the instruction that runs stands in its code, in bytes; negative before the first one.
    pub offset: i64,
    /// The calling frame, or 0.
    pub previous: u64,
}

/// What leads to the innermost frame of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Innermost {
    /// The address of a word that points at it,
    pub pointer: u64,
    /// or at a structure that does, so many bytes from its beginning on (`_PyCFrame`, 3.11 and 3.12). It stands on the C
    /// stack, and another one takes its place with each call that C code makes.
    pub through: Option<u64>,
}

/// What leads to the innermost frame of the thread at `thread`.
pub fn innermost(layout: &Layout, thread: u64) -> Innermost {
    match layout.thread.current_frame {
        CurrentFrame::Object(offset) | CurrentFrame::Direct(offset) => Innermost {
            pointer: thread.wrapping_add(offset),
            through: None,
        },
        CurrentFrame::CFrame { cframe, current_frame } => Innermost {
            pointer: thread.wrapping_add(cframe),
            through: Some(current_frame),
        },
    }
}

impl Innermost {
    /// The address of the word that points at the frame itself, at this moment.
    pub fn word<M: ReadMemory>(self, memory: &mut M) -> Result<u64, Unreadable> {
        Ok(match self.through {
            Some(offset) => memory.word(self.pointer)?.wrapping_add(offset),
            None => self.pointer,
        })
    }
}

/// So many bytes from a frame's beginning on are needed of it.
pub fn needed(layout: &Layout) -> usize {
    match layout.frame_object.form {
        FrameForm::Inline {
            code, last_instruction, ..
        } => {
            let ends = [code + 8, layout.frame_object.back + 8, last_instruction.0 + 4];
            ends.into_iter().max().unwrap_or_default() as usize
        }
        FrameForm::Pointer { .. } => layout.frame.localsplus as usize,
    }
}

/// The call that these [`needed`] bytes of a frame tell of.
pub fn call(layout: &Layout, bytes: &[u8]) -> RunningCall {
    if let FrameForm::Inline {
        code,
        last_instruction: (at, unit),
        ..
    } = layout.frame_object.form
    {
        return RunningCall {
            code: word_at(bytes, code),
            offset: i64::from(half_at(bytes, at) as i32) * unit,
            previous: word_at(bytes, layout.frame_object.back),
        };
    }
    let at = layout.frame;
    let owner = bytes.get(at.owner as usize).copied().unwrap_or(u8::MAX);
    let previous = word_at(bytes, at.previous);
    if owner >= at.first_c_owner {
        return RunningCall {
            code: 0,
            offset: 0,
            previous,
        };
    }
    let code = word_at(bytes, at.code) & !at.slot_bits;
    let first = match layout.code.lines {
        LineTable::Locations { code, .. } => code,
        LineTable::Steps { .. } | LineTable::Ranges { .. } => 0,
    };
    RunningCall {
        code,
        offset: word_at(bytes, at.instruction).wrapping_sub(code.wrapping_add(first)) as i64,
        previous,
    }
}
