//! An object that a pattern was met on, as a finding shows it.

use std::rc::Rc;

use cpython::memory::ReadMemory;
use serde::{Deserialize, Serialize};

use super::Sight;
use crate::heap::objects::HEAP;
use crate::heap::paths::Paths;
use crate::heap::retention::RetainedSizes;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its row in the survey; without a meaning afterwards.
    #[serde(skip)]
    pub row: u32,
    pub address: u64,
    /// `module.qualname` of its type.
    pub type_name: Rc<str>,
    /// Its items.
    pub length: u64,
    /// Its own bytes and those of all objects first reached through it.
    pub kept_bytes: u64,
    /// The part of these that is reached through it alone.
    pub retained_bytes: u64,
    /// Who holds it, in Python terms.
    pub path: String,
    /// Whether a module holds it that came with the interpreter or was installed: nothing that the program's authors wrote.
    pub in_library: bool,
}

impl Subject {
    pub fn add_retained(&mut self, retention: &RetainedSizes<'_>) {
        self.retained_bytes = retention.bytes(self.row);
    }
}

impl<M: ReadMemory> Sight<'_, '_, M> {
    /// The object of a row that is no leaf, which has `length` items.
    pub fn subject(&mut self, row: u32, length: u64) -> Subject {
        let root = self.root_of(row);
        Subject {
            row,
            address: self.found.address_of(row),
            type_name: Rc::clone(&self.found.types.get(self.found.objects.type_of(row)).name),
            length,
            kept_bytes: self.owned.kept(row),
            retained_bytes: 0,
            path: self.path(row),
            in_library: self.libraries().contains(root),
        }
    }

    pub fn path(&mut self, row: u32) -> String {
        let mut paths = Paths {
            layout: self.layout,
            found: &mut *self.found,
            owned: self.owned,
        };
        paths.path(self.memory, row)
    }

    /// The module, thread or other root that a row hangs on.
    pub fn root_of(&self, row: u32) -> u32 {
        let mut root = row;
        // The holder of a row was reached before it, so that the way up ends.
        while self.owned.owner(root).parent != HEAP {
            root = self.owned.owner(root).parent;
        }
        root
    }
}
