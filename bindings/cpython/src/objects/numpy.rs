//! Arrays of `numpy`, whose data stands in blocks of its own: `PyArrayObject_fields` and `PyArray_Descr` (ndarraytypes.h),
//! whose members that are read here stand alike in every release from 1.13 on, but for the size of an item.

use crate::memory::{ReadMemory, Unreadable, word_at};

use super::examine::Examiner;
use super::types::TypeInfo;
use super::visit::{Extent, Visitor};

const DATA: u64 = 16;
const DIMENSIONS: u64 = 24;
const SHAPE: u64 = 32;
const BASE: u64 = 48;
const DESCR: u64 = 56;
const FLAGS: u64 = 64;
/// What is read of an array.
const SIZE: usize = 72;

const DESCR_TYPE_NUMBER: u64 = 28;
/// In 1.x `int elsize, alignment`, of which the second is never 0; in 2.x 64 bits of flags, with nothing in the upper half.
const DESCR_SIZE_V1: u64 = 32;
const DESCR_SIZE_V2: u64 = 40;

const C_CONTIGUOUS: u32 = 1;
const F_CONTIGUOUS: u32 = 2;
const OWNS_DATA: u32 = 4;
/// The number of the type whose items are references (`NPY_OBJECT`).
const OBJECTS: u32 = 17;
/// More dimensions than any release allows.
const MOST_DIMENSIONS: u64 = 64;

/// What an array says of itself.
struct Array {
    data: u64,
    shape: u64,
    dimensions: u64,
    items: u64,
    item_size: u64,
    flags: u32,
    type_number: u32,
}

impl Array {
    fn read<M: ReadMemory>(memory: &mut M, address: u64) -> Result<Array, Unreadable> {
        let implausible = Unreadable::Implausible {
            what: "array",
            at: address,
        };
        let bytes = memory.read(address, SIZE)?;
        let (data, shape, descr) = (word_at(bytes, DATA), word_at(bytes, SHAPE), word_at(bytes, DESCR));
        let dimensions = word_at(bytes, DIMENSIONS) & 0xffff_ffff;
        let flags = word_at(bytes, FLAGS) as u32;
        if dimensions > MOST_DIMENSIONS {
            return Err(implausible);
        }
        let mut items: u64 = 1;
        if dimensions > 0 {
            let lengths = memory.read(shape, 8 * dimensions as usize)?;
            for length in lengths.chunks_exact(8).map(|word| word_at(word, 0)) {
                items = items.checked_mul(length).ok_or(implausible)?;
            }
        }
        let old_size = memory.word(descr.wrapping_add(DESCR_SIZE_V1))?;
        let item_size = match old_size >> 32 {
            0 => memory.word(descr.wrapping_add(DESCR_SIZE_V2))?,
            _ => old_size & 0xffff_ffff,
        };
        items.checked_mul(item_size).ok_or(implausible)?;
        Ok(Array {
            data,
            shape,
            dimensions,
            items,
            item_size,
            flags,
            type_number: memory.half(descr.wrapping_add(DESCR_TYPE_NUMBER))?,
        })
    }

    fn owns_data(&self) -> bool {
        self.flags & OWNS_DATA != 0
    }

    /// Whether its data are references, one behind the other.
    fn holds_objects(&self) -> bool {
        self.type_number == OBJECTS && self.item_size == 8 && self.flags & (C_CONTIGUOUS | F_CONTIGUOUS) != 0
    }
}

impl Examiner<'_> {
    /// An array: what it is made over, and the data that it owns. `numpy` counts them by `__sizeof__` as well.
    pub(super) fn numpy_array<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        self.named(memory, address, &[("base", BASE), ("dtype", DESCR)], visitor)?;
        let array = Array::read(memory, address)?;
        // The lengths and the steps of all dimensions stand together.
        let shape = 16 * array.dimensions;
        let mut extent = Extent::single(info.basicsize);
        extent.counted += shape;
        extent.length = array.items;
        if array.dimensions > 0 {
            extent.tables += self.blocks.size_of_raw(memory, array.shape, shape);
        }
        if array.owns_data() {
            let data = array.items * array.item_size;
            self.bounds.block(memory, array.data, data)?;
            extent.counted += data;
            extent.tables += self.blocks.size_of_raw(memory, array.data, data.max(1));
            if array.holds_objects() {
                self.items(memory, array.data, array.items, visitor)?;
            }
        }
        Ok(extent)
    }
}
