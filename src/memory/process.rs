//! The memory of a process as it is at this moment, read with `process_vm_readv`: the doorway of `read-process-memory`.

use std::io::{self, IoSliceMut};

use cpython::memory::{Fault, ReadMemory};
use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use read_process_memory::{CopyAddress, ProcessHandle};

const PAGE: u64 = 4096;
const CACHED_PAGES: usize = 64;

/// The kernel moves at most 2 GiB less a page at once; pieces stay well below.
const LARGEST_PIECE: usize = 1 << 30;

/// What the last failed read says of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Only single addresses have failed, if any.
    #[default]
    Open,
    /// The kernel does not let us read this process.
    Denied,
    /// The process is gone.
    Gone,
}

/// Reads a live process. Small reads go through a small cache of pages, so that walking a structure costs one
/// system call a page; what is cached does not follow the program: `forget` it before looking again.
pub struct ProcessMemory {
    pid: Pid,
    handle: ProcessHandle,
    access: Access,
    pages: Vec<Page>,
    scratch: Vec<u8>,
}

struct Page {
    address: u64,
    bytes: [u8; PAGE as usize],
}

/// No page begins here.
const EMPTY: u64 = u64::MAX;

impl ProcessMemory {
    /// Asks nothing of the system yet: a process that does not exist shows at the first read.
    pub fn new(pid: u32) -> io::Result<Self> {
        let pid = libc::pid_t::try_from(pid).map_err(|_| io::Error::from_raw_os_error(libc::ESRCH))?;
        Ok(ProcessMemory {
            pid: Pid::from_raw(pid),
            handle: ProcessHandle::try_from(pid)?,
            access: Access::Open,
            pages: Vec::new(),
            scratch: Vec::new(),
        })
    }

    /// Whether the last failures were of single addresses or of the process as a whole.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Drops what was cached, so that the next read sees the program as it is then.
    pub fn forget(&mut self) {
        self.pages.iter_mut().for_each(|page| page.address = EMPTY);
    }

    /// Fills `buffer` from `address` on, past the cache; a `Fault` when any byte of it cannot be read.
    pub fn read_into(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), Fault> {
        let fault = Fault {
            at: address,
            length: buffer.len(),
        };
        let mut at = usize::try_from(address).map_err(|_| fault)?;
        for piece in buffer.chunks_mut(LARGEST_PIECE) {
            let length = piece.len();
            if let Err(error) = self.handle.copy_address(at, piece) {
                self.note(error.raw_os_error());
                return Err(fault);
            }
            at = at.wrapping_add(length);
        }
        Ok(())
    }

    /// Fills as much of `buffer` as can be read from `address` on without a gap, past the cache; says how much that was.
    pub fn read_available(&mut self, address: u64, buffer: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buffer.len() {
            let end = buffer.len().min(done.saturating_add(LARGEST_PIECE));
            let remote = RemoteIoVec {
                base: (address as usize).wrapping_add(done),
                len: end - done,
            };
            match process_vm_readv(self.pid, &mut [IoSliceMut::new(&mut buffer[done..end])], &[remote]) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) => {
                    self.note(Some(error as i32));
                    break;
                }
            }
        }
        done
    }

    fn note(&mut self, error: Option<i32>) {
        match error {
            Some(libc::EPERM | libc::EACCES) => self.access = Access::Denied,
            Some(libc::ESRCH) => self.access = Access::Gone,
            _ => {}
        }
    }

    /// The index of the cached page at `address`, which is a multiple of the page size.
    fn cached(&mut self, address: u64) -> Result<usize, Fault> {
        if self.pages.is_empty() {
            self.pages.resize_with(CACHED_PAGES, || Page {
                address: EMPTY,
                bytes: [0; PAGE as usize],
            });
        }
        let index = (address / PAGE) as usize % CACHED_PAGES;
        if self.pages[index].address != address {
            let mut bytes = [0; PAGE as usize];
            self.read_into(address, &mut bytes)?;
            self.pages[index] = Page { address, bytes };
        }
        Ok(index)
    }
}

impl ReadMemory for ProcessMemory {
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        let fault = Fault { at: address, length };
        let offset = (address % PAGE) as usize;
        if length <= PAGE as usize - offset {
            let index = self.cached(address - offset as u64).map_err(|_| fault)?;
            return Ok(&self.pages[index].bytes[offset..offset + length]);
        }
        // A length that came from the target must not make us ask for memory that we do not have.
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.try_reserve_exact(length).map_err(|_| fault)?;
        scratch.resize(length, 0);
        let outcome = self.read_into(address, &mut scratch);
        self.scratch = scratch;
        outcome?;
        Ok(&self.scratch)
    }
}

/// The error that a call on `pid` as a whole failed with, if reading a byte of it would fail for the whole process.
pub fn probe(pid: u32, address: u64) -> Result<(), Errno> {
    let Ok(raw) = libc::pid_t::try_from(pid) else {
        return Err(Errno::ESRCH);
    };
    let mut byte = [0];
    let remote = RemoteIoVec {
        base: address as usize,
        len: 1,
    };
    process_vm_readv(Pid::from_raw(raw), &mut [IoSliceMut::new(&mut byte)], &[remote]).map(drop)
}

impl super::image::BulkRead for ProcessMemory {
    fn read_into(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        ProcessMemory::read_into(self, address, into)
    }
}
