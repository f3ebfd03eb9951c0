//! Executables and libraries that a dead program had mapped: found again on disk, and proved to be the same files.
//!
//! A core has no copy of what no program changes. What a file has in its place counts only when the core itself shows
//! that it is the same file.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cpython::memory::ReadMemory;

use crate::memory::bulk::BulkRead;
use crate::memory::core::CoreMemory;
use crate::target::container::open_below;
use crate::target::elf;
use crate::target::maps::Mapping;

/// What the kernel writes behind the name of a file that was gone when the core was made.
const DELETED: &str = " (deleted)";
/// What images of executables and libraries begin with.
const MAGIC: &[u8; 4] = b"\x7fELF";
/// As much of a file's first mapping is compared.
const MOST_COMPARED: u64 = 1 << 20;

/// What became of a file.
#[derive(Debug)]
pub enum Outcome {
    Same(File),
    /// It holds data, which no interpreter needs.
    Data,
    Unfit(Unfit),
}

/// Why a file cannot take the place of what was mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    Gone,
    Unopenable(String),
    /// It is another file now.
    Other,
    /// It may be the same, but the core has nothing of it to compare with.
    Unproven,
}

impl fmt::Display for Unfit {
    /// The end of a sentence that begins with its name.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Gone => write!(out, "is gone"),
            Unfit::Unopenable(cause) => write!(out, "cannot be opened ({cause})"),
            Unfit::Other => write!(
                out,
                "was replaced or rebuilt since, so that it is not what the program ran"
            ),
            Unfit::Unproven => write!(
                out,
                "cannot be proved to be what the program ran: nothing of it is in the core"
            ),
        }
    }
}

/// Looks for the file at `path`, of which `mapped` are the program's mappings, below `sysroot` first: by its whole path,
/// then by its name.
pub fn find(
    path: &Path,
    mapped: &[&Mapping],
    sysroot: Option<&Path>,
    core: &mut CoreMemory,
    memory: &mut dyn ReadMemory,
) -> Outcome {
    let text = path.to_string_lossy();
    let path = text
        .strip_suffix(DELETED)
        .map_or_else(|| path.to_owned(), PathBuf::from);
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    let below = sysroot.into_iter().flat_map(|root| [(root, &path), (root, &name)]);
    let mut refusal = None;
    for (root, path) in below.chain([(Path::new("/"), &path)]) {
        match open_below(root, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                refusal.get_or_insert(Unfit::Unopenable(error.to_string()));
            }
            Ok(file) => match prove(&file, mapped, core, memory) {
                Ok(true) => return Outcome::Same(file),
                Ok(false) => return Outcome::Data,
                Err(why) => {
                    refusal.get_or_insert(why);
                }
            },
        }
    }
    match refusal {
        // A file of data is mapped in one piece, an image in several.
        None if !was_image(mapped, core).unwrap_or(mapped.len() > 1) => Outcome::Data,
        refusal => Outcome::Unfit(refusal.unwrap_or(Unfit::Gone)),
    }
}

/// Whether an executable or a library was mapped; `None` when the core has nothing of its beginning.
fn was_image(mapped: &[&Mapping], core: &mut CoreMemory) -> Option<bool> {
    let first = mapped.iter().find(|mapping| mapping.offset == 0)?;
    let mut magic = [0; MAGIC.len()];
    core.read_into(first.start, &mut magic).ok()?;
    Some(magic == *MAGIC)
}

/// Whether the file is an image, and the one that was mapped; an error says why it is not that one.
fn prove(file: &File, mapped: &[&Mapping], core: &mut CoreMemory, memory: &mut dyn ReadMemory) -> Result<bool, Unfit> {
    let mut magic = [0; MAGIC.len()];
    if file.read_exact_at(&mut magic, 0).is_err() || magic != *MAGIC {
        let is_other = was_image(mapped, core) == Some(true);
        return if is_other { Err(Unfit::Other) } else { Ok(false) };
    }
    let first = mapped
        .iter()
        .find(|mapping| mapping.offset == 0)
        .ok_or(Unfit::Unproven)?;
    let same = compare_start(file, first, core).or_else(|| elf::is_same_build(file, first.start, memory));
    match same {
        Some(true) => Ok(true),
        Some(false) => Err(Unfit::Other),
        None => Err(Unfit::Unproven),
    }
}

/// Compares what the core has of the file's beginning, where its headers and its build id stand; `None` when it has none.
fn compare_start(file: &File, mapping: &Mapping, core: &mut CoreMemory) -> Option<bool> {
    let range = mapping.range();
    let end = core.holes(&range).first().map_or(range.end, |hole| hole.start);
    let length = end.checked_sub(mapping.start).filter(|&length| length > 0)?;
    let mut held = vec![0; length.min(MOST_COMPARED) as usize];
    core.read_into(mapping.start, &mut held).ok()?;
    let mut stated = vec![0; held.len()];
    let mut done = 0;
    // A file may end within its last page.
    while let Some(left) = stated.get_mut(done..).filter(|left| !left.is_empty()) {
        match file.read_at(left, done as u64) {
            Ok(0) | Err(_) => break,
            Ok(count) => done += count,
        }
    }
    // A program that may change the headers of its image has changed them for reasons of its own.
    (!mapping.writable).then_some(held == stated)
}
