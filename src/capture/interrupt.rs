//! Ctrl-C as a state that can be waited for.

use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::error::{Error, Result};

/// Where the signal handler writes its byte; -1 until there is one.
static ALARM: AtomicI32 = AtomicI32::new(-1);

/// Whether Ctrl-C was pressed, as the reading end of a pipe: a byte that is there stays until it is taken.
#[derive(Debug)]
pub struct Interrupt {
    bell: OwnedFd,
}

impl Interrupt {
    /// Catches the next SIGINT. A second one has its usual effect again, so that a hanging program can be left.
    pub fn on_ctrl_c() -> Result<Interrupt> {
        Interrupt::caught(SaFlags::SA_RESTART | SaFlags::SA_RESETHAND)
    }

    /// Catches every SIGINT; none of them ends us.
    pub fn on_every_ctrl_c() -> Result<Interrupt> {
        Interrupt::caught(SaFlags::SA_RESTART)
    }

    fn caught(flags: SaFlags) -> Result<Interrupt> {
        let (bell, alarm) = pipe()?;
        // The handler may run at any time from now on, so its end stays open for as long as the process lives.
        ALARM.store(alarm.into_raw_fd(), Ordering::SeqCst);
        let action = SigAction::new(SigHandler::Handler(ring), flags, SigSet::empty());
        // SAFETY: `ring` only does what signal-safety(7) allows in a handler: it loads an atomic number and writes.
        unsafe { sigaction(Signal::SIGINT, &action) }.map_err(uncaught)?;
        Ok(Interrupt { bell })
    }

    /// One that never comes.
    pub fn never() -> Result<Interrupt> {
        let (bell, alarm) = pipe()?;
        // Kept open: a pipe without a writer would be readable.
        let _ = alarm.into_raw_fd();
        Ok(Interrupt { bell })
    }

    /// Whether Ctrl-C was pressed.
    pub fn is_set(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Whether Ctrl-C was pressed since this was asked last.
    pub fn take(&self) -> bool {
        let mut bytes = [0; 64];
        let mut any = false;
        while nix::unistd::read(&self.bell, &mut bytes).is_ok_and(|count| count > 0) {
            any = true;
        }
        any
    }

    /// Waits for Ctrl-C, at most `longest`; true when it was pressed.
    pub fn wait(&self, longest: Duration) -> bool {
        let started = Instant::now();
        loop {
            let left = longest.saturating_sub(started.elapsed());
            // Rounded up, so that the last fraction of a millisecond is waited for and not spun through.
            let milliseconds = left.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32;
            let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(self.bell.as_fd(), PollFlags::POLLIN)], timeout) {
                Ok(0) if started.elapsed() >= longest => return false,
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return true,
                // Without a bell there is nothing to wait for; the caller goes on as if the time were over.
                Err(_) => return false,
            }
        }
    }
}

impl AsFd for Interrupt {
    /// Readable from the moment Ctrl-C is pressed, for those who wait for other things as well.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).map_err(uncaught)
}

fn uncaught(cause: Errno) -> Error {
    Error::Interrupt { cause: cause.into() }
}

extern "C" fn ring(_signal: libc::c_int) {
    let kept = Errno::last_raw();
    let byte = b'!';
    // SAFETY: one byte that is alive is written; a descriptor that is not open makes the call fail, no more.
    let _ = unsafe { libc::write(ALARM.load(Ordering::SeqCst), (&raw const byte).cast(), 1) };
    Errno::set_raw(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_c_ends_the_waiting_and_stays_known() {
        let never = Interrupt::never().unwrap();
        assert!(!never.is_set());
        assert!(!never.wait(Duration::from_millis(2)));

        let interrupt = Interrupt::on_ctrl_c().unwrap();
        assert!(!interrupt.is_set());
        nix::sys::signal::raise(Signal::SIGINT).unwrap();
        assert!(interrupt.wait(Duration::from_secs(60)));
        assert!(interrupt.is_set());
        assert!(!never.is_set());
    }
}
