//! The youngest objects that the collector tracks. They are appended to a ring, so that those that were made last stand
//! before its head.

use crate::layout::{GcPlace, Layout};
use crate::memory::{ReadMemory, Unreadable, half_at, word_at};

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

/// So many bytes from the head on say where the list ends, and whether the collector is at work.
pub fn needed(layout: &Layout) -> usize {
    let first = layout.gc.heads.first().copied().unwrap_or_default();
    let end = layout.gc.collecting.saturating_sub(first) as usize + 4;
    end.max(16)
}

/// Whether the collector is at work, as these [`needed`] bytes say: it moves objects about in the list, which are not new.
pub fn is_collecting(layout: &Layout, head: &[u8]) -> bool {
    let first = layout.gc.heads.first().copied().unwrap_or_default();
    half_at(head, layout.gc.collecting.saturating_sub(first)) != 0
}

/// The node of the object that was made last, as the first of the [`needed`] bytes say.
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
