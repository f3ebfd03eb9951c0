//! Reads in large pieces: what fills buffers, how much is read at a time, and how pages are read of which some cannot be.

use cpython::memory::Fault;

use super::slots::{PAGE_SIZE, pages};

/// Something that fills buffers with another program's memory.
pub trait BulkRead {
    /// Fills all of `into` from `address`, or says that some of it could not be read.
    fn read_into(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault>;
}

impl<S: BulkRead + ?Sized> BulkRead for Box<S> {
    fn read_into(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        (**self).read_into(address, into)
    }
}

/// The pages of a slot that are read when the `wanted` ones are, where others were `tried` before: so many `at_first`, and
/// then more and more.
pub fn with_neighbours(wanted: u64, tried: u64, at_first: u64) -> u64 {
    let at_a_time = u64::from(tried.count_ones() + 1).next_power_of_two().max(at_first);
    let first = u64::from(wanted.trailing_zeros()) / at_a_time * at_a_time;
    let end = (64 - u64::from(wanted.leading_zeros())).next_multiple_of(at_a_time);
    pages(first * PAGE_SIZE, end * PAGE_SIZE)
}

/// Reads those of a slot's pages that `wanted` has bits of to their places in `into`: run by run, and those of a run that
/// fails page by page. Answers which could be read.
pub fn read_pages(source: &mut impl BulkRead, start: u64, wanted: u64, into: &mut [u8]) -> u64 {
    let page = PAGE_SIZE as usize;
    let mut readable = 0;
    let mut first = 0;
    while first < 64 {
        let run = (wanted >> first).trailing_ones() as usize;
        if run == 0 {
            first += 1;
            continue;
        }
        let bytes = first * page..(first + run) * page;
        if source.read_into(start + bytes.start as u64, &mut into[bytes]).is_ok() {
            readable |= pages((first * page) as u64, ((first + run) * page) as u64);
        } else {
            for one in first..first + run {
                if source
                    .read_into(start + (one * page) as u64, &mut into[one * page..(one + 1) * page])
                    .is_ok()
                {
                    readable |= 1 << one;
                }
            }
        }
        first += run;
    }
    readable
}
