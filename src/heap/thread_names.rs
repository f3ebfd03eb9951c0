//! What a program calls its threads: `MainThread`, `worker-3`.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::{dict, int};
use cpython::runtime::Interpreter;
use rustc_hash::FxHashMap;

use super::naming;
use super::roots::Gathering;

/// More threads than any program has.
const MOST_THREADS: usize = 1 << 16;
/// What `threading` calls the thread that the program began with.
const MAIN: &str = "MainThread";

/// The names of an interpreter's threads.
#[derive(Debug, Default)]
pub struct ThreadNames {
    /// Those of the module `threading`, by identifier; `None` while nothing has imported it.
    of_module: Option<FxHashMap<u64, String>>,
    /// Whether the oldest thread is that which the program began with.
    is_main: bool,
}

impl ThreadNames {
    /// Reads them from `threading._active`, a dict of `Thread`s by identifier.
    pub fn read<M: ReadMemory>(gathering: &mut Gathering<M>, interpreter: &Interpreter) -> ThreadNames {
        ThreadNames {
            of_module: of_module(gathering, interpreter),
            is_main: interpreter.id == 0,
        }
    }

    /// What each of these threads (`PyThreadState`s, the oldest first) is to be called. Those that the program has no name
    /// for, and those that share one, are told by the number that the system has for them, or else by their identifier.
    pub fn of_threads<M: ReadMemory>(&self, memory: &mut M, layout: &Layout, threads: &[u64]) -> Vec<String> {
        let mut called: Vec<(Option<String>, String)> = Vec::with_capacity(threads.len());
        for (number, &thread) in threads.iter().enumerate() {
            let at = &layout.thread;
            let identifier = memory.word(thread.wrapping_add(at.thread_id)).unwrap_or(0);
            let native = at
                .native_thread_id
                .and_then(|offset| memory.word(thread.wrapping_add(offset)).ok());
            let name = match &self.of_module {
                Some(names) => names.get(&identifier).cloned(),
                None => (self.is_main && number == 0).then(|| MAIN.to_owned()),
            };
            let number = native.map_or_else(|| format!("{identifier:#x}"), |native| native.to_string());
            called.push((name, number));
        }
        let mut uses: FxHashMap<&str, usize> = FxHashMap::default();
        for name in called.iter().filter_map(|(name, _)| name.as_deref()) {
            *uses.entry(name).or_default() += 1;
        }
        called
            .iter()
            .map(|(name, number)| match name {
                Some(name) if uses.get(name.as_str()) == Some(&1) => name.clone(),
                Some(name) => format!("{name} ({number})"),
                None => number.clone(),
            })
            .collect()
    }
}

fn of_module<M: ReadMemory>(gathering: &mut Gathering<M>, interpreter: &Interpreter) -> Option<FxHashMap<u64, String>> {
    let layout = gathering.subject.layout;
    let memory = &mut *gathering.memory;
    let module = dict::get_str(memory, layout, interpreter.modules, "threading").ok()??;
    let names = memory.word(module.wrapping_add(layout.module.dict)).ok()?;
    let active = dict::get_str(memory, layout, names, "_active").ok()??;
    let mut called = FxHashMap::default();
    for entry in dict::entries(memory, layout, active, MOST_THREADS).ok()? {
        let Ok(Some(identifier)) = int::int_value(memory, layout, entry.key) else {
            continue;
        };
        let Ok(Some(name)) = gathering.walker.attribute(memory, entry.value, "_name") else {
            continue;
        };
        if let (Ok(identifier), Some(_)) = (u64::try_from(identifier), naming::str_at(memory, layout, name)) {
            called.insert(identifier, gathering.found.names.name_at(memory, layout, name));
        }
    }
    Some(called)
}
