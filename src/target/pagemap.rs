//! Which pages of a process's mappings are there at all (`/proc/PID/pagemap`): what was only reserved need not be read.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::memory::slots::PAGE_SIZE;
use crate::target::process::Process;

/// Bits of an entry: the page is in memory, or in swap.
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const ENTRY: u64 = 8;

/// The pages of one process.
#[derive(Debug)]
pub struct PageMap {
    file: Option<File>,
}

impl PageMap {
    pub fn open(process: &Process) -> PageMap {
        PageMap {
            file: File::open(process.entry("pagemap")).ok(),
        }
    }

    /// Whether any page of `range` holds something. When the kernel does not say, all of them do.
    pub fn holds_any(&self, range: Range<u64>) -> bool {
        let Some(file) = &self.file else {
            return true;
        };
        let first = range.start / PAGE_SIZE;
        let count = range.end.div_ceil(PAGE_SIZE).saturating_sub(first);
        let mut entries = vec![0; (count * ENTRY) as usize];
        match file.read_at(&mut entries, first * ENTRY) {
            Ok(length) => entries[..length].chunks_exact(ENTRY as usize).any(|entry| {
                entry
                    .try_into()
                    .is_ok_and(|entry| u64::from_le_bytes(entry) & (PRESENT | SWAPPED) != 0)
            }),
            Err(_) => true,
        }
    }
}
