//! What a capture is taken of.

use std::fmt;
use std::path::PathBuf;

use crate::error::shown;

/// What was given to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A process by its pid.
    Process(u32),
    /// A process that is dead.
    Core(CoreFile),
}

/// A core file, and where the files of its program stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreFile {
    pub path: PathBuf,
    /// The folder below which the files that the program had mapped are looked for first.
    pub sysroot: Option<PathBuf>,
}

impl Source {
    /// The word that was typed for it.
    pub fn word(&self) -> String {
        match self {
            Source::Process(pid) => pid.to_string(),
            Source::Core(core) => shown(&core.path),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Process(pid) => write!(out, "process {pid}"),
            Source::Core(core) => write!(out, "the core {}", shown(&core.path)),
        }
    }
}
