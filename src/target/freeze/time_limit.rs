//! What is left of a call's time limit when it is made again.
//!
//! The kernel's own restarts keep the moment at which a call is to end. A call that is made again from outside is given
//! the rest of its time instead: milliseconds in the register, a `struct timespec` in the program's memory, where it
//! stands changed only until the kernel has read it.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use super::procfs;
use super::tracee::{self, Tid};
use crate::target::arch::{self, Arguments, Registers, TimeLimit};

/// A register or a piece of memory that holds the rest of a time limit instead of what the program put there.
#[derive(Debug, Clone, Copy)]
pub enum ChangedArgument {
    Register {
        position: usize,
        original: u64,
        changed: u64,
    },
    Memory {
        address: u64,
        original: [u8; TIMESPEC],
    },
}

/// The size of a `struct timespec`: seconds and nanoseconds, eight bytes each.
const TIMESPEC: usize = 16;
/// How long to wait for the thread to read its time limit; it does so first of all.
const ENTRY_DEADLINE: Duration = Duration::from_millis(5);

/// Whether a call that ends with `EINTR` could have a time limit.
pub fn may_apply(call: u64, arguments: &Arguments) -> bool {
    match arch::time_limit(call) {
        Some(TimeLimit::Milliseconds(position)) => arguments[position] as i32 > 0,
        Some(TimeLimit::Timespec(position)) => arguments[position] != 0,
        None => false,
    }
}

/// Shortens the time limit of the call that the thread stands at the start of, by what it has `spent` already.
pub fn shorten(pid: u32, tid: Tid, call: u64, spent: Duration) -> Option<ChangedArgument> {
    let limit = arch::time_limit(call).filter(|_| !spent.is_zero())?;
    let registers = tracee::registers(tid).ok()?;
    match limit {
        TimeLimit::Milliseconds(position) => shorten_register(tid, registers, position, spent),
        TimeLimit::Timespec(position) => shorten_memory(pid, arch::argument(&registers, position), spent),
    }
}

fn shorten_register(tid: Tid, mut registers: Registers, position: usize, spent: Duration) -> Option<ChangedArgument> {
    let original = arch::argument(&registers, position);
    let limit = u64::try_from(original as i32).ok().filter(|&limit| limit > 0)?;
    // Rounded up: a call may end late, never early.
    let rest = Duration::from_millis(limit).saturating_sub(spent);
    let changed = rest.as_nanos().div_ceil(1_000_000) as u64;
    arch::set_argument(&mut registers, position, changed);
    tracee::set_registers(tid, &registers).ok()?;
    Some(ChangedArgument::Register {
        position,
        original,
        changed,
    })
}

fn shorten_memory(pid: u32, address: u64, spent: Duration) -> Option<ChangedArgument> {
    let memory = OpenOptions::new()
        .read(true)
        .write(true)
        .open(format!("/proc/{pid}/mem"))
        .ok()?;
    let mut original = [0; TIMESPEC];
    memory
        .read_exact_at(&mut original, Some(address).filter(|&address| address != 0)?)
        .ok()?;
    let changed = encode(decode(&original)?.saturating_sub(spent));
    memory.write_all_at(&changed, address).ok()?;
    Some(ChangedArgument::Memory { address, original })
}

impl ChangedArgument {
    /// To be called when the thread has been let into its call. Memory is put back as soon as the kernel has read it;
    /// a register can be put back only when the call ends.
    pub fn after_entry(self, pid: u32, tid: Tid) -> Option<ChangedArgument> {
        let ChangedArgument::Memory { address, original } = self else {
            return Some(self);
        };
        let start = Instant::now();
        while !procfs::is_asleep(pid, tid) && start.elapsed() < ENTRY_DEADLINE {
            std::thread::yield_now();
        }
        let memory = OpenOptions::new().write(true).open(format!("/proc/{pid}/mem"));
        let _ = memory.and_then(|memory| memory.write_all_at(&original, address));
        None
    }

    /// Puts a changed register back, unless it holds something else by now.
    pub fn put_back(self, registers: &mut Registers) {
        if let ChangedArgument::Register {
            position,
            original,
            changed,
        } = self
            && arch::argument(registers, position) == changed
        {
            arch::set_argument(registers, position, original);
        }
    }
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
