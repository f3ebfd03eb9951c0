//! The items of long dicts, of which the first have names in the tree and all others are `[…]`.

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use super::Picture;

/// An item that keeps less than this part of its container's bytes is one of many.
const MANY: u64 = 8;

/// What tells which of the first items belong to the others.
pub struct Rest {
    /// Of each frame, with all that stands on it.
    bytes: Vec<u64>,
    /// The frames that such others stand on.
    holders: FxHashSet<u32>,
}

impl Rest {
    pub fn of(picture: &Picture) -> Rest {
        let mut bytes: Vec<u64> = picture.frames.iter().map(|frame| frame.own.bytes).collect();
        for (index, frame) in picture.frames.iter().enumerate().skip(1).rev() {
            let parent = frame.parent as usize;
            bytes[parent] = bytes[parent].saturating_add(bytes[index]);
        }
        let others = picture.frames.iter().filter(|frame| frame.label.starts_with("[…]"));
        Rest {
            bytes,
            holders: others.map(|frame| frame.parent).collect(),
        }
    }

    /// The label of a frame, or that of the others when it is one of many.
    pub fn label<'a>(&self, picture: &'a Picture, index: usize) -> Cow<'a, str> {
        let frame = &picture.frames[index];
        let is_one_of_many = frame.label.starts_with('[')
            && self.holders.contains(&frame.parent)
            && self.bytes[index] < self.bytes[frame.parent as usize] / MANY;
        match frame.label.rsplit_once("]: ") {
            Some((_, type_name)) if is_one_of_many => format!("[…]: {type_name}").into(),
            _ => Cow::Borrowed(&frame.label),
        }
    }
}
