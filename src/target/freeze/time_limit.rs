//! What is left of a call's time limit when it is made again.
//!
//! The kernel's own restarts keep the moment at which a call is to end. A call that is made again from outside is given
//! the rest of its time instead: milliseconds in the register, a `struct timespec` in the program's memory, or the
//! socket's own limit, the latter two changed only until the kernel has read them.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::socket_limit::SocketLimit;
use super::tracee::{self, Tid};
use super::{asleep, procfs};
use crate::target::arch::{self, Arguments, Registers, TimeLimit};

/// An argument in a register that holds the rest of a time limit instead of what the program put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedArgument {
    pub position: usize,
    pub original: u64,
    pub changed: u64,
}

/// A time limit that holds less than what the program put there.
#[derive(Debug)]
pub enum Shortened {
    Register(ChangedArgument),
    Memory { address: u64, original: [u8; TIMESPEC] },
    Socket(SocketLimit),
}

/// The size of a `struct timespec`: seconds and nanoseconds, eight bytes each.
const TIMESPEC: usize = 16;
/// How long to wait for the thread to read its time limit. It does so first of all, but it may not run at once.
const ENTRY_DEADLINE: Duration = Duration::from_millis(200);
const LOOK_AGAIN: Duration = Duration::from_micros(20);

/// The time limit of a call that has one and would be ended with `EINTR` by a stop.
pub fn of(pid: u32, call: u64, arguments: &Arguments) -> Option<Duration> {
    match arch::time_limit(call) {
        Some(TimeLimit::Milliseconds(position)) => {
            let limit = u64::try_from(arguments[position] as i32).ok()?;
            (limit > 0).then(|| Duration::from_millis(limit))
        }
        Some(TimeLimit::Timespec(position)) => {
            let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
            decode(&read_timespec(&memory, arguments[position])?)
        }
        None => SocketLimit::of(pid, call, arguments[0])?.duration(),
    }
}

/// How much later than its limit says a call may end by itself: the kernel's timers are not exact, and those of sockets
/// count in its ticks.
pub fn lateness(call: u64, limit: Duration) -> Duration {
    match arch::time_limit(call) {
        Some(_) => Duration::from_micros(200) + limit / 200,
        None => Duration::from_millis(30),
    }
}

/// Shortens the time limit of the call that the thread stands at the start of, by what it has `spent` already.
pub fn shorten(pid: u32, tid: Tid, call: u64, spent: Duration) -> Option<Shortened> {
    let registers = tracee::registers(tid).ok()?;
    match arch::time_limit(call) {
        Some(TimeLimit::Milliseconds(position)) => shorten_register(tid, registers, position, spent),
        Some(TimeLimit::Timespec(position)) => shorten_memory(pid, arch::argument(&registers, position), spent),
        None => {
            let limit = SocketLimit::of(pid, call, arch::argument(&registers, 0))?;
            limit.shorten(spent).then_some(Shortened::Socket(limit))
        }
    }
}

fn shorten_register(tid: Tid, mut registers: Registers, position: usize, spent: Duration) -> Option<Shortened> {
    let original = arch::argument(&registers, position);
    let limit = u64::try_from(original as i32).ok().filter(|&limit| limit > 0)?;
    // Rounded up: a call may end late, never early.
    let rest = Duration::from_millis(limit).saturating_sub(spent);
    let changed = rest.as_nanos().div_ceil(1_000_000) as u64;
    arch::set_argument(&mut registers, position, changed);
    tracee::set_registers(tid, &registers).ok()?;
    Some(Shortened::Register(ChangedArgument {
        position,
        original,
        changed,
    }))
}

fn shorten_memory(pid: u32, address: u64, spent: Duration) -> Option<Shortened> {
    let memory = OpenOptions::new()
        .read(true)
        .write(true)
        .open(format!("/proc/{pid}/mem"))
        .ok()?;
    let original = read_timespec(&memory, address)?;
    let changed = encode(decode(&original)?.saturating_sub(spent));
    memory.write_all_at(&changed, address).ok()?;
    Some(Shortened::Memory { address, original })
}

impl Shortened {
    /// To be called when the thread has been let into its call, having `slept` so often before. What the kernel reads at
    /// the start is put back at once; a register can be put back only when the call ends.
    pub fn after_entry(self, pid: u32, tid: Tid, slept: Option<u64>) -> Option<ChangedArgument> {
        match self {
            Shortened::Register(changed) => return Some(changed),
            Shortened::Socket(limit) => {
                wait_until_asleep_again(pid, tid, slept);
                limit.put_back();
            }
            Shortened::Memory { address, original } => {
                wait_until_asleep_again(pid, tid, slept);
                let memory = OpenOptions::new().write(true).open(format!("/proc/{pid}/mem"));
                let _ = memory.and_then(|memory| memory.write_all_at(&original, address));
            }
        }
        None
    }
}

/// Waits until a thread that was let into a call sleeps there: `slept` is how often it had slept before. Without that, one
/// that has been woken and does not run yet, because its processor is late, would look asleep.
pub fn wait_until_asleep_again(pid: u32, tid: Tid, slept: Option<u64>) {
    let has_slept_since =
        || slept.is_none_or(|before| asleep::rest(pid, tid).is_none_or(|rest| rest.switches > before));
    let start = Instant::now();
    while !(has_slept_since() && procfs::is_asleep(pid, tid)) && start.elapsed() < ENTRY_DEADLINE {
        // Not by giving way, which those who run before all others do only to each other.
        std::thread::sleep(LOOK_AGAIN);
    }
}

impl ChangedArgument {
    /// Puts the register back, unless it holds something else by now.
    pub fn put_back(self, registers: &mut Registers) {
        if arch::argument(registers, self.position) == self.changed {
            arch::set_argument(registers, self.position, self.original);
        }
    }
}

fn read_timespec(memory: &File, address: u64) -> Option<[u8; TIMESPEC]> {
    let mut timespec = [0; TIMESPEC];
    let address = Some(address).filter(|&address| address != 0)?;
    memory.read_exact_at(&mut timespec, address).ok()?;
    Some(timespec)
}

fn decode(timespec: &[u8; TIMESPEC]) -> Option<Duration> {
    let (seconds, nanoseconds) = timespec.split_at(8);
    let seconds = u64::from_ne_bytes(seconds.try_into().ok()?);
    let nanoseconds = u64::from_ne_bytes(nanoseconds.try_into().ok()?);
    let valid = seconds <= i64::MAX as u64 && nanoseconds < 1_000_000_000;
    valid.then(|| Duration::new(seconds, nanoseconds as u32))
}

fn encode(time: Duration) -> [u8; TIMESPEC] {
    let mut timespec = [0; TIMESPEC];
    timespec[..8].copy_from_slice(&time.as_secs().to_ne_bytes());
    timespec[8..].copy_from_slice(&u64::from(time.subsec_nanos()).to_ne_bytes());
    timespec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timespec_is_read_as_it_is_written_and_only_if_it_is_one() {
        let time = Duration::new(3, 999_999_999);
        assert_eq!(decode(&encode(time)), Some(time));
        let mut wrong = encode(time);
        wrong[8..].copy_from_slice(&1_000_000_000u64.to_ne_bytes());
        assert_eq!(decode(&wrong), None);
        wrong[..8].copy_from_slice(&(-1i64).to_ne_bytes());
        assert_eq!(decode(&wrong), None);
    }
}
