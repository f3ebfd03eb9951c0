//! Reads the tables of `tracemalloc`: each traced block of memory with its size and the lines that led to it
//! (Modules/_tracemalloc.c; since 3.12 Python/tracemalloc.c).

mod statics;
mod tracebacks;

use std::fmt;
use std::ops::Range;

use super::hashtable::{Entry, Table, hash_of_pointer};
use crate::layout::{Layout, TracingPlace};
use crate::memory::{ReadMemory, Unreadable, word_at};

pub use tracebacks::Frame;

/// `sizeof(trace_t)`: a size and a pointer to a `traceback_t`.
const TRACE_SIZE: u64 = 16;
/// The least that a trace takes: an entry of its table beside it.
const LEAST_A_TRACE: u64 = 24 + TRACE_SIZE;
/// More domains than extension modules could make.
const MOST_DOMAINS: u64 = 1 << 12;
/// The domain of the memory that Python itself allocates.
pub const PYTHON_DOMAIN: u32 = 0;

/// Where to look for the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The address of `_PyRuntime`.
    pub runtime: u64,
    /// The address of `_Py_tracemalloc_config`, where the interpreter exports it.
    pub config: Option<u64>,
    /// What the image of the interpreter occupies, and the parts of that which can be written.
    pub image: Vec<Range<u64>>,
    pub data: Vec<Range<u64>>,
    /// Bytes of memory that the program has.
    pub mapped: u64,
}

/// Everything that `tracemalloc` knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traced {
    /// How many frames of a stack are kept, as `tracemalloc.start` was told.
    pub most_frames: u32,
    /// In the order of domains, then blocks.
    pub traces: Vec<Trace>,
    /// The frames of each traceback, the newest first as `tracemalloc` has them; never none.
    pub tracebacks: Vec<Vec<Frame>>,
    /// The names of files, which frames refer to by number.
    pub files: Vec<String>,
    /// The sizes of all traces together.
    pub bytes: u64,
    /// What `bytes` was at most, where that can be told.
    pub peak_bytes: Option<u64>,
    /// Whether `tracemalloc`'s own count of bytes says the same.
    pub adds_up: bool,
}

/// One block of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trace {
    /// `PYTHON_DOMAIN`, or a number that an extension module chose for what it allocates.
    pub domain: u32,
    /// Where the block begins; in other domains whatever stands for it.
    pub block: u64,
    /// The bytes that were asked for.
    pub size: u64,
    /// The number of its traceback.
    pub traceback: u32,
}

/// Why there is nothing to be had of a `tracemalloc` that is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untold {
    /// Nothing in the interpreter's data leads to a table of traces.
    NotFound,
    Unreadable(Unreadable),
}

impl<E: Into<Unreadable>> From<E> for Untold {
    fn from(cause: E) -> Self {
        Untold::Unreadable(cause.into())
    }
}

impl fmt::Display for Untold {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Untold::NotFound => out.write_str("nothing in the interpreter's data leads to them"),
            Untold::Unreadable(cause) => cause.fmt(out),
        }
    }
}

/// The tables that traces are in.
struct Tables {
    traces: Table,
    domains: Option<Table>,
}

/// Reads all traces; `None` when `tracemalloc` is not on.
pub fn read<M: ReadMemory>(memory: &mut M, layout: &Layout, at: &Whereabouts) -> Result<Option<Traced>, Untold> {
    let offsets = &layout.tracemalloc;
    let state = match offsets.place {
        TracingPlace::Runtime(offset) => at.runtime.wrapping_add(offset),
        TracingPlace::Statics => match at.config {
            Some(config) => config,
            None => return Ok(None),
        },
    };
    let most_frames = match memory.half(state.wrapping_add(offsets.tracing))? {
        0 => return Ok(None),
        1 => memory.half(state.wrapping_add(offsets.max_nframe))?,
        _ => return Err(implausible("state of tracemalloc", state).into()),
    };
    let tables = match offsets.place {
        TracingPlace::Runtime(_) => Tables::of_runtime(memory, layout, state)?,
        TracingPlace::Statics => statics::find(memory, layout, at)?,
    };
    let unresolved = tables.traces(memory, layout, at.mapped / LEAST_A_TRACE)?;
    let mut traced = tracebacks::resolve(memory, layout, unresolved, most_frames, at.mapped)?;
    let (counted, peak) = match offsets.place {
        TracingPlace::Runtime(_) => (
            memory.word(state.wrapping_add(offsets.traced_memory))? == traced.bytes,
            Some(memory.word(state.wrapping_add(offsets.peak_traced_memory))?),
        ),
        TracingPlace::Statics => statics::counts(memory, at, tables.traces.address, traced.bytes),
    };
    traced.adds_up = counted;
    traced.peak_bytes = peak;
    Ok(Some(traced))
}

impl Tables {
    fn of_runtime<M: ReadMemory>(memory: &mut M, layout: &Layout, state: u64) -> Result<Tables, Unreadable> {
        let traces = memory.word(state.wrapping_add(layout.tracemalloc.traces))?;
        let domains = memory.word(state.wrapping_add(layout.tracemalloc.domains))?;
        Ok(Tables {
            traces: Table::read(memory, layout, traces)?,
            domains: Some(Table::read(memory, layout, domains)?),
        })
    }

    /// The traces of all domains, with the address of a traceback in the place of its number.
    fn traces<M: ReadMemory>(&self, memory: &mut M, layout: &Layout, most: u64) -> Result<Vec<Unresolved>, Unreadable> {
        let mut traces = Vec::new();
        add_traces(memory, layout, &self.traces, None, most, &mut traces)?;
        let domains = match &self.domains {
            Some(domains) => domains.entries(memory, layout, MOST_DOMAINS)?,
            None => Vec::new(),
        };
        for entry in domains {
            let domain = domain_of(&entry)?;
            let table = Table::read(memory, layout, entry.value)?;
            add_traces(memory, layout, &table, Some(domain), most, &mut traces)?;
        }
        traces.sort_unstable_by_key(|each| each.address_of_traceback);
        Ok(traces)
    }
}

/// A trace whose traceback is yet to be read.
struct Unresolved {
    trace: Trace,
    address_of_traceback: u64,
}

/// Adds the traces of a table. Without a `domain`, the keys of the table may bring it along.
fn add_traces<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    table: &Table,
    domain: Option<u32>,
    most: u64,
    to: &mut Vec<Unresolved>,
) -> Result<(), Unreadable> {
    let mut entries = table.entries(memory, layout, most.saturating_sub(to.len() as u64))?;
    entries.sort_unstable_by_key(|entry| entry.value);
    for entry in entries {
        to.push(trace(memory, &entry, domain)?);
    }
    Ok(())
}

fn trace<M: ReadMemory>(memory: &mut M, entry: &Entry, domain: Option<u32>) -> Result<Unresolved, Unreadable> {
    // `hashtable_hash_pointer_t` (3.8): the domain, where keys have one, is mixed into the pointer's hash.
    if entry.hash != hash_of_pointer(entry.key) ^ u64::from(entry.key_rest) {
        return Err(implausible("key of a trace", entry.key));
    }
    let bytes = memory.read(entry.value, TRACE_SIZE as usize)?;
    let trace = Trace {
        domain: domain.unwrap_or(entry.key_rest),
        block: entry.key,
        size: word_at(bytes, 0),
        traceback: 0,
    };
    Ok(Unresolved {
        trace,
        address_of_traceback: word_at(bytes, 8),
    })
}

/// The number that is the key of a domain (`hashtable_hash_uint`).
fn domain_of(entry: &Entry) -> Result<u32, Unreadable> {
    match u32::try_from(entry.key) {
        Ok(domain) if entry.hash == entry.key => Ok(domain),
        _ => Err(implausible("domain of tracemalloc", entry.key)),
    }
}

fn implausible(what: &'static str, at: u64) -> Unreadable {
    Unreadable::Implausible { what, at }
}
