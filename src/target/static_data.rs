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
            && mapping.path.is_none()
            && before.end == mapping.start
        {
            let end = zeroed_end(memory, &maps[..=index], mapping.start).unwrap_or(mapping.end);
            ranges.push(mapping.start..end.min(mapping.end));
        }
    }
    ranges
}

fn is_file(mapping: &Mapping) -> bool {
    mapping.inode != 0
}

/// Where the zeroed data ends that goes on at `start`, behind the last of these mappings. The kernel lists it as one with
/// whatever the program has mapped right behind it; the image itself says how much of that is its own.
fn zeroed_end(memory: &mut dyn ReadMemory, maps: &[Mapping], start: u64) -> Option<u64> {
    let last = maps.last()?;
    let first = maps
        .iter()
        .rev()
        .find(|mapping| mapping.inode == last.inode && mapping.device == last.device && mapping.offset == 0)?;
    let Ok(Found::Image(image)) = image_at(memory, first.start) else {
        return None;
    };
    let segments = image.segments.iter().map(|segment| &segment.range);
    let mut at_start = segments.filter(|range| range.start < start && range.end > start - PAGE_SIZE);
    at_start.next().map(|range| range.end.next_multiple_of(PAGE_SIZE))
}
