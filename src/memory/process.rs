//! The memory of a process as it is at this moment, read with `process_vm_readv`: the doorway of `read-process-memory`.

use std::io::{self, IoSliceMut};

use cpython::memory::{Fault, ReadMemory};
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
    /// Pages that were read, as many as have been needed.
    pages: Vec<Page>,
    /// By some bits of a page's address, the number of the one of `pages` that it has its place in.
    place_of: [u8; CACHED_PAGES],
    scratch: Vec<u8>,
}

struct Page {
    address: u64,
    bytes: [u8; PAGE as usize],
}

/// No page begins here.
const EMPTY: u64 = u64::MAX;
const NO_PLACE: u8 = u8::MAX;

impl ProcessMemory {
    /// Asks nothing of the system yet: a process that does not exist shows at the first read.
    pub fn new(pid: u32) -> io::Result<Self> {
        let pid = libc::pid_t::try_from(pid).map_err(|_| io::Error::from_raw_os_error(libc::ESRCH))?;
        Ok(ProcessMemory {
            pid: Pid::from_raw(pid),
            handle: ProcessHandle::try_from(pid)?,
            access: Access::Open,
            pages: Vec::new(),
            place_of: [NO_PLACE; CACHED_PAGES],
            scratch: Vec::new(),
        })
    }

    /// Whether the last failures were of single addresses or of the process as a whole.
    pub fn access(&self) -> Access {
        self.access
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
        let place = &mut self.place_of[(address / PAGE) as usize % CACHED_PAGES];
        if *place == NO_PLACE {
            *place = self.pages.len() as u8;
            self.pages.push(Page {
                address: EMPTY,
                bytes: [0; PAGE as usize],
            });
        }
        let index = usize::from(*place);
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

    fn read_series(&mut self, ranges: &[(u64, usize)], into: &mut Vec<u8>) -> usize {
        /// As many as the kernel takes in one call (`IOV_MAX`).
        const MOST_RANGES: usize = 1024;
        let wanted: Vec<RemoteIoVec> = ranges
            .iter()
            .take(MOST_RANGES)
            .map(|&(base, len)| RemoteIoVec {
                base: base as usize,
                len,
            })
            .collect();
        into.resize(wanted.iter().map(|range| range.len).sum(), 0);
        match process_vm_readv(self.pid, &mut [IoSliceMut::new(into)], &wanted) {
            Ok(count) => count,
            Err(error) => {
                self.note(Some(error as i32));
                0
            }
        }
    }

    fn forget(&mut self) {
        self.pages.iter_mut().for_each(|page| page.address = EMPTY);
    }
}

impl super::bulk::BulkRead for ProcessMemory {
    fn read_into(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        ProcessMemory::read_into(self, address, into)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::ptr::NonNull;

    use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

    use super::*;

    /// Three pages of our own: one with numbers, one that cannot be read, one of zeros.
    struct Pages(NonNull<libc::c_void>);

    impl Pages {
        const LENGTH: usize = 3 * PAGE as usize;

        fn new() -> Pages {
            let length = NonZeroUsize::new(Self::LENGTH).unwrap();
            let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
            // SAFETY: a new mapping of our own, at an address of the kernel's choice.
            let start = unsafe { mmap_anonymous(None, length, access, MapFlags::MAP_PRIVATE) }.unwrap();
            let pages = Pages(start);
            (0..PAGE).step_by(8).for_each(|at| pages.set(at, at));
            // SAFETY: the second page of the mapping, which nobody refers to.
            unsafe { mprotect(start.byte_add(PAGE as usize), PAGE as usize, ProtFlags::PROT_NONE) }.unwrap();
            pages
        }

        fn start(&self) -> u64 {
            self.0.as_ptr() as u64
        }

        fn set(&self, at: u64, value: u64) {
            // SAFETY: an aligned word of the first page, which is ours to write.
            unsafe { self.0.cast::<u64>().byte_add(at as usize).write_volatile(value) };
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // SAFETY: the mapping is ours, and nothing refers to it any more.
            unsafe { munmap(self.0, Self::LENGTH) }.unwrap();
        }
    }

    #[test]
    fn holes_are_faults_and_what_is_before_them_is_read() {
        let pages = Pages::new();
        let (start, hole) = (pages.start(), pages.start() + PAGE);
        let mut memory = ProcessMemory::new(std::process::id()).unwrap();
        assert_eq!(memory.word(start + 800), Ok(800));
        assert_eq!(memory.word(hole - 8), Ok(PAGE - 8));
        assert_eq!(
            memory.word(hole - 4),
            Err(Fault {
                at: hole - 4,
                length: 8
            })
        );
        assert_eq!(memory.word(hole), Err(Fault { at: hole, length: 8 }));
        assert_eq!(memory.word(hole + PAGE), Ok(0));
        assert!(memory.read(start, Pages::LENGTH).is_err());
        assert_eq!(
            memory.read_available(start + 96, &mut [0; Pages::LENGTH]),
            PAGE as usize - 96
        );
        assert_eq!(memory.access(), Access::Open);
    }

    #[test]
    fn what_was_cached_is_seen_until_it_is_forgotten() {
        let pages = Pages::new();
        let mut memory = ProcessMemory::new(std::process::id()).unwrap();
        assert_eq!(memory.word(pages.start()), Ok(0));
        pages.set(0, 7);
        assert_eq!(memory.word(pages.start()), Ok(0));
        memory.forget();
        assert_eq!(memory.word(pages.start()), Ok(7));
    }

    #[test]
    fn lengths_and_addresses_beyond_all_memory_are_faults() {
        let mut memory = ProcessMemory::new(std::process::id()).unwrap();
        for (at, length) in [
            (0, 8),
            (u64::MAX, 1),
            (u64::MAX - 7, 64),
            (4096, usize::MAX),
            (4096, isize::MAX as usize),
        ] {
            assert_eq!(memory.read(at, length), Err(Fault { at, length }));
        }
        assert_eq!(memory.access(), Access::Open);
    }
}
