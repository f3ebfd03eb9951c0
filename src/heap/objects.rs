//! The objects of a heap that hold others, in columns: a holder stands before what it holds. Objects that hold nothing
//! need no row: they are added up under their holder at once.

use super::labels::Label;

/// One row an object. Rows of type `NO_OBJECT` stand for holders that are no objects: threads, frames, the interpreter.
#[derive(Debug, Default)]
pub struct Objects {
    pub address: Vec<u64>,
    /// Index of the type.
    pub type_of: Vec<u32>,
    /// The row of the first holder; a root is its own.
    pub parent: Vec<u32>,
    pub label: Vec<Label>,
    /// The frame of the ownership tree that the object counts for.
    pub node: Vec<u32>,
    /// Bytes of the object and of what it holds that has no row; after `sum_up`, of everything first reached through it.
    pub kept: Vec<u64>,
}

/// The type of rows that are no objects.
pub const NO_OBJECT: u32 = 0;
/// As many rows as a row's number can count.
pub const MOST_ROWS: usize = u32::MAX as usize;

impl Objects {
    pub fn count(&self) -> usize {
        self.address.len()
    }

    /// Adds a row and answers its number.
    #[inline]
    pub fn push(&mut self, address: u64, type_of: u32, parent: u32, label: Label, node: u32) -> u32 {
        let row = self.address.len() as u32;
        self.address.push(address);
        self.type_of.push(type_of);
        self.parent.push(parent);
        self.label.push(label);
        self.node.push(node);
        self.kept.push(0);
        row
    }

    /// Adds to every holder what it holds.
    pub fn sum_up(&mut self) {
        for row in (0..self.count()).rev() {
            let parent = self.parent[row] as usize;
            if parent != row {
                self.kept[parent] = self.kept[parent].saturating_add(self.kept[row]);
            }
        }
    }

    /// The rows from a root down to `row`, or the last `most` of them.
    pub fn chain(&self, row: u32, most: usize) -> Vec<u32> {
        let mut chain = vec![row];
        let mut at = row;
        while self.parent[at as usize] != at && chain.len() < most {
            at = self.parent[at as usize];
            chain.push(at);
        }
        chain.reverse();
        chain
    }
}

#[cfg(test)]
mod tests {
    use super::super::labels::LabelKind;
    use super::*;

    #[test]
    fn what_is_held_counts_for_the_holder() {
        let mut objects = Objects::default();
        let label = Label::new(LabelKind::Index, 0);
        let root = objects.push(0, NO_OBJECT, 0, label, 0);
        let list = objects.push(0x1000, 1, root, label, 0);
        let item = objects.push(0x2000, 2, list, label, 0);
        objects.kept[list as usize] = 56;
        objects.kept[item as usize] = 1 << 33;
        objects.sum_up();
        assert_eq!(objects.kept, [56 + (1 << 33), 56 + (1 << 33), 1 << 33]);
        assert_eq!(objects.chain(item, 9), [root, list, item]);
        assert_eq!(objects.chain(item, 2), [list, item]);
    }
}
