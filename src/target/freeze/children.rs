//! Being told that a traced thread or a child did something, with a time limit.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// `SIGCHLD`, blocked and read from a descriptor.
#[derive(Debug)]
pub struct ChildSignals(SignalFd);

impl ChildSignals {
    pub fn new() -> Result<ChildSignals, Errno> {
        let signals = ChildSignals::block()?;
        SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).map(ChildSignals)
    }

    /// Blocks the signal for this thread and those that it will start.
    pub fn block() -> Result<SigSet, Errno> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGCHLD);
        signals.thread_block()?;
        Ok(signals)
    }

    /// Waits until something happened since the last wait, or the time is over.
    pub fn wait(&self, at_most: Duration) {
        let limit = PollTimeout::try_from(at_most).unwrap_or(PollTimeout::MAX);
        let _ = poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], limit);
        self.clear();
    }

    /// Takes what was told, so that the descriptor is readable again only after something new.
    pub fn clear(&self) {
        while let Ok(Some(_)) = self.0.read_signal() {}
    }
}

impl AsFd for ChildSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
