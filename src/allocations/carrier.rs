//! Brings the recorder into a program that is about to start, and holds the shared memory that it writes to.
//!
//! Both are files without a name (`memfd_create`), which the program and its children find by our own descriptors: nothing
//! is left behind whatever ends first. What is mapped stays when we are gone.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::mem::offset_of;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};

use nix::sys::memfd::{MFdFlags, memfd_create};
use recording::form::{
    ENVIRONMENT, FILE_BYTES, FILE_NAME, FileHead, LIBRARY_NAME, MAGIC, SAMPLE_BYTES, VERSION, pid, process,
};
use recording::read::{ReadFile, Recording};

use super::library;

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
    /// The program could not open it.
    NoWay(io::Error),
}

impl fmt::Display for NoRecorder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoRecorder::OtherMachine => out.write_str("there is no recorder for this kind of machine"),
            NoRecorder::NoMemory(cause) => write!(out, "there is no shared memory to record to: {cause}"),
            NoRecorder::NoWay(cause) => {
                write!(
                    out,
                    "the program would not find the recorder, since /proc does not show us: {cause}"
                )
            }
        }
    }
}

impl Carrier {
    /// Makes both files.
    pub fn prepare(sampling: Sampling) -> Result<Carrier, NoRecorder> {
        if library::BYTES.is_empty() {
            return Err(NoRecorder::OtherMachine);
        }
        let carrier = Carrier::make(sampling).map_err(NoRecorder::NoMemory)?;
        carrier.can_be_found().map_err(NoRecorder::NoWay)?;
        Ok(carrier)
    }

    /// Whether the paths lead to the files, which the program is going to open: without a `/proc`, or with one of another
    /// namespace, they do not.
    fn can_be_found(&self) -> io::Result<()> {
        for file in [&self.library, &self.memory] {
            let (found, meant) = (fs::metadata(path_for_others(file))?, file.metadata()?);
            if (found.dev(), found.ino()) != (meant.dev(), meant.ino()) {
                return Err(io::ErrorKind::NotFound.into());
            }
        }
        Ok(())
    }

    fn make(sampling: Sampling) -> io::Result<Carrier> {
        let flags = MFdFlags::MFD_CLOEXEC;
        let mut library = File::from(memfd_create(LIBRARY_NAME, flags)?);
        library.write_all(library::BYTES)?;
        let memory = File::from(memfd_create(FILE_NAME, flags)?);
        // It takes room only where it is written.
        memory.set_len(FILE_BYTES as u64)?;
        memory.write_all_at(&sampling.head(), 0)?;
        Ok(Carrier { library, memory })
    }

    /// The program's environment, given what it would have without us. The recorder takes out what is ours, so the order of
    /// the rest has to be right.
    pub fn environment(&self, own: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
        let ours = OsStr::from_bytes(ENVIRONMENT.to_bytes());
        let library = path_for_others(&self.library);
        let mut variables: Vec<_> = own.filter(|(name, _)| name != ours).collect();
        match variables
            .iter_mut()
            .find(|(name, value)| name == PRELOAD && !value.is_empty())
        {
            Some((_, others)) => *others = [library.as_os_str(), OsStr::new(":"), others].into_iter().collect(),
            None => {
                variables.retain(|(name, _)| name != PRELOAD);
                variables.push((PRELOAD.into(), library));
            }
        }
        variables.push((ours.to_owned(), path_for_others(&self.memory)));
        variables
    }

    /// What has been recorded so far of the program and its children.
    pub fn read(&self) -> Option<Recording> {
        Recording::read(&mut Shared(&self.memory)).ok()
    }

    /// The process that recorded first, by its number here, once it is there; `None` for one in another namespace as well.
    pub fn program(&self) -> Option<u32> {
        let mut program = [0; 8];
        let at = offset_of!(FileHead, program) as u64;
        self.memory.read_exact_at(&mut program, at).ok()?;
        let program = u64::from_ne_bytes(program);
        let namespace = fs::metadata("/proc/self/ns/pid").ok()?.ino();
        (program != 0 && program == process(namespace as u32, pid(program))).then_some(pid(program))
    }

    /// Tells the process that recorded first, which may wait for that, to go on.
    pub fn let_go_on(&self) {
        // It waits no longer than it must where this fails.
        let _ = self
            .memory
            .write_all_at(&1u64.to_ne_bytes(), offset_of!(FileHead, attended) as u64);
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
