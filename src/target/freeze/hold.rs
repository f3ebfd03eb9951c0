//! Stops the threads of a process, and lets them go again as if they had never been stopped.

use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::children::ChildSignals;
use super::procfs::{self, Status};
use super::sleep::{Remembered, Sleep};
use super::step::{Step, Steps};
use super::time_limit::ChangedArgument;
use super::tracee::{self, Stop, Tid};
use super::{FreezeError, remake};
use crate::target::arch::{self, Registers};

/// How long a thread may take to stop that is not waiting in the kernel.
const STOP_DEADLINE: Duration = Duration::from_secs(5);
/// After this time a thread that waits in the kernel without being interruptible counts as stopped: it was told to
/// stop, and runs no code of the program before it does.
const KERNEL_PATIENCE: Duration = Duration::from_millis(50);

/// One thread that we trace.
#[derive(Debug)]
pub struct Thread {
    pub tid: Tid,
    pub phase: Phase,
    /// The call that it slept in before it was interrupted, if that has a time limit to care for.
    pub sleep: Option<Sleep>,
    /// The argument that was changed for the call that it makes again, to be put back when that ends.
    pub changed: Option<ChangedArgument>,
    /// Its whole process was stopped by a signal before we came.
    job_stopped: bool,
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
}

/// The threads of one process that we trace. Dropping it lets them go.
#[derive(Debug)]
pub struct Hold {
    pub pid: u32,
    threads: Vec<Thread>,
    /// Where any thread can make a system call.
    pub vdso_call: Option<u64>,
    children: ChildSignals,
    /// What the freezes before this one left.
    earlier: Vec<Remembered>,
    /// When the first thread was told to stop.
    since: Instant,
}

impl Hold {
    /// Traces no thread yet.
    pub fn new(pid: u32, earlier: Vec<Remembered>) -> Result<Hold, FreezeError> {
        let children = ChildSignals::new().map_err(|error| kernel(pid, "watch", error))?;
        Ok(Hold {
            vdso_call: procfs::vdso_call(pid),
            pid,
            threads: Vec::new(),
            children,
            earlier,
            since: Instant::now(),
        })
    }

    /// Stops all threads, those included that are born meanwhile.
    pub fn stop_all(&mut self, steps: &Steps) -> Result<(), FreezeError> {
        let mut found = self.seize_new_threads()?;
        steps.reached(Step::Seized);
        self.since = Instant::now();
        while found > 0 {
            self.interrupt_all();
            steps.reached(Step::Interrupted);
            self.wait_until_stopped()?;
            found = self.seize_new_threads()?;
        }
        if self.stopped().next().is_none() {
            return Err(self.nothing_stopped());
        }
        steps.reached(Step::Stopped);
        Ok(())
    }

    /// Stops one thread, the one that notices least.
    pub fn stop_one(&mut self) -> Result<(), FreezeError> {
        let mut candidates = procfs::threads(self.pid);
        candidates.sort_by_cached_key(|&tid| remake::disturbance(self.pid, tid));
        for tid in candidates {
            if self.trace(tid)? {
                self.since = Instant::now();
                self.interrupt(tid);
                self.wait_until_stopped()?;
                if self.stopped().next().is_some() {
                    return Ok(());
                }
            }
        }
        Err(self.nothing_stopped())
    }

    /// The threads that stand still, with their registers.
    pub fn stopped(&self) -> impl Iterator<Item = (Tid, Registers)> + '_ {
        self.threads.iter().filter_map(|thread| match thread.phase {
            Phase::Stopped(registers) => Some((thread.tid, registers)),
            _ => None,
        })
    }

    /// How long the process has been standing still.
    pub fn stopped_for(&self) -> Duration {
        self.since.elapsed()
    }

    /// Lets all threads go on that stand still, and says how long they stood.
    ///
    /// A thread that came out of its system call only because it was stopped makes the call again, and is traced until
    /// the call ends or we do.
    pub fn let_go(&mut self) -> Duration {
        for thread in &mut self.threads {
            if let Phase::Stopped(registers) = thread.phase
                && !thread.job_stopped
                && remake::is_due(thread.tid, &registers)
            {
                thread.phase = remake::begin(thread.tid, &registers, 0);
            }
        }
        // The others wait until these are in their calls, for which a limit may be changed that they share.
        let start = Instant::now();
        let on_the_way = |thread: &Thread| matches!(thread.phase, Phase::Remaking(_));
        while self.threads.iter().any(on_the_way) && start.elapsed() < STOP_DEADLINE {
            if !self.take_traced_stops() {
                self.children.wait(KERNEL_PATIENCE);
            }
        }
        for thread in self
            .threads
            .iter_mut()
            .filter(|thread| matches!(thread.phase, Phase::Stopped(_)))
        {
            let _ = tracee::detach(thread.tid, 0);
            thread.phase = Phase::Free;
        }
        self.stopped_for()
    }

    /// What the next freeze has to know about the threads that are left in calls that were made again.
    pub fn remember(&self) -> Vec<Remembered> {
        let left = self
            .threads
            .iter()
            .filter(|thread| matches!(thread.phase, Phase::InCall));
        left.filter_map(|thread| Remembered::new(self.pid, thread.tid, thread.sleep?, thread.changed))
            .collect()
    }

    /// Attends to the threads that make their calls again, after the guardian was told that a child did something.
    pub fn attend(&mut self) {
        self.take_traced_stops();
        self.threads.retain(|thread| !matches!(thread.phase, Phase::Free));
    }

    fn take_traced_stops(&mut self) -> bool {
        let pid = self.pid;
        self.take_stops(|thread, stop| match thread.phase {
            Phase::Stopped(_) | Phase::Free => {}
            // It was told to stop when everything stood still, and can only now that this is over.
            Phase::Stopping | Phase::InKernel => {
                let _ = tracee::detach(thread.tid, if let Stop::Signal(signal) = stop { signal } else { 0 });
                thread.phase = Phase::Free;
            }
            Phase::Remaking(_) | Phase::InCall | Phase::Interrupted(_) => remake::advance(pid, thread, stop),
        })
    }

    /// What is readable when a traced thread did something.
    pub fn children(&self) -> &ChildSignals {
        &self.children
    }

    fn seize_new_threads(&mut self) -> Result<usize, FreezeError> {
        let mut found = 0;
        for tid in procfs::threads(self.pid) {
            if !self.threads.iter().any(|thread| thread.tid == tid) {
                found += usize::from(self.trace(tid)?);
            }
        }
        Ok(found)
    }

    /// Starts to trace a thread, if it is not traced by us already; false when it is gone.
    fn trace(&mut self, tid: Tid) -> Result<bool, FreezeError> {
        if self.threads.iter().any(|thread| thread.tid == tid) {
            return Ok(true);
        }
        let (sleep, changed) = Sleep::of(self.pid, tid, &self.earlier).unzip();
        let changed = changed.flatten();
        let job_stopped = Status::of_thread(self.pid, tid).is_some_and(|status| status.state == 'T');
        match tracee::seize(tid, libc::PTRACE_O_TRACESYSGOOD) {
            Ok(()) => {
                self.threads.push(Thread {
                    tid,
                    phase: Phase::Stopping,
                    sleep,
                    changed,
                    job_stopped,
                });
                Ok(true)
            }
            Err(error) => self.explain_no_seize(tid, error),
        }
    }

    fn explain_no_seize(&self, tid: Tid, error: Errno) -> Result<bool, FreezeError> {
        let pid = self.pid;
        let Some(status) = Status::of_thread(pid, tid) else {
            return Ok(false);
        };
        match error {
            Errno::ESRCH => Ok(false),
            Errno::EPERM if matches!(status.state, 'Z' | 'X' | 'x') => Ok(false),
            Errno::EPERM if status.tracer != 0 => {
                let tracer = status.tracer;
                Err(FreezeError::TracedAlready {
                    pid,
                    tracer,
                    tracer_name: procfs::name(tracer),
                })
            }
            Errno::EPERM | Errno::EACCES => Err(FreezeError::NotPermitted { pid }),
            error => Err(kernel(pid, "trace", error)),
        }
    }

    fn interrupt_all(&mut self) {
        let stopping: Vec<Tid> = self
            .threads
            .iter()
            .filter(|t| matches!(t.phase, Phase::Stopping))
            .map(|thread| thread.tid)
            .collect();
        for tid in stopping {
            self.interrupt(tid);
        }
    }

    /// A thread that is gone by now shows that when it is waited for.
    fn interrupt(&mut self, tid: Tid) {
        if let Some(thread) = self.threads.iter_mut().find(|thread| thread.tid == tid) {
            thread.phase = Phase::Stopping;
            let _ = tracee::interrupt(tid);
        }
    }

    fn wait_until_stopped(&mut self) -> Result<(), FreezeError> {
        let start = Instant::now();
        while self
            .threads
            .iter()
            .any(|thread| matches!(thread.phase, Phase::Stopping))
        {
            if !self.take_stops(stop_thread) {
                self.children.wait(KERNEL_PATIENCE);
                if start.elapsed() >= KERNEL_PATIENCE {
                    self.accept_threads_in_kernel();
                }
                if start.elapsed() >= STOP_DEADLINE {
                    return Err(self.does_not_stop());
                }
            }
        }
        Ok(())
    }

    /// Gives each stop that is there to `handle`; false when there was none.
    fn take_stops(&mut self, mut handle: impl FnMut(&mut Thread, Stop)) -> bool {
        let mut any = false;
        for thread in self
            .threads
            .iter_mut()
            .filter(|t| !matches!(t.phase, Phase::Stopped(_) | Phase::Free))
        {
            match tracee::next_stop_now(thread.tid) {
                Ok(None) => {}
                Ok(Some(stop)) => {
                    handle(thread, stop);
                    any = true;
                }
                Err(_) => {
                    thread.phase = Phase::Free;
                    any = true;
                }
            }
        }
        any
    }

    fn accept_threads_in_kernel(&mut self) {
        for thread in self
            .threads
            .iter_mut()
            .filter(|thread| matches!(thread.phase, Phase::Stopping))
        {
            if Status::of_thread(self.pid, thread.tid).is_some_and(|status| status.state == 'D') {
                thread.phase = Phase::InKernel;
            }
        }
    }

    fn does_not_stop(&self) -> FreezeError {
        let stuck = self
            .threads
            .iter()
            .find(|thread| matches!(thread.phase, Phase::Stopping));
        let tid = stuck.map_or(self.pid as Tid, |thread| thread.tid);
        let state = Status::of_thread(self.pid, tid).map_or('?', |status| status.state);
        FreezeError::DoesNotStop {
            pid: self.pid,
            tid: tid as u32,
            state,
            seconds: STOP_DEADLINE.as_secs(),
        }
    }

    fn nothing_stopped(&self) -> FreezeError {
        match procfs::require_alive(self.pid) {
            Err(_) => FreezeError::Ended { pid: self.pid },
            Ok(_) => self.does_not_stop(),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Takes a stop of a thread that was told to stop: a signal that came first is delivered, as it would have been.
fn stop_thread(thread: &mut Thread, stop: Stop) {
    match stop {
        Stop::Trap | Stop::Group(_) => match thread.own_registers() {
            Ok(registers) => thread.phase = Phase::Stopped(registers),
            Err(_) => thread.phase = Phase::Free,
        },
        // Each other stop takes back that it was told to stop.
        Stop::Signal(signal) => tell_again(thread.tid, signal),
        Stop::Call | Stop::Event(_) => tell_again(thread.tid, 0),
        Stop::Gone(_) => thread.phase = Phase::Free,
    }
}

fn tell_again(tid: Tid, signal: i32) {
    let _ = tracee::interrupt(tid).and_then(|()| tracee::go_on(tid, signal));
}

pub fn kernel(pid: u32, action: &str, error: Errno) -> FreezeError {
    FreezeError::Kernel {
        pid,
        action: action.into(),
        cause: error.desc().into(),
    }
}

/// Whether a stopped thread runs 32-bit code.
pub fn is_32_bit(hold: &Hold) -> bool {
    hold.stopped().any(|(_, registers)| arch::is_32_bit(&registers))
}
