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

/// Where frames have the words that tell one call from another, for whoever walks them often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    code: u64,
    /// Bits of the word there that are none of the address.
    slot_bits: u64,
    instruction: u64,
    /// The instruction is told by four bytes and not by eight.
    is_half: bool,
    previous: u64,
    /// Where the owner stands, and from which one on a frame stands for C code.
    owner: Option<(u64, u8)>,
    /// Where it stands that C code has called.
    is_entry: Option<u64>,
}

/// A frame with its code and its instruction. Two steps with the same code and instruction are at the same line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    pub frame: u64,
    pub code: u64,
    pub instruction: u64,
}

/// One step from a frame to its caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stepped {
    /// `None` where the frame stands for C code.
    pub step: Option<Step>,
    /// The calling frame, or 0.
    pub previous: u64,
    /// An instruction of the calling frame has called this one, with arguments from its value stack, and no C code between
    /// (3.11 and later).
    pub is_call: bool,
}

impl Steps {
    pub fn of(layout: &Layout) -> Steps {
        match layout.frame_object.form {
            FrameForm::Inline {
                code, last_instruction, ..
            } => Steps {
                code,
                slot_bits: 0,
                instruction: last_instruction.0,
                is_half: true,
                previous: layout.frame_object.back,
                owner: None,
                is_entry: None,
            },
            FrameForm::Pointer { .. } => Steps {
                code: layout.frame.code,
                slot_bits: layout.frame.slot_bits,
                instruction: layout.frame.instruction,
                is_half: false,
                previous: layout.frame.previous,
                owner: Some((layout.frame.owner, layout.frame.first_c_owner)),
                is_entry: layout.frame.is_entry,
            },
        }
    }

    /// The frame at `frame`, and where its caller's is.
    #[inline]
    pub fn at<M: ReadMemory>(&self, memory: &mut M, frame: u64) -> Result<Stepped, Unreadable> {
        let mut stepped = Stepped {
            step: None,
            previous: memory.word(frame.wrapping_add(self.previous))?,
            is_call: false,
        };
        if let Some((at, first_of_c)) = self.owner {
            let owner = memory.byte(frame.wrapping_add(at))?;
            if owner >= first_of_c {
                return Ok(stepped);
            }
            stepped.is_call = owner == THREAD
                && match self.is_entry {
                    Some(at) => memory.byte(frame.wrapping_add(at))? == 0,
                    None => true,
                };
        }
        stepped.step = Some(Step {
            frame,
            code: memory.word(frame.wrapping_add(self.code))? & !self.slot_bits,
            instruction: self.instruction(memory, frame)?,
        });
        Ok(stepped)
    }

    /// [`Step::instruction`] of the frame at `frame`.
    #[inline]
    pub fn instruction<M: ReadMemory>(&self, memory: &mut M, frame: u64) -> Result<u64, Unreadable> {
        let at = frame.wrapping_add(self.instruction);
        Ok(if self.is_half {
            u64::from(memory.half(at)?)
        } else {
            memory.word(at)?
        })
    }
}

/// `FRAME_OWNED_BY_THREAD`.
const THREAD: u8 = 0;
