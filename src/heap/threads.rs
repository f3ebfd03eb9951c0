//! What threads work on: their frames, the exceptions they handle, and what else a thread holds.

use cpython::layout::{CurrentFrame, FrameForm};
use cpython::memory::ReadMemory;
use cpython::objects::examine::Examiner;
use rustc_hash::FxHashSet;

use super::found::Found;
use super::labels::{Label, LabelKind};
use super::naming;
use super::roots::add_member;
use super::survey::Subject;

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
        memory: &mut M,
        subject: &Subject,
        addresses: &[u64],
        walker: &Examiner,
        found: &mut Found,
    ) {
        for (number, &thread) in addresses.iter().rev().enumerate() {
            self.add_thread(memory, subject, thread, number + 1, walker, found);
        }
    }

    fn add_thread<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        subject: &Subject,
        thread: u64,
        number: usize,
        walker: &Examiner,
        found: &mut Found,
    ) {
        let layout = subject.layout;
        let at = &layout.thread;
        let native = at
            .native_thread_id
            .and_then(|offset| memory.word(thread.wrapping_add(offset)).ok());
        let name = match native {
            Some(native) => format!("{THREAD}{native}"),
            None => format!("{THREAD}{number}"),
        };
        let holder = found.add_holder(None, LabelKind::Root, &name, 0);
        let _ = self.add_frames(memory, subject, thread, holder, walker, found);
        for &(name, offset) in at.roots {
            add_member(memory, thread.wrapping_add(offset), holder, name, found);
        }
        let mut item = memory.word(thread.wrapping_add(at.exc_info)).unwrap_or(0);
        for _ in 0..MOST_HANDLERS {
            if item == 0 {
                break;
            }
            for &offset in at.exc_item_values {
                add_member(memory, item.wrapping_add(offset), holder, "handled exception", found);
            }
            item = memory.word(item.wrapping_add(at.exc_item_previous)).unwrap_or(0);
        }
    }

    /// The frames of a thread, the innermost first.
    fn add_frames<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        subject: &Subject,
        thread: u64,
        holder: u32,
        walker: &Examiner,
        found: &mut Found,
    ) -> Option<()> {
        let layout = subject.layout;
        let mut frame = match layout.thread.current_frame {
            CurrentFrame::Object(offset) => {
                let object = memory.word(thread.wrapping_add(offset)).ok()?;
                return self.add_frame_objects(memory, subject, object, holder, found);
            }
            CurrentFrame::CFrame { cframe, current_frame } => {
                let cframe = memory.word(thread.wrapping_add(cframe)).ok()?;
                memory.word(cframe.wrapping_add(current_frame)).ok()?
            }
            CurrentFrame::Direct(offset) => memory.word(thread.wrapping_add(offset)).ok()?,
        };
        while frame != 0 && self.frames.insert(frame) {
            let (running, previous) = walker.running_frame(memory, frame).ok()?;
            if let Some(running) = running {
                let name = function_name(memory, subject, running.code);
                found.add_holder(Some(holder), LabelKind::Attribute, &name, running.address);
            }
            frame = previous;
        }
        Some(())
    }

    /// Frames that are objects (3.8 to 3.10): the collector may not track them while they run.
    fn add_frame_objects<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        subject: &Subject,
        first: u64,
        holder: u32,
        found: &mut Found,
    ) -> Option<()> {
        let layout = subject.layout;
        let FrameForm::Inline { code, .. } = layout.frame_object.form else {
            return None;
        };
        let mut frame = first;
        while frame != 0 && self.frames.insert(frame) {
            let code = memory.word(frame.wrapping_add(code)).ok()?;
            let name = function_name(memory, subject, code);
            let label = Label::new(LabelKind::Attribute, u64::from(found.names.id(&name)));
            found.seed(memory, Some(holder), label, frame);
            frame = memory.word(frame.wrapping_add(layout.frame_object.back)).ok()?;
        }
        Some(())
    }
}

fn function_name<M: ReadMemory>(memory: &mut M, subject: &Subject, code: u64) -> String {
    let at = &subject.layout.code;
    let name = memory
        .word(code.wrapping_add(at.qualname.unwrap_or(at.name)))
        .unwrap_or(0);
    match naming::str_at(memory, subject.layout, name) {
        Some(name) => format!("{name}()"),
        None => "?()".to_owned(),
    }
}
