//! Where a frame that is under way can carry a mark: a number that is gone once its call has gone on or ended.
//!
//! A frame that is found at the same address, with the same code and the same instruction, may still be that of a later
//! call, whose callers have gone on. So a mark is put where the interpreter reads nothing as long as the call is under
//! way, and writes before it can be under way anew:
//!
//! - `f_stacktop` (3.8, 3.9) is NULL, and `f_stackdepth` and `stacktop` (3.10 to 3.13) are -1, while a frame runs, C code that
//!   it has called included. They are set when a frame is made, and again whenever it is left and entered. What looks at
//!   them meanwhile only asks whether they are larger than nothing, but for frames that are traced, and those of generators
//!   before 3.11: such ones get no mark. While a mark stands there, the frame has not been left.
//! - A frame that waits for another one which an instruction of its own has called (3.11 and later) has taken callable and
//!   arguments off its value stack. What begins behind the stack's end then is of no use to anybody, and what is put there
//!   next is what the call answers, or the callable or an argument of the next call from there. While a mark stands there,
//!   the frame waits for the same call. That is not so where nothing was taken off: for generators that are gone on with
//!   (so `Stepped::is_call`), and in the frame that stands between a class and its `__init__`, which has no lines of its own
//!   and is no call of the program's.

use crate::layout::{FrameForm, FrameTop, Layout, StackDepth};
use crate::memory::{ReadMemory, Unreadable};

/// Larger numbers are not marked: a mark has to be less than any address.
pub const MOST: u32 = 1 << 14;

/// How frames carry marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    top: Top,
    /// What is NULL in frames that may be marked.
    nulls: Option<(u64, u64)>,
}

/// What tells where the value stack ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Top {
    /// A pointer, NULL while the frame runs.
    OrNull(u64),
    /// A count, -1 while the frame runs, of slots from the second offset on, if any.
    Count(u64, Option<u64>),
    /// A pointer that is there always.
    Pointer(u64),
}

/// Where a frame carries its mark at this moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spot {
    pub address: u64,
    /// Of eight bytes the mark is there as it is, behind [`SLOT`]; of four in its place counted down from -2.
    form: Form,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Word,
    Half,
    Slot,
}

/// Above a mark in a slot: no address of a program.
const SLOT: u64 = 0x7079_6d73 << 32;

/// What is to be written at a [`Spot`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Word(u64),
    Half(u32),
}

impl Marks {
    pub fn of(layout: &Layout) -> Marks {
        match layout.frame_object.form {
            FrameForm::Inline {
                depth,
                trace,
                generator,
                ..
            } => Marks {
                top: match depth {
                    StackDepth::Top { top, .. } => Top::OrNull(top),
                    StackDepth::Count(count) => Top::Count(count, None),
                },
                nulls: Some((trace, generator)),
            },
            FrameForm::Pointer { .. } => Marks {
                top: match layout.frame.top {
                    FrameTop::Count(count) => Top::Count(count, Some(layout.frame.localsplus)),
                    FrameTop::Pointer(pointer) => Top::Pointer(pointer),
                },
                nulls: None,
            },
        }
    }

    /// Where the frame can carry a mark; `calls` where it waits for a call as `Stepped::is_call` tells it. `None` where it
    /// can carry none.
    #[inline]
    pub fn spot<M: ReadMemory>(&self, memory: &mut M, frame: u64, calls: bool) -> Result<Option<Spot>, Unreadable> {
        if let Some((trace, generator)) = self.nulls
            && (memory.word(frame.wrapping_add(trace))? != 0 || memory.word(frame.wrapping_add(generator))? != 0)
        {
            return Ok(None);
        }
        let slot = |address: u64| {
            calls.then_some(Spot {
                address,
                form: Form::Slot,
            })
        };
        Ok(match self.top {
            Top::OrNull(at) => {
                let address = frame.wrapping_add(at);
                let form = Form::Word;
                (memory.word(address)? <= u64::from(MOST)).then_some(Spot { address, form })
            }
            Top::Count(at, slots) => {
                let address = frame.wrapping_add(at);
                let count = memory.half(address)? as i32;
                match (u64::try_from(count), slots) {
                    (Err(_), _) => Some(Spot {
                        address,
                        form: Form::Half,
                    }),
                    (Ok(count), Some(slots)) => slot(frame.wrapping_add(slots).wrapping_add(8 * count)),
                    (Ok(_), None) => None,
                }
            }
            Top::Pointer(at) => slot(memory.word(frame.wrapping_add(at))?),
        })
    }
}

impl Spot {
    /// The number that stands there, if it is one.
    #[inline]
    pub fn mark<M: ReadMemory>(&self, memory: &mut M) -> Result<Option<u32>, Unreadable> {
        Ok(match self.form {
            Form::Word => (memory.word(self.address)? as u32).checked_sub(1),
            Form::Half => (-2_i32 as u32).checked_sub(memory.half(self.address)?),
            Form::Slot => {
                let word = memory.word(self.address)?;
                (word & !u64::from(u32::MAX) == SLOT).then_some(word as u32)
            }
        })
    }

    /// Whether what was written stands there.
    #[inline]
    pub fn holds<M: ReadMemory>(&self, memory: &mut M, written: Written) -> bool {
        match written {
            Written::Word(word) => memory.word(self.address) == Ok(word),
            Written::Half(half) => memory.half(self.address) == Ok(half),
        }
    }

    /// What marks the frame with this number; `None` where that is too large.
    #[inline]
    pub fn written(&self, number: usize) -> Option<Written> {
        let number = u32::try_from(number).ok().filter(|&number| number < MOST)?;
        Some(match self.form {
            Form::Word => Written::Word(u64::from(number) + 1),
            Form::Half => Written::Half((-2_i32 as u32) - number),
            Form::Slot => Written::Word(SLOT | u64::from(number)),
        })
    }
}
