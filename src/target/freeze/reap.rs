//! Has the program reap its dead copies, which nobody else can: a zombie that is no child of ours leaves when its own
//! parent waits for it.

use std::time::Duration;

use super::FreezeError;
use super::copy::{self, Copy, NoCopy};
use super::hold::{self, Hold};
use super::message::Answer;
use super::procfs;
use super::step::{Step, Steps};

impl Hold {
    /// Ends a copy, which is to be reaped from then on.
    pub fn bury(&mut self, copy: Copy) {
        copy.kill();
        self.dead_copies.push(copy);
    }
}

/// Reaps all dead copies by one short stop. Those that are left are still in `hold.dead_copies`.
pub fn reap(hold: &mut Hold, steps: &Steps) -> Answer {
    let pid = hold.pid;
    match stop_and_reap(hold, steps) {
        Ok(pause) => Answer::Released { pause },
        // A program that has ended has taken the entries of its copies with it.
        Err(FreezeError::Ended { .. } | FreezeError::NoSuchProcess { .. } | FreezeError::Zombie { .. }) => {
            hold.dead_copies.retain(|copy| copy.program != pid);
            Answer::Released { pause: Duration::ZERO }
        }
        Err(error) => Answer::Failed(FreezeError::NotReaped {
            pid,
            cause: error.to_string(),
        }),
    }
}

fn stop_and_reap(hold: &mut Hold, steps: &Steps) -> Result<Duration, FreezeError> {
    let pid = hold.pid;
    procfs::require_alive(pid)?;
    let reaped = hold.stop_one().and_then(|()| {
        steps.reached(Step::StoppedAgain);
        reap_each(hold, steps)
    });
    let pause = hold.let_go();
    reaped.map(|()| pause)
}

fn reap_each(hold: &mut Hold, steps: &Steps) -> Result<(), FreezeError> {
    let pid = hold.pid;
    while let Some(at) = hold.dead_copies.iter().position(|copy| copy.program == pid) {
        let copy = hold.dead_copies.swap_remove(at);
        match copy::reap(hold, &copy, steps) {
            Ok(()) => {}
            // The filters of a program become stricter only, so it would be refused for ever.
            Err(NoCopy::Refused(cause)) => {
                return Err(FreezeError::Kernel {
                    pid,
                    action: "reap the copy of".into(),
                    cause,
                });
            }
            Err(NoCopy::Failed(error)) => {
                hold.dead_copies.push(copy);
                return Err(hold::kernel(pid, "reap the copy of", error));
            }
        }
    }
    Ok(())
}
