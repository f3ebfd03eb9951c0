//! What threads work on: their frames, the exceptions they handle, and what else a thread holds.

use cpython::layout::{CurrentFrame, FrameForm};
use cpython::memory::ReadMemory;
use cpython::objects::frames::SuspendedCall;
use cpython::objects::lines;
use cpython::runtime::Interpreter;
use rustc_hash::FxHashSet;

use super::calls::ThreadCall;
use super::naming;
use super::objects::HEAP;
use super::roots::Gathering;
use super::thread_names::ThreadNames;

/// `_PyErr_StackItem`s that hang on a thread: one for each handler that runs.
const MOST_HANDLERS: usize = 1 << 16;

/// What the name of a thread begins with.
pub const THREAD: &str = "thread ";

/// The threads of all interpreters.
#[derive(Debug, Default)]
pub struct Threads {
    /// Frames that were met, so that none is told twice: a chain that leads back to one of them ends there.
    frames: FxHashSet<u64>,
}

impl Threads {
    /// Adds the threads of an interpreter, whose addresses are given newest first.
    pub fn add<M: ReadMemory>(
        &mut self,
        gathering: &mut Gathering<M>,
        interpreter: &Interpreter,
        mut addresses: Vec<u64>,
    ) {
        addresses.reverse();
        let names = ThreadNames::read(gathering, interpreter);
        let names = names.of_threads(gathering.memory, gathering.subject.layout, &addresses);
        for (thread, name) in addresses.into_iter().zip(names) {
            self.add_thread(gathering, thread, &format!("{THREAD}{name}"));
        }
    }

    fn add_thread<M: ReadMemory>(&mut self, gathering: &mut Gathering<M>, thread: u64, name: &str) {
        let at = &gathering.subject.layout.thread;
        let holder = gathering.holder(HEAP, name);
        let _ = self.add_frames(gathering, thread, holder);
        for &(name, offset) in at.roots {
            gathering.hold_member(holder, name, thread.wrapping_add(offset));
        }
        let mut item = gathering.memory.word(thread.wrapping_add(at.exc_info)).unwrap_or(0);
        for _ in 0..MOST_HANDLERS {
            if item == 0 {
                break;
            }
            for &offset in at.exc_item_values {
                gathering.hold_member(holder, "handled exception", item.wrapping_add(offset));
            }
            item = gathering
                .memory
                .word(item.wrapping_add(at.exc_item_previous))
                .unwrap_or(0);
        }
    }

    /// The frames of a thread, the innermost first.
    fn add_frames<M: ReadMemory>(&mut self, gathering: &mut Gathering<M>, thread: u64, holder: u32) -> Option<()> {
        let mut frame = match gathering.subject.layout.thread.current_frame {
            CurrentFrame::Object(offset) => {
                let object = gathering.memory.word(thread.wrapping_add(offset)).ok()?;
                return self.add_frame_objects(gathering, object, holder);
            }
            CurrentFrame::CFrame { cframe, current_frame } => {
                let cframe = gathering.memory.word(thread.wrapping_add(cframe)).ok()?;
                gathering.memory.word(cframe.wrapping_add(current_frame)).ok()?
            }
            CurrentFrame::Direct(offset) => gathering.memory.word(thread.wrapping_add(offset)).ok()?,
        };
        while frame != 0 && self.frames.insert(frame) {
            let (running, previous) = gathering.walker.running_frame(gathering.memory, frame).ok()?;
            if let Some(running) = running {
                let (memory, layout) = (&mut *gathering.memory, gathering.subject.layout);
                let line = lines::of_frame(memory, layout, running.address, running.code);
                let name = naming::call_of(memory, layout, running.code, line.unwrap_or(None));
                let row = Some(gathering.frame(holder, &name, running.address));
                let (frame, code) = (running.address, running.code);
                let call = SuspendedCall { frame, code };
                gathering.holders.calls.push(ThreadCall { row, call });
            }
            frame = previous;
        }
        Some(())
    }

    /// Frames that are objects (3.8 to 3.10): the collector may not track them while they run.
    fn add_frame_objects<M: ReadMemory>(
        &mut self,
        gathering: &mut Gathering<M>,
        first: u64,
        holder: u32,
    ) -> Option<()> {
        let at = &gathering.subject.layout.frame_object;
        let FrameForm::Inline { code, .. } = at.form else {
            return None;
        };
        let mut frame = first;
        while frame != 0 && self.frames.insert(frame) {
            let code = gathering.memory.word(frame.wrapping_add(code)).ok()?;
            let (memory, layout) = (&mut *gathering.memory, gathering.subject.layout);
            let line = lines::of_frame_object(memory, layout, frame, code);
            let name = naming::call_of(memory, layout, code, line.unwrap_or(None));
            gathering.hold(holder, &name, frame);
            let call = SuspendedCall { frame, code };
            gathering.holders.calls.push(ThreadCall { row: None, call });
            frame = gathering.memory.word(frame.wrapping_add(at.back)).ok()?;
        }
        Some(())
    }
}
