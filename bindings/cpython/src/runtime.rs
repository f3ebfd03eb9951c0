//! Walks `_PyRuntime`: its interpreters, their threads and collectors.

use crate::layout::{GcPlace, Layout};
use crate::memory::{ReadMemory, Unreadable, word_at};

/// Far more interpreters or threads than a process can have: longer chains are rings or made of garbage.
const MOST_INTERPRETERS: usize = 1 << 16;
const MOST_THREADS: usize = 1 << 20;

/// One interpreter, and the objects that everything else hangs on. Addresses are 0 before they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interpreter {
    pub address: u64,
    /// 0 is the main one.
    pub id: i64,
    /// The dict that `sys.modules` is.
    pub modules: u64,
    /// The namespace of the module `sys`.
    pub sysdict: u64,
    /// The namespace of the module `builtins`.
    pub builtins: u64,
}

/// One garbage collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collector {
    /// Address of its `struct _gc_runtime_state`.
    pub address: u64,
    pub enabled: bool,
    /// A collection is under way: its lists are spliced, and `_gc_prev` holds reference counts.
    pub collecting: bool,
}

impl Collector {
    /// Addresses of the heads of its lists, the permanent generation's last.
    pub fn heads(&self, layout: &Layout) -> impl Iterator<Item = u64> {
        let address = self.address;
        let offsets = layout.gc.heads.iter().copied().chain([layout.gc.permanent]);
        offsets.map(move |offset| address.wrapping_add(offset))
    }

    /// Its generations (`struct gc_generation`), the youngest first.
    pub fn generations(&self, memory: &mut impl ReadMemory, layout: &Layout) -> Result<Vec<Generation>, Unreadable> {
        let mut number = |at: u64| memory.half(at).map(|number| number as i32);
        let generations = layout.gc.heads.iter().map(|&head| {
            let address = self.address.wrapping_add(head);
            Ok(Generation {
                threshold: number(address.wrapping_add(layout.gc.threshold))?,
                count: number(address.wrapping_add(layout.gc.count))?,
            })
        });
        generations.collect()
    }

    /// How many objects `gc.garbage` holds.
    pub fn garbage(&self, memory: &mut impl ReadMemory, layout: &Layout) -> Result<u64, Unreadable> {
        match memory.word(self.address.wrapping_add(layout.gc.garbage))? {
            0 => Ok(0),
            list => Ok(memory.word(list.wrapping_add(layout.object.ob_size))?),
        }
    }

    /// How many objects are in the permanent generation (`gc.get_freeze_count`), counted up to `most`.
    pub fn frozen(&self, memory: &mut impl ReadMemory, layout: &Layout, most: u64) -> Result<u64, Unreadable> {
        let head = self.address.wrapping_add(layout.gc.permanent);
        let mut count = 0;
        let mut node = memory.word(head)? & !layout.object.gc_bits;
        while node != head && count < most {
            count += 1;
            node = memory.word(node)? & !layout.object.gc_bits;
        }
        Ok(count)
    }
}

/// When a generation is collected: when `count` passes `threshold`, a 0 there turns the collector off (`gc.get_threshold`,
/// `gc.get_count`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation {
    pub threshold: i32,
    pub count: i32,
}

/// How far a runtime is in its life. It runs from before `site` is imported until `Py_FinalizeEx` begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Starting,
    Running,
    Finalizing,
}

/// At which point of its life the runtime is.
pub fn stage(memory: &mut impl ReadMemory, layout: &Layout, runtime: u64) -> Result<Stage, Unreadable> {
    // `Py_FinalizeEx` takes `initialized` back, so the order of these questions matters.
    if memory.word(runtime.wrapping_add(layout.runtime.finalizing))? != 0 {
        return Ok(Stage::Finalizing);
    }
    let initialized = memory.half(runtime.wrapping_add(layout.runtime.initialized))?;
    Ok(if initialized == 0 {
        Stage::Starting
    } else {
        Stage::Running
    })
}

/// The interpreters of the runtime at `runtime`, the main one last as CPython keeps them.
pub fn interpreters(
    memory: &mut impl ReadMemory,
    layout: &Layout,
    runtime: u64,
) -> Result<Vec<Interpreter>, Unreadable> {
    let head = memory.word(runtime.wrapping_add(layout.runtime.interpreters_head))?;
    let addresses = chain(
        memory,
        head,
        layout.interpreter.next,
        MOST_INTERPRETERS,
        "list of interpreters",
    )?;
    addresses
        .into_iter()
        .map(|address| interpreter(memory, layout, address))
        .collect()
}

fn interpreter(memory: &mut impl ReadMemory, layout: &Layout, address: u64) -> Result<Interpreter, Unreadable> {
    let offsets = &layout.interpreter;
    let mut word = |offset: u64| memory.word(address.wrapping_add(offset));
    Ok(Interpreter {
        address,
        id: word(offsets.id)? as i64,
        modules: word(offsets.modules)?,
        sysdict: word(offsets.sysdict)?,
        builtins: word(offsets.builtins)?,
    })
}

/// Addresses of the thread states of the interpreter at `interpreter`, newest first. There may be none.
pub fn threads(memory: &mut impl ReadMemory, layout: &Layout, interpreter: u64) -> Result<Vec<u64>, Unreadable> {
    let head = memory.word(interpreter.wrapping_add(layout.interpreter.threads_head))?;
    chain(memory, head, layout.thread.next, MOST_THREADS, "list of threads")
}

/// The collectors of these interpreters, each once: 3.8 has a single one for all of them.
pub fn collectors(
    memory: &mut impl ReadMemory,
    layout: &Layout,
    runtime: u64,
    interpreters: &[Interpreter],
) -> Result<Vec<Collector>, Unreadable> {
    let addresses = match layout.gc.place {
        GcPlace::Runtime(offset) => vec![runtime.wrapping_add(offset)],
        GcPlace::Interpreter(offset) => interpreters
            .iter()
            .map(|each| each.address.wrapping_add(offset))
            .collect(),
    };
    let mut collector = |address: u64| {
        Ok(Collector {
            address,
            enabled: memory.half(address.wrapping_add(layout.gc.enabled))? != 0,
            collecting: memory.half(address.wrapping_add(layout.gc.collecting))? != 0,
        })
    };
    addresses.into_iter().map(&mut collector).collect()
}

/// Whether the ring of objects at `head` is closed behind it: `head->next->prev` is `head`.
pub fn ring_closes(memory: &mut impl ReadMemory, layout: &Layout, head: u64) -> Result<bool, Unreadable> {
    let next = memory.word(head)? & !layout.object.gc_bits;
    let node = memory.read(next, layout.object.gc_head as usize)?;
    Ok(word_at(node, 8) & !layout.object.gc_bits == head)
}

/// The addresses of a chain linked through the word at `link`, from `head` to NULL.
fn chain(
    memory: &mut impl ReadMemory,
    head: u64,
    link: u64,
    most: usize,
    what: &'static str,
) -> Result<Vec<u64>, Unreadable> {
    let mut found = Vec::new();
    let mut address = head;
    while address != 0 {
        if found.len() == most {
            return Err(Unreadable::Implausible { what, at: head });
        }
        found.push(address);
        address = memory.word(address.wrapping_add(link))?;
    }
    Ok(found)
}
