//! One thread of the program while it is traced, and what it is doing.

use nix::errno::Errno;

use super::asleep::Clocks;
use super::sleep::Sleep;
use super::time_limit::ChangedArgument;
use super::tracee::{self, Stop, Tid};
use crate::target::arch::Registers;

/// One thread that we trace.
#[derive(Debug)]
pub struct Thread {
    pub tid: Tid,
    pub phase: Phase,
    /// The call that it slept in before it was interrupted, if that has a time limit to care for.
    pub sleep: Option<Sleep>,
    /// How often it had slept before it was let into the call that it makes again.
    pub slept: Option<u64>,
    /// The argument that was changed for the call that it makes again, to be put back when that ends.
    pub changed: Option<ChangedArgument>,
    /// Its whole process was stopped by a signal before we came.
    pub job_stopped: bool,
    /// It stays traced between two freezes.
    pub kept: bool,
}

impl Thread {
    /// The registers of a thread that stands still, after what was changed for its call was put back.
    pub fn own_registers(&mut self) -> Result<Registers, Errno> {
        let mut registers = tracee::registers(self.tid)?;
        if let Some(changed) = self.changed.take() {
            changed.put_back(&mut registers);
            tracee::set_registers(self.tid, &registers)?;
        }
        Ok(registers)
    }

    /// Takes a stop of a thread that was told to stop: a signal that came first is delivered, as it would have been.
    pub fn take_stop(&mut self, pid: u32, stop: Stop, clocks: &mut Clocks) {
        match stop {
            Stop::Trap | Stop::Group(_) => {
                if self.kept {
                    self.job_stopped = matches!(stop, Stop::Group(_));
                }
                self.phase = self.own_registers().map_or(Phase::Free, Phase::Stopped);
                if let Some(sleep) = &mut self.sleep {
                    sleep.stopped(pid, self.tid, clocks);
                }
            }
            // Each other stop takes back that it was told to stop.
            Stop::Signal(signal) => self.tell_again(signal),
            Stop::Call | Stop::Event(_) => self.tell_again(0),
            Stop::Gone(_) => self.phase = Phase::Free,
        }
    }

    /// Lets a thread that stands still go on; `signal` is what it gets if it stands at one.
    pub fn leave(&mut self, signal: i32) {
        self.phase = if self.kept {
            super::kept::go_on(self, signal)
        } else {
            let _ = tracee::detach(self.tid, signal);
            Phase::Free
        };
    }

    fn tell_again(&mut self, signal: i32) {
        let _ = self.own_registers();
        let _ = tracee::interrupt(self.tid).and_then(|()| tracee::go_on(self.tid, signal));
    }
}

/// What a traced thread does.
#[derive(Debug, Clone, Copy)]
pub enum Phase {
    /// Runs or sleeps, and has been told to stop.
    Stopping,
    /// Stands still, with these registers.
    Stopped(Registers),
    /// Was told to stop, and sleeps in the kernel where it cannot yet.
    InKernel,
    /// On its way to make a call again that the stop had interrupted; these are its registers from before.
    Remaking(Registers),
    /// In that call.
    InCall,
    /// That call has ended with `EINTR` once more, with these registers; what ended it comes next.
    Interrupted(Registers),
    /// No longer traced, or dead.
    Free,
    /// Is kept, and runs or sleeps as it likes.
    Running,
    /// Is kept, and stands still by itself: at a breakpoint, or at the start of another program.
    Standing(Registers),
}
