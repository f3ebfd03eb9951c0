//! A thread that stays traced between two freezes, to be caught where it comes to a breakpoint.
//!
//! Its signals reach it as if it were not traced, a stop of its whole process is one, and a freeze finds it traced
//! already. It stands still by itself in two cases only, of which the one who keeps it is given notice: at a breakpoint,
//! and where its process has just started to execute another program, which has none of the breakpoints.

use nix::errno::Errno;

use super::FreezeError;
use super::hold::{Hold, InKernel};
use super::procfs::Status;
use super::remake;
use super::sleep::Sleep;
use super::thread::{Phase, Thread};
use super::time_limit;
use super::tracee::{self, Stop, Tid};
use crate::target::arch;

const OPTIONS: i32 = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACEEXEC;

/// Why a kept thread stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// It is about to execute the instruction at this address.
    Breakpoint(u64),
    /// Its process executes another program from here on.
    Executed,
}

impl Hold {
    /// Traces a thread for good, without stopping it.
    pub fn keep(&mut self, tid: Tid) -> Result<(), FreezeError> {
        if !self.seize(tid, OPTIONS)? {
            return Err(FreezeError::Ended { pid: self.pid });
        }
        self.threads.push(Thread {
            tid,
            phase: Phase::Running,
            sleep: None,
            slept: None,
            changed: None,
            job_stopped: false,
            kept: true,
        });
        Ok(())
    }

    /// Whether a thread is still kept; not when it has ended.
    pub fn keeps_any(&self) -> bool {
        self.threads
            .iter()
            .any(|thread| thread.kept && !matches!(thread.phase, Phase::Free))
    }

    /// Forgets kept threads that are not traced any more although they live: a thread that executes another program
    /// takes the place of the first one. Says whether there were any.
    pub fn forget_lost(&mut self) -> bool {
        let (pid, before) = (self.pid, self.threads.len());
        let traced = |tid| Status::of_thread(pid, tid).is_none_or(|status| status.tracer == std::process::id());
        self.threads.retain(|thread| !thread.kept || traced(thread.tid));
        self.threads.len() < before
    }

    /// What kept threads have come to stand still for since this was asked last.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Puts breakpoints in the place of those that there were, for kept threads that stand still.
    pub fn set_breakpoints(&mut self, addresses: Vec<u64>) -> Result<(), Errno> {
        self.breakpoints.clear();
        for thread in self.threads.iter().filter(|thread| thread.kept) {
            if let Phase::Standing(_) | Phase::Stopped(_) = thread.phase {
                arch::set_breakpoints(thread.tid, &addresses)?;
            }
        }
        self.breakpoints = addresses;
        Ok(())
    }

    /// Lets kept threads go on that stand still by themselves.
    pub fn pass_breakpoint(&mut self) {
        for thread in &mut self.threads {
            if let Phase::Standing(_) = thread.phase {
                thread.leave(0);
            }
        }
    }

    /// Ends the keeping: takes the breakpoints away and lets the threads go, as after a freeze.
    pub fn give_up(&mut self) -> Result<(), FreezeError> {
        let kept: Vec<Tid> = self
            .threads
            .iter()
            .filter(|thread| thread.kept)
            .map(|thread| thread.tid)
            .collect();
        for &tid in &kept {
            if self.recall_thread(tid) {
                self.interrupt(tid);
            }
        }
        let stopped = self.wait_until_stopped(InKernel::UnlessAnotherStands);
        let _ = self.set_breakpoints(Vec::new());
        for thread in self.threads.iter_mut().filter(|thread| thread.kept) {
            thread.kept = false;
            if let Phase::Standing(registers) = thread.phase {
                thread.phase = Phase::Stopped(registers);
            }
        }
        self.let_go();
        stopped
    }

    /// Marks the traced threads that run as such that have to stop; says how many there are.
    pub(super) fn recall(&mut self) -> usize {
        let tids: Vec<Tid> = self.threads.iter().map(|thread| thread.tid).collect();
        tids.into_iter().filter(|&tid| self.recall_thread(tid)).count()
    }

    /// The same for one; false when it does not run.
    pub(super) fn recall_thread(&mut self, tid: Tid) -> bool {
        let pid = self.pid;
        let Some(thread) = self.threads.iter_mut().find(|thread| thread.tid == tid) else {
            return false;
        };
        match thread.phase {
            Phase::Running => {
                (thread.sleep, _) = Sleep::of(pid, tid, &[], &mut self.clocks).unzip();
                thread.phase = Phase::Stopping;
                true
            }
            // It sleeps in a call that an earlier freeze had interrupted, or is on its way there.
            Phase::Remaking(_) | Phase::InCall | Phase::Interrupted(_) => {
                thread.phase = Phase::Stopping;
                true
            }
            Phase::Stopping => true,
            Phase::Stopped(_) | Phase::Standing(_) | Phase::InKernel | Phase::Free => false,
        }
    }
}

/// Whether a kept thread stands still by itself with this stop.
pub fn notice(thread: &mut Thread, stop: Stop, breakpoints: &[u64]) -> Option<Notice> {
    if !thread.kept {
        return None;
    }
    let registers = match stop {
        Stop::Signal(libc::SIGTRAP) | Stop::Event(libc::PTRACE_EVENT_EXEC) => thread.own_registers().ok()?,
        _ => return None,
    };
    let notice = match stop {
        Stop::Event(_) => Notice::Executed,
        // A signal that a program sends has a code of zero or less.
        _ => {
            let at = arch::instruction_pointer(&registers);
            let is_ours = breakpoints.contains(&at) && tracee::signal_code(thread.tid).is_ok_and(|code| code > 0);
            is_ours.then_some(Notice::Breakpoint(at))?
        }
    };
    thread.job_stopped = false;
    thread.phase = Phase::Standing(registers);
    Some(notice)
}

/// Takes a stop of a kept thread that nobody told to stop.
pub fn pass_on(pid: u32, thread: &mut Thread, stop: Stop) {
    thread.job_stopped = matches!(stop, Stop::Group(_));
    match stop {
        Stop::Gone(_) => thread.phase = Phase::Free,
        Stop::Signal(signal) => match call_to_make_again(pid, thread.tid, signal) {
            Some(registers) => thread.phase = remake::begin(thread.tid, &registers, signal),
            None => thread.leave(signal),
        },
        Stop::Trap | Stop::Group(_) | Stop::Call | Stop::Event(_) => thread.leave(0),
    }
}

/// The registers of a thread whose call was cut short by a signal that would not have woken it, were it not traced.
///
/// A call with a time limit is not made again: how much of it is left cannot be told any more.
fn call_to_make_again(pid: u32, tid: Tid, signal: i32) -> Option<arch::Registers> {
    if !Status::of_thread(pid, tid)?.does_nothing(signal) {
        return None;
    }
    let registers = tracee::registers(tid).ok()?;
    let call = arch::system_call(&registers)?;
    let arguments = std::array::from_fn(|position| arch::argument(&registers, position));
    (remake::is_due(tid, &registers) && time_limit::of(pid, call, &arguments).is_none()).then_some(registers)
}

/// Lets a kept thread go on from a stop, or stay stopped with its whole process.
pub fn go_on(thread: &Thread, signal: i32) -> Phase {
    let tid = thread.tid;
    // A copy made in this thread has set others.
    let _ = tracee::set_options(tid, OPTIONS);
    let gone_on = if thread.job_stopped {
        tracee::listen(tid)
    } else {
        tracee::go_on(tid, signal)
    };
    // Of a thread that is dead by now, the end is still to come.
    let _ = gone_on;
    Phase::Running
}
