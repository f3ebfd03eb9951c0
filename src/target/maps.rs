//! What a process has mapped, and which of it can hold objects: the doorway of `proc-maps`.

use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use recording::form::FILE_NAME;

use crate::target::process::{ProcRoot, Process};

/// One line of `/proc/PID/maps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub start: u64,
    pub end: u64,
    pub readable: bool,
    pub writable: bool,
    pub executable: bool,
    /// Copied when written to; otherwise others see what is written.
    pub private: bool,
    /// Where in its file it begins.
    pub offset: u64,
    pub device: Device,
    /// Zero when no file is behind it.
    pub inode: u64,
    /// A path as the process's own mount namespace names it, a name such as `[heap]`, or nothing.
    pub path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Device {
    pub major: u32,
    pub minor: u32,
}

/// A stretch of memory that may hold objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRange {
    pub range: Range<u64>,
    pub writable: bool,
    /// Others may change it, and a forked copy sees it live.
    pub shared: bool,
}

/// Whether a file that is mapped is the memory which the recorder shares with us: it holds nothing of the program.
pub fn is_recording(path: &Path) -> bool {
    let name = path.as_os_str().as_bytes().strip_prefix(b"/memfd:");
    name.is_some_and(|name| name.starts_with(FILE_NAME.to_bytes()))
}

impl Mapping {
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    pub fn contains(&self, address: u64) -> bool {
        self.range().contains(&address)
    }

    /// The words that the kernel puts in brackets instead of a path, such as `heap`, `stack`, `vdso`, `anon:name`.
    pub fn special_name(&self) -> Option<&str> {
        self.path.as_ref()?.to_str()?.strip_prefix('[')?.strip_suffix(']')
    }

    /// Whether a device's memory stands behind it, which reading may change, or which may never answer.
    fn is_device(&self) -> bool {
        const PLAIN_MEMORY: [&str; 3] = ["/dev/zero", "/dev/shm/", "/dev/hugepages/"];
        let path = self
            .path
            .as_ref()
            .map(|path| path.to_string_lossy())
            .unwrap_or_default();
        let in_devices = path.starts_with("/dev/") && !PLAIN_MEMORY.iter().any(|plain| path.starts_with(plain));
        // Graphics drivers and the like hand out buffers under names that are no paths.
        let buffer = ["anon_inode:", "/dmabuf:", "/i915", "/drm"]
            .iter()
            .any(|name| path.starts_with(name));
        in_devices || buffer
    }

    /// Whether it can be read, and reading is harmless.
    pub fn is_readable_memory(&self) -> bool {
        let kernel_page = matches!(
            self.special_name(),
            Some("vvar" | "vvar_vclock" | "vsyscall" | "vdso" | "uprobes")
        );
        self.readable && !kernel_page && !self.is_device() && !self.path.as_deref().is_some_and(is_recording)
    }
}

/// All mappings of a process, in order of address.
pub fn of_process(process: &Process) -> io::Result<Vec<Mapping>> {
    if *process.root() != ProcRoot::default() {
        return read_file(process);
    }
    let pid = proc_maps::Pid::try_from(process.pid).map_err(io::Error::other)?;
    match proc_maps::get_process_maps(pid) {
        Ok(maps) => Ok(maps.into_iter().map(Mapping::from).collect()),
        // `proc-maps` wants UTF-8 and page-aligned offsets; neither is promised by the kernel.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            read_file(process)
        }
        Err(error) => Err(error),
    }
}

/// The mappings that may hold objects; neighbours of the same kind are joined.
pub fn object_ranges(maps: &[Mapping]) -> Vec<ObjectRange> {
    let mut ranges: Vec<ObjectRange> = Vec::new();
    for mapping in maps.iter().filter(|mapping| mapping.is_readable_memory()) {
        let (writable, shared) = (mapping.writable, !mapping.private);
        match ranges.last_mut() {
            Some(last) if last.range.end == mapping.start && last.writable == writable && last.shared == shared => {
                last.range.end = mapping.end;
            }
            _ => ranges.push(ObjectRange {
                range: mapping.range(),
                writable,
                shared,
            }),
        }
    }
    ranges
}

/// The mapping that holds `address`; `maps` is in order, as the kernel lists it.
pub fn containing(maps: &[Mapping], address: u64) -> Option<&Mapping> {
    let next = maps.partition_point(|mapping| mapping.start <= address);
    maps[..next].last().filter(|mapping| mapping.contains(address))
}

impl From<proc_maps::MapRange> for Mapping {
    fn from(range: proc_maps::MapRange) -> Self {
        let start = range.start() as u64;
        Mapping {
            start,
            end: start.saturating_add(range.size() as u64),
            readable: range.is_read(),
            writable: range.is_write(),
            executable: range.is_exec(),
            private: range.flags.as_bytes().get(3) != Some(&b's'),
            offset: range.offset as u64,
            device: Device::parse(&range.dev).unwrap_or_default(),
            inode: range.inode as u64,
            path: range
                .filename()
                .map(|path| PathBuf::from(unescape(&path.to_string_lossy()))),
        }
    }
}

impl Device {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once(':')?;
        Some(Device {
            major: u32::from_str_radix(major, 16).ok()?,
            minor: u32::from_str_radix(minor, 16).ok()?,
        })
    }
}

fn read_file(process: &Process) -> io::Result<Vec<Mapping>> {
    let bytes = fs::read(process.entry("maps"))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().filter_map(parse_line).collect())
}

fn parse_line(line: &str) -> Option<Mapping> {
    let mut rest = line;
    let mut word = || {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = after.trim_start_matches(' ');
        Some(word).filter(|word| !word.is_empty())
    };
    let (start, end) = word()?.split_once('-')?;
    let flags = word()?.as_bytes();
    let (offset, device, inode) = (word()?, word()?, word()?);
    let flag = |index: usize, letter: u8| flags.get(index) == Some(&letter);
    Some(Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        readable: flag(0, b'r'),
        writable: flag(1, b'w'),
        executable: flag(2, b'x'),
        private: !flag(3, b's'),
        offset: u64::from_str_radix(offset, 16).ok()?,
        device: Device::parse(device)?,
        inode: inode.parse().ok()?,
        path: Some(rest)
            .filter(|path| !path.is_empty())
            .map(|path| PathBuf::from(unescape(path))),
    })
}

/// The kernel writes a line feed in a path as `\012`, and nothing else so.
fn unescape(path: &str) -> String {
    path.replace("\\012", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
400000-401000 r--p 00000000 fe:01 77 /opt/my  app/python (deleted)
401000-402000 rw-p 00000000 00:00 0 [heap]
402000-403000 rw-p 00000000 00:00 0
403000-404000 ---p 00000000 00:00 0
404000-405000 rw-s 00000000 00:05 9 /dev/dri/card0
405000-406000 rw-s 00000000 00:05 9 /dev/shm/line\\012feed
7fff0000-7fff1000 r--p 00000000 00:00 0 [vvar]
";

    fn parsed() -> Vec<Mapping> {
        MAPS.lines().map(|line| parse_line(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_read_whole() {
        let maps = parsed();
        assert_eq!(maps[0].path, Some(PathBuf::from("/opt/my  app/python (deleted)")));
        assert_eq!((maps[0].device, maps[0].inode), (Device { major: 0xfe, minor: 1 }, 77));
        assert_eq!(maps[5].path, Some(PathBuf::from("/dev/shm/line\nfeed")));
        assert_eq!(maps[2].path, None);
    }

    #[test]
    fn devices_and_kernel_pages_hold_no_objects() {
        let ranges: Vec<_> = object_ranges(&parsed())
            .into_iter()
            .map(|range| (range.range, range.shared))
            .collect();
        assert_eq!(
            ranges,
            [
                (0x400000..0x401000, false),
                (0x401000..0x403000, false),
                (0x405000..0x406000, true)
            ]
        );
    }

    #[test]
    fn an_address_leads_to_its_mapping() {
        let maps = parsed();
        assert_eq!(containing(&maps, 0x402fff).map(|mapping| mapping.start), Some(0x402000));
        assert_eq!(containing(&maps, 0x500000), None);
        assert_eq!(containing(&maps, 0), None);
    }

    #[test]
    fn our_own_maps_come_out_the_same_both_ways() {
        let process = Process::new(std::process::id());
        let code = of_process as *const () as u64;
        let by_crate = of_process(&process).unwrap();
        let by_file = read_file(&process).unwrap();
        assert_eq!(containing(&by_crate, code), containing(&by_file, code));
        assert!(containing(&by_crate, code).unwrap().executable);
    }
}
