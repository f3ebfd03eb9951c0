//! The youngest objects that the collector tracks. They are appended to a ring, so that those that were made last stand
//! before its head.

use crate::layout::{GcPlace, Layout};
use crate::memory::{ReadMemory, Unreadable, word_at};

/// So many bytes of a list's head say where it ends.
pub const HEAD: usize = 16;

/// An object's `PyGC_Head` and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The neighbours in the ring: nodes, or its head.
    pub older: u64,
    pub newer: u64,
    pub type_address: u64,
}

/// The address of the head of the youngest objects' list, of the collector that collects for this interpreter.
pub fn head(layout: &Layout, runtime: u64, interpreter: u64) -> u64 {
    let collector = match layout.gc.place {
        GcPlace::Runtime(offset) => runtime.wrapping_add(offset),
        GcPlace::Interpreter(offset) => interpreter.wrapping_add(offset),
    };
    collector.wrapping_add(layout.gc.heads.first().copied().unwrap_or_default())
}

/// The node of the object that was made last, as the first [`HEAD`] bytes of the head say.
pub fn last(layout: &Layout, head: &[u8]) -> u64 {
    word_at(head, 8) & !layout.object.gc_bits
}

/// The object whose node stands at `node`.
pub fn object(layout: &Layout, node: u64) -> u64 {
    node.wrapping_add(layout.object.gc_head)
}

/// The node at `at`. What it says is believed when its neighbours say the same.
pub fn node<M: ReadMemory>(memory: &mut M, layout: &Layout, at: u64) -> Result<Node, Unreadable> {
    let (gc_head, ob_type) = (layout.object.gc_head, layout.object.ob_type);
    let bytes = memory.read(at, (gc_head + ob_type + 8) as usize)?;
    let found = Node {
        newer: word_at(bytes, 0) & !layout.object.gc_bits,
        older: word_at(bytes, 8) & !layout.object.gc_bits,
        type_address: word_at(bytes, gc_head + ob_type),
    };
    let is_address = |word: u64| word != 0 && word.is_multiple_of(4) && word < 1 << 47;
    if is_address(found.newer) && is_address(found.older) && is_address(found.type_address) {
        Ok(found)
    } else {
        Err(Unreadable::Implausible {
            what: "tracked object",
            at,
        })
    }
}
