//! The frames of the ownership tree by row, for those who draw it another way.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;

use super::{Holder, Ownership, Reader};
use crate::heap::found::Found;
use crate::heap::labels::Label;
use crate::heap::tree::ROOT;

impl Ownership {
    /// The frame of each row. Those of leaves were not kept: they are found again, from the holders in their order.
    pub fn frames<M: ReadMemory>(&mut self, memory: &mut M, found: &mut Found, layout: &Layout) -> Vec<u32> {
        let mut reader = Reader::of(memory, found, layout);
        let objects = reader.objects;
        let mut frames: Vec<u32> = self.owners.iter().map(|owner| owner.frame()).collect();
        frames.resize(objects.count(), ROOT);
        for place in 0..self.order.len() {
            let holder = self.holder(self.order[place]);
            for reference in objects.references(holder.row) {
                self.leaf_frame(&mut reader, &mut frames, holder, reference.target, reference.label);
            }
        }
        for (adopter, adopted) in std::mem::take(&mut self.adopted) {
            let holder = self.holder(adopter);
            for &row in &adopted {
                self.leaf_frame(&mut reader, &mut frames, holder, row, Label::UNNAMED);
            }
            self.adopted.push((adopter, adopted));
        }
        frames
    }

    fn holder(&self, row: u32) -> Holder {
        let owner = self.owner(row);
        Holder {
            row,
            frame: owner.frame,
            is_namespace: owner.label == Label::NAMESPACE,
        }
    }

    /// Notes the frame of a leaf that has none yet.
    fn leaf_frame<M: ReadMemory>(
        &mut self,
        reader: &mut Reader<M>,
        frames: &mut [u32],
        holder: Holder,
        row: u32,
        label: Label,
    ) {
        let is_leaf = row as usize >= self.owners.len();
        if is_leaf && frames[row as usize] == ROOT {
            frames[row as usize] = self.frame(reader, holder, label, reader.objects.type_of(row));
        }
    }
}
