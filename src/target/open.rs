//! Opening a process: everything that can be known before it is stopped, or the reason why it cannot be read.

use std::io;

use cpython::memory::ReadMemory;

use crate::error::{Error, Result};
use crate::memory::process::{Access, ProcessMemory};
use crate::target::freeze;
use crate::target::interpreter::{self, Interpreter};
use crate::target::maps::{self, Mapping};
use crate::target::permission;
use crate::target::process::{Incarnation, Process, State, Status};

/// A process that can be read and has a Python in it.
pub struct Target {
    pub process: Process,
    pub status: Status,
    pub maps: Vec<Mapping>,
    pub memory: ProcessMemory,
    /// The most likely one first; never empty.
    pub interpreters: Vec<Interpreter>,
    incarnation: Incarnation,
}

/// Whether the process is going to be stopped, which a debugger would not let us do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    Intended,
    NotIntended,
}

/// What has become of a process since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is there and runs what it ran.
    Same,
    Exited,
    /// It runs another program now.
    Executed,
}

impl Target {
    /// Looks at the process and finds its interpreter, without stopping it.
    pub fn open(pid: u32, stopping: Stopping) -> Result<Target> {
        let process = Process::new(pid);
        if pid == std::process::id() {
            return Err(Error::Ourselves { pid });
        }
        let status = check_alive(&process)?;
        // Another profiler's guardian does so soon.
        if status.tracer != 0 && stopping == Stopping::Intended && !freeze::lets_go(status.tracer) {
            return Err(already_traced(&process, status.tracer));
        }
        let incarnation = process
            .incarnation()
            .map_err(|error| unreadable(&process, "the state", error))?;
        let maps = maps::of_process(&process).map_err(|error| unreadable(&process, "the memory map", error))?;
        let mut memory = open_memory(&process, &maps)?;
        if process.is_32_bit().unwrap_or(false) {
            return Err(Error::Bits32 {
                pid,
                name: process.name(),
            });
        }
        let interpreters = interpreter::find_interpreters(&process, &maps, &mut memory);
        let mut target = Target {
            process,
            status,
            maps,
            memory,
            interpreters: Vec::new(),
            incarnation,
        };
        match (interpreters, target.fate()) {
            (_, Fate::Exited) => Err(Error::Exited { pid }),
            (_, Fate::Executed) => Err(Error::Executed { pid }),
            (found, Fate::Same) => {
                target.interpreters = found?;
                Ok(target)
            }
        }
    }

    /// Whether it is still the program that was opened.
    pub fn fate(&self) -> Fate {
        match (self.process.state(), self.process.incarnation()) {
            (Ok(State::Zombie), _) | (Err(_), _) | (_, Err(_)) => Fate::Exited,
            (Ok(_), Ok(now)) if now == self.incarnation => Fate::Same,
            (Ok(_), Ok(now)) if now.has_lost_memory_since(&self.incarnation) => Fate::Exited,
            (Ok(_), Ok(now)) if now.same_process(&self.incarnation) => Fate::Executed,
            (Ok(_), Ok(_)) => Fate::Exited,
        }
    }

    /// Looks at its mappings again and drops what was cached of its memory.
    pub fn refresh(&mut self) -> Result<()> {
        self.memory.forget();
        self.maps =
            maps::of_process(&self.process).map_err(|error| unreadable(&self.process, "the memory map", error))?;
        Ok(())
    }
}

fn check_alive(process: &Process) -> Result<Status> {
    let pid = process.pid;
    let status = process
        .status()
        .map_err(|error| unreadable(process, "the status", error))?;
    if status.tgid != pid {
        return Err(Error::Thread {
            pid,
            process: status.tgid,
        });
    }
    match process.state() {
        Ok(State::Zombie) => Err(Error::Zombie {
            pid,
            name: status.name,
            parent: status.parent,
        }),
        _ => Ok(status),
    }
}

/// The kernel names the thread that traces; a user knows the process.
fn already_traced(process: &Process, thread: u32) -> Error {
    let named = |pid| Process::below(process.root().clone(), pid);
    let tracer = named(thread).status().map_or(thread, |status| status.tgid);
    Error::AlreadyTraced {
        pid: process.pid,
        tracer,
        tracer_name: named(tracer).name(),
    }
}

/// Proves with one byte that the memory can be read at all.
fn open_memory(process: &Process, maps: &[Mapping]) -> Result<ProcessMemory> {
    let mut memory = ProcessMemory::new(process.pid).map_err(|error| unreadable(process, "the memory", error))?;
    if let Some(mapping) = maps.iter().find(|mapping| mapping.is_readable_memory()) {
        let _ = memory.read_into(mapping.start, &mut [0]);
    }
    match memory.access() {
        Access::Open => Ok(memory),
        Access::Denied => Err(permission::denied(process)),
        Access::Gone => Err(Error::Exited { pid: process.pid }),
    }
}

/// The error for an entry of the process that could not be read.
fn unreadable(process: &Process, what: &'static str, cause: io::Error) -> Error {
    let pid = process.pid;
    match cause.raw_os_error() {
        Some(libc::ENOENT) if !process.exists() => permission::missing(process),
        Some(libc::ESRCH) => Error::Exited { pid },
        Some(libc::EACCES | libc::EPERM) => permission::denied(process),
        _ => Error::Unreadable { pid, what, cause },
    }
}
