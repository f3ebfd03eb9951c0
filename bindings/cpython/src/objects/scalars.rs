//! Objects that are measured by what their heads say: numbers, text, buffers, and all that has a fixed part and items.

use crate::memory::{ReadMemory, Unreadable, half_at, word_at};

use super::content::Content;
use super::examine::Examiner;
use super::int::IntHeader;
use super::types::TypeInfo;
use super::visit::{Extent, Step, Visitor};

/// More bytes than any address space holds: longer ones are misread numbers.
const LARGEST: u64 = 1 << 46;
/// The head of a `bytes` and its NUL (`PyBytesObject_SIZE`), which a hidden one costs as well.
const BYTES_HEAD: u64 = 33;

impl Examiner<'_> {
    /// Measures an object by its items.
    pub(super) fn scalar<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
    ) -> Result<Extent, Unreadable> {
        match info.content {
            Content::Str => self.text(memory, info, address),
            Content::Int => self.int(memory, info, address),
            Content::Array => self.array(memory, info, address),
            Content::Buffered => self.buffered(memory, info, address),
            Content::Struct => self.struct_object(memory, info, address),
            Content::Decimal => self.decimal(memory, info, address),
            Content::PoolIndices(_) | Content::Indices(_) | Content::IndicesAndCycles(_) => {
                self.with_indices(memory, info, address)
            }
            _ if info.itemsize == 0 => Ok(Extent::single(info.basicsize)),
            _ => {
                let items = memory.word(address + self.layout.object.ob_size)? as i64;
                self.checked(address, info.basicsize, items.unsigned_abs(), info.itemsize)
                    .map(Extent::single)
            }
        }
    }

    #[inline]
    fn checked(&self, at: u64, fixed: u64, items: u64, itemsize: u64) -> Result<u64, Unreadable> {
        match items.checked_mul(itemsize).and_then(|bytes| bytes.checked_add(fixed)) {
            Some(size) if size < LARGEST => Ok(size),
            _ => Err(Unreadable::Implausible {
                what: "number of items",
                at,
            }),
        }
    }

    fn int<M: ReadMemory>(&mut self, memory: &mut M, info: &TypeInfo, address: u64) -> Result<Extent, Unreadable> {
        let digits = IntHeader::read(memory, self.layout, address)?.digits;
        let size = self.checked(address, info.basicsize, digits.max(1), info.itemsize)?;
        Ok(Extent {
            counted: self.counted_digits(digits, size),
            own: size,
            tables: 0,
            length: 0,
        })
    }

    fn text<M: ReadMemory>(&mut self, memory: &mut M, info: &TypeInfo, address: u64) -> Result<Extent, Unreadable> {
        let at = self.layout.text;
        let bytes = memory.read(address, at.ascii_size as usize)?;
        let state = half_at(bytes, at.state);
        let length = word_at(bytes, at.length);
        let (kind, compact, ascii) = (u64::from(state >> 2 & 7), state >> 5 & 1 == 1, state >> 6 & 1 == 1);
        let ready = at.wstr.is_none() || state >> 7 & 1 == 1;
        if length >= LARGEST / 4 || !(matches!(kind, 1 | 2 | 4) || kind == 0 && !ready) {
            return Err(Unreadable::Implausible {
                what: "str",
                at: address,
            });
        }
        let mut wide = at.wstr.map_or(0, |(wstr, _)| word_at(bytes, wstr));
        if compact && ascii {
            let size = at.ascii_size + length + 1;
            let mut extent = Extent {
                length,
                ..Extent::single(size)
            };
            if wide != 0 {
                extent.counted += 4 * (length + 1);
                extent.tables += self.blocks.size(memory, wide, 4 * (length + 1));
            }
            return Ok(extent);
        }
        let head = if compact { at.compact_size } else { at.unicode_size };
        let bytes = memory.read(address, head as usize)?;
        let (utf8, utf8_length) = (word_at(bytes, at.utf8), word_at(bytes, at.utf8_length));
        let wide_length = at.wstr.map_or(0, |(_, length)| word_at(bytes, length));
        let mut extent = if compact {
            Extent::single(head + (length + 1) * kind)
        } else {
            // `str.__sizeof__` knows nothing of what a subclass adds.
            Extent {
                counted: head,
                own: info.basicsize,
                ..Extent::default()
            }
        };
        extent.length = length;
        let data = if compact {
            address + head
        } else {
            word_at(bytes, at.data)
        };
        if !compact && data != 0 {
            self.bounds.block(memory, data, (length + 1) * kind)?;
            extent.counted += (length + 1) * kind;
            extent.tables += self.blocks.size(memory, data, (length + 1) * kind);
        }
        if utf8 != 0 && utf8 != data && utf8_length < LARGEST {
            self.bounds.block(memory, utf8, utf8_length + 1)?;
            extent.counted += utf8_length + 1;
            extent.tables += self.blocks.size(memory, utf8, utf8_length + 1);
        }
        if ready && wide == data {
            wide = 0;
        }
        if wide != 0 && wide_length < LARGEST / 4 {
            self.bounds.block(memory, wide, 4 * (wide_length + 1))?;
            extent.counted += 4 * (wide_length + 1);
            extent.tables += self.blocks.size(memory, wide, 4 * (wide_length + 1));
        }
        Ok(extent)
    }

    pub(super) fn byte_array<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.bytearray;
        let length = memory.word(address + self.layout.object.ob_size)?;
        let allocated = self.checked(address, 0, memory.word(address + at.alloc)?, 1)?;
        let mut extent = Extent {
            length,
            ..Extent::single(info.basicsize)
        };
        match at.bytes_object {
            None if allocated > 0 => {
                extent.counted += allocated;
                let start = memory.word(address + at.bytes)?;
                self.bounds.block(memory, start, allocated)?;
                extent.tables += self.blocks.size(memory, start, allocated);
            }
            None => {}
            Some(hidden) => {
                if allocated > 0 {
                    extent.counted += BYTES_HEAD + allocated;
                }
                let hidden = memory.word(address + hidden)?;
                if hidden != 0 {
                    visitor.reference(Step::Field(super::types::FieldName::Known("bytes")), hidden);
                }
            }
        }
        Ok(extent)
    }

    fn array<M: ReadMemory>(&mut self, memory: &mut M, info: &TypeInfo, address: u64) -> Result<Extent, Unreadable> {
        let at = self.layout.array;
        let length = memory.word(address + self.layout.object.ob_size)?;
        let items = memory.word(address + at.items)?;
        let allocated = memory.word(address + at.allocated)?;
        let descr = memory.word(address + at.descr)?;
        let itemsize = u64::from(memory.half(descr.wrapping_add(at.descr_itemsize))?);
        let buffer = self.checked(address, 0, allocated, itemsize)?;
        self.bounds.block(memory, items, buffer)?;
        let tables = if buffer > 0 {
            self.blocks.size(memory, items, buffer)
        } else {
            0
        };
        Ok(Extent {
            counted: info.basicsize + buffer,
            own: info.basicsize,
            tables,
            length,
        })
    }

    /// `BytesIO` counts its buffer, a `bytes`, as long as nobody else holds that.
    pub(super) fn bytes_io<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let mut extent = Extent::single(info.basicsize);
        let buffer = memory.word(address + self.layout.bytes_io.buf)?;
        if buffer == 0 {
            return Ok(extent);
        }
        visitor.reference(Step::Field(super::types::FieldName::Known("buffer")), buffer);
        // Counts of immortal objects fill the upper half of the word too; one holder is 1 in every release.
        if memory.half(buffer.wrapping_add(self.layout.object.refcnt))? == 1 {
            let length = memory.word(buffer.wrapping_add(self.layout.object.ob_size))?;
            extent.counted += self.checked(buffer, BYTES_HEAD, length, 1)?;
        }
        Ok(extent)
    }

    fn buffered<M: ReadMemory>(&mut self, memory: &mut M, info: &TypeInfo, address: u64) -> Result<Extent, Unreadable> {
        let at = self.layout.buffered;
        let buffer = memory.word(address + at.buffer)?;
        let mut extent = Extent::single(info.basicsize);
        if buffer != 0 {
            let size = self.checked(address, 0, memory.word(address + at.buffer_size)?, 1)?;
            self.bounds.block(memory, buffer, size)?;
            extent.counted += size;
            extent.tables += self.blocks.size(memory, buffer, size);
        }
        Ok(extent)
    }

    fn struct_object<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
    ) -> Result<Extent, Unreadable> {
        const MOST_CODES: u64 = 1 << 16;
        let at = self.layout.struct_object;
        let codes = memory.word(address + at.codes)?;
        let mut size = 0;
        if codes != 0 {
            size = at.code_size;
            // The last code has no definition.
            while size < MOST_CODES * at.code_size && memory.word(codes.wrapping_add(size - at.code_size))? != 0 {
                size += at.code_size;
            }
        }
        let tables = if size > 0 {
            self.blocks.size(memory, codes, size)
        } else {
            0
        };
        Ok(Extent {
            counted: info.basicsize + size,
            own: info.basicsize,
            tables,
            length: 0,
        })
    }

    fn decimal<M: ReadMemory>(&mut self, memory: &mut M, info: &TypeInfo, address: u64) -> Result<Extent, Unreadable> {
        let at = self.layout.decimal;
        let mut extent = Extent::single(info.basicsize);
        if memory.byte(address + at.flags)? & at.static_bits == 0 {
            let digits = self.checked(address, 0, memory.word(address + at.alloc)?, 8)?;
            extent.counted += digits;
            extent.tables += self.blocks.size(memory, 0, digits);
        }
        Ok(extent)
    }

    /// `itertools` objects that keep arrays of positions.
    fn with_indices<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
    ) -> Result<Extent, Unreadable> {
        let ob_size = self.layout.object.ob_size;
        let count = match info.content {
            Content::PoolIndices(pools) => {
                let pools = memory.word(address + pools)?;
                memory.word(pools.wrapping_add(ob_size))?
            }
            Content::Indices(number) => memory.word(address + number)?,
            Content::IndicesAndCycles(number) => {
                let pool = memory.word(address + self.layout.object.size)?;
                let indices = memory.word(pool.wrapping_add(ob_size))?;
                indices.saturating_add(memory.word(address + number)?)
            }
            _ => 0,
        };
        let arrays = self.checked(address, 0, count, 8)?;
        let tables = if arrays > 0 {
            self.blocks.size(memory, 0, arrays)
        } else {
            0
        };
        Ok(Extent {
            counted: info.basicsize + arrays,
            own: info.basicsize,
            tables,
            length: 0,
        })
    }
}
