//! The file behind a mapping: the very one that is mapped, not whatever its path leads to now.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::target::container;
use crate::target::maps::Mapping;
use crate::target::process::Process;

/// Opens the file of a mapping by the kernel's own links to it, which outlive its name, or by its path below the
/// process's root; only a file with the mapping's inode will do.
pub fn open(process: &Process, mapping: &Mapping) -> Option<File> {
    if mapping.inode == 0 {
        return None;
    }
    let kept = process.entry(&format!("map_files/{:x}-{:x}", mapping.start, mapping.end));
    let by_kernel = [kept, process.entry("exe")]
        .into_iter()
        .filter_map(|link| File::open(link).ok());
    let by_path = paths_in_root(process, mapping)
        .into_iter()
        .filter_map(|path| container::open_in_root(process, &path).ok());
    by_kernel.chain(by_path).find(|file| is_same(file, mapping))
}

/// The paths that may lead to the file from the process's root. The kernel names files from the root of the mount
/// namespace; where the process has changed its root since (chroot), that root's own path stands before the name.
fn paths_in_root(process: &Process, mapping: &Mapping) -> Vec<PathBuf> {
    let Some(path) = &mapping.path else { return Vec::new() };
    let root = fs::read_link(process.entry("root")).unwrap_or_default();
    let below = path.strip_prefix(root).ok().map(|below| Path::new("/").join(below));
    [path.clone()]
        .into_iter()
        .chain(below.filter(|below| below != path))
        .collect()
}

/// The inode decides, with the device where both name it alike: file systems with subvolumes show another device to
/// `stat` than to `maps`, with a major number of zero.
fn is_same(file: &File, mapping: &Mapping) -> bool {
    let Ok(metadata) = file.metadata() else { return false };
    let (major, minor) = (libc::major(metadata.dev()), libc::minor(metadata.dev()));
    let same_device = (major, minor) == (mapping.device.major, mapping.device.minor);
    metadata.is_file() && metadata.ino() == mapping.inode && (same_device || major == 0 && mapping.device.major == 0)
}
