//! Begins to trace the threads of a process, or says who stands in the way.

use nix::errno::Errno;

use super::FreezeError;
use super::hold::{self, Hold};
use super::procfs::{self, Status};
use super::sleep::Sleep;
use super::thread::{Phase, Thread};
use super::tracee::{self, Tid};

impl Hold {
    /// Starts to trace the threads that are not traced by us yet; says how many these were.
    ///
    /// The kernel lists the first thread first. Of two of our kind who come at the same time, one finds that thread taken
    /// and has touched no other.
    pub(super) fn seize_new_threads(&mut self) -> Result<usize, FreezeError> {
        let mut found = 0;
        for tid in procfs::threads(self.pid) {
            if !self.threads.iter().any(|thread| thread.tid == tid) {
                found += usize::from(self.trace(tid)?);
            }
        }
        Ok(found)
    }

    /// Starts to trace a thread, if it is not traced by us already; false when it is gone.
    pub(super) fn trace(&mut self, tid: Tid) -> Result<bool, FreezeError> {
        if self.threads.iter().any(|thread| thread.tid == tid) {
            return Ok(true);
        }
        let (sleep, changed) = Sleep::of(self.pid, tid, &self.earlier, &mut self.clocks).unzip();
        let changed = changed.flatten();
        let job_stopped = Status::of_thread(self.pid, tid).is_some_and(|status| status.state == 'T');
        if !self.seize(tid, libc::PTRACE_O_TRACESYSGOOD)? {
            return Ok(false);
        }
        self.threads.push(Thread {
            tid,
            phase: Phase::Stopping,
            sleep,
            slept: None,
            changed,
            job_stopped,
            kept: false,
        });
        Ok(true)
    }

    /// Starts to trace a thread; false when it is gone. Asks again when the one who traced it has left by now.
    pub(super) fn seize(&self, tid: Tid, options: i32) -> Result<bool, FreezeError> {
        const MOST_TRACERS: usize = 5;
        let pid = self.pid;
        let mut attempt = 1;
        loop {
            let Err(error) = tracee::seize(tid, options) else {
                return Ok(true);
            };
            let Some(status) = Status::of_thread(pid, tid) else {
                return Ok(false);
            };
            return match error {
                Errno::ESRCH => Ok(false),
                Errno::EPERM if matches!(status.state, 'Z' | 'X' | 'x') => Ok(false),
                Errno::EPERM if status.tracer != 0 => Err(FreezeError::TracedAlready {
                    pid,
                    tracer: status.tracer,
                    tracer_name: procfs::name(status.tracer),
                }),
                Errno::EPERM if attempt < MOST_TRACERS => {
                    attempt += 1;
                    continue;
                }
                Errno::EPERM | Errno::EACCES => Err(FreezeError::NotPermitted { pid }),
                error => Err(hold::kernel(pid, "trace", error)),
            };
        }
    }
}
