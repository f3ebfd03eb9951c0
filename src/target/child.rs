//! A program that we started: waiting for its end beside other things, and how it ended.

use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use crate::target::exit_watch::{ExitWatch, first_readable};
use crate::target::file_size_limit;
use crate::target::finalize_watch::{self, Watch};
use crate::target::freeze::FreezeError;

/// How often the program is asked whether it has ended, should the kernel not tell by itself.
const TICK: Duration = Duration::from_millis(200);

/// What is passed on to the program: whoever sends us one of these means it. `SIGINT` is a question to us, too, and comes to
/// the program in another way (`capture::interrupt`).
const PASSED_ON: [Signal; 6] = [
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
];

/// A program that we started. It gets the signals that are sent to us ([`PASSED_ON`]), of which none ends us.
#[derive(Debug)]
pub struct Program {
    child: Child,
    exit: Option<ExitWatch>,
    signals: Option<SignalFd>,
}

/// What the waiting for a program's end came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    Ended(ExitStatus),
    /// The descriptor with this number in the list is readable.
    Readable(usize),
    TimeIsUp,
}

impl Program {
    /// Starts a program with this environment, watched if possible; says beside it why it is not.
    pub fn start(
        words: &[OsString],
        environment: &[(OsString, OsString)],
        watch: Result<&mut Watch, FreezeError>,
    ) -> io::Result<(Program, Result<(), FreezeError>)> {
        let inherited = SigSet::thread_get_mask()?;
        // Before there are other threads, so that none of them is ended by it.
        let signals = block_passed_on();
        let started = match finalize_watch::start(words, environment, inherited, watch) {
            Ok(started) => started,
            Err(cause) => {
                // For whoever starts it in another way.
                inherited.thread_set_mask()?;
                return Err(cause);
            }
        };
        let program = Program {
            exit: ExitWatch::new(started.child.id()).ok(),
            child: started.child,
            signals,
        };
        Ok((program, started.watched))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program ends, one of `others` becomes readable, or `longest` is over. A descriptor that is
    /// readable comes before the end.
    pub fn wait_beside(&mut self, others: &[BorrowedFd], longest: Duration) -> Meanwhile {
        let mut waited: Vec<BorrowedFd> = others.to_vec();
        waited.extend(self.signals.as_ref().map(AsFd::as_fd));
        let signals = others.len();
        waited.extend(self.exit.as_ref().map(AsFd::as_fd));
        let readable = first_readable(&waited, longest.min(TICK));
        if let Some(number) = readable.filter(|&number| number < signals) {
            return Meanwhile::Readable(number);
        }
        if readable == Some(signals) {
            self.pass_on();
        }
        match self.child.try_wait() {
            Ok(Some(status)) => Meanwhile::Ended(status),
            Ok(None) => Meanwhile::TimeIsUp,
            // Somebody has arranged that nobody can wait for children; the end is all that is known.
            Err(_) => Meanwhile::Ended(ExitStatus::default()),
        }
    }

    /// Waits for the program's end.
    pub fn wait(&mut self) -> ExitStatus {
        loop {
            if let Meanwhile::Ended(status) = self.wait_beside(&[], TICK) {
                return status;
            }
        }
    }

    fn pass_on(&self) {
        let Some(Ok(Some(sent))) = self.signals.as_ref().map(SignalFd::read_signal) else {
            return;
        };
        // What is typed at the terminal (`Ctrl-\`) the kernel has sent to the program as well, which is of our group.
        if let Ok(signal) = Signal::try_from(sent.ssi_signo as i32)
            && !(signal == Signal::SIGQUIT && sent.ssi_code == libc::SI_KERNEL)
        {
            let _ = kill(Pid::from_raw(self.child.id() as i32), signal);
        }
    }
}

/// Whether the system has no more descriptors for us, or for anybody.
pub fn is_short_of_descriptors(cause: &io::Error) -> bool {
    matches!(cause.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Runs a program to its end with all that is ours and nothing of it in view, for which no descriptor is needed.
pub fn run_unseen(words: &[OsString]) -> io::Result<ExitStatus> {
    let (name, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    file_size_limit::leave_to_program();
    Command::new(name).args(arguments).status()
}

/// The exit code that a shell gives a program that ended so.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// How it ended, for a sentence: `by signal 9 (SIGKILL)`, `with exit code 3`.
pub fn manner(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("with exit code {code}"),
        (None, Some(number)) => match Signal::try_from(number) {
            Ok(signal) => format!("by signal {number} ({signal})"),
            Err(_) => format!("by signal {number}"),
        },
        (None, None) => "in an unknown way".to_owned(),
    }
}

fn block_passed_on() -> Option<SignalFd> {
    // A signal that is ignored (by `nohup`) is to stay so, and would arrive here if it were blocked.
    let signals: SigSet = PASSED_ON.into_iter().filter(|&signal| !is_ignored(signal)).collect();
    let descriptor = SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).ok()?;
    signals.thread_block().ok()?;
    Some(descriptor)
}

fn is_ignored(signal: Signal) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with no new action the call only fills in the present one, which is looked at only when it has.
    unsafe {
        libc::sigaction(signal as libc::c_int, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_as_a_shell_does() {
        let ended = |raw| ExitStatus::from_raw(raw);
        assert_eq!(exit_code(ended(3 << 8)), 3);
        assert_eq!(exit_code(ended(libc::SIGKILL)), 137);
        assert_eq!(manner(ended(3 << 8)), "with exit code 3");
        assert_eq!(manner(ended(libc::SIGKILL)), "by signal 9 (SIGKILL)");
        assert_eq!(manner(ended(40)), "by signal 40");
    }
}
