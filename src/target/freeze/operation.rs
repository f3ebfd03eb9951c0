//! Has each freeze done by a thread of a child process, which is the tracer.
//!
//! A tracer can let go of a thread that sleeps in a call without waking it in one way only, by ending; so the one who did
//! a freeze ends with it. It is a thread, because a whole process takes a hundred times as long to end, and a signal that
//! the program ignores wakes a thread for as long as that is traced.

use std::process::exit;
use std::thread;

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use serde::{Deserialize, Serialize};

use super::FreezeError;
use super::children::ChildSignals;
use super::copy::Copy;
use super::message::{Answer, Socket};
use super::sleep::Remembered;
use super::surgeon::{Left, Outcome};

/// What the child tells.
#[derive(Debug, Serialize, Deserialize)]
enum Told {
    /// There is this copy now, which has to be reaped whatever becomes of the child.
    Copied(Copy),
    /// One of those that the outcome ends with: they are as many as the program has threads, and do not fit into one
    /// packet.
    Sleeper(Remembered),
    Done(Outcome),
}

/// Does `work` in a child process, waits for the end of the thread that did it, and returns what it returned. `work` is given how to tell of a copy;
/// should the child be killed, those that it told of are added to the `dead_copies` that there were.
pub fn in_a_child(dead_copies: &[Copy], work: impl FnOnce(&dyn Fn(&Copy)) -> Outcome + Send) -> Outcome {
    let (ours, theirs) = match Socket::pair() {
        Ok(pair) => pair,
        Err(error) => return broken_off(error.to_string(), dead_copies.to_vec()),
    };
    while waitpid(None, Some(WaitPidFlag::WNOHANG)).is_ok_and(|status| status != WaitStatus::StillAlive) {}
    // SAFETY: this process has one thread, so the child may do whatever it could do itself.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            drop(ours);
            let tell = |told: &Told| drop(theirs.send(told));
            if let Some(mut outcome) = in_a_thread(|| work(&|copy| tell(&Told::Copied(copy.clone())))) {
                let sleepers = std::mem::take(&mut outcome.left.sleepers);
                sleepers.into_iter().for_each(|sleeper| tell(&Told::Sleeper(sleeper)));
                tell(&Told::Done(outcome));
            }
            exit(0)
        }
        Ok(ForkResult::Parent { child }) => {
            drop(theirs);
            let (mut copies, mut sleepers) = (dead_copies.to_vec(), Vec::new());
            let outcome = loop {
                match ours.receive() {
                    Ok(Some(Told::Copied(copy))) => copies.push(copy),
                    Ok(Some(Told::Sleeper(sleeper))) => sleepers.push(sleeper),
                    Ok(Some(Told::Done(outcome))) => break Some(outcome),
                    Ok(None) | Err(_) => break None,
                }
            };
            // When the tracer has ended the child is no matter any more, and is collected by the way.
            let mut outcome = outcome.unwrap_or_else(|| {
                let end = waitpid(child, None);
                broken_off(format!("the process that made the stop broke off: {end:?}"), copies)
            });
            outcome.left.sleepers = sleepers;
            outcome
        }
        Err(error) => broken_off(format!("it could not fork: {error}"), dead_copies.to_vec()),
    }
}

/// `None` if it broke off.
fn in_a_thread(work: impl FnOnce() -> Outcome + Send) -> Option<Outcome> {
    // The tracer is told of its tracees by this signal, which must not get lost in a thread that has no use for it.
    ChildSignals::block().ok()?;
    thread::scope(|scope| scope.spawn(work).join().ok())
}

/// A copy dies with its tracer, so one that was told of is dead.
fn broken_off(cause: String, dead_copies: Vec<Copy>) -> Outcome {
    Outcome {
        answer: Answer::Failed(FreezeError::GuardianLost { cause }),
        left: Left {
            sleepers: Vec::new(),
            dead_copies,
        },
    }
}
