//! Makes a frozen copy of a stopped program with the kernel's own `clone`, and reaps it later.
//!
//! The copy shares all pages until somebody writes to them. It has no signal that tells its parent of its end, is born
//! stopped, and never runs. What it would run stands in a page of its own, in which one can only leave.

use std::fs;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use super::hold::Hold;
use super::inject::Injection;
use super::procfs;
use super::remake;
use super::seccomp::{self, PlannedCall};
use super::step::{Step, Steps};
use super::tracee::{self, Stop, Tid};
use crate::target::arch::{self, Arguments, Registers};

/// A copy that stands still, and dies with the tracer; or a dead one that the program has not reaped yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The program's process id.
    pub program: u32,
    /// Its id in our pid namespace.
    pub pid: Tid,
    /// Its id in the program's pid namespace, by which the program can reap it.
    own_pid: i64,
}

/// Why there is no copy. Everything is as it was before.
#[derive(Debug)]
pub enum NoCopy {
    /// It cannot or must not be made; the program can still be stopped.
    Refused(String),
    /// The program is gone, or it does not obey.
    Failed(Errno),
}

impl From<Errno> for NoCopy {
    fn from(error: Errno) -> Self {
        NoCopy::Failed(error)
    }
}

const PAGE: u64 = 4096;
/// The flags of the copy's `clone`: it shares the table of open files, so that what the program closes is closed; its
/// exit signal is 0. Nothing else is shared.
const CLONE_FLAGS: u64 = libc::CLONE_FILES as u64;
/// Reaps children of any kind, those without an exit signal too, and waits for none.
const REAP: u64 = (libc::__WALL | libc::WNOHANG) as u64;

/// A page of code, private to the program and of no file (descriptor -1).
const MAP_ARGUMENTS: Arguments = [
    0,
    PAGE,
    (libc::PROT_READ | libc::PROT_EXEC) as u64,
    (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64,
    u64::MAX,
    0,
];

/// Makes a copy of the stopped program.
pub fn make(hold: &mut Hold, steps: &Steps) -> Result<Copy, NoCopy> {
    let (tid, registers) = most_suitable_thread(hold)?;
    let instruction = call_instruction(hold, tid, &registers)?;
    seccomp::allows(hold.pid, tid, &planned_calls(instruction, instruction & !(PAGE - 1))).map_err(NoCopy::Refused)?;
    let mut worker = Injection::begin(tid, registers)?;
    let page = map_page(&mut worker, instruction)?;
    steps.reached(Step::PageMapped);
    let copy = seccomp::allows(hold.pid, tid, &planned_calls(instruction, page))
        .map_err(NoCopy::Refused)
        .and_then(|()| Ok(write_code(tid, &worker, page)?))
        .and_then(|()| {
            steps.reached(Step::CodeWritten);
            clone_from(hold.pid, &mut worker, tid, page)
        })
        .inspect(|_| steps.reached(Step::Copied));
    let copy = copy.and_then(|copy| hold_fast(hold, copy).inspect(|_| steps.reached(Step::CopyHeld)));
    let unmapped = worker.call(instruction, libc::SYS_munmap, [page, PAGE, 0, 0, 0, 0]);
    steps.reached(Step::PageUnmapped);
    let restored = worker.end();
    steps.reached(Step::Restored);
    match (copy, unmapped.and(restored)) {
        (Ok(copy), Ok(())) => Ok(copy),
        (Ok(copy), Err(error)) => {
            hold.bury(copy);
            Err(NoCopy::Failed(error))
        }
        (Err(error), _) => Err(error),
    }
}

/// Has a stopped thread of the program take a dead copy's entry from the table of processes.
pub fn reap(hold: &Hold, copy: &Copy, steps: &Steps) -> Result<(), NoCopy> {
    const NO_CHILD: i64 = -(libc::ECHILD as i64);
    let (tid, registers) = most_suitable_thread(hold)?;
    let instruction = call_instruction(hold, tid, &registers)?;
    let call = PlannedCall {
        number: libc::SYS_wait4,
        arguments: reap_arguments(copy.own_pid),
        instruction,
    };
    seccomp::allows(hold.pid, tid, &[call]).map_err(NoCopy::Refused)?;
    let mut worker = Injection::begin(tid, registers)?;
    let outcome = worker.call(instruction, call.number, call.arguments);
    steps.reached(Step::Reaped);
    let restored = worker.end();
    steps.reached(Step::RestoredAgain);
    let outcome = outcome?;
    restored?;
    match outcome.result {
        reaped if reaped == copy.own_pid => Ok(()),
        NO_CHILD => Ok(()),
        0 => Err(NoCopy::Failed(Errno::EAGAIN)),
        other => Err(NoCopy::Refused(kernel_says(other))),
    }
}

impl Copy {
    /// Ends the copy; afterwards it is a zombie that only the program itself can reap.
    pub fn kill(&self) {
        // One that died before may have been reaped, and its id be another process's by now.
        let is_ours = tracee::set_options(self.pid, libc::PTRACE_O_EXITKILL).is_ok();
        if is_ours {
            // SAFETY: sends a signal to a process that we trace, whose id therefore belongs to nobody else.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
        }
        while !matches!(tracee::next_stop(self.pid), Ok(Stop::Gone(_)) | Err(_)) {}
    }

    /// Whether a copy that was killed has still to be reaped. It may not have come to its end yet.
    pub fn is_unreaped(&self) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", self.pid)).is_ok_and(|stat| is_silent_child_of(self.program, &stat))
    }
}

/// Whether `/proc/PID/stat` shows a child of `parent` without an exit signal (the 38th field, the 36th behind the name).
/// The program's own children have one, as all that are made by `fork`.
fn is_silent_child_of(parent: u32, stat: &str) -> bool {
    let Some((_, behind_name)) = stat.rsplit_once(')') else {
        return false;
    };
    let fields: Vec<&str> = behind_name.split_ascii_whitespace().collect();
    let is = |position: usize, wanted: &str| fields.get(position).is_some_and(|field| *field == wanted);
    is(1, &parent.to_string()) && is(35, "0")
}

/// A thread in a call that the kernel restarts by itself, if there is one; else one in any call; else any.
fn most_suitable_thread(hold: &Hold) -> Result<(Tid, Registers), NoCopy> {
    let unsuitable = |registers: &Registers| {
        let restarted = matches!(arch::result(registers), -516..=-512);
        (arch::system_call(registers).is_none(), !restarted)
    };
    hold.stopped()
        .min_by_key(|(_, registers)| unsuitable(registers))
        .ok_or(NoCopy::Failed(Errno::ESRCH))
}

/// The address of an instruction that makes a system call: the one that the thread stands behind, or the vDSO's.
fn call_instruction(hold: &Hold, tid: Tid, registers: &Registers) -> Result<u64, NoCopy> {
    if remake::stands_behind_a_call(tid, registers) {
        return Ok(arch::instruction_pointer(registers) - arch::SYSCALL_INSTRUCTION.len() as u64);
    }
    let is_one = |&call: &u64| remake::makes_a_call(tid, call);
    // It is another one if the process has become another program.
    let vdso_call = hold
        .vdso_call
        .filter(is_one)
        .or_else(|| procfs::vdso_call(hold.pid).filter(is_one));
    vdso_call.ok_or_else(|| NoCopy::Refused("no place for a system call was found in its code".into()))
}

/// What the stopped thread will be made to call, now and when the copy is reaped. Before the page is there it stands for
/// a likely address, and the copy's pid for a likely number: neither is what filters look at.
fn planned_calls(instruction: u64, page: u64) -> [PlannedCall; 4] {
    let call = |number, arguments| PlannedCall {
        number,
        arguments,
        instruction,
    };
    [
        call(libc::SYS_mmap, MAP_ARGUMENTS),
        PlannedCall {
            instruction: page,
            ..call(libc::SYS_clone, clone_arguments(page))
        },
        call(libc::SYS_munmap, [page, PAGE, 0, 0, 0, 0]),
        call(libc::SYS_wait4, reap_arguments(2)),
    ]
}

fn clone_arguments(page: u64) -> Arguments {
    [CLONE_FLAGS, page + PAGE, 0, 0, 0, 0]
}

fn reap_arguments(copy: i64) -> Arguments {
    [copy as u64, 0, REAP, 0, 0, 0]
}

fn map_page(worker: &mut Injection, instruction: u64) -> Result<u64, NoCopy> {
    let protection = (libc::PROT_READ | libc::PROT_EXEC) as u64;
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
    let nowhere = u64::MAX; // no file: descriptor -1
    let page = worker
        .call(instruction, libc::SYS_mmap, [0, PAGE, protection, flags, nowhere, 0])?
        .result;
    match u64::try_from(page) {
        Ok(page) => Ok(page),
        Err(_) => Err(NoCopy::Refused(format!(
            "a page for the copy could not be mapped: {}",
            kernel_says(page)
        ))),
    }
}

fn write_code(tid: Tid, worker: &Injection, page: u64) -> Result<(), Errno> {
    let words = arch::copy_page(worker.registers(), worker.signal_mask());
    (page..)
        .step_by(8)
        .zip(words)
        .try_for_each(|(address, word)| tracee::write_word(tid, address, word))
}

fn clone_from(program: u32, worker: &mut Injection, tid: Tid, page: u64) -> Result<Copy, NoCopy> {
    tracee::set_options(tid, libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACECLONE)?;
    let outcome = worker.call(page, libc::SYS_clone, clone_arguments(page));
    tracee::set_options(tid, libc::PTRACE_O_TRACESYSGOOD)?;
    match outcome? {
        super::inject::Outcome {
            result: own_pid,
            born: Some(pid),
        } if own_pid > 0 => Ok(Copy { program, pid, own_pid }),
        outcome => Err(NoCopy::Refused(format!(
            "the kernel refused the copy: {}",
            kernel_says(outcome.result)
        ))),
    }
}

/// From here on the copy dies with its tracer.
fn hold_fast(hold: &mut Hold, copy: Copy) -> Result<Copy, NoCopy> {
    let held = tracee::next_stop(copy.pid).and_then(|stop| match stop {
        Stop::Gone(_) => Err(Errno::ESRCH),
        _ => tracee::set_options(copy.pid, libc::PTRACE_O_EXITKILL),
    });
    match held {
        Ok(()) => Ok(copy),
        Err(error) => {
            hold.bury(copy);
            Err(NoCopy::Failed(error))
        }
    }
}

fn kernel_says(result: i64) -> String {
    match i32::try_from(-result) {
        Ok(number) if result < 0 => Errno::from_raw(number).to_string(),
        _ => format!("it returned {result}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_copy_is_told_from_the_programs_own_children() {
        let stat = |parent: u32, signal: i32| format!("7 (a) b) Z {parent} {} {signal} 0 0\n", ["0"; 33].join(" "));
        assert!(is_silent_child_of(4, &stat(4, 0)));
        assert!(!is_silent_child_of(4, &stat(4, 17)), "made by fork");
        assert!(!is_silent_child_of(4, &stat(5, 0)), "somebody else's");
        assert!(!is_silent_child_of(4, "7 (a"));
    }
}
