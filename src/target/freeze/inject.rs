//! Lets a stopped thread make system calls for us, and puts it back exactly as it was.
//!
//! All of this is done by the tracer, which nothing that ends a profiler reaches. Should it be killed by its own pid, the
//! kernel lets the thread go at once, with the registers that it has then:
//!
//! - its own, before the first call, between two, and after the last: it goes on as itself. A call that ended with
//!   `EINTR` and would have been made again (`remake`) returns that once.
//! - those of the `clone`, in the page of the copy: the code there puts its own registers and signal mask back.
//! - those of the `mmap`, the `munmap` or the `wait4`, some 20 microseconds each: it comes back from the instruction of
//!   its own call with the result and the arguments of ours, and with all signals blocked. Nothing can put it back, for
//!   the page that could is not there yet or not any more. The same is true of a time limit in its memory or of a socket,
//!   for as long as that is shortened (`time_limit`).
//!
//! So the tracer is put out of reach of what kills processes by the way: see `keeper::stand_apart`.

use nix::errno::Errno;

use super::critical_section::CriticalSection;
use super::tracee::{self, Stop, Tid};
use crate::target::arch::{self, Arguments, Registers};

/// A stopped thread of the program that makes calls for us. Between two calls, and when this is dropped, it has its own
/// registers and signal mask.
#[derive(Debug)]
pub struct Injection {
    tid: Tid,
    registers: Registers,
    signal_mask: u64,
    critical_section: Option<CriticalSection>,
    /// A `SIGSTOP` came, which cannot be blocked; the program gets it afterwards.
    stop_signal: bool,
    /// It stands where it stood, and has not been let go since.
    in_place: bool,
}

/// What came of a call.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// As the kernel returns it: negative is an error number.
    pub result: i64,
    /// The process that the call made, by its id in our pid namespace.
    pub born: Option<Tid>,
}

/// Far more stops than one call can have.
const MOST_STOPS: usize = 64;

impl Injection {
    /// For a thread that stands still with these registers.
    pub fn begin(tid: Tid, registers: Registers) -> Result<Injection, Errno> {
        let signal_mask = tracee::signal_mask(tid)?;
        let critical_section = CriticalSection::of(tid);
        Ok(Injection {
            tid,
            registers,
            signal_mask,
            critical_section,
            stop_signal: false,
            in_place: true,
        })
    }

    pub fn registers(&self) -> &Registers {
        &self.registers
    }

    pub fn signal_mask(&self) -> u64 {
        self.signal_mask
    }

    /// Makes the call `number` with the instruction at `instruction`. Signals wait meanwhile.
    pub fn call(&mut self, instruction: u64, number: i64, arguments: Arguments) -> Result<Outcome, Errno> {
        let registers = arch::calling(&self.registers, instruction, number as u64, arguments);
        self.in_place = false;
        // In this order, and in the other one afterwards: in the page of the copy, whoever has the registers of a call also
        // puts the signal mask back.
        tracee::set_registers(self.tid, &registers)?;
        tracee::set_signal_mask(self.tid, u64::MAX)?;
        let outcome = self.run();
        self.give_back()?;
        outcome
    }

    /// Puts the thread back, and says when it is gone instead.
    pub fn end(mut self) -> Result<(), Errno> {
        self.put_back()
    }

    fn run(&mut self) -> Result<Outcome, Errno> {
        self.run_to_call()?;
        let born = self.run_to_call()?;
        let result = arch::result(&tracee::registers(self.tid)?);
        Ok(Outcome { result, born })
    }

    fn give_back(&self) -> Result<(), Errno> {
        if let Some(section) = &self.critical_section {
            section.put_back(self.tid)?;
        }
        tracee::set_signal_mask(self.tid, self.signal_mask)?;
        tracee::set_registers(self.tid, &self.registers)
    }

    /// Lets the thread go on to the next start or end of a system call.
    fn run_to_call(&mut self) -> Result<Option<Tid>, Errno> {
        let mut born = None;
        for _ in 0..MOST_STOPS {
            tracee::go_on_to_call(self.tid, 0)?;
            match tracee::next_stop(self.tid)? {
                Stop::Call => return Ok(born),
                Stop::Event(libc::PTRACE_EVENT_CLONE) => born = Tid::try_from(tracee::event_message(self.tid)?).ok(),
                Stop::Signal(libc::SIGSTOP) => self.stop_signal = true,
                Stop::Gone(_) => return Err(Errno::ESRCH),
                Stop::Trap | Stop::Group(_) | Stop::Event(_) | Stop::Signal(_) => {}
            }
        }
        Err(Errno::ELOOP)
    }

    fn put_back(&mut self) -> Result<(), Errno> {
        if std::mem::replace(&mut self.in_place, true) {
            return Ok(());
        }
        self.stand_as_interrupted()?;
        if self.stop_signal {
            // SAFETY: sends a signal, and touches no memory.
            unsafe { libc::syscall(libc::SYS_tkill, self.tid, libc::SIGSTOP) };
        }
        Ok(())
    }

    /// Brings the thread from the end of our call to where an interrupt stops threads: from there the kernel restarts
    /// the call that the thread was in, as its registers say.
    fn stand_as_interrupted(&mut self) -> Result<(), Errno> {
        let mut signal = 0;
        for _ in 0..MOST_STOPS {
            // Each other stop takes back that it was told to stop.
            tracee::interrupt(self.tid)?;
            tracee::go_on(self.tid, signal)?;
            signal = match tracee::next_stop(self.tid)? {
                Stop::Trap | Stop::Group(_) => return Ok(()),
                Stop::Gone(_) => return Err(Errno::ESRCH),
                Stop::Signal(signal) => signal,
                Stop::Call | Stop::Event(_) => 0,
            };
        }
        Err(Errno::ELOOP)
    }
}

impl Drop for Injection {
    fn drop(&mut self) {
        let _ = self.put_back();
    }
}
