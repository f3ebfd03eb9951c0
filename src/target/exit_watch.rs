//! Waiting for a process to end, beside something else that may happen (pidfd_open(2)).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Becomes readable when a process ends.
#[derive(Debug)]
pub struct ExitWatch {
    pidfd: OwnedFd,
}

/// Why the waiting is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    TimeIsUp,
    Exited,
    /// The other descriptor is readable.
    Other,
}

impl ExitWatch {
    pub fn new(pid: u32) -> io::Result<ExitWatch> {
        // SAFETY: takes two numbers and touches no memory of ours.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, 0) };
        let fd = RawFd::try_from(Errno::result(fd)?).map_err(io::Error::other)?;
        // SAFETY: the kernel just gave us this descriptor, and nobody else has it.
        let pidfd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(ExitWatch { pidfd })
    }

    /// Waits until the process ends, `other` becomes readable, or `longest` is over.
    pub fn wait(&self, other: BorrowedFd, longest: Duration) -> Woken {
        let started = Instant::now();
        loop {
            let left = longest.saturating_sub(started.elapsed());
            let milliseconds = left.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32;
            let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
            let mut waited = [
                PollFd::new(other, PollFlags::POLLIN),
                PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut waited, timeout) {
                Ok(0) if started.elapsed() >= longest => return Woken::TimeIsUp,
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) if waited[0].any().unwrap_or(false) => return Woken::Other,
                Ok(_) => return Woken::Exited,
                Err(_) => return Woken::TimeIsUp,
            }
        }
    }
}
