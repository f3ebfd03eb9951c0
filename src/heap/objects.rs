//! The objects of a heap in columns, in the order in which they were reached: a holder stands before what it holds.

use rustc_hash::FxHashMap;

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
    bytes: Vec<u32>,
    /// The sizes that do not fit four bytes.
    large: FxHashMap<u32, u64>,
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
    pub fn push(&mut self, address: u64, type_of: u32, parent: u32, label: Label) -> u32 {
        let row = self.address.len() as u32;
        self.address.push(address);
        self.type_of.push(type_of);
        self.parent.push(parent);
        self.label.push(label);
        self.bytes.push(0);
        row
    }

    #[inline]
    pub fn set_bytes(&mut self, row: u32, bytes: u64) {
        match u32::try_from(bytes) {
            Ok(small) if small != u32::MAX => self.bytes[row as usize] = small,
            _ => {
                self.bytes[row as usize] = u32::MAX;
                self.large.insert(row, bytes);
            }
        }
    }

    #[inline]
    pub fn bytes(&self, row: u32) -> u64 {
        match self.bytes[row as usize] {
            u32::MAX => self.large.get(&row).copied().unwrap_or(u64::from(u32::MAX)),
            small => u64::from(small),
        }
    }

    /// For every row, its own bytes and those of all rows that were first reached through it.
    pub fn kept_bytes(&self) -> Vec<u64> {
        let mut kept: Vec<u64> = (0..self.count() as u32).map(|row| self.bytes(row)).collect();
        for row in (1..kept.len()).rev() {
            let parent = self.parent[row] as usize;
            if parent != row {
                kept[parent] += kept[row];
            }
        }
        kept
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
        let root = objects.push(0, NO_OBJECT, 0, label);
        let list = objects.push(0x1000, 1, root, label);
        let item = objects.push(0x2000, 2, list, label);
        objects.set_bytes(list, 56);
        objects.set_bytes(item, 1 << 33);
        assert_eq!(objects.kept_bytes(), [56 + (1 << 33), 56 + (1 << 33), 1 << 33]);
    }
}
