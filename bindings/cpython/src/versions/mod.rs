//! The layouts of every release, one file a minor version: what it says is only what changed from its parent.
//!
//! A file's `LAYOUT` is that of the first release; what moved in a patch release stands below it as `SINCE_…`.
//! `generator/layout.py` asks installed headers for these numbers; given two interpreters, it prints what changed.
//! A new minor version is one file, its line in `MINORS`, its order of members in `debug_fields`, and its instructions, which
//! `generator/opcodes.py` prints.

mod c_types;
pub mod debug_fields;
mod opcodes;
mod v3_10;
mod v3_11;
mod v3_12;
mod v3_13;
mod v3_14;
mod v3_15;
mod v3_8;
mod v3_9;

use crate::bytecode::opcodes::Opcodes;
use crate::layout::Layout;
use crate::version::Version;

use debug_fields::Group;

/// What is known of one minor version.
#[derive(Debug, Clone, Copy)]
pub struct Minor {
    /// Its layouts, oldest first; each is good from its own release to the next one's.
    pub layouts: &'static [&'static Layout],
    /// The newest release that the layouts were measured on.
    pub newest: Version,
    /// The members of its `_Py_DebugOffsets` behind the head, in order; empty where there is none.
    pub debug_offsets: &'static [Group],
    /// Its instruction set.
    pub opcodes: &'static Opcodes,
}

/// Every minor version that is supported, oldest first.
pub const MINORS: &[Minor] = &[
    v3_8::MINOR,
    v3_9::MINOR,
    v3_10::MINOR,
    v3_11::MINOR,
    v3_12::MINOR,
    v3_13::MINOR,
    v3_14::MINOR,
    v3_15::MINOR,
];

/// What is known of the minor version that `version` belongs to.
pub fn minor(version: Version) -> Option<&'static Minor> {
    MINORS.iter().find(|minor| minor.newest.is_same_minor(version))
}
