//! Where a program has to be stopped: where its interpreter shuts down, or where it will have loaded one.

use crate::memory::process::ProcessMemory;
use crate::target::arch::MOST_BREAKPOINTS;
use crate::target::elf::{self, Found};
use crate::target::freeze::procfs;
use crate::target::interpreter;
use crate::target::maps::{self, Mapping};
use crate::target::process::Process;

/// What the dynamic linker calls when it has loaded libraries, so that debuggers can stop there (`link.h`, `r_brk`).
const LOADER_HOOK: &str = "_dl_debug_state";

/// The addresses at which to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// The program has interpreters: where they begin to shut down.
    End(Vec<u64>),
    /// It has none so far: where to look again.
    Loading(Vec<u64>),
}

impl Aim {
    /// Looks at what a process has loaded. What cannot be read holds no interpreter.
    pub fn at(process: &Process) -> Aim {
        let maps = maps::of_process(process).unwrap_or_default();
        let Ok(mut memory) = ProcessMemory::new(process.pid) else {
            return Aim::Loading(Vec::new());
        };
        let found = interpreter::find_interpreters(process, &maps, &mut memory).unwrap_or_default();
        let mut ends: Vec<u64> = found.iter().flat_map(|interpreter| interpreter.ends.clone()).collect();
        ends.truncate(MOST_BREAKPOINTS);
        if ends.is_empty() {
            Aim::Loading(loading(process, &maps, &mut memory))
        } else {
            Aim::End(ends)
        }
    }

    pub fn addresses(&self) -> &[u64] {
        match self {
            Aim::End(addresses) | Aim::Loading(addresses) => addresses,
        }
    }
}

/// The dynamic linker's hook; without one, the program's first instruction, when all that it is linked to is loaded.
fn loading(process: &Process, maps: &[Mapping], memory: &mut ProcessMemory) -> Vec<u64> {
    let starts = maps
        .iter()
        .filter(|mapping| mapping.offset == 0 && mapping.is_readable_memory())
        .map(|mapping| mapping.start);
    let mut hooks: Vec<u64> = starts
        .filter_map(|start| match elf::image_at(memory, start) {
            Ok(Found::Image(image)) => image.exported(memory, LOADER_HOOK),
            _ => None,
        })
        .map(|hook| hook.address)
        .collect();
    hooks.truncate(MOST_BREAKPOINTS);
    if hooks.is_empty() {
        hooks.extend(procfs::auxiliary(process.pid, libc::AT_ENTRY));
    }
    hooks
}
