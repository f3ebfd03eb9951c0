//! Owners for what no root reaches: held by C code, or garbage.

use cpython::memory::ReadMemory;

use super::{NOBODY, Ownership, Reader};
use crate::heap::labels::Label;
use crate::heap::objects::{Objects, Reference};

impl Ownership {
    /// Gives to `held` what no root reaches: of each group of objects that nothing outside it holds, the one at the lowest
    /// address; the rest hangs on these. The choice follows addresses alone, so that every look at a heap makes it alike.
    pub(super) fn adopt<M: ReadMemory>(&mut self, reader: &mut Reader<M>, held: u32, mut done: usize) {
        let rows = reader.objects.count();
        if self.reached == rows {
            return;
        }
        let holders = self.owners.iter().map(|owner| owner.parent != NOBODY);
        let is_reached = holders.chain(self.reached_leaves.iter().copied());
        let unreached = (0..).zip(is_reached).filter(|&(_, is_reached)| !is_reached);
        let mut unreached: Vec<u32> = unreached.map(|(row, _)| row).collect();
        unreached.sort_unstable_by_key(|&row| reader.spots.address(reader.objects.spot(row)));
        // What starts a walk over all of them is in such a group, or is held by what starts a later one.
        for row in self.starts(reader.objects, &unreached).into_iter().rev() {
            if !self.is_reached(row) {
                let label = Label::UNNAMED;
                self.adopted.push(row);
                self.follow(reader, held, &[Reference { target: row, label }]);
                done = self.walk(reader, done);
            }
        }
    }

    fn is_reached(&self, row: u32) -> bool {
        match self.owners.get(row as usize) {
            Some(owner) => owner.parent != NOBODY,
            None => self.reached_leaves[row as usize - self.owners.len()],
        }
    }

    /// Those of `unreached`, in their order, that none of the earlier ones leads to.
    fn starts(&self, objects: &Objects, unreached: &[u32]) -> Vec<u32> {
        let mut is_met = vec![false; objects.count()];
        let mut starts = Vec::new();
        let mut open = Vec::new();
        for &start in unreached {
            if is_met[start as usize] {
                continue;
            }
            is_met[start as usize] = true;
            starts.push(start);
            open.push(start);
            while let Some(row) = open.pop() {
                for reference in objects.references(row) {
                    let target = reference.target;
                    if !is_met[target as usize] && !self.is_reached(target) {
                        is_met[target as usize] = true;
                        open.push(target);
                    }
                }
            }
        }
        starts
    }
}
