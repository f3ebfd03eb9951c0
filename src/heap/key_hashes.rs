//! Keys told apart by the hashes that they keep: a `str` that is a key of a dict knows its own, and equal texts have the same.
//!
//! Keys of data are strewn over the whole heap. Those that are at hand while it is gone through need not be read again.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;

use crate::heap::labels::{Label, LabelKind};
use crate::heap::names::Names;
use crate::heap::objects::Reference;

/// The hashes of names, by the numbers of these; `UNREAD` where it was not read yet.
#[derive(Debug, Default)]
pub struct KeyHashes {
    of_name: Vec<u64>,
}

const UNREAD: u64 = 0;

/// A set of keys: how many there are, and the sum of their hashes, in which their order does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct KeySet {
    pub count: u32,
    sum: u64,
}

/// Keys from this place on have no names in the survey, so that sets of more cannot be told.
pub const MOST_KEYS: u32 = 64;

impl KeyHashes {
    /// Reads the hashes of names that came since the last time, as far as they are at hand.
    pub fn read_at_hand<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, names: &Names) {
        for name in self.of_name.len() as u32..names.count() {
            let address = names.address(name).filter(|&address| memory.has_at_hand(address));
            let hash = address.map_or(UNREAD, |address| hash_at(memory, layout, address, name));
            self.of_name.push(hash);
        }
    }

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
            Some(&hash) if hash != UNREAD => hash,
            _ => self.read(memory, layout, names, label.number()),
        }
    }

    #[cold]
    fn read<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, names: &Names, name: u32) -> u64 {
        let hash = match names.address(name) {
            Some(address) => hash_at(memory, layout, address, name),
            None => spread(u64::from(name)),
        };
        let place = name as usize;
        self.of_name.resize(self.of_name.len().max(place + 1), UNREAD);
        self.of_name[place] = hash;
        hash
    }
}

/// The hash of the key at `address`. What is no `str` has something else there, which tells it apart as well; what cannot be
/// read has its number as a `name`.
fn hash_at<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64, name: u32) -> u64 {
    let stored = memory.word(address.wrapping_add(layout.text.hash));
    spread(stored.unwrap_or(u64::from(name)))
}

/// Sums of plain hashes would be as even as these; the multiplication spreads the small ones of numbers.
fn spread(hash: u64) -> u64 {
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1)
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
