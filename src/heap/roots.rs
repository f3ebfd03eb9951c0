//! Where the survey begins: modules, threads and their frames, what the interpreter itself holds.

use cpython::layout::CurrentFrame;
use cpython::memory::ReadMemory;
use cpython::objects::dict;
use cpython::objects::examine::Examiner;
use cpython::runtime::{self, Interpreter};

use super::found::Found;
use super::labels::{Label, LabelKind};
use super::naming;
use super::survey::Subject;

/// More modules or frames than any program has.
const MOST_MODULES: usize = 1 << 20;
const MOST_FRAMES: usize = 1 << 20;
/// `_PyErr_StackItem`s that hang on a thread: one for each handler that runs.
const MOST_HANDLERS: usize = 1 << 16;

/// Adds what modules name, the preferred holders.
pub fn add_modules<M: ReadMemory>(memory: &mut M, subject: &Subject, interpreters: &[Interpreter], found: &mut Found) {
    for interpreter in interpreters.iter().rev() {
        // A root that cannot be read is found through the collector's lists all the same.
        let _ = add_modules_of(memory, subject, interpreter, found);
    }
}

/// Adds what threads work on.
pub fn add_threads<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    interpreters: &[Interpreter],
    walker: &Examiner,
    found: &mut Found,
) {
    for interpreter in interpreters.iter().rev() {
        let Ok(threads) = runtime::threads(memory, subject.layout, interpreter.address) else {
            continue;
        };
        for (number, thread) in threads.into_iter().rev().enumerate() {
            add_thread(memory, subject, thread, number + 1, walker, found);
        }
    }
}

/// Adds what interpreters hold themselves.
pub fn add_interpreters<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    interpreters: &[Interpreter],
    found: &mut Found,
) {
    for interpreter in interpreters.iter().rev() {
        add_interpreter(memory, subject, interpreter, found);
    }
}

/// Tells what a row that is no object holds: the variables of a frame.
pub fn expand<M: ReadMemory>(memory: &mut M, walker: &mut Examiner, found: &mut Found, row: u32) {
    let address = found.objects.address[row as usize];
    if address != 0 {
        found.begin(row);
        if walker.frame(memory, address, found).is_err() {
            found.rejected += 1;
        }
    }
}

/// `sys.modules`, with `__main__` last: what it imported is better known by the name of where it came from.
fn add_modules_of<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    interpreter: &Interpreter,
    found: &mut Found,
) -> Option<()> {
    let layout = subject.layout;
    let mut modules: Vec<(String, u64)> = dict::entries(memory, layout, interpreter.modules, MOST_MODULES)
        .ok()?
        .into_iter()
        .map(|entry| (naming::name_text(memory, layout, entry.key), entry.value))
        .collect();
    modules.sort_by_key(|(name, _)| name == "__main__");
    for (name, module) in modules {
        let name = if interpreter.id == 0 {
            name
        } else {
            format!("interpreter {}: {name}", interpreter.id)
        };
        let label = Label::new(LabelKind::Root, u64::from(found.names.id(&name)));
        found.seed(memory, None, label, module);
    }
    Some(())
}

fn add_thread<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    thread: u64,
    number: usize,
    walker: &Examiner,
    found: &mut Found,
) {
    let layout = subject.layout;
    let at = &layout.thread;
    let native = at.native_thread_id.and_then(|offset| memory.word(thread + offset).ok());
    let name = match native {
        Some(native) => format!("thread {native}"),
        None => format!("thread {number}"),
    };
    let holder = found.add_holder(None, LabelKind::Root, &name, 0);
    let _ = add_frames(memory, subject, thread, holder, walker, found);
    for &(name, offset) in at.roots {
        add_member(memory, thread.wrapping_add(offset), holder, name, found);
    }
    let mut item = memory.word(thread + at.exc_info).unwrap_or(0);
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
            let object = memory.word(thread + offset).ok()?;
            return add_frame_objects(memory, subject, object, holder, found);
        }
        CurrentFrame::CFrame { cframe, current_frame } => {
            let cframe = memory.word(thread + cframe).ok()?;
            memory.word(cframe.wrapping_add(current_frame)).ok()?
        }
        CurrentFrame::Direct(offset) => memory.word(thread + offset).ok()?,
    };
    for _ in 0..MOST_FRAMES {
        if frame == 0 {
            break;
        }
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
    memory: &mut M,
    subject: &Subject,
    first: u64,
    holder: u32,
    found: &mut Found,
) -> Option<()> {
    let layout = subject.layout;
    let cpython::layout::FrameForm::Inline { code, .. } = layout.frame_object.form else {
        return None;
    };
    let mut frame = first;
    for _ in 0..MOST_FRAMES {
        if frame == 0 {
            break;
        }
        let code = memory.word(frame.wrapping_add(code)).ok()?;
        let name = function_name(memory, subject, code);
        let label = Label::new(LabelKind::Attribute, u64::from(found.names.id(&name)));
        found.seed(memory, Some(holder), label, frame);
        frame = memory.word(frame.wrapping_add(layout.frame_object.back)).ok()?;
    }
    Some(())
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

fn add_interpreter<M: ReadMemory>(memory: &mut M, subject: &Subject, interpreter: &Interpreter, found: &mut Found) {
    let at = &subject.layout.interpreter;
    let name = if interpreter.id == 0 {
        "(interpreter)".to_owned()
    } else {
        format!("(interpreter {})", interpreter.id)
    };
    let holder = found.add_holder(None, LabelKind::Root, &name, 0);
    let named = [("modules", at.modules), ("sys", at.sysdict), ("builtins", at.builtins)];
    for &(name, offset) in named.iter().chain(at.roots) {
        add_member(memory, interpreter.address.wrapping_add(offset), holder, name, found);
    }
    for &(name, offset, count) in at.root_arrays {
        for index in 0..count {
            add_member(
                memory,
                interpreter.address.wrapping_add(offset + 8 * index),
                holder,
                name,
                found,
            );
        }
    }
    if let Some(offset) = at.interned {
        add_member(
            memory,
            interpreter.address.wrapping_add(offset),
            holder,
            "interned strings",
            found,
        );
    }
}

/// Adds the object that the word at `place` points at.
fn add_member<M: ReadMemory>(memory: &mut M, place: u64, holder: u32, name: &str, found: &mut Found) {
    if let Ok(target) = memory.word(place)
        && target != 0
    {
        let label = Label::new(LabelKind::Attribute, u64::from(found.names.id(name)));
        found.seed(memory, Some(holder), label, target);
    }
}
