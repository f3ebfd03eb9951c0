//! The profiler's side of the watcher process.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::message::{Event, Message, Request};
use crate::target::freeze::guardian::{frozen, frozen_by_nothing, unexpected};
use crate::target::freeze::message::{Answer, Socket};
use crate::target::freeze::{FreezeError, FreezeMode, FreezeUsed, Freezer, Frozen, Released};

/// The first argument by which `main` knows that it is to be the watcher.
pub const WATCHER_ARGUMENT: &str = "__watcher";
/// The name under which the watcher shows in lists of processes.
pub(super) const WATCHER_NAME: &str = "finalize-watch";

/// A watcher process. When this is dropped it lets the program go on, and leaves.
#[derive(Debug)]
pub struct Watch {
    watcher: Child,
    socket: Option<Socket>,
    /// What it told while an answer was waited for.
    told: VecDeque<Event>,
    /// The program stands where its interpreter shuts down.
    at_end: bool,
}

impl Watch {
    /// Starts the watcher from the executable that is running, whose `main` must know [`WATCHER_ARGUMENT`].
    pub fn start() -> Result<Watch, FreezeError> {
        let none = |cause: &dyn std::fmt::Display| FreezeError::NoGuardian {
            cause: cause.to_string(),
        };
        let (ours, theirs) = Socket::pair().map_err(|error| none(&error))?;
        let watcher = Command::new("/proc/self/exe")
            .arg0(WATCHER_NAME)
            .arg(WATCHER_ARGUMENT)
            .stdin(Stdio::from(theirs.into_descriptor()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| none(&error))?;
        Ok(Watch {
            watcher,
            socket: Some(ours),
            told: VecDeque::new(),
            at_end: false,
        })
    }

    pub(super) fn watcher_pid(&self) -> u32 {
        self.watcher.id()
    }

    /// Watches process `pid` from now on. It has to execute a program yet: what it runs now is not looked at.
    pub(super) fn begin(&mut self, pid: u32) -> Result<(), FreezeError> {
        self.watch(pid, false)
    }

    /// Watches process `pid` from now on, whatever it runs. One thread of it is stopped for that, for a moment.
    pub fn begin_running(&mut self, pid: u32) -> Result<(), FreezeError> {
        self.watch(pid, true)
    }

    fn watch(&mut self, pid: u32, runs: bool) -> Result<(), FreezeError> {
        match self.ask(&Request::Watch { pid, runs })? {
            Message::Watching(outcome) => outcome,
            other => Err(lost(format!("it answered another question: {other:?}"))),
        }
    }

    /// What it has told, if anything: to be asked when the descriptor is readable, and after every freeze and release.
    pub fn event(&mut self) -> Option<Event> {
        let event = self.told.pop_front().or_else(|| self.event_on_the_way())?;
        self.at_end |= event == Event::Finalizing;
        Some(event)
    }

    /// Readable when there is something to tell; `None` when the watch has ended.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(Socket::as_fd)
    }

    /// Lets the program go on that stands where its interpreter shuts down; the watch ends with it. Says how long it
    /// stood there.
    fn go_on(&mut self) -> Result<Duration, FreezeError> {
        match self.ask(&Request::GoOn)? {
            Message::WentOn { pause } => {
                self.end();
                Ok(pause)
            }
            other => Err(lost(format!("it answered another question: {other:?}"))),
        }
    }

    /// Ends the watch, and lets the program go on wherever it stands.
    pub fn end(&mut self) {
        self.at_end = false;
        if self.socket.take().is_some() {
            let _ = self.watcher.wait();
        }
    }

    fn event_on_the_way(&mut self) -> Option<Event> {
        let socket = self.socket.as_ref()?;
        let mut ready = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut ready, PollTimeout::ZERO), Ok(1)) {
            return None;
        }
        match socket.receive() {
            Ok(Some(Message::Event(event))) => Some(event),
            // The program has ended, or the watcher was killed.
            _ => {
                self.end();
                None
            }
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Message, FreezeError> {
        let Some(socket) = &self.socket else {
            return Err(lost("it has left".into()));
        };
        socket.send(request).map_err(|error| lost(error.to_string()))?;
        loop {
            match socket.receive().map_err(|error| lost(error.to_string()))? {
                Some(Message::Event(event)) => self.told.push_back(event),
                Some(Message::Answer(Answer::Failed(error))) => return Err(error),
                Some(message) => return Ok(message),
                None => return Err(lost("it closed its socket".into())),
            }
        }
    }

    fn answer(&mut self, request: &Request) -> Result<Answer, FreezeError> {
        match self.ask(request)? {
            Message::Answer(answer) => Ok(answer),
            other => Err(lost(format!("it answered another question: {other:?}"))),
        }
    }
}

/// Why the last snapshot is taken by a stop, whatever was asked for.
const AT_END: &str = "the program stands where its interpreter begins to shut down, and is read there";

impl Freezer for Watch {
    /// At its end the program is always frozen, by a stop that may last; its threads stand anyway.
    fn freeze(&mut self, pid: u32, mode: FreezeMode) -> Result<Frozen, FreezeError> {
        if mode == FreezeMode::None && !self.at_end {
            return frozen_by_nothing(pid);
        }
        let mut frozen = frozen(pid, self.answer(&Request::Freeze { mode })?)?;
        if self.at_end {
            frozen.may_last = true;
            frozen.reason = Some(AT_END.to_owned());
        }
        Ok(frozen)
    }

    fn release(&mut self, frozen: Frozen) -> Result<Released, FreezeError> {
        if frozen.used == FreezeUsed::None {
            return Ok(Released { pause: Duration::ZERO });
        }
        match self.answer(&Request::Release)? {
            Answer::Released { .. } if self.at_end => self.go_on().map(|pause| Released { pause }),
            Answer::Released { pause } => Ok(Released { pause }),
            other => Err(unexpected(&other)),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

fn lost(cause: String) -> FreezeError {
    FreezeError::GuardianLost { cause }
}
