//! What an object tells when it is examined: its references, one by one, and its extent.

use crate::memory::word_at;

use super::types::{Field, FieldName};

/// Is told every reference of the objects that are examined.
pub trait Visitor<M> {
    /// `target` is what the object holds by `step`: an object, unless memory was misread. Never NULL.
    fn reference(&mut self, step: Step, target: u64);

    /// The items of a list, tuple or deque from the place `first` on, as they stand in the program's memory: words, some of
    /// which may be NULL.
    fn items(&mut self, first: u64, words: &[u8]) {
        for (place, word) in (first..).zip(words.chunks_exact(8)) {
            let target = word_at(word, 0);
            if target != 0 {
                self.reference(Step::Index(place), target);
            }
        }
    }

    /// The fields of an object's type, and the object's fixed part, in which each of them is a reference or NULL.
    fn fields(&mut self, fields: &[Field], object: &[u8]) {
        for field in fields {
            let target = word_at(object, field.offset);
            if target != 0 {
                self.reference(Step::Field(field.name), target);
            }
        }
    }

    /// A word of a block that nobody knows, which may be a reference or any other number. Never 0.
    fn candidate(&mut self, memory: &mut M, word: u64);

    /// What a slot of a running call's value stack points at: a value that the call works on, or one that this call or an
    /// earlier one in the same place has left there and owns no more. Never 0.
    fn perhaps_left(&mut self, memory: &mut M, target: u64) {
        self.candidate(memory, target);
    }
}

/// How an object holds another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The item at this place of a list, tuple or deque.
    Index(u64),
    /// The value under this key object, the nth of its dict.
    Value { key: u64, position: u64 },
    /// A key of a dict.
    Key,
    /// A member of a set.
    Member,
    /// The attribute that this `str` object names, kept without a dict.
    Attribute(u64),
    /// A member of a C structure, or a slot.
    Field(FieldName),
    /// A local variable of a frame, named by this `str` object.
    Local(u64),
    /// The value stack of a frame.
    Stack,
    /// Found by looking through a block that nobody knows.
    Scanned,
}

/// How large an object is, by two measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// What `sys.getsizeof` adds up, without what stands before the object.
    pub counted: u64,
    /// Bytes of the object's own block behind those headers.
    pub own: u64,
    /// Other blocks that belong to it alone, in full.
    pub tables: u64,
    /// Items of a container.
    pub length: u64,
}

impl Extent {
    /// An object that is one block, and all of it counted.
    pub fn single(size: u64) -> Extent {
        Extent {
            counted: size,
            own: size,
            tables: 0,
            length: 0,
        }
    }
}
