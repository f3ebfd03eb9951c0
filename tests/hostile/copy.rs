//! A program's memory, copied once, that can be damaged and mended again.

use std::collections::HashSet;
use std::ops::Range;

use cpython::memory::{Fault, ReadMemory};

const PAGE: u64 = 4096;

/// Bytes by address, in memory of our own.
pub struct Copy {
    /// In order of address, none touching another.
    pieces: Vec<(u64, Vec<u8>)>,
    /// The piece of the last read.
    last: usize,
    missing: HashSet<u64>,
    /// What stood where something was overwritten, the first first.
    before: Vec<(u64, Vec<u8>)>,
}

impl Copy {
    /// Copies `ranges`; what cannot be read is left out page by page.
    pub fn of(memory: &mut impl ReadMemory, ranges: &[Range<u64>]) -> Copy {
        let mut pieces: Vec<(u64, Vec<u8>)> = Vec::new();
        for range in ranges {
            for page in (range.start..range.end).step_by(PAGE as usize) {
                let Ok(bytes) = memory.read(page, PAGE as usize) else {
                    continue;
                };
                match pieces.last_mut() {
                    Some((start, piece)) if *start + piece.len() as u64 == page => piece.extend_from_slice(bytes),
                    _ => pieces.push((page, bytes.to_vec())),
                }
            }
        }
        Copy {
            pieces,
            last: 0,
            missing: HashSet::new(),
            before: Vec::new(),
        }
    }

    pub fn ranges(&self) -> Vec<Range<u64>> {
        let range = |(start, piece): &(u64, Vec<u8>)| *start..*start + piece.len() as u64;
        self.pieces.iter().map(range).collect()
    }

    /// Overwrites what is there; answers whether anything is.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        let Some(place) = self.place(address, bytes.len()) else {
            return false;
        };
        let target = &mut self.pieces[self.last].1[place..place + bytes.len()];
        self.before.push((address, target.to_vec()));
        target.copy_from_slice(bytes);
        true
    }

    /// Makes the page of `address` unreadable.
    pub fn lose(&mut self, address: u64) {
        self.missing.insert(address / PAGE);
    }

    /// Puts everything back.
    pub fn mend(&mut self) {
        self.missing.clear();
        while let Some((address, bytes)) = self.before.pop() {
            let place = self.place(address, bytes.len()).expect("what was written is there");
            self.pieces[self.last].1[place..place + bytes.len()].copy_from_slice(&bytes);
        }
    }

    /// Where in the piece `last` the bytes stand.
    fn place(&mut self, address: u64, length: usize) -> Option<usize> {
        let holds = |(start, piece): &(u64, Vec<u8>)| (*start..*start + piece.len() as u64).contains(&address);
        if !holds(&self.pieces[self.last]) {
            let after = self.pieces.partition_point(|(start, _)| *start <= address);
            self.last = after.checked_sub(1)?;
        }
        let (start, piece) = &self.pieces[self.last];
        let place = (address - start) as usize;
        (place < piece.len() && length <= piece.len() - place).then_some(place)
    }
}

impl ReadMemory for Copy {
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        let fault = Fault { at: address, length };
        let place = self.place(address, length).ok_or(fault)?;
        if !self.missing.is_empty() {
            let pages = address / PAGE..=(address + length.max(1) as u64 - 1) / PAGE;
            if pages.into_iter().any(|page| self.missing.contains(&page)) {
                return Err(fault);
            }
        }
        Ok(&self.pieces[self.last].1[place..place + length])
    }
}
