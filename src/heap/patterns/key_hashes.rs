//! Keys told apart by the hashes that they keep: a `str` that is a key of a dict knows its own, and equal texts have the same.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;

use crate::heap::labels::{Label, LabelKind};
use crate::heap::names::Names;
use crate::heap::objects::Reference;

/// The hashes of names, by the numbers of these; 0 where it was not read yet.
#[derive(Default)]
pub struct KeyHashes {
    of_name: Vec<u64>,
}

/// A set of keys: how many there are, and the sum of their hashes, in which their order does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct KeySet {
    pub count: u32,
    sum: u64,
}

/// Keys from this place on have no names in the survey, so that sets of more cannot be told.
pub const MOST_KEYS: u32 = 64;

impl KeyHashes {
    /// The keys of a dict, or of an instance's own attributes, by the references to their values. What has no name, such as
    /// keys themselves, is passed over.
    pub fn set_of<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        layout: &Layout,
        names: &Names,
        references: &[Reference],
    ) -> KeySet {
        let mut set = KeySet::default();
        for reference in references {
            if let LabelKind::Value | LabelKind::Attribute = reference.label.kind() {
                set.count += 1;
                set.sum = set.sum.wrapping_add(self.hash(memory, layout, names, reference.label));
            }
        }
        set
    }

    #[inline]
    fn hash<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, names: &Names, label: Label) -> u64 {
        match self.of_name.get(label.number() as usize) {
            Some(&hash) if hash != 0 => hash,
            _ => self.read(memory, layout, names, label.number()),
        }
    }

    #[cold]
    fn read<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, names: &Names, name: u32) -> u64 {
        // What is no `str` has something else there, which tells it apart as well.
        let stored = names
            .address(name)
            .and_then(|address| memory.word(address.wrapping_add(layout.text.hash)).ok());
        // Sums of plain hashes would be as even as these; the multiplication spreads the small ones of numbers.
        let hash = stored
            .unwrap_or(u64::from(name))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .max(1);
        let place = name as usize;
        self.of_name.resize(self.of_name.len().max(place + 1), 0);
        self.of_name[place] = hash;
        hash
    }
}

impl KeySet {
    /// Of both.
    pub fn and(self, other: KeySet) -> KeySet {
        KeySet {
            count: self.count + other.count,
            sum: self.sum.wrapping_add(other.sum),
        }
    }
}
