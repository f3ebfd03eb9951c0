//! The calls that a thread is in, by the code that they run: enough to tell what a program is doing.

use crate::layout::{CurrentFrame, FrameForm, Layout};
use crate::memory::{ReadMemory, Unreadable, word_at};

use super::{bounds, text};

/// Deeper calls are not looked at.
const MOST_CALLS: usize = 1 << 12;
/// Longer names of files are cut.
const LONGEST_NAME: usize = 4096;

/// The code objects of the calls of the thread at `thread`, the innermost first (`PyThreadState`, `_PyInterpreterFrame`).
pub fn codes<M: ReadMemory>(memory: &mut M, layout: &Layout, thread: u64) -> Result<Vec<u64>, Unreadable> {
    let (mut frame, is_object) = match layout.thread.current_frame {
        CurrentFrame::Object(offset) => (memory.word(thread.wrapping_add(offset))?, true),
        CurrentFrame::CFrame { cframe, current_frame } => {
            let cframe = memory.word(thread.wrapping_add(cframe))?;
            (memory.word(cframe.wrapping_add(current_frame))?, false)
        }
        CurrentFrame::Direct(offset) => (memory.word(thread.wrapping_add(offset))?, false),
    };
    let mut codes = Vec::new();
    while frame != 0 && codes.len() < MOST_CALLS {
        bounds::object(frame)?;
        frame = if is_object {
            add_object(memory, layout, frame, &mut codes)?
        } else {
            add_frame(memory, layout, frame, &mut codes)?
        };
    }
    Ok(codes)
}

/// Adds the code of a frame object (3.8 to 3.10), and answers the frame that called it.
fn add_object<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    frame: u64,
    codes: &mut Vec<u64>,
) -> Result<u64, Unreadable> {
    if let FrameForm::Inline { code, .. } = layout.frame_object.form {
        codes.push(memory.word(frame.wrapping_add(code))?);
    }
    Ok(memory.word(frame.wrapping_add(layout.frame_object.back))?)
}

/// Adds the code of an interpreter's own frame, if it runs any, and answers the frame that called it.
fn add_frame<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    frame: u64,
    codes: &mut Vec<u64>,
) -> Result<u64, Unreadable> {
    let at = layout.frame;
    let bytes = memory.read(frame, at.size as usize)?;
    if bytes
        .get(at.owner as usize)
        .is_some_and(|&owner| owner < at.first_c_owner)
    {
        codes.push(word_at(bytes, at.code) & !at.slot_bits);
    }
    Ok(word_at(bytes, at.previous))
}

/// The file that a code object was compiled from.
pub fn file_of<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64) -> Result<String, Unreadable> {
    let name = memory.word(code.wrapping_add(layout.code.filename))?;
    text::str_value(memory, layout, name, LONGEST_NAME)
}
