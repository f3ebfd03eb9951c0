//! Makes a system call again that ended with `EINTR` only because its thread was stopped.
//!
//! Most calls are restarted by the kernel when no handler runs. Some are not (`signal(7)`): `epoll_wait`,
//! `rt_sigtimedwait`, `semtimedop`, calls on sockets with a time limit … Their thread is set back to the call's
//! instruction, and watched until it is in the call: a signal that comes first means that the call would have ended with
//! `EINTR` anyway, so it does. The thread stays traced while it sleeps there, because to end the tracing of a stopped
//! thread marks it as having a signal, and the call would end again; the end of the tracer leaves a sleeper asleep.

use super::asleep;
use super::procfs::{self, Status};
use super::thread::{Phase, Thread};
use super::time_limit;
use super::tracee::{self, Stop, Tid};
use crate::target::arch::{self, Registers};

/// How much a thread is disturbed by a stop: 0 where the kernel restarts its call by itself, more where it does not.
pub fn disturbance(pid: u32, tid: Tid) -> u8 {
    const PURE_WAITS: [i64; 7] = [
        libc::SYS_futex,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_ppoll,
        libc::SYS_pselect6,
        libc::SYS_wait4,
        libc::SYS_waitid,
    ];
    match procfs::sleeping_call(pid, tid) {
        Some((call, _)) if PURE_WAITS.contains(&(call as i64)) => 0,
        None => 1,
        Some((call, _)) if arch::time_limit(call).is_none() && !may_be_cut_short(call) => 2,
        Some((call, _)) if !may_be_cut_short(call) => 3,
        Some(_) => 4,
    }
}

/// Calls that move as many bytes as they can, and end with fewer when they are interrupted.
fn may_be_cut_short(call: u64) -> bool {
    const WRITES: [i64; 9] = [
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_pwrite64,
        libc::SYS_pwritev,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_sendmmsg,
        libc::SYS_sendfile,
        libc::SYS_splice,
    ];
    WRITES.contains(&(call as i64))
}

/// Whether a thread that was just stopped has to make its call again.
pub fn is_due(tid: Tid, registers: &Registers) -> bool {
    /// These have done their work when they say `EINTR`, or say it in earnest.
    const NEVER_AGAIN: [i64; 3] = [libc::SYS_close, libc::SYS_close_range, libc::SYS_restart_syscall];
    arch::CALLS_CAN_BE_MADE_AGAIN
        && arch::result(registers) == -i64::from(libc::EINTR)
        && arch::system_call(registers).is_some_and(|call| !NEVER_AGAIN.contains(&(call as i64)))
        && stands_behind_a_call(tid, registers)
}

/// Whether the instruction before the one that the thread stands at makes a system call (and not a 32-bit one).
pub fn stands_behind_a_call(tid: Tid, registers: &Registers) -> bool {
    let length = arch::SYSCALL_INSTRUCTION.len();
    makes_a_call(tid, arch::instruction_pointer(registers).wrapping_sub(length as u64))
}

/// Whether the instruction at an address of a stopped thread's memory makes a system call.
pub fn makes_a_call(tid: Tid, address: u64) -> bool {
    tracee::read_word(tid, address).is_ok_and(|word| word.to_le_bytes().starts_with(&arch::SYSCALL_INSTRUCTION))
}

/// Sets the thread back to its call and lets it go there.
pub fn begin(tid: Tid, registers: &Registers, signal: i32) -> Phase {
    let sent =
        tracee::set_registers(tid, &arch::calling_again(registers)).and_then(|()| tracee::go_on_to_call(tid, signal));
    match sent {
        Ok(()) => Phase::Remaking(*registers),
        Err(_) => Phase::Free,
    }
}

/// Takes a stop of a thread that makes its call again.
pub fn advance(pid: u32, thread: &mut Thread, stop: Stop) {
    let tid = thread.tid;
    if thread.kept {
        thread.job_stopped = matches!(stop, Stop::Group(_));
    }
    let harmless = |signal| Status::of_thread(pid, tid).is_some_and(|status| status.does_nothing(signal));
    thread.phase = match (thread.phase, stop) {
        (_, Stop::Gone(_)) => Phase::Free,
        (Phase::Remaking(before), Stop::Call) => enter(pid, thread, &before),
        (Phase::Remaking(_), Stop::Trap | Stop::Event(_)) => go_on(tid, thread.phase),
        (Phase::Remaking(_), Stop::Signal(signal)) if harmless(signal) => {
            // It would not even have woken a thread that is not traced.
            let _ = tracee::go_on_to_call(tid, signal);
            thread.phase
        }
        (Phase::Remaking(before), Stop::Signal(signal)) => interrupted_in_earnest(thread, &before, signal),
        (Phase::Remaking(before), Stop::Group(_)) => interrupted_in_earnest(thread, &before, 0),
        (Phase::InCall, Stop::Call | Stop::Trap) => leave(pid, thread),
        (Phase::Interrupted(after), Stop::Signal(signal)) if harmless(signal) => begin(tid, &after, signal),
        (Phase::Interrupted(after), Stop::Trap) => begin(tid, &after, 0),
        // The start of the program's next call: the end of that one is where it can be let go.
        (Phase::Interrupted(_), Stop::Call) => go_on(tid, Phase::InCall),
        (_, Stop::Signal(signal)) => let_go(thread, signal),
        (_, _) => let_go(thread, 0),
    };
}

/// The thread stands at the start of its call: gives it what is left of its time, and lets it in.
fn enter(pid: u32, thread: &mut Thread, before: &Registers) -> Phase {
    let tid = thread.tid;
    let shortened = arch::system_call(before).and_then(|call| {
        let spent = thread.sleep?.spent(before)?;
        time_limit::shorten(pid, tid, call, spent)
    });
    thread.slept = asleep::rest(pid, tid).map(|rest| rest.switches);
    let phase = go_on(tid, Phase::InCall);
    thread.changed = shortened.and_then(|shortened| shortened.after_entry(pid, tid, thread.slept));
    phase
}

/// The call has ended.
fn leave(pid: u32, thread: &mut Thread) -> Phase {
    let awaits_signal = |tid| Status::of_thread(pid, tid).is_some_and(|status| status.awaits_signal());
    match thread.own_registers() {
        // What interrupted it comes next.
        Ok(registers) if is_due(thread.tid, &registers) && awaits_signal(thread.tid) => {
            go_on(thread.tid, Phase::Interrupted(registers))
        }
        // A signal that does nothing, which any other thread may take before this one.
        Ok(registers) if is_due(thread.tid, &registers) => begin(thread.tid, &registers, 0),
        Ok(_) => let_go(thread, 0),
        Err(_) => Phase::Free,
    }
}

fn interrupted_in_earnest(thread: &mut Thread, before: &Registers, signal: i32) -> Phase {
    let _ = tracee::set_registers(thread.tid, before);
    let_go(thread, signal)
}

fn go_on(tid: Tid, phase: Phase) -> Phase {
    tracee::go_on_to_call(tid, 0).map_or(Phase::Free, |()| phase)
}

fn let_go(thread: &mut Thread, signal: i32) -> Phase {
    thread.leave(signal);
    thread.phase
}
