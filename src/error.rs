//! Everything that can go wrong, each cause with what was found and what to do next.
//!
//! Plain values: whoever meets a failure says what it was in words, and nothing here looks at the system.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub type Result<T> = std::result::Result<T, Error>;

/// What the command leaves behind for the shell.
pub mod exit_code {
    pub const DONE: u8 = 0;
    pub const FAILED: u8 = 1;
    pub const USAGE: u8 = 2;
    /// Findings at or above the level of `--fail-on`.
    pub const FINDINGS: u8 = 3;
    /// The program that was to be run is there, but cannot be executed; as `env` does.
    pub const CANNOT_EXECUTE: u8 = 126;
    /// The program that was to be run is not there; as `env` does.
    pub const NOT_FOUND: u8 = 127;
}

#[derive(Debug, Error)]
pub enum Error {
    #[error("there is no process {pid}")]
    NoSuchProcess { pid: u32 },

    #[error("process {pid} is pymemscope itself")]
    Ourselves { pid: u32 },

    #[error("{pid} is a thread of process {process}, not a process")]
    Thread { pid: u32, process: u32 },

    #[error(
        "process {pid} ({name}) is a zombie: it has ended, its memory is gone, and its parent {parent} has not noticed yet"
    )]
    Zombie { pid: u32, name: String, parent: u32 },

    #[error("no permission to read the memory of process {pid}: {reason}")]
    Denied { pid: u32, reason: String, hint: String },

    #[error("process {pid} is already traced by process {tracer} ({tracer_name}), and only one can stop it")]
    AlreadyTraced { pid: u32, tracer: u32, tracer_name: String },

    #[error("process {pid} ({name}) is a 32-bit program; only 64-bit ones can be read")]
    Bits32 { pid: u32, name: String },

    #[error("process {pid} ({name}) is a thread of the kernel, not a program")]
    KernelThread { pid: u32, name: String },

    #[error(
        "process {pid} ({name}) is not Python: none of the {images} executables and libraries that it has loaded is a CPython"
    )]
    NotPython { pid: u32, name: String, images: usize },

    #[error("process {pid} runs PyPy ({}), not CPython", .module.display())]
    PyPy { pid: u32, module: PathBuf },

    #[error("process {pid} runs Python {} ({}), which is too old", .version.as_deref().unwrap_or("of unknown version"), .module.display())]
    TooOld {
        pid: u32,
        version: Option<String>,
        module: PathBuf,
    },

    #[error("process {pid} has ended before anything of it was read")]
    Exited { pid: u32 },

    #[error("process {pid} has started another program before anything of it was read")]
    Executed { pid: u32 },

    #[error("{what} of process {pid} cannot be read: {cause}")]
    Unreadable {
        pid: u32,
        what: &'static str,
        cause: io::Error,
    },

    #[error("process {pid} cannot be frozen: {reason}")]
    Freeze { pid: u32, reason: String, hint: String },

    #[error("{} exists already", .path.display())]
    OutputExists { path: PathBuf },

    #[error("{} cannot be written: {cause}", .path.display())]
    OutputUnwritable { path: PathBuf, cause: io::Error },

    #[error("{program} cannot be started: {cause}")]
    CannotStart { program: String, cause: io::Error },

    #[error("Ctrl-C cannot be caught: {cause}")]
    Interrupt { cause: io::Error },

    /// What was typed makes no sense.
    #[error("{what}")]
    Usage { what: String, hint: String },
}

impl Error {
    /// What to do next, as one line.
    pub fn hint(&self) -> Cow<'static, str> {
        use Error::*;
        match self {
            NoSuchProcess { .. } => "it may have ended; `pgrep -af python` lists the Python programs that run".into(),
            Ourselves { .. } => "give the pid of another program".into(),
            Thread { process, .. } => format!("give the process's pid: {process}").into(),
            Zombie { parent, .. } => format!("nothing is left to look at; process {parent} has to wait for it").into(),
            Denied { hint, .. } | Freeze { hint, .. } | Usage { hint, .. } => hint.clone().into(),
            AlreadyTraced { tracer, .. } => {
                format!("detach process {tracer} first, or read without stopping the program: --freeze none").into()
            }
            Bits32 { .. } => "run the program with a 64-bit Python".into(),
            KernelThread { .. } => "give the pid of a Python program; `pgrep -af python` lists them".into(),
            NotPython { .. } => {
                "if it is a launcher or a shell, its child may be the Python program: `pgrep -P PID` lists children"
                    .into()
            }
            PyPy { .. } => "only CPython can be read; run the program with CPython".into(),
            TooOld { .. } => "run the program with a newer CPython".into(),
            Exited { .. } => "for a program that ends soon, start it with `pymemscope run`".into(),
            Executed { .. } => "attach again: the pid is the same, the program is another one".into(),
            Unreadable { .. } => "try again; if it stays so, run pymemscope as root".into(),
            OutputExists { .. } => "choose another name, or replace it with --force".into(),
            OutputUnwritable { .. } => "check that its folder exists, is yours to write to and has room".into(),
            Interrupt { .. } => {
                "the system is short of descriptors; `ulimit -n` shows how many a process may have".into()
            }
            CannotStart { program, cause } => match cause.kind() {
                io::ErrorKind::NotFound => {
                    format!("check the name: {program} is neither a file nor found on PATH").into()
                }
                _ => format!("check that {program} is an executable file").into(),
            },
        }
    }

    /// The exit code of a command that ends with this.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage { .. } => exit_code::USAGE,
            Error::CannotStart { cause, .. } if cause.kind() == io::ErrorKind::NotFound => exit_code::NOT_FOUND,
            Error::CannotStart { .. } => exit_code::CANNOT_EXECUTE,
            _ => exit_code::FAILED,
        }
    }
}
