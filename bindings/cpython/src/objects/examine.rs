//! Examines an object of any type: measures it, and tells each of its references to a visitor.

use std::ops::Range;

use crate::layout::{Layout, PreHeader};
use crate::memory::{ReadMemory, Unreadable, word_at};

use super::blocks::{self, Blocks};
use super::bounds::{self, Bounds, Gap};
use super::content::{AWARE_FLAG, Content};
use super::dict::KeysHeader;
use super::types::{TypeInfo, flags};
use super::visit::{Extent, Step, Visitor};

/// Knows one process's layout and allocator, and examines its objects.
pub struct Examiner<'a> {
    pub(super) layout: &'a Layout,
    pub(super) blocks: Blocks,
    /// `Blocks::largest_small`.
    pub(super) largest_small: u64,
    /// Where no allocator is at work: the data of executables and libraries, in order of address.
    statics: Vec<Range<u64>>,
    /// A range without statics in which the last object was.
    pub(super) dynamic: Range<u64>,
    /// The interpreters, which hold the dicts of static types (3.12 and later).
    pub(super) interpreters: Vec<u64>,
    words: Vec<u64>,
    pub(super) bounds: Bounds,
    pub(super) last_table: Option<(u64, KeysHeader)>,
}

/// How large an object is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObjectSize {
    /// What `sys.getsizeof` returns.
    pub getsizeof: u64,
    /// The blocks that it and its private tables occupy.
    pub bytes: u64,
    /// Its items, where it is a container.
    pub length: u64,
}

impl<'a> Examiner<'a> {
    /// References are copied out and told in pieces of so many.
    pub(super) const PIECE_WORDS: u64 = 2048;

    /// `statics` are the addresses of data that came with executables and libraries, in any order.
    pub fn new(layout: &'a Layout, blocks: Blocks, mut statics: Vec<Range<u64>>, interpreters: Vec<u64>) -> Self {
        statics.sort_by_key(|range| range.start);
        Examiner {
            layout,
            blocks,
            largest_small: blocks.largest_small(),
            statics,
            dynamic: 0..0,
            interpreters,
            words: Vec::with_capacity(2 * Self::PIECE_WORDS as usize),
            bounds: Bounds::of_anything(),
            last_table: None,
        }
    }

    /// Believes no length that does not fit into the `mapped` bytes of memory that the process has, and no more of them
    /// than fit together.
    pub fn within(mut self, mapped: u64) -> Self {
        self.bounds = Bounds::of_program(mapped);
        self
    }

    pub fn set_blocks(&mut self, blocks: Blocks) {
        self.blocks = blocks;
        self.largest_small = blocks.largest_small();
    }

    /// Measures the object at `address`, whose type is `info`, and tells `visitor` what it refers to.
    pub fn examine<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<ObjectSize, Unreadable> {
        bounds::object(address)?;
        let extent = self.content(memory, info, address, visitor)?;
        self.fields(memory, info, address, visitor)?;
        let (behind, besides) = self.attributes(memory, info, address, extent.own, visitor)?;
        self.total(memory, info, address, extent, behind, besides)
    }

    /// Measures an object of a type that holds no references (`TypeInfo::is_leaf`).
    #[cold]
    pub fn measure_leaf<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
    ) -> Result<ObjectSize, Unreadable> {
        bounds::object(address)?;
        let extent = self.scalar(memory, info, address)?;
        self.total(memory, info, address, extent, 0, 0)
    }

    /// Whether the words around `address` are such as stand around a living object of this type. Asked of words that were
    /// found by looking through blocks that nobody knows.
    pub fn is_plausible<M: ReadMemory>(&mut self, memory: &mut M, info: &TypeInfo, address: u64) -> bool {
        if self.is_static(address) {
            // The compiler has to know the type of an object that it lays out.
            return !info.has(flags::HEAPTYPE);
        }
        let head = self.layout.object.gc_head;
        if info.has(flags::HAVE_GC) {
            for offset in [head, head - 8] {
                let link = memory
                    .word(address.wrapping_sub(offset))
                    .map(|word| word & !self.layout.object.gc_bits);
                if !link.is_ok_and(|link| link == 0 || memory.word(link).is_ok()) {
                    return false;
                }
            }
        }
        let start = address.wrapping_sub(info.presize);
        // Classes made in Python have room for one item more than their instances say.
        let is_leaf = info.is_leaf() && !(info.has(flags::HEAPTYPE) && info.itemsize > 0);
        if is_leaf || info.content == Content::Str {
            // What is merely judged takes no room.
            let bounds = self.bounds;
            let measured = self.scalar(memory, info, address);
            let measured = measured.and_then(|extent| self.bounds.block(memory, address, extent.own).map(|()| extent));
            self.bounds = bounds;
            return measured.is_ok_and(|extent| {
                let request = info.presize + extent.own;
                self.blocks.may_hold_resized(memory, self.layout, start, request)
            });
        }
        let is_fixed = info.itemsize == 0 && !info.has(flags::INLINE_VALUES);
        let request = info.presize + info.basicsize;
        !is_fixed || self.blocks.may_hold(memory, self.layout, start, request)
    }

    #[inline(always)]
    fn total<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        extent: Extent,
        behind: u64,
        besides: u64,
    ) -> Result<ObjectSize, Unreadable> {
        let small = info.presize + extent.own;
        let has_sentinel = info.has(flags::HEAPTYPE) && info.itemsize > 0;
        let is_sure = behind == 0 && !has_sentinel && self.dynamic.contains(&address);
        if is_sure && small <= self.largest_small {
            let size = ObjectSize {
                getsizeof: extent.counted.saturating_add(info.counted_presize),
                bytes: blocks::small(small)
                    .saturating_add(extent.tables)
                    .saturating_add(besides),
                length: extent.length,
            };
            if size.bytes.max(size.getsizeof) <= self.bounds.largest {
                return Ok(size);
            }
        }
        self.total_of_any(memory, info, address, extent, behind, besides)
    }

    /// The same wherever the object is, and whatever it is made of.
    #[inline(never)]
    fn total_of_any<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        extent: Extent,
        behind: u64,
        besides: u64,
    ) -> Result<ObjectSize, Unreadable> {
        let is_static = self.is_static(address);
        self.bounds.block(memory, address, extent.own)?;
        let block = if is_static {
            // Static types have nothing in front; other static objects stand behind a collector's head like any.
            extent.own + if info.content == Content::Type { 0 } else { info.presize }
        } else {
            // Objects of variable size that `tp_alloc` makes have room for one more item (`_PyType_AllocNoTrack`).
            let made_otherwise = info.least_items > 0 || info.content == Content::Type;
            let sentinel = if info.has(flags::HEAPTYPE) && !made_otherwise {
                info.itemsize
            } else {
                0
            };
            let start = address.wrapping_sub(info.presize);
            let with_sentinel =
                info.presize + (extent.own + sentinel).next_multiple_of(if sentinel > 0 { 8 } else { 1 }) + behind;
            // `PyObject_NewVar` gives no room for one more. Until a class's shared keys have shrunk, an instance states
            // one value less than it has room for (`_PyObject_InitInlineValues`): a word, or two where the bytes behind
            // the values need another one.
            let others = match behind {
                0 => [info.presize + extent.own; 2],
                _ => [with_sentinel + 8, with_sentinel + 16],
            };
            self.blocks
                .size_as_pooled(memory, self.layout, start, with_sentinel, others)
        };
        let presize = match (info.content, self.layout.object.preheader) {
            (Content::Type, PreHeader::GcHead | PreHeader::ManagedIfGc) if is_static => 0,
            _ => info.counted_presize,
        };
        let size = ObjectSize {
            getsizeof: extent.counted.saturating_add(presize),
            bytes: block.saturating_add(extent.tables).saturating_add(besides),
            length: extent.length,
        };
        if size.bytes.max(size.getsizeof) > self.bounds.largest {
            return Err(Unreadable::Implausible {
                what: "size",
                at: address,
            });
        }
        Ok(size)
    }

    fn content<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        match info.content {
            Content::List => self.list(memory, info, address, visitor),
            Content::Tuple => self.tuple(memory, info, address, visitor),
            Content::Dict => self.dict(memory, info, address, visitor),
            Content::OrderedDict => self.ordered_dict(memory, info, address, visitor),
            Content::Set => self.set(memory, info, address, visitor),
            Content::Deque => self.deque(memory, info, address, visitor),
            Content::SimpleQueue => match self.layout.simple_queue {
                Some(at) => self.simple_queue(memory, info, address, at, visitor),
                None => self.scalar(memory, info, address),
            },
            Content::TeeData => self.tee_data(memory, info, address, visitor),
            Content::NumpyArray => self.numpy_array(memory, info, address, visitor),
            Content::Element => self.element(memory, info, address, visitor),
            Content::Type => self.type_object(memory, info, address, visitor),
            Content::Module => self.module(memory, info, address, visitor),
            Content::Code => self.code(memory, info, address, visitor),
            Content::Frame => self.frame_object(memory, address, visitor),
            Content::Generator | Content::Coroutine => self.generator(memory, info, address, visitor),
            Content::Exception => {
                self.named(memory, address, self.layout.exception.references, visitor)?;
                self.scalar(memory, info, address)
            }
            Content::WeakRef => {
                self.named(memory, address, &[("callback", self.layout.weakref.callback)], visitor)?;
                self.scalar(memory, info, address)
            }
            Content::ByteArray => self.byte_array(memory, info, address, visitor),
            Content::BytesIo => self.bytes_io(memory, info, address, visitor),
            Content::Aware(time_zone) => {
                if memory.byte(address + AWARE_FLAG)? != 0 {
                    self.named(memory, address, &[("tzinfo", time_zone)], visitor)?;
                }
                self.scalar(memory, info, address)
            }
            Content::UnknownItems => {
                let extent = self.scalar(memory, info, address)?;
                self.scan(memory, address + info.basicsize, address + extent.own, visitor)?;
                Ok(extent)
            }
            _ => self.scalar(memory, info, address),
        }
    }

    /// Tells the fields that the type names, and whatever the parts that nobody knows may refer to.
    fn fields<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        if !info.fields.is_empty() {
            self.bounds.block(memory, address, info.basicsize)?;
            let bytes = memory.read(address, info.basicsize as usize)?;
            visitor.fields(&info.fields, bytes);
        }
        for &(from, to) in &info.unknown {
            self.scan(memory, address + from, address + to, visitor)?;
        }
        Ok(())
    }

    /// Offers every word of `from..to` as a candidate.
    pub(super) fn scan<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        from: u64,
        to: u64,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        let from = from.saturating_add(from.wrapping_neg() % 8);
        let count = to.saturating_sub(from) / 8;
        self.bounds.block(memory, from, 8 * count)?;
        let mut words = self.take_words();
        let mut gap = Gap::new(0);
        let mut done = 0;
        while done < count {
            let piece = (count - done).min(Self::PIECE_WORDS);
            let at = from + 8 * done;
            let bytes = memory.read(at, (8 * piece) as usize)?;
            words.clear();
            words.extend(
                bytes
                    .chunks_exact(8)
                    .map(|word| word_at(word, 0))
                    .filter(|&word| word != 0),
            );
            for &word in &words {
                visitor.candidate(memory, word);
            }
            done += piece;
            if gap.is_endless(piece, words.is_empty()) {
                break;
            }
        }
        self.give_back(words);
        Ok(())
    }

    /// Tells the members at these offsets.
    pub(super) fn named<M: ReadMemory, V: Visitor<M>>(
        &self,
        memory: &mut M,
        address: u64,
        members: &[(&'static str, u64)],
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        for &(name, offset) in members {
            let target = memory.word(address.wrapping_add(offset))?;
            if target != 0 {
                visitor.reference(Step::Field(super::types::FieldName::Known(name)), target);
            }
        }
        Ok(())
    }

    /// Whether `address` lies in data that came with an executable or a library.
    pub(super) fn is_static(&mut self, address: u64) -> bool {
        if self.dynamic.contains(&address) {
            return false;
        }
        let after = self.statics.partition_point(|range| range.start <= address);
        let before_end = match after.checked_sub(1).and_then(|index| self.statics.get(index)) {
            Some(range) if range.contains(&address) => return true,
            Some(range) => range.end,
            None => 0,
        };
        self.dynamic = before_end..self.statics.get(after).map_or(u64::MAX, |range| range.start);
        false
    }

    /// A buffer to copy references into while memory is read on; `give_back` it.
    pub(super) fn take_words(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.words)
    }

    pub(super) fn give_back(&mut self, words: Vec<u64>) {
        if words.capacity() > self.words.capacity() {
            self.words = words;
        }
    }
}
