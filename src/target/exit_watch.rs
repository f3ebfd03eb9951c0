//! Waiting for a process to end, beside something else that may happen (pidfd_open(2)).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

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
        match first_readable(&[other, self.as_fd()], longest) {
            Some(0) => Woken::Other,
            Some(_) => Woken::Exited,
            None => Woken::TimeIsUp,
        }
    }
}

impl AsFd for ExitWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Waits until one of these can be read, the first of them counts; `None` when `longest` is over.
pub fn first_readable(descriptors: &[BorrowedFd], longest: Duration) -> Option<usize> {
    let started = Instant::now();
    loop {
        let left = longest.saturating_sub(started.elapsed());
        let timeout = TimeSpec::from_duration(left);
        let mut waited: Vec<PollFd> = descriptors
            .iter()
            .map(|&descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
            .collect();
        match ppoll(&mut waited, Some(timeout), None) {
            Ok(0) if started.elapsed() >= longest => return None,
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return waited.iter().position(|each| each.any().unwrap_or(false)),
            Err(_) => return None,
        }
    }
}
