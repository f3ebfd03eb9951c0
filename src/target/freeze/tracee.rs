//! One traced thread: the ptrace requests that freezing needs, each with its types. See `ptrace(2)`.

use std::ptr;

use nix::errno::Errno;

use crate::target::arch::{self, Registers};

/// A thread's id in our pid namespace. Linux gives threads and processes the same kind of number.
pub type Tid = i32;

/// What a thread that we trace was last seen to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It was interrupted, or it was just born (`PTRACE_EVENT_STOP`).
    Trap,
    /// The whole process is stopped by a signal such as `SIGSTOP` (`PTRACE_EVENT_STOP` with that signal).
    Group(i32),
    /// It is about to get this signal; what it is continued with is what it gets.
    Signal(i32),
    /// It stands at the start or at the end of a system call.
    Call,
    /// Another `PTRACE_EVENT_*`.
    Event(i32),
    /// It is gone, with this wait status.
    Gone(i32),
}

/// `PTRACE_EVENT_STOP`, which `libc` has only for some targets.
const EVENT_STOP: i32 = 128;
/// How a stop at a system call shows under `PTRACE_O_TRACESYSGOOD`.
const CALL_STOP: i32 = libc::SIGTRAP | 0x80;
const NT_PRSTATUS: usize = 1;

fn request(request: libc::c_uint, tid: Tid, address: usize, data: usize) -> Result<libc::c_long, Errno> {
    // SAFETY: callers pass addresses that live through the call and have the size that the request writes or reads.
    Errno::result(unsafe { libc::ptrace(request as _, tid, address, data) })
}

/// Starts to trace a thread without stopping it. `options` are `PTRACE_O_*`.
pub fn seize(tid: Tid, options: i32) -> Result<(), Errno> {
    request(libc::PTRACE_SEIZE as _, tid, 0, options as usize).map(drop)
}

/// Asks a running thread to stop as soon as it would come back to its own code.
pub fn interrupt(tid: Tid) -> Result<(), Errno> {
    request(libc::PTRACE_INTERRUPT as _, tid, 0, 0).map(drop)
}

/// Lets a stopped thread go on; `signal` is what it gets if it stands at a signal.
pub fn go_on(tid: Tid, signal: i32) -> Result<(), Errno> {
    request(libc::PTRACE_CONT as _, tid, 0, signal as usize).map(drop)
}

/// Lets a stopped thread go on to the next start or end of a system call.
pub fn go_on_to_call(tid: Tid, signal: i32) -> Result<(), Errno> {
    request(libc::PTRACE_SYSCALL as _, tid, 0, signal as usize).map(drop)
}

/// Ends the tracing of a stopped thread and lets it go on.
pub fn detach(tid: Tid, signal: i32) -> Result<(), Errno> {
    request(libc::PTRACE_DETACH as _, tid, 0, signal as usize).map(drop)
}

/// Leaves a thread stopped that stands still with its whole process; it is reported again when that changes.
pub fn listen(tid: Tid) -> Result<(), Errno> {
    request(libc::PTRACE_LISTEN as _, tid, 0, 0).map(drop)
}

/// Where the signal comes from that a thread stands at: `si_code` of `siginfo_t`.
pub fn signal_code(tid: Tid) -> Result<i32, Errno> {
    // SAFETY: it consists of plain numbers, for which all zeros is a value.
    let mut signal: libc::siginfo_t = unsafe { std::mem::zeroed() };
    request(libc::PTRACE_GETSIGINFO as _, tid, 0, &raw mut signal as usize)?;
    Ok(signal.si_code)
}

pub fn set_options(tid: Tid, options: i32) -> Result<(), Errno> {
    request(libc::PTRACE_SETOPTIONS as _, tid, 0, options as usize).map(drop)
}

/// What came with a `PTRACE_EVENT_*`: for a birth, the new thread's id in our pid namespace.
pub fn event_message(tid: Tid) -> Result<u64, Errno> {
    let mut message: libc::c_ulong = 0;
    request(libc::PTRACE_GETEVENTMSG as _, tid, 0, &raw mut message as usize)?;
    Ok(message)
}

/// A stopped thread's registers. Of one that runs 32-bit code, only that it does.
pub fn registers(tid: Tid) -> Result<Registers, Errno> {
    let mut registers = arch::no_registers();
    let mut part = libc::iovec {
        iov_base: (&raw mut registers).cast(),
        iov_len: size_of::<Registers>(),
    };
    request(libc::PTRACE_GETREGSET as _, tid, NT_PRSTATUS, &raw mut part as usize)?;
    // The kernel gives the registers in the form that the thread's own code knows.
    if part.iov_len == size_of::<Registers>() {
        Ok(registers)
    } else {
        Ok(arch::registers_of_32_bit_code())
    }
}

pub fn set_registers(tid: Tid, registers: &Registers) -> Result<(), Errno> {
    let mut part = libc::iovec {
        iov_base: ptr::from_ref(registers).cast_mut().cast(),
        iov_len: size_of::<Registers>(),
    };
    request(libc::PTRACE_SETREGSET as _, tid, NT_PRSTATUS, &raw mut part as usize).map(drop)
}

/// The signals that a stopped thread blocks, one bit each; for a thread in a call that blocks others meanwhile, those
/// that it will block afterwards.
pub fn signal_mask(tid: Tid) -> Result<u64, Errno> {
    let mut mask: u64 = 0;
    request(
        libc::PTRACE_GETSIGMASK as _,
        tid,
        size_of::<u64>(),
        &raw mut mask as usize,
    )?;
    Ok(mask)
}

pub fn set_signal_mask(tid: Tid, mask: u64) -> Result<(), Errno> {
    request(
        libc::PTRACE_SETSIGMASK as _,
        tid,
        size_of::<u64>(),
        &raw const mask as usize,
    )
    .map(drop)
}

/// Writes a word into a stopped thread's memory, whatever its protection; a page that was shared becomes private.
pub fn write_word(tid: Tid, address: u64, word: u64) -> Result<(), Errno> {
    request(libc::PTRACE_POKEDATA as _, tid, address as usize, word as usize).map(drop)
}

pub fn read_word(tid: Tid, address: u64) -> Result<u64, Errno> {
    Errno::clear();
    // SAFETY: the request reads the other thread's memory, and touches none of ours.
    let word = unsafe { libc::ptrace(libc::PTRACE_PEEKDATA, tid, address as usize, 0) };
    match Errno::last() {
        Errno::UnknownErrno => Ok(word as u64),
        error if word == -1 => Err(error),
        _ => Ok(word as u64),
    }
}

/// The next stop of any thread that we trace (or the end of one), without waiting for one.
pub fn any_stop_now() -> Result<Option<(Tid, Stop)>, Errno> {
    wait(-1, libc::WNOHANG)
}

/// The next stop of a thread that is known to stop soon.
pub fn next_stop(tid: Tid) -> Result<Stop, Errno> {
    loop {
        match wait(tid, 0) {
            Ok(Some((_, stop))) => return Ok(stop),
            Ok(None) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

fn wait(tid: Tid, flags: i32) -> Result<Option<(Tid, Stop)>, Errno> {
    let mut status = 0;
    // SAFETY: the status lives through the call.
    let seen = Errno::result(unsafe { libc::waitpid(tid, &raw mut status, flags | libc::__WALL) })?;
    Ok((seen != 0).then(|| (seen, decode(status))))
}

fn decode(status: i32) -> Stop {
    if !libc::WIFSTOPPED(status) {
        return Stop::Gone(status);
    }
    let signal = libc::WSTOPSIG(status);
    match status >> 16 {
        0 if signal == CALL_STOP => Stop::Call,
        0 => Stop::Signal(signal),
        EVENT_STOP if signal == libc::SIGTRAP => Stop::Trap,
        EVENT_STOP => Stop::Group(signal),
        event => Stop::Event(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_stops_apart() {
        let stopped = |signal: i32, event: i32| event << 16 | signal << 8 | 0x7f;
        assert_eq!(decode(stopped(libc::SIGTRAP, 128)), Stop::Trap);
        assert_eq!(decode(stopped(libc::SIGTSTP, 128)), Stop::Group(libc::SIGTSTP));
        assert_eq!(decode(stopped(libc::SIGTRAP | 0x80, 0)), Stop::Call);
        assert_eq!(decode(stopped(34, 0)), Stop::Signal(34));
        assert_eq!(
            decode(stopped(libc::SIGTRAP, libc::PTRACE_EVENT_CLONE)),
            Stop::Event(libc::PTRACE_EVENT_CLONE)
        );
        assert_eq!(decode(9), Stop::Gone(9));
    }
}
