//! The guardian process: waits for what the profiler asks, and has each freeze done by a child of its own.
//!
//! The child is the tracer. A tracer can let go of a thread that sleeps in a call without waking it in one way only, by
//! ending; so the one who did a freeze ends with it, and the guardian stays to serve the next.

use std::os::fd::{FromRawFd, OwnedFd};
use std::process::exit;

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, setsid};

use super::FreezeError;
use super::guardian::GUARDIAN_NAME;
use super::message::{Answer, Request, Socket};
use super::step::{Step, Steps};
use super::surgeon::{self, Outcome};

/// What `main` runs when its first argument is [`super::GUARDIAN_ARGUMENT`]; the arguments are those behind it.
/// Standard input is the socket to the profiler.
pub fn guardian_main(mut arguments: impl Iterator<Item = String>) -> ! {
    stand_apart(GUARDIAN_NAME);
    let stand_after = arguments
        .next()
        .and_then(|number| Step::from_number(number.parse().ok()?));
    // SAFETY: descriptor 0 is the socket that the profiler gave us, and nothing else here owns it.
    let socket = Socket::from_descriptor(unsafe { OwnedFd::from_raw_fd(0) });
    let mut earlier = Vec::new();
    while let Ok(Some(request)) = socket.receive() {
        match request {
            Request::Freeze { pid, mode } => {
                let before = std::mem::take(&mut earlier);
                let steps = Steps::new(&socket, stand_after);
                let answer = match in_a_child(|| surgeon::operate(&socket, &steps, pid, mode, before)) {
                    Ok(outcome) => {
                        earlier = outcome.left;
                        outcome.answer
                    }
                    Err(cause) => Answer::Failed(FreezeError::GuardianLost { cause }),
                };
                let _ = socket.send(&answer);
            }
            Request::Release => {
                let cause = "there is nothing to release".into();
                let _ = socket.send(&Answer::Failed(FreezeError::GuardianLost { cause }));
            }
        }
    }
    exit(0)
}

/// Leaves the profiler's session, and whatever else could end us or be kept open by us.
pub fn stand_apart(name: &str) {
    // This fails only for the leader of a process group, which a process that was just started is not.
    let _ = setsid();
    for ignored in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGPIPE,
    ] {
        // SAFETY: no handler is installed, the signal is only ignored.
        let _ = unsafe { signal(ignored, SigHandler::SigIgn) };
    }
    let _ = std::env::set_current_dir("/");
    let name = std::ffi::CString::new(name).unwrap_or_default();
    let _ = nix::sys::prctl::set_name(&name);
    // SAFETY: only the descriptors 0 to 2 are used from here on, and no object owns any other.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

/// Does `work` in a child process, waits for its end, and returns what it returned.
fn in_a_child(work: impl FnOnce() -> Outcome) -> Result<Outcome, String> {
    let (ours, theirs) = Socket::pair().map_err(|error| error.to_string())?;
    // SAFETY: this process has one thread, so the child may do whatever it could do itself.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            let _ = theirs.send(&work());
            exit(0)
        }
        Ok(ForkResult::Parent { child }) => {
            drop(theirs);
            let outcome = ours.receive();
            let end = waitpid(child, None);
            outcome
                .ok()
                .flatten()
                .ok_or_else(|| format!("the process that made the stop broke off: {end:?}"))
        }
        Err(error) => Err(format!("it could not fork: {error}")),
    }
}
