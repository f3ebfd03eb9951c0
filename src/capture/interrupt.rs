//! Ctrl-C, and other ways to ask for an end, as a state that can be waited for.

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

/// The program that is given what other processes send us; 0 when there is none.
static PROGRAM: AtomicI32 = AtomicI32::new(0);

/// What asks a watch to end: Ctrl-C, `kill`, and the terminal that is closed.
const ENDS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Whether an end was asked for, as the reading end of a pipe: a byte that is there stays until it is taken.
#[derive(Debug)]
pub struct Interrupt {
    bell: OwnedFd,
}

impl Interrupt {
    /// Catches the first SIGINT, SIGTERM or SIGHUP. A second one has its usual effect again, so that a hanging program
    /// can be left. A SIGHUP that is ignored already (by `nohup`) stays so.
    pub fn on_any_end() -> Result<Interrupt> {
        let interrupt = Interrupt::with_bell()?;
        for signal in ENDS {
            let before = catch(signal, SigHandler::Handler(ring_once))?;
            if signal == Signal::SIGHUP && matches!(before.handler(), SigHandler::SigIgn) {
                // SAFETY: what was in force before is put back.
                unsafe { sigaction(signal, &before) }.map_err(uncaught)?;
            }
        }
        Ok(interrupt)
    }

    /// Catches every SIGINT; none of them ends us. See [`Interrupt::pass_on_to`].
    pub fn on_every_ctrl_c() -> Result<Interrupt> {
        let interrupt = Interrupt::with_bell()?;
        catch(Signal::SIGINT, SigHandler::SigAction(ring_and_pass_on))?;
        Ok(interrupt)
    }

    /// From now on a SIGINT that a process sends us is sent to this one as well; `None` ends that. What is typed at the
    /// terminal the kernel sends to both.
    pub fn pass_on_to(&self, program: Option<u32>) {
        let pid = program.and_then(|pid| i32::try_from(pid).ok());
        PROGRAM.store(pid.unwrap_or(0), Ordering::SeqCst);
    }

    fn with_bell() -> Result<Interrupt> {
        let (bell, alarm) = pipe()?;
        // A handler may run at any time from now on, so its end stays open for as long as the process lives.
        ALARM.store(alarm.into_raw_fd(), Ordering::SeqCst);
        Ok(Interrupt { bell })
    }

    /// One that never comes.
    pub fn never() -> Result<Interrupt> {
        let (bell, alarm) = pipe()?;
        // Kept open: a pipe without a writer would be readable.
        let _ = alarm.into_raw_fd();
        Ok(Interrupt { bell })
    }

    /// Whether an end was asked for.
    pub fn is_set(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Whether an end was asked for since this was called last.
    pub fn take(&self) -> bool {
        let mut bytes = [0; 64];
        let mut any = false;
        while nix::unistd::read(&self.bell, &mut bytes).is_ok_and(|count| count > 0) {
            any = true;
        }
        any
    }

    /// Waits for it, at most `longest`; true when it has come.
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
    /// Readable from the moment an end is asked for, for those who wait for other things as well.
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

/// Gives the signal a handler, and answers what was in force before.
fn catch(signal: Signal, handler: SigHandler) -> Result<SigAction> {
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: our handlers, which all end in `ring`, only do what signal-safety(7) allows in a handler.
    unsafe { sigaction(signal, &action) }.map_err(uncaught)
}

/// Rings, and lets all further signals have their usual effect.
extern "C" fn ring_once(signal: libc::c_int) {
    for end in ENDS.map(|end| end as libc::c_int) {
        // SAFETY: this call is allowed in handlers (signal-safety(7)) and touches no memory of ours.
        unsafe {
            if libc::signal(end, libc::SIG_DFL) == libc::SIG_IGN {
                libc::signal(end, libc::SIG_IGN);
            }
        }
    }
    ring(signal);
}

extern "C" fn ring_and_pass_on(signal: libc::c_int, about: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let kept = Errno::last_raw();
    let program = PROGRAM.load(Ordering::SeqCst);
    // SAFETY: the kernel gives handlers of this form a `siginfo_t` that is alive; `kill` is allowed in them.
    unsafe {
        if program > 0 && (*about).si_code != libc::SI_KERNEL {
            let _ = libc::kill(program, signal);
        }
    }
    Errno::set_raw(kept);
    ring(signal);
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
    fn a_signal_ends_the_waiting_and_stays_known() {
        let never = Interrupt::never().unwrap();
        assert!(!never.is_set());
        assert!(!never.wait(Duration::from_millis(2)));

        for signal in ENDS {
            let interrupt = Interrupt::on_any_end().unwrap();
            assert!(!interrupt.is_set());
            nix::sys::signal::raise(signal).unwrap();
            assert!(interrupt.wait(Duration::from_secs(60)));
            assert!(interrupt.is_set());
            assert!(!never.is_set());
        }
    }
}
