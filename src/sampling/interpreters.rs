//! The interpreters of a process that runs on, as looks at it find them.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::runtime;

/// They come and go; so many looks later they are looked for again.
const LOOK_AGAIN: u64 = 64;

/// Those of one process.
#[derive(Debug)]
pub struct Interpreters {
    /// The address of `_PyRuntime`.
    pub runtime: u64,
    known: Vec<u64>,
    /// So many have begun.
    pub looks: u64,
}

impl Interpreters {
    pub fn of(runtime: u64) -> Interpreters {
        Interpreters {
            runtime,
            known: Vec::new(),
            looks: 0,
        }
    }

    /// Their addresses, at a look that begins.
    pub fn at_look<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout) -> Vec<u64> {
        if self.looks.is_multiple_of(LOOK_AGAIN)
            && let Ok(found) = runtime::interpreters(memory, layout, self.runtime)
        {
            self.known = found.iter().map(|each| each.address).collect();
        }
        self.looks += 1;
        self.known.clone()
    }
}
