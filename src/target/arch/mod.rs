//! Everything that depends on the processor: registers, how a system call is made, the code put into a stopped program.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::*;

/// Where a system call that can end early with `EINTR` is given the longest time that it may take.
///
/// The number is that of the argument, from 0. These calls count the time from their start and leave it unchanged, so
/// one that is made again has to be given what was left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLimit {
    /// Milliseconds in the argument itself; negative means without end.
    Milliseconds(usize),
    /// A pointer to a `struct timespec`; null means without end.
    Timespec(usize),
}

/// The order in which a system call's arguments stand.
pub type Arguments = [u64; 6];
