//! An object that one holder alone keeps alive.

use cpython::memory::ReadMemory;
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::retention::RetainedSizes;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldAlone {
    pub subject: Subject,
    /// The row of the holder, until it is known whether there is no other.
    #[serde(skip)]
    pub holder: u32,
}

impl HeldAlone {
    /// Takes in what the object retains; whether its holder is the only one.
    pub fn is_so(&mut self, retention: &RetainedSizes<'_>) -> bool {
        self.subject.add_retained(retention);
        retention.dominator(self.subject.row) == Some(self.holder)
    }
}

impl<M: ReadMemory> Sight<'_, '_, M> {
    /// An object with `length` items that is perhaps held by `holder` alone.
    pub fn held_alone(&mut self, row: u32, length: u64, holder: u32) -> HeldAlone {
        HeldAlone {
            subject: self.subject(row, length),
            holder,
        }
    }
}
