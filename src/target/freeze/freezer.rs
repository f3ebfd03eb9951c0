//! Whoever can make a process's memory stand still.

use super::guardian::{self, Frozen, Guardian, Released};
use super::{FreezeError, FreezeMode};

/// Freezes one process at a time.
pub trait Freezer {
    /// Freezes the memory of process `pid`, in a way that `mode` permits.
    fn freeze(&mut self, pid: u32, mode: FreezeMode) -> Result<Frozen, FreezeError>;

    /// Undoes a freeze.
    fn release(&mut self, frozen: Frozen) -> Result<Released, FreezeError>;
}

impl Freezer for Guardian {
    fn freeze(&mut self, pid: u32, mode: FreezeMode) -> Result<Frozen, FreezeError> {
        Guardian::freeze(self, pid, mode)
    }

    fn release(&mut self, frozen: Frozen) -> Result<Released, FreezeError> {
        Guardian::release(self, frozen)
    }
}

/// Leaves every process alone: for [`FreezeMode::None`].
#[derive(Debug, Default)]
pub struct Unfrozen;

impl Freezer for Unfrozen {
    fn freeze(&mut self, pid: u32, _mode: FreezeMode) -> Result<Frozen, FreezeError> {
        guardian::frozen_by_nothing(pid)
    }

    fn release(&mut self, _frozen: Frozen) -> Result<Released, FreezeError> {
        Ok(Released {
            pause: std::time::Duration::ZERO,
        })
    }
}
