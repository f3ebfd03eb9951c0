//! Everything that can go wrong, each cause with what was found and what to do next.
//!
//! Plain values: whoever meets a failure says what it was in words, and nothing here looks at the system.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use cpython::refusal::Refused;
use cpython::version::Version;
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
        "process {pid} ({}) is a zombie: it has ended, its memory is gone, and its parent {parent} has not noticed yet",
        shown(.name)
    )]
    Zombie { pid: u32, name: String, parent: u32 },

    #[error("no permission to read the memory of process {pid}: {reason}")]
    Denied { pid: u32, reason: String, hint: String },

    #[error("process {pid} is already traced by process {tracer} ({}), and only one can stop it", shown(.tracer_name))]
    AlreadyTraced { pid: u32, tracer: u32, tracer_name: String },

    #[error("process {pid} ({}) is a 32-bit program; only 64-bit ones can be read", shown(.name))]
    Bits32 { pid: u32, name: String },

    #[error("process {pid} ({}) is a thread of the kernel, not a program", shown(.name))]
    KernelThread { pid: u32, name: String },

    #[error(
        "process {pid} ({}) is not Python: none of the {images} executables and libraries that it has loaded is a CPython",
        shown(.name)
    )]
    NotPython { pid: u32, name: String, images: usize },

    #[error("process {pid} runs PyPy ({}), not CPython", shown(.module))]
    PyPy { pid: u32, module: PathBuf },

    #[error("process {pid} runs Python {} ({}), which is too old", .version.as_deref().unwrap_or("of unknown version"), shown(.module))]
    TooOld {
        pid: u32,
        version: Option<String>,
        module: PathBuf,
    },

    /// A CPython that no layout fits, or one that is in no state to be read. The version is as the process states it,
    /// where it could be had.
    #[error("process {pid} runs Python{}: {cause}", .version.as_deref().map(|version| format!(" {version}")).unwrap_or_default())]
    Refused {
        pid: u32,
        version: Option<String>,
        cause: Refused,
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

    /// A core file that cannot be read; `what` goes on behind its name.
    #[error("{} {what}", shown(.path))]
    Core { path: PathBuf, what: String, hint: String },

    /// What is wrong with the program that a core file is of.
    #[error("in the core {}: {cause}", shown(.path))]
    InCore { path: PathBuf, cause: Box<Error> },

    /// What was asked about is not there.
    #[error("{what}")]
    NothingToExplain { what: String, hint: String },

    #[error("the program cannot be frozen: {reason}")]
    Freeze { reason: String, hint: String },

    #[error("{} exists already", shown(.path))]
    OutputExists { path: PathBuf },

    #[error("{} cannot be written: {cause}", shown(.path))]
    OutputUnwritable { path: PathBuf, cause: io::Error },

    #[error("standard output is closed: the report would be lost")]
    NoStandardOutput,

    #[error("{} cannot be started: {cause}", shown(.program))]
    CannotStart { program: String, cause: io::Error },

    /// What a program was started for has failed; `code` is what to end with.
    #[error("nothing of the program was read: {cause}")]
    NothingRead { cause: Box<Error>, code: u8 },

    /// `manner` is a part of a sentence, as in `by signal 9 (SIGKILL)`; `obstacle` is what was in the way, if anything.
    #[error("it ended {manner} before its interpreter could be read{}", .obstacle.as_deref().map(|it| format!(" ({it})")).unwrap_or_default())]
    EndedUnread { manner: String, obstacle: Option<String> },

    /// A folder of somebody else's is in the way.
    #[error("{} exists, and is no snapshot or has other things in it; --force replaces snapshots alone", shown(.path))]
    NotReplaced { path: PathBuf },

    #[error("the snapshot {} cannot be written: {cause}", shown(.path))]
    SnapshotUnwritable { path: PathBuf, cause: String },

    #[error("{} is no snapshot: {}", shown(.path), shown(.what))]
    NoSnapshot { path: PathBuf, what: String },

    #[error("the snapshot {} cannot be read: {cause}", shown(.path))]
    SnapshotForbidden { path: PathBuf, cause: io::Error },

    #[error("the snapshot {} was made by an older pymemscope, whose tables say less", shown(.path))]
    OlderSnapshot { path: PathBuf },

    #[error("the snapshot {} was made by a newer pymemscope", shown(.path))]
    NewerSnapshot { path: PathBuf },

    #[error("the snapshot {} is damaged: {}", shown(.path), shown(.what))]
    SnapshotUnreadable { path: PathBuf, what: String },

    #[error("the snapshot {} has a recording alone: the heap of its program was never read", shown(.path))]
    RecordingAlone { path: PathBuf },

    #[error("{what}")]
    NothingToDraw { what: String, hint: String },

    #[error("it was stopped before it was done; not written: {}", all_shown(.unwritten))]
    Stopped { unwritten: Vec<PathBuf> },

    /// What is needed to look at a program.
    #[error("it ran unseen: {what}")]
    Unseen { what: String, hint: String },

    #[error("signals cannot be caught: {cause}")]
    Interrupt { cause: io::Error },

    /// What was typed makes no sense.
    #[error("{what}")]
    Usage { what: String, hint: String },
}

/// A name or path that somebody else has chosen, fit for one line of a terminal.
pub fn shown(text: impl AsRef<OsStr>) -> String {
    let escaped = |letter: char| {
        if letter.is_control() {
            letter.escape_default().to_string()
        } else {
            letter.to_string()
        }
    };
    text.as_ref().to_string_lossy().chars().map(escaped).collect()
}

fn all_shown(paths: &[PathBuf]) -> String {
    paths.iter().map(shown).collect::<Vec<_>>().join(", ")
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
            Denied { hint, .. }
            | Core { hint, .. }
            | Freeze { hint, .. }
            | NothingToExplain { hint, .. }
            | NothingToDraw { hint, .. }
            | Unseen { hint, .. }
            | Usage { hint, .. } => hint.clone().into(),
            InCore { cause, .. } => hint_for_core(cause),
            AlreadyTraced { tracer, .. } => {
                format!("detach process {tracer} first, or read without stopping the program: --freeze none").into()
            }
            Bits32 { .. } => "run the program with a 64-bit Python".into(),
            KernelThread { .. } => "give the pid of a Python program; `pgrep -af python` lists them".into(),
            NotPython { pid, .. } => {
                format!("if it starts a Python program, give that one's pid: `pgrep -a -P {pid}` lists its children")
                    .into()
            }
            PyPy { .. } => "only CPython can be read; run the program with CPython".into(),
            TooOld { .. } => format!("run the program with CPython {}", supported()).into(),
            Refused { cause, .. } => refusal_hint(cause).into(),
            Exited { .. } => "for a program that ends soon, start it with `pymemscope run`".into(),
            Executed { .. } => "attach again: the pid is the same, the program is another one".into(),
            Unreadable { .. } => "try again; if it stays so, run pymemscope as root".into(),
            OutputExists { .. } => "choose another name, or replace it with --force".into(),
            Stopped { .. } => "start it again".into(),
            NotReplaced { .. } => "choose another name, or move away what is there".into(),
            NoSnapshot { .. } => "give the folder that `pymemscope snapshot PID -o FOLDER` wrote".into(),
            SnapshotForbidden { .. } => "snapshots are for their owner alone: read it as that user".into(),
            OlderSnapshot { .. } => "take another one, or read it with the pymemscope that made it".into(),
            NewerSnapshot { .. } => "read it with that one, or a newer one".into(),
            SnapshotUnreadable { .. } => "copy it again from where it was written, or take another one".into(),
            RecordingAlone { path } => format!("`pymemscope report {}` shows what was recorded", shown(path)).into(),
            SnapshotUnwritable { .. } => "check that there is room, or choose another place".into(),
            OutputUnwritable { .. } => "check that its folder exists, is yours to write to and has room".into(),
            NoStandardOutput => "leave it open, or give it a place: `> report.txt`, or `> /dev/null` beside -o FILE".into(),
            EndedUnread { .. } => {
                "let it run longer, or end without os._exit or a signal: then it is read when its interpreter shuts down"
                    .into()
            }
            NothingRead { cause, .. } if matches!(**cause, NotPython { .. }) => {
                "give `run` the Python program itself, or attach to it while it runs".into()
            }
            NothingRead { cause, .. } if matches!(**cause, Executed { .. }) => {
                "it has executed another program, which ended before it could be read: let that run longer".into()
            }
            NothingRead { cause, .. } => cause.hint().into_owned().into(),
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

    /// Whether this is what is seen of a program that has started too late, or ended too early, to be read.
    pub fn is_of_a_short_life(&self) -> bool {
        matches!(
            self,
            Error::Exited { .. }
                | Error::Zombie { .. }
                | Error::Refused {
                    cause: Refused::NotInitialised | Refused::Collecting | Refused::Unreadable(_),
                    ..
                }
        )
    }

    /// The exit code of a command that ends with this.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage { .. } => exit_code::USAGE,
            Error::CannotStart { cause, .. } if cause.kind() == io::ErrorKind::NotFound => exit_code::NOT_FOUND,
            Error::CannotStart { .. } => exit_code::CANNOT_EXECUTE,
            Error::NothingRead { code, .. } => *code,
            _ => exit_code::FAILED,
        }
    }
}

/// The oldest and the newest release that can be read, as `OLDEST to NEWEST`.
fn supported() -> String {
    let minors = cpython::versions::MINORS.iter().map(|minor| minor.newest);
    let range = [minors.clone().min(), minors.max()].map(|version| version.unwrap_or(Version(0)));
    range
        .map(|version| format!("{}.{}", version.major(), version.minor()))
        .join(" to ")
}

fn refusal_hint(cause: &Refused) -> &'static str {
    match cause {
        Refused::NotInitialised => "try again when it has started; `pymemscope run` follows a program from its start",
        Refused::Finalizing => "its heap is being torn down; `pymemscope run` takes a snapshot just before that",
        Refused::Collecting => "try again in a moment",
        Refused::FreeThreaded { .. } => "run the program with a build that has the global interpreter lock",
        Refused::UnknownVersion { .. } | Refused::Unrecognised { .. } => {
            "run the program with a supported release, or look for a newer pymemscope"
        }
        Refused::OtherBuild { .. } => "run the program with a plain build of that release",
        Refused::Unreadable(_) => "try again: the program may have been in the middle of a change",
    }
}

/// A program that is dead cannot be asked again.
fn hint_for_core(cause: &Error) -> Cow<'static, str> {
    match cause {
        Error::NotPython { .. } => "give the core of a Python program".into(),
        Error::Refused {
            cause: Refused::NotInitialised | Refused::Finalizing | Refused::Collecting | Refused::Unreadable(_),
            ..
        } => "it died in the middle of a change; another core, or `pymemscope attach` before it dies, may tell more"
            .into(),
        other => other.hint().into_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_write_lines_of_its_own() {
        let error = Error::Bits32 {
            pid: 7,
            name: "a\n\u{1b}[2Jb \u{e9}".to_owned(),
        };
        assert!(
            error
                .to_string()
                .starts_with("process 7 (a\\n\\u{1b}[2Jb \u{e9}) is a 32-bit"),
            "{error}"
        );
        let error = Error::PyPy {
            pid: 7,
            module: PathBuf::from("/pypy\n"),
        };
        assert!(!error.to_string().contains('\n'), "{error}");
        let foreign = Error::SnapshotUnreadable {
            path: "heap.pms".into(),
            what: "unknown variant `\u{1b}[31m`".to_owned(),
        };
        assert!(!foreign.to_string().contains('\u{1b}'), "{foreign}");
    }

    #[test]
    fn exit_codes_are_those_that_env_uses() {
        let program = || "app".to_owned();
        let failed = |kind: io::ErrorKind| {
            Error::CannotStart {
                program: program(),
                cause: kind.into(),
            }
            .exit_code()
        };
        assert_eq!(failed(io::ErrorKind::NotFound), 127);
        assert_eq!(failed(io::ErrorKind::PermissionDenied), 126);
        assert_eq!(
            Error::Usage {
                what: program(),
                hint: program()
            }
            .exit_code(),
            2
        );
        assert_eq!(Error::NoSuchProcess { pid: 7 }.exit_code(), 1);
    }

    #[test]
    fn the_supported_range_is_named() {
        let error = Error::TooOld {
            pid: 7,
            version: None,
            module: PathBuf::new(),
        };
        assert!(error.hint().contains("3.8 to 3."), "{}", error.hint());
    }
}
