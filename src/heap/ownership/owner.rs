//! How a row is held: its first holder and what follows from that.

use crate::heap::Place;
use crate::heap::labels::Label;
use crate::heap::tree::ROOT;

/// The holder of rows that none has reached.
pub const NOBODY: u32 = u32::MAX;

/// How a row is held.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The row of the first holder; the heap is its own.
    pub parent: u32,
    pub label: Label,
    /// The frame of the ownership tree that the object counts for.
    pub frame: u32,
    /// How near the object is to a name.
    pub place: Place,
}

/// The same in twelve bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackedOwner {
    pub parent: u32,
    pub label: Label,
    /// The place above the bits of the frame.
    place_and_frame: u32,
}

/// There are never so many frames.
const FRAME_BITS: u32 = 24;

impl PackedOwner {
    pub const NOBODY: PackedOwner = PackedOwner {
        parent: NOBODY,
        label: Label::UNNAMED,
        place_and_frame: (Place::Elsewhere as u32) << FRAME_BITS | ROOT,
    };

    #[inline(always)]
    pub fn place(self) -> Place {
        let number = self.place_and_frame >> FRAME_BITS;
        Place::ALL.get(number as usize).copied().unwrap_or(Place::Elsewhere)
    }

    #[inline(always)]
    pub fn frame(self) -> u32 {
        self.place_and_frame % (1 << FRAME_BITS)
    }
}

impl From<PackedOwner> for Owner {
    #[inline(always)]
    fn from(packed: PackedOwner) -> Self {
        Owner {
            parent: packed.parent,
            label: packed.label,
            frame: packed.frame(),
            place: packed.place(),
        }
    }
}

impl From<Owner> for PackedOwner {
    #[inline(always)]
    fn from(owner: Owner) -> Self {
        PackedOwner {
            parent: owner.parent,
            label: owner.label,
            place_and_frame: (owner.place as u32) << FRAME_BITS | owner.frame,
        }
    }
}
