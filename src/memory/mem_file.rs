//! Reads a process's memory through `/proc/PID/mem`, which leaves shared pages shared.
//!
//! `process_vm_readv` pins the pages that it reads, and the kernel first makes a private copy of every page that a
//! forked relative shares. On a forked copy, or a worker of a server that forks, that would double the memory, and is
//! several times slower.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use cpython::memory::Fault;

use super::bulk::BulkRead;
use super::process::ProcessMemory;

/// The memory of one process, to be read in large pieces.
pub enum MemFile {
    File(File),
    /// Where the file cannot be opened, the system call still may be permitted.
    Call(Box<ProcessMemory>),
}

impl MemFile {
    pub fn open(pid: u32) -> io::Result<MemFile> {
        match File::open(format!("/proc/{pid}/mem")) {
            Ok(file) => Ok(MemFile::File(file)),
            Err(_) => Ok(MemFile::Call(Box::new(ProcessMemory::new(pid)?))),
        }
    }
}

impl BulkRead for MemFile {
    fn read_into(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        match self {
            MemFile::File(file) => {
                let fault = Fault {
                    at: address,
                    length: into.len(),
                };
                file.read_exact_at(into, address).map_err(|_| fault)
            }
            MemFile::Call(memory) => memory.read_into(address, into),
        }
    }
}
