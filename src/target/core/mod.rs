//! A process that is dead: its core file, opened as `target::open` opens a living one.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use cpython::memory::ReadMemory;
use rustc_hash::FxHashMap;

use crate::error::{Error, Result, shown};
use crate::memory::core::{CoreMemory, Piece};
use crate::memory::image::Image;
use crate::memory::slots::{PAGE_SIZE, Slots};
use crate::target::elf::{self, CoreLayout, NoCore};
use crate::target::interpreter::{self, Interpreter, Program};
use crate::target::maps::Mapping;
use crate::units;

mod command;
mod mapped_file;
mod mappings;
mod notes;
mod packed;

use mapped_file::{Outcome, Unfit};
use notes::Identity;

/// A core that has a Python in it.
pub struct Core {
    pub pid: u32,
    /// The executable's path as the process's own mount namespace named it.
    pub executable: String,
    pub command: Vec<String>,
    /// In order of address.
    pub maps: Vec<Mapping>,
    pub memory: CoreMemory,
    /// How much memory the core has, but for what is zeros all over.
    pub stored: u64,
    /// The most likely one first; never empty.
    pub interpreters: Vec<Interpreter>,
    pub gaps: Gaps,
    path: PathBuf,
}

/// What there should be of a program's memory, and is not.
#[derive(Debug, Clone, Default)]
pub struct Gaps {
    /// Bytes that stand in the core by its headers, and do not.
    cut_off: u64,
    /// Bytes that it should have.
    length: u64,
    /// Threads on whose stacks nothing but zeros stands.
    lost_stacks: usize,
    /// Executables and libraries that cannot take the place of what the core has no copy of; each with why.
    files: Vec<(PathBuf, Unfit)>,
}

/// What an interpreter's file has in its name, unless it is a part of some other executable.
const INTERPRETER_NAME: &str = "python";
/// As little as is held of the memory while the interpreter is looked for.
const SMALL: u64 = 1 << 23;
/// No program has so much memory in use; a core that says so was made to be trouble.
const MOST_MEMORY: u64 = 1 << 42;
/// What file systems count in.
const BLOCK: u64 = 512;

impl Core {
    /// Reads the core at `path`, packed or not, and finds the interpreter in it. The files that the program had mapped
    /// are looked for below `sysroot` first.
    pub fn open(path: &Path, sysroot: Option<&Path>) -> Result<Core> {
        let file = packed::unpacked(open_file(path)?, path)?;
        let layout = elf::read_core(&file).map_err(|cause| no_core(path, cause))?;
        let identity = Identity::of(&layout.notes);
        if identity.pid == 0 {
            return Err(no_core(path, NoCore::Short));
        }
        let mut maps = mappings::mappings(&layout.segments, &identity.files);
        let image = |memory: &CoreMemory| image(memory).map_err(|cause| unreadable(path, &cause));

        let stored = file.metadata().map_or(0, |metadata| metadata.blocks() * BLOCK);
        let (pieces, mut gaps) = pieces(&layout, file).map_err(|cause| unreadable(path, &cause))?;
        let mut memory = CoreMemory::new(pieces);
        let files = found_files(&maps, sysroot, &mut memory, image, &mut gaps)?;
        let memory = with_files(&memory, &maps, &files);
        leave_out_what_is_missing(&mut maps, &memory);

        let mut image = image(&memory)?;
        let is_lost = |&&stack: &&u64| is_zeros(&mut image, stack);
        gaps.lost_stacks = identity.stacks.iter().filter(is_lost).count();
        let command = command::command(&mut image, &identity);
        let executable = identity
            .executable()
            .map(|file| file.path.to_string_lossy().into_owned());
        let dead = Dead {
            identity: &identity,
            files: &files,
        };
        match interpreter::find_interpreters(&dead, &maps, &mut image) {
            Ok(interpreters) => Ok(Core {
                pid: identity.pid,
                executable: executable.unwrap_or_default(),
                command,
                stored: stored.min(memory.bytes()),
                maps,
                memory,
                interpreters,
                gaps,
                path: path.to_owned(),
            }),
            Err(cause) => {
                let program = identity.executable().map(|file| file.path.as_path());
                let is_suspect =
                    |file: &Path| Some(file) == program || file.to_string_lossy().contains(INTERPRETER_NAME);
                Err(gaps.explain(path, is_suspect, cause))
            }
        }
    }

    /// The error for a core whose interpreter is not what it should be: where its memory is missing, that is why.
    pub fn explained(&self, cause: Error) -> Error {
        let is_module = |file: &Path| self.interpreters.iter().any(|each| each.module_path == file);
        self.gaps.explain(&self.path, is_module, cause)
    }
}

impl Gaps {
    pub fn is_empty(&self) -> bool {
        self.cut_off == 0 && self.lost_stacks == 0 && self.files.is_empty()
    }

    /// What is missing, each a sentence.
    pub fn warnings(&self) -> Vec<String> {
        let cut_off = (self.cut_off > 0).then(|| {
            format!(
                "The core is cut off: {} of {} are missing, and the objects in them.",
                units::bytes(self.cut_off),
                units::bytes(self.length)
            )
        });
        let stacks = (self.lost_stacks > 0).then(|| {
            format!(
                "There are only zeros on the stacks of some threads ({}): what wrote the core could not read them, and \
                 what calls hold may be missing. Cores that the kernel writes have them.",
                units::count(self.lost_stacks as u64)
            )
        });
        let files = self.files.iter().map(|(path, why)| {
            format!(
                "{} {why}. The core has no copy of it: types that it defines may be missing, and their objects.",
                shown(path)
            )
        });
        cut_off.into_iter().chain(stacks).chain(files).collect()
    }

    /// Why nothing can be read: because memory is missing, if any is that may hold what was looked for. `is_suspect` says
    /// in which files that would be.
    fn explain(&self, path: &Path, is_suspect: impl Fn(&Path) -> bool, cause: Error) -> Error {
        let suspect = self.files.iter().find(|(file, _)| is_suspect(file));
        let path = path.to_owned();
        match suspect {
            // What would prove a file is missing because the core is cut off.
            Some((file, why)) if self.cut_off == 0 || *why != Unfit::Unproven => Error::Core {
                path,
                what: format!("has no copy of {}, and that file {why}", shown(file)),
                hint: "put the files that the program ran below a folder DIR, and give --sysroot DIR".to_owned(),
            },
            _ if self.cut_off > 0 => Error::Core {
                path,
                what: format!(
                    "is cut off: {} of {} are missing, and what is needed of the interpreter with them",
                    units::bytes(self.cut_off),
                    units::bytes(self.length)
                ),
                hint: "see that cores are written whole: `ulimit -c unlimited`, room on the disk, and \
                       ProcessSizeMax and ExternalSizeMax in coredump.conf"
                    .to_owned(),
            },
            _ => Error::InCore {
                path,
                cause: Box::new(cause),
            },
        }
    }
}

/// A dead process, as the search for its interpreter sees it.
struct Dead<'a> {
    identity: &'a Identity,
    files: &'a FxHashMap<PathBuf, Arc<File>>,
}

impl Program for Dead<'_> {
    fn pid(&self) -> u32 {
        self.identity.pid
    }

    fn name(&self) -> String {
        self.identity.name.clone()
    }

    fn mapped_file(&self, mapping: &Mapping) -> Option<File> {
        self.files.get(mapping.path.as_ref()?)?.try_clone().ok()
    }

    fn is_kernel_thread(&self) -> bool {
        false
    }
}

fn open_file(path: &Path) -> Result<File> {
    let no_file = |what: String| Error::Core {
        path: path.to_owned(),
        what,
        hint: "give a pid, or the core file of a program; `paths` takes a saved heap, too".to_owned(),
    };
    let metadata = fs::metadata(path).map_err(|cause| no_file(format!("cannot be opened: {cause}")))?;
    if metadata.is_dir() {
        return Err(Error::Core {
            path: path.to_owned(),
            what: "is a folder, not a core file".to_owned(),
            hint: "`pymemscope report FOLDER` shows a saved heap".to_owned(),
        });
    }
    if !metadata.is_file() {
        // A pipe would be waited for.
        return Err(no_file("is no regular file".to_owned()));
    }
    if metadata.len() == 0 {
        return Err(Error::Core {
            path: path.to_owned(),
            what: "is empty".to_owned(),
            hint: "the system had no room or no leave to write it: check the disk and `ulimit -c`".to_owned(),
        });
    }
    File::open(path).map_err(|cause| no_file(format!("cannot be opened: {cause}")))
}

fn unreadable(path: &Path, cause: &io::Error) -> Error {
    Error::Core {
        path: path.to_owned(),
        what: format!("cannot be read: {cause}"),
        hint: "copy it to another disk, and try that".to_owned(),
    }
}

fn no_core(path: &Path, cause: NoCore) -> Error {
    let (what, hint) = match cause {
        NoCore::Unreadable(cause) => return unreadable(path, &cause),
        NoCore::NotElf => (
            "is no core file".to_owned(),
            "give a pid, or what the kernel or `gcore PID` wrote; a saved heap is a folder, for `report` and `paths`",
        ),
        NoCore::OtherElf => (
            "is an executable or a library, not a core file".to_owned(),
            "give a pid, or what the kernel or `gcore PID` wrote; `pymemscope run` starts a program",
        ),
        NoCore::Bits32 => (
            "is of a 32-bit program; only cores of 64-bit ones can be read".to_owned(),
            "run the program with a 64-bit Python",
        ),
        NoCore::OtherMachine(machine) => (
            format!("is of a program for another machine ({machine}); only cores of x86-64 ones can be read"),
            "run the program on x86-64",
        ),
        NoCore::Short => (
            "is cut off: what describes the process is not there".to_owned(),
            "copy it again from where it was written, or see that there is room for it",
        ),
    };
    Error::Core {
        path: path.to_owned(),
        what,
        hint: hint.to_owned(),
    }
}

/// The memory as something that can be read in small pieces.
fn image(memory: &CoreMemory) -> io::Result<Image<CoreMemory>> {
    if memory.bytes() > MOST_MEMORY {
        return Err(io::Error::other("it is of more memory than any program has"));
    }
    let ranges: Vec<_> = memory.pieces().iter().map(|piece| piece.range.clone()).collect();
    Image::new(memory.clone(), Rc::new(Slots::new(&ranges)), SMALL)
}

/// Whether nothing but zeros stands where a thread has its latest calls.
fn is_zeros(image: &mut Image<CoreMemory>, stack: u64) -> bool {
    (0..16).all(|word| image.word(stack.saturating_add(8 * word)).is_ok_and(|word| word == 0))
}

/// Cuts off the ends of mappings that nothing is known of: a core may claim any number of them, of any size.
fn leave_out_what_is_missing(maps: &mut [Mapping], memory: &CoreMemory) {
    for mapping in maps {
        match memory.holes(&mapping.range()).last() {
            Some(hole) if *hole == mapping.range() => mapping.readable = false,
            Some(hole) if hole.end == mapping.end => mapping.end = hole.start,
            _ => {}
        }
    }
}

/// What the core itself has of the program's memory.
fn pieces(layout: &CoreLayout, file: File) -> io::Result<(Vec<Piece>, Gaps)> {
    let size = file.metadata()?.len();
    let file = Arc::new(file);
    let mut gaps = Gaps {
        length: layout.length,
        ..Gaps::default()
    };
    let mut pieces = Vec::new();
    for segment in &layout.segments {
        let there = size.saturating_sub(segment.offset).min(segment.length);
        gaps.cut_off += segment.length - there;
        // A page that is there in part may be anything.
        let there = if there < segment.length {
            there & !(PAGE_SIZE - 1)
        } else {
            there
        };
        if there > 0 {
            pieces.push(Piece {
                range: segment.range.start..segment.range.start + there,
                file: Arc::clone(&file),
                offset: segment.offset,
            });
        }
    }
    Ok((pieces, gaps))
}

/// The executables and libraries that take the place of what the core has no copy of. Those that cannot are noted.
fn found_files(
    maps: &[Mapping],
    sysroot: Option<&Path>,
    memory: &mut CoreMemory,
    image: impl Fn(&CoreMemory) -> Result<Image<CoreMemory>>,
    gaps: &mut Gaps,
) -> Result<FxHashMap<PathBuf, Arc<File>>> {
    let mut by_path: FxHashMap<&Path, Vec<&Mapping>> = FxHashMap::default();
    for mapping in maps
        .iter()
        .filter(|mapping| mapping.private && mapping.is_readable_memory())
    {
        if let Some(path) = &mapping.path {
            by_path.entry(path).or_default().push(mapping);
        }
    }
    let mut image = image(memory)?;
    let mut files = FxHashMap::default();
    let mut paths: Vec<_> = by_path.into_iter().collect();
    paths.sort_unstable_by_key(|(path, _)| *path);
    for (path, mapped) in paths {
        if mapped.iter().all(|mapping| memory.holes(&mapping.range()).is_empty()) {
            continue;
        }
        match mapped_file::find(path, &mapped, sysroot, memory, &mut image) {
            Outcome::Same(file) => drop(files.insert(path.to_owned(), Arc::new(file))),
            Outcome::Data => {}
            Outcome::Unfit(why) => gaps.files.push((path.to_owned(), why)),
        }
    }
    Ok(files)
}

/// The core's own memory, with that of files where it has none.
fn with_files(memory: &CoreMemory, maps: &[Mapping], files: &FxHashMap<PathBuf, Arc<File>>) -> CoreMemory {
    let mut pieces = memory.pieces().to_vec();
    for mapping in maps {
        let Some(file) = mapping.path.as_ref().and_then(|path| files.get(path)) else {
            continue;
        };
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        // Behind the last page of a file there is nothing.
        let length = size.next_multiple_of(PAGE_SIZE).saturating_sub(mapping.offset);
        let end = mapping.end.min(mapping.start.saturating_add(length));
        for hole in memory.holes(&(mapping.start..end.max(mapping.start))) {
            pieces.push(Piece {
                offset: mapping.offset.saturating_add(hole.start - mapping.start),
                range: hole,
                file: Arc::clone(file),
            });
        }
    }
    CoreMemory::new(pieces)
}
