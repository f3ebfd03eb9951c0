//! The layouts of every release, one file a minor version: what it says is only what changed from its parent.
//!
//! A file's `LAYOUT` is that of the first release; what moved in a patch release stands below it as `SINCE_…`.
//! A new minor version is one file, its line in this list, and its field order in `debug_offsets`.

mod v3_10;
mod v3_11;
mod v3_12;
mod v3_13;
mod v3_14;
mod v3_15;
mod v3_8;
mod v3_9;

use crate::layout::Layout;

/// All layouts, oldest first.
pub const LAYOUTS: &[&Layout] = &[
    &v3_8::LAYOUT,
    &v3_8::SINCE_3_8_14,
    &v3_9::LAYOUT,
    &v3_9::SINCE_3_9_14,
    &v3_10::LAYOUT,
    &v3_10::SINCE_3_10_7,
    &v3_11::LAYOUT,
    &v3_12::LAYOUT,
    &v3_12::SINCE_3_12_1,
    &v3_12::SINCE_3_12_4,
    &v3_12::SINCE_3_12_7,
    &v3_13::LAYOUT,
    &v3_13::SINCE_3_13_1,
    &v3_13::SINCE_3_13_12,
    &v3_13::SINCE_3_13_13,
    &v3_14::LAYOUT,
    &v3_14::SINCE_3_14_1,
    &v3_14::SINCE_3_14_3,
    &v3_14::SINCE_3_14_4,
    &v3_14::SINCE_3_14_5,
    &v3_15::LAYOUT,
];
