//! Where the survey begins: modules, threads and their frames, what the interpreter itself holds.

use cpython::layout::ExitFunctions;
use cpython::memory::ReadMemory;
use cpython::objects::dict;
use cpython::objects::examine::Examiner;
use cpython::runtime::{self, Interpreter};

use super::found::Found;
use super::holders::{Holders, Rows};
use super::objects::HEAP;
use super::survey::Subject;
use super::threads::Threads;

/// More modules than any program has.
const MOST_MODULES: usize = 1 << 20;
/// More functions than any program registers to be called at its exit.
const MOST_EXIT_FUNCTIONS: u32 = 1 << 20;

/// The holders of what no root reaches.
pub const HELD_BY_C: &str = "(held by C code)";
pub const GARBAGE: &str = "(garbage)";

/// The names of the program's own module; multiprocessing adds the second.
const MAIN_NAMES: [&str; 2] = ["__main__", "__mp_main__"];

/// A reader of one program, while its roots are gathered.
pub struct Gathering<'a, 'b, M> {
    pub memory: &'a mut M,
    pub subject: &'a Subject<'b>,
    pub walker: &'a mut Examiner<'b>,
    pub found: &'a mut Found<'b>,
    pub holders: Holders,
}

impl<M: ReadMemory> Gathering<'_, '_, M> {
    /// All that modules reach comes before anything that threads work on: what outlives the call is the holder to name.
    /// The last two rows are the holders of what nothing else holds.
    pub fn gather(mut self, interpreters: &[Interpreter]) -> Rows {
        for interpreter in interpreters.iter().rev() {
            // A root that cannot be read is found through the collector's lists all the same.
            let _ = self.modules_of(interpreter);
        }
        self.holders.end_phase();
        let mut threads = Threads::default();
        for interpreter in interpreters.iter().rev() {
            if let Ok(addresses) = runtime::threads(self.memory, self.subject.layout, interpreter.address) {
                threads.add(&mut self, interpreter, addresses);
            }
        }
        self.holders.end_phase();
        for interpreter in interpreters.iter().rev() {
            let holder = self.interpreter(interpreter);
            let _ = self.exit_functions(interpreter, holder);
        }
        let _ = self.collectors(interpreters);
        self.holders.end_phase();
        self.holder(HEAP, HELD_BY_C);
        self.holder(HEAP, GARBAGE);
        self.holders.end_phase();
        self.holders.finish(self.found)
    }

    pub fn holder(&mut self, parent: u32, name: &str) -> u32 {
        self.holders.add(self.found, parent, name)
    }

    pub fn hold(&mut self, holder: u32, name: &str, address: u64) {
        self.holders.hold(self.found, holder, name, address);
    }

    /// Adds the object that the word at `place` points at.
    pub fn hold_member(&mut self, holder: u32, name: &str, place: u64) {
        if let Ok(target) = self.memory.word(place) {
            self.hold(holder, name, target);
        }
    }

    /// Adds a running function's frame, and what its variables hold; answers its row.
    pub fn frame(&mut self, holder: u32, name: &str, address: u64) -> u32 {
        let frame = self.holder(holder, name);
        let (memory, walker) = (&mut *self.memory, &mut *self.walker);
        self.holders.hold_told(self.found, frame, |found| {
            if walker.frame(memory, address, found).is_err() {
                found.rejected += 1;
            }
        });
        frame
    }

    /// `sys.modules`, with `__main__` last: what it imported is better known by the name of where it came from.
    fn modules_of(&mut self, interpreter: &Interpreter) -> Option<()> {
        let layout = self.subject.layout;
        let mut modules: Vec<(String, u64)> = dict::entries(self.memory, layout, interpreter.modules, MOST_MODULES)
            .ok()?
            .into_iter()
            .map(|entry| (self.found.names.name_at(self.memory, layout, entry.key), entry.value))
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
            self.hold(HEAP, &name, module);
        }
        Some(())
    }

    /// What the interpreter itself holds; answers the row that stands for it.
    fn interpreter(&mut self, interpreter: &Interpreter) -> u32 {
        let at = &self.subject.layout.interpreter;
        let name = if interpreter.id == 0 {
            "(interpreter)".to_owned()
        } else {
            format!("(interpreter {})", interpreter.id)
        };
        let holder = self.holder(HEAP, &name);
        let place = |offset: u64| interpreter.address.wrapping_add(offset);
        let named = [("modules", at.modules), ("sys", at.sysdict), ("builtins", at.builtins)];
        for &(name, offset) in named.iter().chain(at.roots) {
            self.hold_member(holder, name, place(offset));
        }
        for &(name, offset, count) in at.root_arrays {
            for index in 0..count {
                self.hold_member(holder, name, place(offset + 8 * index));
            }
        }
        if let Some(offset) = at.interned {
            self.hold_member(holder, "interned strings", place(offset));
        }
        holder
    }

    /// What `atexit.register` was given.
    fn exit_functions(&mut self, interpreter: &Interpreter, holder: u32) -> Option<()> {
        const NAME: &str = "exit functions";
        let (array, count) = match self.subject.layout.interpreter.exit_functions {
            ExitFunctions::List(offset) => {
                self.hold_member(holder, NAME, interpreter.address.wrapping_add(offset));
                return Some(());
            }
            ExitFunctions::Array { callbacks, count } => (
                self.memory.word(interpreter.address.wrapping_add(callbacks)).ok()?,
                self.memory.half(interpreter.address.wrapping_add(count)).ok()?,
            ),
            ExitFunctions::Module => {
                // `atexitmodule_state` begins with the array and the number of its members that are in use.
                let modules = interpreter.modules;
                let module = dict::get_str(self.memory, self.subject.layout, modules, "atexit").ok()??;
                let state = self
                    .memory
                    .word(module.wrapping_add(self.subject.layout.module.state))
                    .ok()
                    .filter(|&state| state != 0)?;
                (
                    self.memory.word(state).ok()?,
                    self.memory.half(state.wrapping_add(8)).ok()?,
                )
            }
        };
        for index in 0..u64::from(count.min(MOST_EXIT_FUNCTIONS)) {
            // Members that `atexit.unregister` took out are NULL.
            let callback = self.memory.word(array.wrapping_add(8 * index)).ok()?;
            for member in (0..3).filter(|_| callback != 0) {
                self.hold_member(holder, NAME, callback.wrapping_add(8 * member));
            }
        }
        Some(())
    }

    /// The lists that the module `gc` shows as `garbage` and `callbacks`.
    fn collectors(&mut self, interpreters: &[Interpreter]) -> Option<()> {
        let at = &self.subject.layout.gc;
        let collectors =
            runtime::collectors(self.memory, self.subject.layout, self.subject.runtime, interpreters).ok()?;
        let holder = self.holder(HEAP, "(garbage collector)");
        for collector in collectors {
            for (name, offset) in [("garbage", at.garbage), ("callbacks", at.callbacks)] {
                self.hold_member(holder, name, collector.address.wrapping_add(offset));
            }
        }
        Some(())
    }
}
