//! Who runs Python code at this moment: the thread that holds the global interpreter lock.

use crate::layout::{Gil, Layout};
use crate::memory::{ReadMemory, Unreadable};

/// The thread (`PyThreadState`) of the interpreter at `interpreter` that holds the lock; `None` while none of its threads
/// does.
pub fn holder<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    runtime: u64,
    interpreter: u64,
) -> Result<Option<u64>, Unreadable> {
    let thread = match layout.interpreter.gil {
        Gil::Runtime(current) => memory.word(runtime.wrapping_add(current))?,
        Gil::Interpreter {
            state,
            last_holder,
            locked,
        } => {
            let state = memory.word(interpreter.wrapping_add(state))?;
            // It is -1 until the lock is made.
            if state == 0 || memory.half(state.wrapping_add(locked))? != 1 {
                return Ok(None);
            }
            memory.word(state.wrapping_add(last_holder))?
        }
    };
    if thread == 0 {
        return Ok(None);
    }
    // Interpreters may share a lock.
    let of = memory.word(thread.wrapping_add(layout.thread.interp))?;
    Ok((of == interpreter).then_some(thread))
}
