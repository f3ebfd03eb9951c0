//! The guardian process: waits for what the profiler asks, and has each freeze done by a child of its own.
//!
//! It traces nobody itself, and stays to serve the next request. When another profiler has stopped the program, it waits
//! for its turn; what a freeze could not undo because of that, it goes on trying to undo.

use std::os::fd::{FromRawFd, OwnedFd};
use std::process::exit;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{ForkResult, fork, setsid};

use super::copy::Copy;
use super::fellow::{self, Turn};
use super::guardian::GUARDIAN_NAME;
use super::message::{Answer, Request, Socket};
use super::notebook::Notebook;
use super::operation::in_a_child;
use super::step::{Step, Steps};
use super::surgeon::{self, Left, Outcome};
use super::{FreezeError, FreezeMode};

/// How long the profiler waits for a copy that cannot be reaped at once.
const REAPING_PATIENCE: Duration = Duration::from_secs(1);
/// Between two tries to reap one: short at first, then longer.
const FIRST_TRY: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What `main` runs when its first argument is [`super::GUARDIAN_ARGUMENT`]; the arguments are those behind it.
/// Standard input is the socket to the profiler.
pub fn guardian_main(mut arguments: impl Iterator<Item = String>) -> ! {
    stand_apart(GUARDIAN_NAME);
    let stand_after = arguments
        .next()
        .and_then(|number| Step::from_number(number.parse().ok()?));
    let mut keeper = Keeper {
        // SAFETY: descriptor 0 is the socket that the profiler gave us, and nothing else here owns it.
        socket: Socket::from_descriptor(unsafe { OwnedFd::from_raw_fd(0) }),
        stand_after,
        left: Left::default(),
    };
    keeper.serve();
    keeper.leave()
}

/// Leaves the profiler's session, and whatever else could end us or be kept open by us. To end a tracer in the middle of
/// its work could harm the program that it has stopped (see `inject`).
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
    // The kernel passes us over when memory runs out; this takes CAP_SYS_RESOURCE.
    let _ = std::fs::write("/proc/self/oom_score_adj", "-1000");
    let _ = std::env::set_current_dir("/");
    let name = std::ffi::CString::new(name).unwrap_or_default();
    let _ = nix::sys::prctl::set_name(&name);
    // SAFETY: only the descriptors 0 to 2 are used from here on, and no object owns any other.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

struct Keeper {
    socket: Socket,
    stand_after: Option<Step>,
    left: Left,
}

impl Keeper {
    /// Until the profiler is gone.
    fn serve(&mut self) {
        while let Some(request) = self.next_request() {
            let answer = match request {
                Request::Freeze { pid, mode } => self.freeze(pid, mode),
                Request::Release => Answer::Failed(FreezeError::GuardianLost {
                    cause: "there is nothing to release".into(),
                }),
            };
            let _ = self.socket.send(&answer);
        }
    }

    fn next_request(&mut self) -> Option<Request> {
        let mut pause = FIRST_TRY;
        while self.has_dead_copies() && !self.socket.is_readable_within(pause) {
            self.try_to_reap();
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.socket.receive().ok().flatten()
    }

    /// Answers when the freeze is over and released.
    fn freeze(&mut self, pid: u32, mode: FreezeMode) -> Answer {
        let outcome = self.operate_in_turn(pid, mode);
        self.left = outcome.left;
        // A freeze that failed before it stopped anybody leaves the threads as others have noted.
        if !(self.left.sleepers.is_empty() && matches!(outcome.answer, Answer::Failed(_))) {
            Notebook::of(pid).write(&self.left.sleepers);
        }
        match outcome.answer {
            Answer::Failed(FreezeError::NotReaped { .. }) => self.reap_soon().unwrap_or(outcome.answer),
            answer => answer,
        }
    }

    fn operate_in_turn(&self, pid: u32, mode: FreezeMode) -> Outcome {
        let since = Instant::now();
        let steps = Steps::new(&self.socket, self.stand_after);
        loop {
            let mut before = self.left.clone();
            // Of the same call, what we know ourselves and what others have noted is the same.
            before.sleepers.extend(Notebook::of(pid).read());
            let outcome = in_a_child(&self.left.dead_copies, |tell| {
                surgeon::operate(&self.socket, &steps, pid, mode, before, tell)
            });
            let Answer::Failed(FreezeError::TracedAlready { tracer: other, .. }) = outcome.answer else {
                return outcome;
            };
            match fellow::wait_for_turn(pid, since, &self.socket) {
                Turn::Ours => {}
                Turn::Refused | Turn::NotNeeded => return outcome,
                Turn::TimeIsUp => {
                    let seconds = fellow::PATIENCE.as_secs();
                    let answer = Answer::Failed(FreezeError::Busy { pid, other, seconds });
                    return Outcome { answer, ..outcome };
                }
            }
        }
    }

    fn has_dead_copies(&mut self) -> bool {
        self.left.dead_copies.retain(Copy::is_unreaped);
        !self.left.dead_copies.is_empty()
    }

    /// Who hinders us is most often another profiler, and about to let go.
    fn reap_soon(&mut self) -> Option<Answer> {
        let start = Instant::now();
        let mut pause = FIRST_TRY;
        let mut answer = None;
        while self.has_dead_copies() {
            if start.elapsed() >= REAPING_PATIENCE || self.socket.is_readable_within(pause) {
                return None;
            }
            pause *= 2;
            answer = self.try_to_reap();
        }
        answer.or(Some(Answer::Released { pause: Duration::ZERO }))
    }

    fn try_to_reap(&mut self) -> Option<Answer> {
        let program = self.left.dead_copies.first()?.program;
        let before = self.left.clone();
        let steps = Steps::new(&self.socket, None);
        let outcome = in_a_child(&self.left.dead_copies, |_| surgeon::reap_again(&steps, program, before));
        // The threads that were not stopped for it still sleep as they did.
        let stopped = |tid| outcome.left.sleepers.iter().any(|sleeper| sleeper.tid() == tid);
        self.left.sleepers.retain(|sleeper| !stopped(sleeper.tid()));
        self.left.sleepers.extend(&outcome.left.sleepers);
        Notebook::of(program).write(&self.left.sleepers);
        self.left.dead_copies = outcome.left.dead_copies;
        // The next try is for another program's, if there is one.
        let copies = &mut self.left.dead_copies;
        let next = usize::from(!copies.is_empty());
        copies.rotate_left(next);
        Some(outcome.answer)
    }

    /// Ends, so that nobody has to wait for us; a child of ours stays for as long as something is left to reap.
    fn leave(mut self) -> ! {
        if self.has_dead_copies() {
            // SAFETY: this process has one thread, so the child may do whatever it could do itself.
            if let Ok(ForkResult::Parent { .. }) = unsafe { fork() } {
                exit(0);
            }
            let mut pause = FIRST_TRY;
            while self.has_dead_copies() {
                self.try_to_reap();
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        exit(0)
    }
}
