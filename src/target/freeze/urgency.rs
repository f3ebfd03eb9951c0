//! Runs before all ordinary programs for as long as a program stands still and waits for us, or could be disturbed by us.

use nix::errno::Errno;

/// While this lives, our thread has a place among the real-time ones. On a busy machine a stop would otherwise last for
/// as many turns of all other programs as we need.
#[derive(Debug)]
pub struct Urgency(());

impl Urgency {
    /// `None` where this is not permitted (it takes `CAP_SYS_NICE`), or where our place is one that somebody chose.
    pub fn begin() -> Option<Urgency> {
        // SAFETY: passes and returns numbers only.
        let ordinary = unsafe { libc::sched_getscheduler(0) } == libc::SCHED_OTHER;
        (ordinary && schedule(libc::SCHED_FIFO, 1).is_ok()).then_some(Urgency(()))
    }

    /// From here on until our thread ends, which it has to do soon.
    pub fn to_the_end() {
        std::mem::forget(Urgency::begin());
    }
}

impl Drop for Urgency {
    fn drop(&mut self) {
        let _ = schedule(libc::SCHED_OTHER, 0);
    }
}

fn schedule(policy: i32, priority: i32) -> Result<(), Errno> {
    let parameter = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: the parameter lives through the call.
    Errno::result(unsafe { libc::sched_setscheduler(0, policy, &raw const parameter) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends() {
        let policy = || {
            // SAFETY: passes and returns numbers only.
            unsafe { libc::sched_getscheduler(0) }
        };
        let before = policy();
        if let Some(urgency) = Urgency::begin() {
            assert_eq!(policy(), libc::SCHED_FIFO);
            drop(urgency);
        }
        assert_eq!(policy(), before);
    }
}
