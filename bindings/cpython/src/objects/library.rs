//! C types of the standard library that keep a number of references of their own: queues, tees, XML elements.

use crate::layout::SimpleQueue;
use crate::memory::{ReadMemory, Unreadable, word_at};

use super::containers::MOST_ITEMS;
use super::examine::Examiner;
use super::types::{FieldName, TypeInfo};
use super::visit::{Extent, Step, Visitor};

/// `numread` and `values` of a `teedataobject`, the same in every release.
const TEE_READ: u64 = 24;
const TEE_FIRST: u64 = 40;
const TEE_VALUES: u64 = 57;

impl Examiner<'_> {
    /// A ring buffer of items (`simplequeueobject`, Modules/_queuemodule.c).
    pub(super) fn simple_queue<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        at: SimpleQueue,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let bytes = memory.read(address, info.basicsize as usize)?;
        let (items, capacity) = (word_at(bytes, at.items), word_at(bytes, at.capacity));
        let (first, count) = (word_at(bytes, at.first), word_at(bytes, at.count));
        if capacity > MOST_ITEMS || count > capacity || first > capacity {
            return Err(Unreadable::Implausible {
                what: "queue",
                at: address,
            });
        }
        let to_end = count.min(capacity - first.min(capacity));
        self.bounds.block(memory, items, 8 * capacity)?;
        self.items_from(memory, items.wrapping_add(8 * first), to_end, 0, visitor)?;
        self.items_from(memory, items, count - to_end, to_end, visitor)?;
        let tables = if capacity > 0 {
            self.blocks.size(memory, items, 8 * capacity)
        } else {
            0
        };
        let counted = info.basicsize + if at.counted { 8 * capacity } else { 0 };
        Ok(Extent {
            counted,
            own: info.basicsize,
            tables,
            length: count,
        })
    }

    /// The values of a `teedataobject` (Modules/itertoolsmodule.c), of which only those that were read are set.
    pub(super) fn tee_data<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let read = u64::from(memory.half(address + TEE_READ)?);
        if read > TEE_VALUES {
            return Err(Unreadable::Implausible {
                what: "tee",
                at: address,
            });
        }
        self.items(memory, address + TEE_FIRST, read, visitor)?;
        Ok(Extent::single(info.basicsize))
    }

    /// An XML element: tag, texts, attributes and children.
    pub(super) fn element<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.element;
        self.named(memory, address, &[("tag", at.tag)], visitor)?;
        for (name, offset) in ["text", "tail"].into_iter().zip(at.texts) {
            let text = memory.word(address.wrapping_add(offset))? & !1;
            if text != 0 {
                visitor.reference(Step::Field(FieldName::Known(name)), text);
            }
        }
        let extra = memory.word(address.wrapping_add(at.extra))?;
        if extra == 0 {
            return Ok(Extent::single(info.basicsize));
        }
        self.named(memory, extra, &[("attrib", at.attrib)], visitor)?;
        let bytes = memory.read(extra, at.extra_size as usize)?;
        let (length, allocated) = (word_at(bytes, at.length), word_at(bytes, at.allocated));
        let children = word_at(bytes, at.children);
        if length > allocated || allocated > MOST_ITEMS {
            return Err(Unreadable::Implausible {
                what: "XML element",
                at: address,
            });
        }
        self.bounds.block(memory, children, 8 * allocated)?;
        self.items(memory, children, length, visitor)?;
        let mut extent = Extent::single(info.basicsize);
        extent.counted += at.extra_size;
        extent.tables += self.blocks.size(memory, extra, at.extra_size);
        if children != extra.wrapping_add(at.own_children) {
            extent.counted += 8 * allocated;
            extent.tables += self.blocks.size(memory, children, 8 * allocated);
        }
        Ok(Extent { length, ..extent })
    }
}
