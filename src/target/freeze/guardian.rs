//! The profiler's side of its guardian: a small process of its own session that does all the stopping.
//!
//! A stop that is cut off in the middle would leave the program with wrong registers, or twice. So it is made by a
//! process that nothing aimed at the profiler reaches: it is in no terminal's and no shell's process group, ignores the
//! signals that end programs, and when its socket closes it undoes what it holds and leaves.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::message::{Answer, Request, Socket};
use super::{FreezeError, FreezeMode, FreezeUsed, Step};

/// The first argument by which `main` knows that it is to be the guardian.
pub const GUARDIAN_ARGUMENT: &str = "__guardian";
/// The name under which the guardian shows in lists of processes: not the profiler's, so that ending the profiler by
/// name does not end it.
pub const GUARDIAN_NAME: &str = "freeze-guardian";

/// One guardian serves a whole session with a process. It leaves when this is dropped.
#[derive(Debug)]
pub struct Guardian {
    child: Child,
    socket: Option<Socket>,
}

/// A process whose memory stands still.
#[derive(Debug)]
#[must_use = "the program or its copy stands still until it is released"]
pub struct Frozen {
    pub used: FreezeUsed,
    /// Whose memory to read: the copy's (`Fork`) or the program's own.
    pub readable_pid: u32,
    /// How long the program stood still; zero when it still does (`Stop`) or never did (`None`).
    pub pause: Duration,
    /// Why this way was taken, when the choice was left to us and was not the usual one.
    pub reason: Option<String>,
    /// It does not matter how long it stays frozen: the program runs on, or has nothing left to do.
    pub may_last: bool,
    pub warnings: Vec<String>,
}

/// What the release cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// How long the program stood still for it; for `Stop`, all the time since it was frozen.
    pub pause: Duration,
}

impl Guardian {
    /// Starts the guardian from the executable that is running, whose `main` must know [`GUARDIAN_ARGUMENT`].
    pub fn start() -> Result<Guardian, FreezeError> {
        Guardian::start_from(Path::new("/proc/self/exe"), None)
    }

    /// Starts the guardian from `executable`. With a step, it stands still after it until it is spoken to again, or the
    /// profiler is gone: how tests end a profiler at every point of a stop.
    pub fn start_from(executable: &Path, stand_after: Option<Step>) -> Result<Guardian, FreezeError> {
        let no_guardian = |cause: &dyn std::fmt::Display| FreezeError::NoGuardian {
            cause: format!("{}: {cause}", executable.display()),
        };
        let (ours, theirs) = Socket::pair().map_err(|error| no_guardian(&error))?;
        let child = Command::new(PathBuf::from(executable))
            .arg0(GUARDIAN_NAME)
            .arg(GUARDIAN_ARGUMENT)
            .args(stand_after.map(|step| step.number().to_string()))
            .stdin(Stdio::from(theirs.into_descriptor()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| no_guardian(&error))?;
        Ok(Guardian {
            child,
            socket: Some(ours),
        })
    }

    /// Freezes the memory of process `pid`.
    ///
    /// With `Fork` this returns when a copy exists and the program runs again; with `Stop` the program stands still
    /// until it is released. One process can be frozen at a time.
    pub fn freeze(&mut self, pid: u32, mode: FreezeMode) -> Result<Frozen, FreezeError> {
        if mode == FreezeMode::None {
            return frozen_by_nothing(pid);
        }
        frozen(pid, self.ask(&Request::Freeze { pid, mode })?)
    }

    /// Ends and reaps the copy by a second, short stop, or lets the program go on.
    pub fn release(&mut self, frozen: Frozen) -> Result<Released, FreezeError> {
        if frozen.used == FreezeUsed::None {
            return Ok(Released { pause: Duration::ZERO });
        }
        match self.ask(&Request::Release)? {
            Answer::Released { pause } => Ok(Released { pause }),
            other => Err(unexpected(&other)),
        }
    }

    /// The guardian's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn ask(&mut self, request: &Request) -> Result<Answer, FreezeError> {
        let lost = |cause: String| FreezeError::GuardianLost { cause };
        let Some(socket) = &self.socket else {
            return Err(lost("it was sent away".into()));
        };
        socket.send(request).map_err(|error| lost(error.to_string()))?;
        match socket.receive().map_err(|error| lost(error.to_string()))? {
            Some(Answer::Failed(error)) => Err(error),
            Some(answer) => Ok(answer),
            None => Err(lost("it closed its socket".into())),
        }
    }
}

impl Drop for Guardian {
    /// Closing the socket tells the guardian to undo what it holds and to leave, which takes milliseconds.
    fn drop(&mut self) {
        self.socket = None;
        let _ = self.child.wait();
    }
}

/// What the answer to a freeze means.
pub fn frozen(pid: u32, answer: Answer) -> Result<Frozen, FreezeError> {
    let Answer::Frozen {
        used,
        readable_pid,
        pause,
        reason,
    } = answer
    else {
        return Err(unexpected(&answer));
    };
    let warnings = match used {
        FreezeUsed::Fork => super::missing::what_the_copy_lacks(pid, readable_pid),
        FreezeUsed::Stop | FreezeUsed::None => Vec::new(),
    };
    Ok(Frozen {
        used,
        readable_pid,
        pause,
        reason,
        may_last: used == FreezeUsed::Fork,
        warnings,
    })
}

pub fn frozen_by_nothing(pid: u32) -> Result<Frozen, FreezeError> {
    super::procfs::require_alive(pid)?;
    Ok(Frozen {
        used: FreezeUsed::None,
        readable_pid: pid,
        pause: Duration::ZERO,
        reason: None,
        may_last: true,
        warnings: Vec::new(),
    })
}

pub fn unexpected(answer: &Answer) -> FreezeError {
    FreezeError::GuardianLost {
        cause: format!("it answered another question: {answer:?}"),
    }
}
