//! The data that came with executables and libraries, as against what was asked for while the program ran.

use std::ops::Range;

use cpython::memory::ReadMemory;

use super::elf::{Found, image_at};
use super::maps::Mapping;
use crate::memory::slots::PAGE_SIZE;

/// The mappings of executables and libraries, and the zeroed data that follows them.
pub fn static_data(memory: &mut dyn ReadMemory, maps: &[Mapping]) -> Vec<Range<u64>> {
    let files = maps.iter().filter(|mapping| is_file(mapping)).map(Mapping::range);
    let mut ranges: Vec<Range<u64>> = files.collect();
    for (index, pair) in maps.windows(2).enumerate() {
        if let [before, mapping] = pair
            && is_file(before)
            && before.writable
            // What is shared is a program's data, and never a library's.
            && before.private
            && mapping.path.is_none()
            && before.end == mapping.start
            && let Some(end) = zeroed_end(memory, &maps[..=index], mapping)
        {
            ranges.push(mapping.start..end.min(mapping.end));
        }
    }
    ranges
}

fn is_file(mapping: &Mapping) -> bool {
    mapping.inode != 0
}

/// Where the zeroed data ends with which `mapping` begins, behind the last of these mappings; `None` where that is of a file
/// that is no image, behind which there is none. The kernel lists it as one with whatever the program has mapped right
/// behind it; the image itself says how much of that is its own.
fn zeroed_end(memory: &mut dyn ReadMemory, maps: &[Mapping], mapping: &Mapping) -> Option<u64> {
    let (last, start) = (maps.last()?, mapping.start);
    let is_first = |each: &&Mapping| each.inode == last.inode && each.device == last.device && each.offset == 0;
    let first = maps.iter().rev().find(is_first);
    let segments = match first.map(|first| image_at(memory, first.start)) {
        Some(Ok(Found::Image(image))) => image.segments,
        Some(Ok(Found::Nothing)) => return None,
        // Nothing says where it ends.
        Some(Ok(Found::Bits32) | Err(_)) | None => Vec::new(),
    };
    let segments = segments.iter().map(|segment| &segment.range);
    let mut at_start = segments.filter(|range| range.start < start && range.end > start - PAGE_SIZE);
    let end = at_start.next().map(|range| range.end.next_multiple_of(PAGE_SIZE));
    Some(end.unwrap_or(mapping.end))
}

#[cfg(test)]
mod tests {
    use cpython::memory::Fault;

    use super::*;

    /// Memory in which nothing but zeros stands, or that cannot be read.
    struct Zeros {
        readable: bool,
    }

    impl ReadMemory for Zeros {
        fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
            const PAGE: [u8; 4096] = [0; 4096];
            let page = PAGE.get(..length).filter(|_| self.readable);
            page.ok_or(Fault { at: address, length })
        }
    }

    fn mapping(pages: Range<u64>, inode: u64, private: bool) -> Mapping {
        Mapping {
            start: pages.start * PAGE_SIZE,
            end: pages.end * PAGE_SIZE,
            readable: true,
            writable: true,
            executable: false,
            private,
            offset: 0,
            device: Default::default(),
            inode,
            path: None,
        }
    }

    fn of_file(private: bool, readable: bool) -> Vec<Range<u64>> {
        let maps = [mapping(1..2, 7, private), mapping(2..100, 0, true)];
        static_data(&mut Zeros { readable }, &maps)
    }

    #[test]
    fn what_stands_behind_a_mapped_file_of_data_is_none_of_it() {
        for private in [false, true] {
            assert_eq!(of_file(private, true).len(), 1);
        }
    }

    #[test]
    fn where_nothing_says_what_it_is_it_may_be_a_library() {
        assert_eq!(of_file(true, false).len(), 2);
    }
}
