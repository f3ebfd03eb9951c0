//! Stops the threads of a process, and lets them go again as if they had never been stopped.

use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::asleep::Clocks;
use super::children::ChildSignals;
use super::copy::Copy;
use super::kept::{self, Notice};
use super::procfs::{self, Status};
use super::sleep::Remembered;
use super::step::{Step, Steps};
use super::thread::{Phase, Thread};
use super::tracee::{self, Stop, Tid};
use super::urgency::Urgency;
use super::{FreezeError, remake};
use crate::target::arch::{self, Registers};

/// How long a thread may take to stop that is not waiting in the kernel.
const STOP_DEADLINE: Duration = Duration::from_secs(2);
/// After this time a thread that waits in the kernel without being interruptible counts as stopped: it was told to
/// stop, and runs no code of the program before it does.
const KERNEL_PATIENCE: Duration = Duration::from_millis(5);

/// Whether a thread that waits in the kernel, uninterruptible, counts as stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InKernel {
    WillDo,
    /// It does not when there is no other that could work for us.
    UnlessAnotherStands,
}

/// The threads of one process that we trace. Dropping it lets them go.
#[derive(Debug)]
pub struct Hold {
    pub pid: u32,
    pub(super) threads: Vec<Thread>,
    /// Where any thread can make a system call.
    pub vdso_call: Option<u64>,
    children: ChildSignals,
    /// What the freezes before this one left.
    pub(super) earlier: Vec<Remembered>,
    pub(super) clocks: Clocks,
    /// When the first thread was told to stop.
    since: Instant,
    /// From then on until they are let go.
    urgency: Option<Urgency>,
    /// Where a thread that is kept traced is to stand still.
    pub breakpoints: Vec<u64>,
    /// What kept threads stand still for.
    pub(super) notices: Vec<Notice>,
    /// Copies that have ended and that the program has not reaped yet.
    pub dead_copies: Vec<Copy>,
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
            clocks: Clocks::default(),
            since: Instant::now(),
            urgency: None,
            breakpoints: Vec::new(),
            notices: Vec::new(),
            dead_copies: Vec::new(),
        })
    }

    /// Stops all threads, those included that are born meanwhile.
    pub fn stop_all(&mut self, steps: &Steps) -> Result<(), FreezeError> {
        let mut found = self.seize_new_threads()? + self.recall();
        steps.reached(Step::Seized);
        self.begin_stop();
        while found > 0 {
            self.interrupt_all();
            steps.reached(Step::Interrupted);
            self.wait_until_stopped(InKernel::UnlessAnotherStands)?;
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
        if self.stopped().next().is_some() {
            return Ok(());
        }
        let mut candidates = procfs::threads(self.pid);
        candidates.sort_by_cached_key(|&tid| remake::disturbance(self.pid, tid));
        let mut refusal = None;
        for tid in candidates {
            match self.trace(tid) {
                Ok(true) => {}
                Ok(false) => continue,
                // Somebody else may trace this one, and leave others to us.
                Err(error) => {
                    refusal.get_or_insert(error);
                    continue;
                }
            }
            self.recall_thread(tid);
            self.begin_stop();
            self.interrupt(tid);
            self.wait_until_stopped(InKernel::WillDo)?;
            if self.stopped().next().is_some() {
                return Ok(());
            }
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        self.recall_from_kernel();
        self.wait_until_stopped(InKernel::UnlessAnotherStands)?;
        match self.stopped().next() {
            Some(_) => Ok(()),
            None => Err(self.nothing_stopped()),
        }
    }

    /// Waits again for the threads that could not stop where they wait in the kernel.
    fn recall_from_kernel(&mut self) {
        for thread in self.threads.iter_mut().filter(|t| matches!(t.phase, Phase::InKernel)) {
            thread.phase = Phase::Stopping;
        }
    }

    /// The threads that stand still, with their registers.
    pub fn stopped(&self) -> impl Iterator<Item = (Tid, Registers)> + '_ {
        self.threads.iter().filter_map(|thread| match thread.phase {
            Phase::Stopped(registers) | Phase::Standing(registers) => Some((thread.tid, registers)),
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
        let on_the_way = |thread: &Thread| matches!(thread.phase, Phase::Remaking(_) | Phase::Interrupted(_));
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
            thread.leave(0);
        }
        self.urgency = None;
        self.clocks = Clocks::default();
        self.stopped_for()
    }

    fn begin_stop(&mut self) {
        if self.urgency.is_none() {
            self.urgency = Urgency::begin();
        }
        self.since = Instant::now();
    }

    /// Lets all threads go, and says what the next freeze has to know about those that are left in calls that were made
    /// again. The tracer has to end at once: whatever wakes such a thread until then ends its call with `EINTR`.
    pub fn leave_asleep(&mut self) -> Vec<Remembered> {
        const MOST_WAKES: usize = 20;
        for _ in 0..MOST_WAKES {
            self.let_go();
            let left = self.remember();
            if !self.take_traced_stops() {
                return left;
            }
        }
        self.remember()
    }

    fn remember(&self) -> Vec<Remembered> {
        let left = self
            .threads
            .iter()
            .filter(|thread| matches!(thread.phase, Phase::InCall));
        left.filter_map(|thread| Remembered::new(self.pid, thread)).collect()
    }

    /// Attends to the threads that make their calls again, after the guardian was told that a child did something.
    pub fn attend(&mut self) {
        self.take_traced_stops();
        self.threads.retain(|thread| !matches!(thread.phase, Phase::Free));
    }

    fn take_traced_stops(&mut self) -> bool {
        // It was told to stop when everything stood still, and can only now that this is over.
        self.take_stops_with(|thread, stop| thread.leave(if let Stop::Signal(signal) = stop { signal } else { 0 }))
    }

    /// Takes each stop that is there, those of threads that were told to stop by `told`; false when there was none.
    fn take_stops_with(&mut self, mut told: impl FnMut(&mut Thread, Stop)) -> bool {
        let pid = self.pid;
        self.take_stops(|thread, stop| match (thread.phase, stop) {
            (_, Stop::Gone(_)) => thread.phase = Phase::Free,
            (Phase::Stopped(_) | Phase::Standing(_) | Phase::Free, _) => {}
            (Phase::Running, _) => kept::pass_on(pid, thread, stop),
            (Phase::Stopping | Phase::InKernel, _) => told(thread, stop),
            (Phase::Remaking(_) | Phase::InCall | Phase::Interrupted(_), _) => remake::advance(pid, thread, stop),
        })
    }

    /// What is readable when a traced thread did something.
    pub fn children(&self) -> &ChildSignals {
        &self.children
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
    pub(super) fn interrupt(&mut self, tid: Tid) {
        if let Some(thread) = self.threads.iter_mut().find(|thread| thread.tid == tid) {
            thread.phase = Phase::Stopping;
            let _ = tracee::interrupt(tid);
        }
    }

    pub(super) fn wait_until_stopped(&mut self, in_kernel: InKernel) -> Result<(), FreezeError> {
        let start = Instant::now();
        while self
            .threads
            .iter()
            .any(|thread| matches!(thread.phase, Phase::Stopping))
        {
            let (pid, mut clocks) = (self.pid, std::mem::take(&mut self.clocks));
            let any = self.take_stops_with(|thread, stop| thread.take_stop(pid, stop, &mut clocks));
            self.clocks = clocks;
            if !any {
                self.children.wait(KERNEL_PATIENCE);
                if start.elapsed() >= KERNEL_PATIENCE {
                    self.look_after_late_threads(in_kernel);
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
        while let Ok(Some((tid, stop))) = tracee::any_stop_now() {
            any = true;
            if let Some(thread) = self.threads.iter_mut().find(|thread| thread.tid == tid) {
                match kept::notice(thread, stop, &self.breakpoints) {
                    Some(notice) => {
                        if notice == Notice::Executed {
                            self.vdso_call = procfs::vdso_call(self.pid);
                        }
                        self.notices.push(notice);
                    }
                    None => handle(thread, stop),
                }
            }
        }
        any
    }

    /// Of the threads that have not stopped: those that wait in the kernel count as stopped, and those that are gone
    /// without a word (the program has been replaced by another) as gone.
    fn look_after_late_threads(&mut self, in_kernel: InKernel) {
        let will_do = in_kernel == InKernel::WillDo || self.stopped().next().is_some();
        for thread in self
            .threads
            .iter_mut()
            .filter(|thread| matches!(thread.phase, Phase::Stopping))
        {
            match Status::of_thread(self.pid, thread.tid).map(|status| status.state) {
                None => thread.phase = Phase::Free,
                Some('D') if will_do => thread.phase = Phase::InKernel,
                Some(_) => {}
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
