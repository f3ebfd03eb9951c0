//! What a dead program had mapped: its core's segments, together with the files that its notes name.

use std::ops::Range;
use std::path::Path;

use rustc_hash::FxHashMap;

use super::notes::MappedFile;
use crate::target::elf::CoreSegment;
use crate::target::maps::{Device, Mapping};

/// What stands for memory that several programs share, and no file.
const SHARED_MEMORY: [&str; 4] = ["/dev/zero", "/dev/shm/", "/memfd:", "/SYSV"];

/// The mappings in order of address. A mapping of a file that the core has no segment for (`gcore` leaves such out) is
/// taken for one that can be read and executed.
pub fn mappings(segments: &[CoreSegment], files: &[MappedFile]) -> Vec<Mapping> {
    let segments = in_order(segments);
    let inodes = inodes(files);
    let mut maps = Vec::new();
    let mut files_left = files;
    for segment in &segments {
        while let Some((file, later)) = files_left.split_first()
            && file.range.end <= segment.range.start
        {
            push_unlisted(&mut maps, file, &inodes);
            files_left = later;
        }
        split(&mut maps, segment, files_left, &inodes);
    }
    files_left
        .iter()
        .for_each(|file| push_unlisted(&mut maps, file, &inodes));
    maps
}

/// The segments in order of address; one that lies over another is left out.
fn in_order(segments: &[CoreSegment]) -> Vec<&CoreSegment> {
    let mut segments: Vec<&CoreSegment> = segments.iter().collect();
    segments.sort_by_key(|segment| segment.range.start);
    let mut end = 0;
    segments.retain(|segment| {
        let is_free = segment.range.start >= end;
        end = end.max(segment.range.end);
        is_free
    });
    segments
}

/// A number for each file: a core knows none of its inodes, only whether two mappings are of one file.
fn inodes(files: &[MappedFile]) -> FxHashMap<&Path, u64> {
    let mut inodes = FxHashMap::default();
    for file in files {
        let next = inodes.len() as u64 + 1;
        inodes.entry(file.path.as_path()).or_insert(next);
    }
    inodes
}

/// Adds the parts of a segment, each with the file that lies there, if any.
fn split(maps: &mut Vec<Mapping>, segment: &CoreSegment, files: &[MappedFile], inodes: &FxHashMap<&Path, u64>) {
    let mut at = segment.range.start;
    for file in files.iter().take_while(|file| file.range.start < segment.range.end) {
        let start = file.range.start.max(at);
        let end = file.range.end.min(segment.range.end);
        if start >= end {
            continue;
        }
        if at < start {
            maps.push(mapping(segment, at..start));
        }
        maps.push(Mapping {
            offset: file.offset.saturating_add(start - file.range.start),
            inode: inodes.get(file.path.as_path()).copied().unwrap_or(0),
            private: !is_shared(&file.path),
            path: Some(file.path.clone()),
            ..mapping(segment, start..end)
        });
        at = end;
    }
    if at < segment.range.end {
        maps.push(mapping(segment, at..segment.range.end));
    }
}

fn mapping(segment: &CoreSegment, range: Range<u64>) -> Mapping {
    Mapping {
        start: range.start,
        end: range.end,
        readable: segment.readable,
        writable: segment.writable,
        executable: segment.executable,
        private: true,
        offset: 0,
        device: Device::default(),
        inode: 0,
        path: None,
    }
}

/// Adds what no segment has covered of a mapping.
fn push_unlisted(maps: &mut Vec<Mapping>, file: &MappedFile, inodes: &FxHashMap<&Path, u64>) {
    let covered = maps.last().map_or(0, |last| last.end);
    let start = file.range.start.max(covered);
    if start < file.range.end {
        maps.push(Mapping {
            start,
            end: file.range.end,
            readable: true,
            writable: false,
            executable: true,
            private: !is_shared(&file.path),
            offset: file.offset.saturating_add(start - file.range.start),
            device: Device::default(),
            inode: inodes.get(file.path.as_path()).copied().unwrap_or(0),
            path: Some(file.path.clone()),
        });
    }
}

fn is_shared(path: &Path) -> bool {
    let path = path.to_string_lossy();
    SHARED_MEMORY.iter().any(|start| path.starts_with(start))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn segment(range: Range<u64>) -> CoreSegment {
        CoreSegment {
            range,
            readable: true,
            writable: true,
            executable: false,
            offset: 0,
            length: 0,
        }
    }

    fn file(range: Range<u64>, offset: u64, path: &str) -> MappedFile {
        MappedFile {
            range,
            offset,
            path: PathBuf::from(path),
        }
    }

    /// Start, end, offset, inode of each.
    fn told(maps: &[Mapping]) -> Vec<(u64, u64, u64, u64)> {
        maps.iter()
            .map(|mapping| (mapping.start, mapping.end, mapping.offset, mapping.inode))
            .collect()
    }

    #[test]
    fn segments_are_divided_where_files_begin_and_end() {
        let segments = [segment(0x8000..0x9000), segment(0x1000..0x6000)];
        let files = [
            file(0x1000..0x2000, 0, "/a"),
            file(0x3000..0x4000, 0x5000, "/b"),
            file(0x4000..0x5000, 0x7000, "/a"),
        ];
        let maps = mappings(&segments, &files);
        let expected = [
            (0x1000, 0x2000, 0, 1),
            (0x2000, 0x3000, 0, 0),
            (0x3000, 0x4000, 0x5000, 2),
            (0x4000, 0x5000, 0x7000, 1),
            (0x5000, 0x6000, 0, 0),
            (0x8000, 0x9000, 0, 0),
        ];
        assert_eq!(told(&maps), expected);
        assert!(maps.iter().all(|mapping| mapping.writable));
    }

    #[test]
    fn files_without_a_segment_are_there_too() {
        let files = [
            file(0x1000..0x2000, 0, "/a"),
            file(0x3000..0x5000, 0, "/b"),
            file(0x7000..0x8000, 0, "/c"),
        ];
        let maps = mappings(&[segment(0x3000..0x4000)], &files);
        let expected = [
            (0x1000, 0x2000, 0, 1),
            (0x3000, 0x4000, 0, 2),
            (0x4000, 0x5000, 0x1000, 2),
            (0x7000, 0x8000, 0, 3),
        ];
        assert_eq!(told(&maps), expected);
        let writable: Vec<bool> = maps.iter().map(|mapping| mapping.writable).collect();
        assert_eq!(writable, [false, true, false, false]);
    }

    #[test]
    fn what_lies_over_another_is_left_out_and_order_is_kept() {
        let segments = [
            segment(0x1000..0x4000),
            segment(0x2000..0x3000),
            segment(0x4000..0x5000),
        ];
        let files = [file(0..0x8000, 0, "/dev/zero (deleted)")];
        let maps = mappings(&segments, &files);
        assert!(maps.windows(2).all(|pair| pair[0].end <= pair[1].start), "{maps:?}");
        assert!(maps.iter().all(|mapping| !mapping.private));
        assert_eq!(
            maps.iter().map(|mapping| mapping.end - mapping.start).sum::<u64>(),
            0x8000 - 0x1000
        );
    }
}
