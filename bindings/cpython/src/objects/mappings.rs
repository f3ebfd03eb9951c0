//! Dicts in all their forms, and the attributes that instances keep without one.

use crate::layout::{Keys, Values};
use crate::memory::{ReadMemory, Unreadable, word_at};

use super::dict::{DictHeader, EntryKind, KeysHeader};
use super::examine::Examiner;
use super::types::{InstanceDict, TypeInfo, flags, has_values};
use super::visit::{Extent, Step, Visitor};

/// `_odictnode` (Objects/odictobject.c): key, hash and two links.
const ORDERED_NODE: u64 = 32;
/// A class's instances share no more names than this.
const MOST_SHARED_NAMES: u64 = 4096;

impl Examiner<'_> {
    pub(super) fn dict<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let DictHeader { used, keys, values } = DictHeader::read(memory, self.layout, address)?;
        let table = KeysHeader::read(memory, &self.layout.keys, keys)?;
        if used > table.slots {
            return Err(Unreadable::Implausible {
                what: "dict",
                at: address,
            });
        }
        self.bounds.block(memory, keys, table.bytes)?;
        let mut extent = Extent {
            counted: info.basicsize,
            own: info.basicsize,
            tables: 0,
            length: used,
        };
        if values != 0 {
            // Whether or not they stand in their owner's block, `sys.getsizeof` counts the values.
            extent.counted += 8 * self.value_room(&table);
            extent.tables += self.split_values(memory, &table, values, visitor)?;
        } else {
            self.entries(memory, &table, visitor)?;
        }
        if table.refcnt == 1 {
            extent.counted += table.bytes;
            extent.tables += self.blocks.size(memory, keys, table.bytes);
        }
        Ok(extent)
    }

    pub(super) fn ordered_dict<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let mut extent = self.dict(memory, info, address, visitor)?;
        let at = self.layout.ordered_dict;
        let first = memory.word(address + at.first)?;
        let fast_nodes = memory.word(address + at.fast_nodes_size)?.min(self.bounds.largest / 8);
        let instance_dict = memory.word(address + at.instance_dict)?;
        if instance_dict != 0 {
            visitor.reference(Step::Field(super::types::FieldName::Known("__dict__")), instance_dict);
        }
        extent.counted += 8 * fast_nodes;
        if fast_nodes > 0 {
            extent.tables += self.blocks.size(memory, 0, 8 * fast_nodes);
        }
        if first != 0 {
            extent.counted += ORDERED_NODE * extent.length;
            extent.tables += self.blocks.size(memory, 0, ORDERED_NODE).saturating_mul(extent.length);
        }
        Ok(extent)
    }

    /// Tells keys and values of a table that holds both.
    fn entries<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        table: &KeysHeader,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        if table.kind == EntryKind::Split {
            return Ok(());
        }
        let (size, key_at) = (table.kind.size(), table.kind.key());
        let mut done = 0;
        while done < table.used_entries {
            let piece = (table.used_entries - done).min(Self::PIECE_WORDS / 2);
            let bytes = memory.read(table.entries.wrapping_add(size * done), (size * piece) as usize)?;
            for (position, entry) in (done..).zip(bytes.chunks_exact(size as usize)) {
                let (key, value) = (word_at(entry, key_at), word_at(entry, key_at + 8));
                // A deleted entry has no value, and its key, where it has one left, is held by nobody.
                if value != 0 && key != 0 {
                    visitor.reference(Step::Value { key, position }, value);
                    visitor.reference(Step::Key, key);
                }
            }
            done += piece;
        }
        Ok(())
    }

    /// Tells the values of a split dict and answers the size of their block, where they have one of their own.
    fn split_values<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        table: &KeysHeader,
        values: u64,
        visitor: &mut V,
    ) -> Result<u64, Unreadable> {
        let (start, room, block) = match self.layout.values {
            Values::Bare => (values, self.value_room(table), (values, 8 * self.value_room(table))),
            Values::Pointer | Values::Tagged => {
                let prefix = u64::from(memory.byte(values.wrapping_sub(1))?);
                (
                    values,
                    self.value_room(table),
                    (values.wrapping_sub(prefix), prefix + 8 * self.value_room(table)),
                )
            }
            Values::Inline {
                capacity,
                embedded,
                values: first,
                ..
            } => {
                let room = u64::from(memory.byte(values.wrapping_add(capacity))?);
                let is_embedded = memory.byte(values.wrapping_add(embedded))? != 0;
                (
                    values.wrapping_add(first),
                    room,
                    (values, if is_embedded { 0 } else { values_size(room) }),
                )
            }
        };
        self.shared_values(memory, table, start, room, false, visitor)?;
        Ok(if block.1 > 0 {
            self.blocks.size(memory, block.0, block.1)
        } else {
            0
        })
    }

    /// Tells values that stand in a row from `start` under the names of `table`.
    fn shared_values<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        table: &KeysHeader,
        start: u64,
        room: u64,
        attributes: bool,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        let count = table.used_entries.min(room).min(MOST_SHARED_NAMES);
        self.bounds.block(memory, start, 8 * count)?;
        let mut words = self.take_words();
        words.clear();
        let bytes = memory.read(start, (8 * count) as usize)?;
        words.extend(bytes.chunks_exact(8).map(|word| word_at(word, 0)));
        let size = table.kind.size();
        let bytes = memory.read(table.entries, (size * count) as usize)?;
        words.extend(
            bytes
                .chunks_exact(size as usize)
                .map(|entry| word_at(entry, table.kind.key())),
        );
        let (targets, names) = words.split_at(count as usize);
        for (position, (&value, &key)) in targets.iter().zip(names).enumerate() {
            if value == 0 || key == 0 {
                continue;
            }
            if attributes {
                visitor.reference(Step::Attribute(key), value);
            } else {
                visitor.reference(
                    Step::Value {
                        key,
                        position: position as u64,
                    },
                    value,
                );
                visitor.reference(Step::Key, key);
            }
        }
        self.give_back(words);
        Ok(())
    }

    /// Tells what an instance holds by its `__dict__` or instead of one; answers bytes of its own block behind
    /// `tp_basicsize`, and of blocks besides.
    pub(super) fn attributes<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        own: u64,
        visitor: &mut V,
    ) -> Result<(u64, u64), Unreadable> {
        let dict_at = match info.instance_dict {
            InstanceDict::None => return Ok((0, 0)),
            InstanceDict::At(offset) => address + offset,
            InstanceDict::BeforeEnd(back) => (address + own.next_multiple_of(8)).wrapping_sub(back),
            InstanceDict::Managed => address.wrapping_sub(24),
        };
        let mut dict = memory.word(dict_at)?;
        let mut behind = 0;
        let mut besides = 0;
        if info.instance_dict == InstanceDict::Managed {
            let mut values = 0;
            match self.layout.values {
                Values::Bare => {}
                Values::Pointer => values = memory.word(address.wrapping_sub(32))?,
                Values::Tagged if dict & 1 == 1 => (values, dict) = (dict.wrapping_add(1), 0),
                Values::Tagged => {}
                Values::Inline { valid, capacity, .. } if info.has(flags::INLINE_VALUES) => {
                    let place = address + info.basicsize;
                    behind = values_size(u64::from(memory.byte(place + capacity)?));
                    // With a dict, the dict tells these values; without, they are the object's own.
                    if dict == 0 && memory.byte(place + valid)? != 0 {
                        values = place;
                    }
                }
                Values::Inline { .. } => {}
            }
            if values != 0 {
                besides = self.instance_values(memory, info, values, visitor)?;
            }
        }
        if dict != 0 {
            visitor.reference(Step::Field(super::types::FieldName::Known("__dict__")), dict);
        }
        Ok((behind, besides))
    }

    /// Tells the attributes of an instance that has no dict; answers the size of their block, if they have one.
    fn instance_values<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        values: u64,
        visitor: &mut V,
    ) -> Result<u64, Unreadable> {
        if !has_values(self.layout, info.flags) || info.cached_keys == 0 {
            return Ok(0);
        }
        let table = self.cached_table(memory, info)?;
        match self.layout.values {
            Values::Inline {
                capacity,
                values: first,
                ..
            } => {
                let room = u64::from(memory.byte(values.wrapping_add(capacity))?);
                self.shared_values(memory, &table, values.wrapping_add(first), room, true, visitor)?;
                Ok(0)
            }
            _ => {
                let prefix = u64::from(memory.byte(values.wrapping_sub(1))?);
                let room = self.value_room(&table);
                self.shared_values(memory, &table, values, room, true, visitor)?;
                Ok(self.blocks.size(memory, values.wrapping_sub(prefix), prefix + 8 * room))
            }
        }
    }

    /// How many values a dict or instance with this table has room for.
    fn value_room(&self, table: &KeysHeader) -> u64 {
        match self.layout.keys {
            Keys::Sized { .. } => table.capacity(),
            Keys::Log2 { .. } => table.used_entries + table.free_entries,
        }
    }

    /// The names that instances of `info` share; the last class's is kept, since objects of a class come in rows.
    fn cached_table<M: ReadMemory>(&mut self, memory: &mut M, info: &TypeInfo) -> Result<KeysHeader, Unreadable> {
        if let Some((keys, table)) = self.last_table
            && keys == info.cached_keys
        {
            return Ok(table);
        }
        let table = KeysHeader::read(memory, &self.layout.keys, info.cached_keys)?;
        self.last_table = Some((info.cached_keys, table));
        Ok(table)
    }
}

/// The size of a `PyDictValues` with this capacity: a head of a word, the values, a byte for each (pycore_dict.h).
fn values_size(capacity: u64) -> u64 {
    8 * (capacity + 1) + capacity.next_multiple_of(8)
}
