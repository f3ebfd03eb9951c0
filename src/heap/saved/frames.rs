//! `frames.parquet` and `type_frames.parquet`: what flame graphs draw, the dominator tree and types with what refers to
//! them. A frame's number is its row; its parent comes before it.

use std::rc::Rc;

use super::records::{Record, Recorded};
use crate::heap::TreeNode;

impl Recorded for TreeNode {
    const TEXTS: &'static [&'static str] = &["label"];
    const NUMBERS: &'static [&'static str] = &["parent", "own_objects", "own_bytes"];

    fn to_record(&self) -> Record {
        Record {
            texts: vec![Some(Rc::clone(&self.label))],
            numbers: vec![
                Some(u64::from(self.parent)),
                Some(self.own_objects),
                Some(self.own_bytes),
            ],
        }
    }

    fn from_record(record: &Record) -> Option<TreeNode> {
        let [parent, own_objects, own_bytes] = *record.numbers.as_slice() else {
            return None;
        };
        Some(TreeNode {
            parent: parent?.try_into().ok()?,
            label: record.texts.first()?.clone()?,
            own_objects: own_objects?,
            own_bytes: own_bytes?,
        })
    }
}
