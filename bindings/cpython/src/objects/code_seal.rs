//! Tells a code object from another one that came to stand at its address.

use crate::layout::{Layout, LineTable};
use crate::memory::{Fault, ReadMemory, half_at, word_at};

/// What of a code object is hardly the same in another one: where the objects stand that it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seal {
    /// Of the type `code`, if it is a code object.
    pub type_address: u64,
    file: u64,
    name: u64,
    table: u64,
    first_line: u32,
}

impl Seal {
    /// The seal of what stands at `address`, code object or not.
    pub fn read<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Result<Seal, Fault> {
        let at = &layout.code;
        let (LineTable::Steps { table } | LineTable::Ranges { table } | LineTable::Locations { table, .. }) = at.lines;
        let bytes = memory.read(address, at.size as usize)?;
        Ok(Seal {
            type_address: word_at(bytes, layout.object.ob_type),
            file: word_at(bytes, at.filename),
            name: word_at(bytes, at.name),
            table: word_at(bytes, table),
            first_line: half_at(bytes, at.first_line),
        })
    }
}
