//! Where the survey begins: modules, threads and their frames, what the interpreter itself holds.

use cpython::layout::ExitFunctions;
use cpython::memory::ReadMemory;
use cpython::objects::dict;
use cpython::objects::examine::Examiner;
use cpython::runtime::{self, Interpreter};

use super::found::Found;
use super::labels::{Label, LabelKind};
use super::naming;
use super::survey::Subject;
use super::threads::Threads;

/// More modules than any program has.
const MOST_MODULES: usize = 1 << 20;
/// More functions than any program registers to be called at its exit.
const MOST_EXIT_FUNCTIONS: u32 = 1 << 20;

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
    let mut threads = Threads::default();
    for interpreter in interpreters.iter().rev() {
        if let Ok(addresses) = runtime::threads(memory, subject.layout, interpreter.address) {
            threads.add(memory, subject, &addresses, walker, found);
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
        let holder = add_interpreter(memory, subject, interpreter, found);
        let _ = add_exit_functions(memory, subject, interpreter, holder, found);
    }
    let _ = add_collectors(memory, subject, interpreters, found);
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

/// The names of the program's own module; multiprocessing adds the second.
const MAIN_NAMES: [&str; 2] = ["__main__", "__mp_main__"];

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
    modules.sort_by_key(|(name, _)| {
        MAIN_NAMES
            .iter()
            .position(|main| main == name)
            .map_or(0, |place| place + 1)
    });
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

/// What the interpreter itself holds; answers the row that stands for it.
fn add_interpreter<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    interpreter: &Interpreter,
    found: &mut Found,
) -> u32 {
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
    holder
}

/// What `atexit.register` was given.
fn add_exit_functions<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    interpreter: &Interpreter,
    holder: u32,
    found: &mut Found,
) -> Option<()> {
    const NAME: &str = "exit functions";
    let (array, count) = match subject.layout.interpreter.exit_functions {
        ExitFunctions::List(offset) => {
            add_member(memory, interpreter.address.wrapping_add(offset), holder, NAME, found);
            return Some(());
        }
        ExitFunctions::Array { callbacks, count } => (
            memory.word(interpreter.address.wrapping_add(callbacks)).ok()?,
            memory.half(interpreter.address.wrapping_add(count)).ok()?,
        ),
        ExitFunctions::Module => {
            // `atexitmodule_state` begins with the array and the number of its members that are in use.
            let modules = interpreter.modules;
            let module = dict::get_str(memory, subject.layout, modules, "atexit").ok()??;
            let state = memory
                .word(module.wrapping_add(subject.layout.module.state))
                .ok()
                .filter(|&state| state != 0)?;
            (memory.word(state).ok()?, memory.half(state.wrapping_add(8)).ok()?)
        }
    };
    for index in 0..u64::from(count.min(MOST_EXIT_FUNCTIONS)) {
        // Members that `atexit.unregister` took out are NULL.
        let callback = memory.word(array.wrapping_add(8 * index)).ok()?;
        for member in (0..3).filter(|_| callback != 0) {
            add_member(memory, callback.wrapping_add(8 * member), holder, NAME, found);
        }
    }
    Some(())
}

/// The lists that the module `gc` shows as `garbage` and `callbacks`.
fn add_collectors<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    interpreters: &[Interpreter],
    found: &mut Found,
) -> Option<()> {
    let at = &subject.layout.gc;
    let collectors = runtime::collectors(memory, subject.layout, subject.runtime, interpreters).ok()?;
    let holder = found.add_holder(None, LabelKind::Root, "(garbage collector)", 0);
    for collector in collectors {
        for (name, offset) in [("garbage", at.garbage), ("callbacks", at.callbacks)] {
            add_member(memory, collector.address.wrapping_add(offset), holder, name, found);
        }
    }
    Some(())
}

/// Adds the object that the word at `place` points at.
pub(super) fn add_member<M: ReadMemory>(memory: &mut M, place: u64, holder: u32, name: &str, found: &mut Found) {
    if let Ok(target) = memory.word(place)
        && target != 0
    {
        let label = Label::new(LabelKind::Attribute, u64::from(found.names.id(name)));
        found.seed(memory, Some(holder), label, target);
    }
}
