//! One freeze from its stop to its release, in the process that is the tracer.

use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};

use super::copy::{self, Copy, NoCopy};
use super::headroom;
use super::hold::{self, Hold};
use super::message::{Answer, Request, Socket};
use super::procfs;
use super::reap::reap;
use super::sleep::Remembered;
use super::step::{Step, Steps};
use super::tracee::Tid;
use super::urgency::Urgency;
use super::{FreezeError, FreezeMode, FreezeUsed};

/// How a freeze ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The last answer to the profiler. It is given when the tracer is gone, and with it the last trace of the freeze.
    pub answer: Answer,
    pub left: Left,
}

/// What is left when a freeze is over, and the next one has to know.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Left {
    pub sleepers: Vec<Remembered>,
    pub dead_copies: Vec<Copy>,
}

/// Freezes the process, says so, and waits for the release or the profiler's end. Takes what the last freeze left, and
/// tells of the copy as soon as there is one.
pub fn operate(
    socket: &Socket,
    steps: &Steps,
    pid: u32,
    mode: FreezeMode,
    earlier: Left,
    tell: impl Fn(&Copy),
) -> Outcome {
    with_hold(pid, earlier, |hold| match freeze(hold, mode, steps) {
        Err(error) => Answer::Failed(error),
        Ok((copy, frozen)) => {
            copy.iter().for_each(tell);
            // A profiler that is gone gets no answer, and needs none.
            let _ = socket.send(&frozen);
            wait_for_release(socket, hold);
            release(hold, copy, steps)
        }
    })
}

/// Reaps the copies that an earlier release could not.
pub fn reap_again(steps: &Steps, pid: u32, earlier: Left) -> Outcome {
    with_hold(pid, earlier, |hold| reap(hold, steps))
}

fn with_hold(pid: u32, earlier: Left, work: impl FnOnce(&mut Hold) -> Answer) -> Outcome {
    let mut hold = match Hold::new(pid, earlier.sleepers) {
        Ok(hold) => hold,
        Err(error) => {
            let left = Left {
                sleepers: Vec::new(),
                dead_copies: earlier.dead_copies,
            };
            let answer = Answer::Failed(error);
            return Outcome { answer, left };
        }
    };
    hold.dead_copies = earlier.dead_copies;
    let answer = work(&mut hold);
    let dead_copies = std::mem::take(&mut hold.dead_copies);
    Urgency::to_the_end();
    let sleepers = hold.leave_asleep();
    Outcome {
        answer,
        left: Left { sleepers, dead_copies },
    }
}

/// Freezes a process of which threads may be kept; the answer is the one to give.
pub fn freeze(hold: &mut Hold, mode: FreezeMode, steps: &Steps) -> Result<(Option<Copy>, Answer), FreezeError> {
    let pid = hold.pid;
    procfs::require_alive(pid)?;
    let shortage = if mode == FreezeMode::Auto {
        headroom::shortage(pid)
    } else {
        None
    };
    hold.stop_all(steps)?;
    if hold::is_32_bit(hold) {
        return Err(FreezeError::ThirtyTwoBit { pid });
    }
    if mode == FreezeMode::Stop || shortage.is_some() {
        return Ok((None, standing(hold, shortage)));
    }
    match copy::make(hold, steps) {
        Ok(copy) => {
            let pause = hold.let_go();
            steps.reached(Step::LetGo);
            let readable_pid = copy.pid as u32;
            Ok((
                Some(copy),
                Answer::Frozen {
                    used: FreezeUsed::Fork,
                    readable_pid,
                    pause,
                    reason: None,
                },
            ))
        }
        Err(NoCopy::Refused(reason)) if mode == FreezeMode::Auto => Ok((None, standing(hold, Some(reason)))),
        Err(NoCopy::Refused(reason)) => Err(FreezeError::ForkRefused { pid, reason }),
        Err(NoCopy::Failed(Errno::ESRCH)) => Err(FreezeError::Ended { pid }),
        Err(NoCopy::Failed(error)) if mode == FreezeMode::Auto => {
            Ok((None, standing(hold, Some(format!("the copy failed: {}", error.desc())))))
        }
        Err(NoCopy::Failed(error)) => Err(hold::kernel(pid, "copy", error)),
    }
}

fn standing(hold: &Hold, reason: Option<String>) -> Answer {
    let first = hold.pid as Tid;
    // A first thread that has ended before the others has no memory to show any more.
    let readable = hold.stopped().map(|(tid, _)| tid).min_by_key(|&tid| tid != first);
    Answer::Frozen {
        used: FreezeUsed::Stop,
        readable_pid: readable.unwrap_or(first) as u32,
        pause: Duration::ZERO,
        reason,
    }
}

/// Attends to the threads that are still traced until the profiler wants the release, or is gone.
fn wait_for_release(socket: &Socket, hold: &mut Hold) {
    loop {
        let mut ready = [
            PollFd::new(socket.as_fd(), PollFlags::POLLIN),
            PollFd::new(hold.children().as_fd(), PollFlags::POLLIN),
        ];
        let _ = poll(&mut ready, PollTimeout::NONE);
        let asked = ready[0].any().unwrap_or(true);
        hold.children().clear();
        hold.attend();
        if !asked {
            continue;
        }
        let Ok(Some(Request::Freeze { .. })) = socket.receive() else {
            return;
        };
        let cause = "another freeze is not released yet".into();
        let _ = socket.send(&Answer::Failed(FreezeError::GuardianLost { cause }));
    }
}

/// Ends the copy and has it reaped, or lets the threads go.
pub fn release(hold: &mut Hold, copy: Option<Copy>, steps: &Steps) -> Answer {
    let Some(copy) = copy else {
        return Answer::Released { pause: hold.let_go() };
    };
    hold.bury(copy);
    steps.reached(Step::CopyKilled);
    reap(hold, steps)
}
