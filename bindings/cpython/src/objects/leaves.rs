//! Small objects without references, which most objects are: measured from the bytes that they begin with alone.

use crate::layout::{IntForm, Layout};
use crate::memory::{half_at, word_at};

use super::blocks;
use super::content::Content;
use super::examine::{Examiner, ObjectSize};
use super::int::IntHeader;
use super::text::is_compact_ascii;
use super::types::{TypeInfo, flags};

/// Bytes from an object's address on that tell all there is to tell.
pub const HEAD: usize = 48;
/// More items than any small object has.
const MOST_ITEMS: u64 = 4096;

/// How the size of an object follows from its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// All are of this size.
    Fixed(u64),
    /// A fixed part, and `ob_size` items.
    Items { fixed: u64, item: u64 },
    /// An `int`: a fixed part, and digits.
    Digits { fixed: u64, digit: u64 },
    /// A `str` of one block with one byte a character.
    Ascii,
}

impl Leaf {
    /// How the objects of a type can be measured; `None` for types whose objects take more than a look at their heads.
    pub fn of(layout: &Layout, info: &TypeInfo) -> Option<Leaf> {
        let has_more = info.presize > 0 || info.has(flags::HEAPTYPE) && info.itemsize > 0;
        if !info.is_leaf() || has_more {
            return None;
        }
        let is_in_head = |offset: u64| offset <= HEAD as u64 - 8;
        let (leaf, is_told) = match info.content {
            Content::Str => {
                let at = &layout.text;
                let last = at.wstr.map_or(at.state, |(wstr, _)| wstr.max(at.state));
                (Leaf::Ascii, is_in_head(at.length.max(last)))
            }
            Content::Int => {
                let (fixed, digit) = (info.basicsize, info.itemsize);
                (Leaf::Digits { fixed, digit }, is_in_head(IntHeader::offset(layout)))
            }
            Content::Scalar if info.itemsize == 0 => (Leaf::Fixed(info.basicsize), true),
            Content::Scalar => {
                let (fixed, item) = (info.basicsize, info.itemsize);
                (Leaf::Items { fixed, item }, is_in_head(layout.object.ob_size))
            }
            _ => return None,
        };
        is_told.then_some(leaf)
    }
}

impl Examiner<'_> {
    /// Measures the object at `address` that begins with `head`. `None` where that takes more: the object is not a small
    /// one of its kind, or not known to be in memory that an allocator gave.
    #[inline(always)]
    pub fn measure_small(&self, leaf: Leaf, head: &[u8; HEAD], address: u64) -> Option<ObjectSize> {
        let mut length = 0;
        let (own, counted) = match leaf {
            Leaf::Fixed(size) => (size, size),
            Leaf::Items { fixed, item } => {
                let items = (word_at(head, self.layout.object.ob_size) as i64).unsigned_abs();
                let size = fixed + item * items.min(MOST_ITEMS);
                (size, size)
            }
            Leaf::Digits { fixed, digit } => {
                let word = word_at(head, IntHeader::offset(self.layout));
                let digits = IntHeader::of_word(self.layout, word).digits.min(MOST_ITEMS);
                let size = fixed + digit * digits.max(1);
                (size, self.counted_digits(digits, size))
            }
            Leaf::Ascii => {
                let at = &self.layout.text;
                length = word_at(head, at.length);
                let wide = at.wstr.map_or(0, |(wstr, _)| word_at(head, wstr));
                if !is_compact_ascii(half_at(head, at.state)) || wide != 0 {
                    return None;
                }
                let size = at.ascii_size + length.min(MOST_ITEMS) + 1;
                (size, size)
            }
        };
        let is_sure = own <= self.largest_small && self.dynamic.contains(&address);
        is_sure.then_some(ObjectSize {
            getsizeof: counted,
            bytes: blocks::small(own),
            length,
        })
    }

    /// What `int.__sizeof__` says of an `int` that takes `size` bytes.
    #[inline]
    pub(super) fn counted_digits(&self, digits: u64, size: u64) -> u64 {
        match self.layout.int.form {
            // It knows nothing of what a subclass adds.
            IntForm::SignedSize => self.layout.int.digits + 4 * digits,
            IntForm::SignedSizeAtLeastOne => self.layout.int.digits + 4 * digits.max(1),
            IntForm::Tag(_) => size,
        }
    }
}
