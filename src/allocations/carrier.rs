//! Brings the recorder into a program that is about to start, and holds the shared memory that it writes to.
//!
//! Both are files without a name (`memfd_create`), which the program and its children find by our own descriptors: nothing
//! is left behind whatever ends first. What is mapped stays when we are gone.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::mem::offset_of;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use nix::sys::memfd::{MFdFlags, memfd_create};
use recording::form::{ENVIRONMENT, FILE_BYTES, FILE_NAME, FileHead, MAGIC, SAMPLE_BYTES, VERSION};
use recording::read::{ReadFile, Recording};

use super::library;
use super::recorded::Allocations;
use super::weights::Mark;

/// What the dynamic loader loads before all else.
const PRELOAD: &str = "LD_PRELOAD";

/// Which blocks are recorded with their calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    Every,
    /// One in so many bytes, by a chance that begins with `seed` where that is told.
    OneIn {
        bytes: u64,
        seed: Option<u64>,
    },
}

impl Sampling {
    /// Between two samples, unless told.
    pub const USUAL_BYTES: u64 = SAMPLE_BYTES;

    /// What the shared memory begins with.
    fn head(self) -> Vec<u8> {
        let (sample_bytes, seed) = match self {
            Sampling::Every => (0, None),
            Sampling::OneIn { bytes, seed } => (bytes, seed),
        };
        let mut head = vec![0; size_of::<FileHead>()];
        let words = [
            (offset_of!(FileHead, magic), MAGIC),
            (offset_of!(FileHead, version), VERSION),
            (offset_of!(FileHead, sample_bytes), sample_bytes),
            (offset_of!(FileHead, seed), seed.unwrap_or(0)),
        ];
        for (offset, word) in words {
            if let Some(place) = head.get_mut(offset..offset + size_of::<u64>()) {
                place.copy_from_slice(&word.to_le_bytes());
            }
        }
        head
    }
}

/// The recorder's library and the memory that it shares with us.
#[derive(Debug)]
pub struct Carrier {
    library: File,
    memory: File,
}

/// Why nothing can be recorded.
#[derive(Debug)]
pub enum NoRecorder {
    /// It was not made for this machine.
    OtherMachine,
    /// The system gives no memory for it.
    NoMemory(io::Error),
}

impl fmt::Display for NoRecorder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoRecorder::OtherMachine => out.write_str("there is no recorder for this kind of machine"),
            NoRecorder::NoMemory(cause) => write!(out, "there is no shared memory to record to: {cause}"),
        }
    }
}

impl Carrier {
    /// Makes both files.
    pub fn prepare(sampling: Sampling) -> Result<Carrier, NoRecorder> {
        if library::BYTES.is_empty() {
            return Err(NoRecorder::OtherMachine);
        }
        Carrier::make(sampling).map_err(NoRecorder::NoMemory)
    }

    fn make(sampling: Sampling) -> io::Result<Carrier> {
        let flags = MFdFlags::MFD_CLOEXEC;
        let mut library = File::from(memfd_create(c"pymemscope-recorder", flags)?);
        library.write_all(library::BYTES)?;
        let memory = File::from(memfd_create(FILE_NAME, flags)?);
        // It takes room only where it is written.
        memory.set_len(FILE_BYTES as u64)?;
        memory.write_all_at(&sampling.head(), 0)?;
        Ok(Carrier { library, memory })
    }

    /// The variables to add to the program's environment, given what it has now.
    pub fn environment(&self, preloaded: Option<&OsStr>) -> [(OsString, OsString); 2] {
        let mut preload = path_for_others(&self.library);
        if let Some(others) = preloaded.filter(|others| !others.is_empty()) {
            preload.push(":");
            preload.push(others);
        }
        let variable = OsStr::from_bytes(ENVIRONMENT.to_bytes()).to_owned();
        [(PRELOAD.into(), preload), (variable, path_for_others(&self.memory))]
    }

    /// What has been recorded so far of the program with this id and its children, and what of it came since `first`;
    /// `None` while nobody records.
    pub fn read(&self, pid: u32, first: Option<&Mark>) -> Option<Allocations> {
        let recording = Recording::read(&mut Shared(&self.memory)).ok()?;
        Allocations::of(&recording, pid, first)
    }
}

/// A path of our descriptor that other processes can open.
fn path_for_others(file: &File) -> OsString {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into()
}

/// The shared memory, read as a file: it changes while it is looked at.
struct Shared<'a>(&'a File);

impl ReadFile for Shared<'_> {
    fn read(&mut self, offset: usize, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let mut read = 0;
        while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, (offset + read) as u64) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        bytes.truncate(read);
        bytes
    }
}
