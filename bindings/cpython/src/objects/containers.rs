//! Lists, tuples, sets and deques: objects that hold others by place.

use crate::memory::{ReadMemory, Unreadable, word_at};

use super::bounds::Gap;
use super::examine::Examiner;
use super::types::TypeInfo;
use super::visit::{Extent, Step, Visitor};

/// `SET` entries: key and hash; a deleted one has the hash −1 and a dummy for a key.
const SET_ENTRY: u64 = 16;
const DUMMY_HASH: u64 = u64::MAX;
/// `BLOCK` of a deque: a link, 64 items, a link.
const BLOCK_ITEMS: u64 = 64;
const BLOCK_SIZE: u64 = 8 + 8 * BLOCK_ITEMS + 8;
const BLOCK_DATA: u64 = 8;
const BLOCK_RIGHT: u64 = 8 + 8 * BLOCK_ITEMS;
/// More items than any address space holds.
pub(super) const MOST_ITEMS: u64 = 1 << 40;

impl Examiner<'_> {
    pub(super) fn list<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.list;
        let bytes = memory.read(address, (at.allocated + 8) as usize)?;
        let length = word_at(bytes, self.layout.object.ob_size);
        let (items, mut allocated) = (word_at(bytes, at.items), word_at(bytes, at.allocated));
        // `list.sort` takes the items away and puts −1 there for as long as it runs; `sys.getsizeof` reckons with that.
        let sorting = allocated == u64::MAX && length == 0;
        if sorting {
            allocated = 0;
        }
        if length > allocated || allocated > MOST_ITEMS {
            return Err(Unreadable::Implausible {
                what: "list",
                at: address,
            });
        }
        self.bounds.block(memory, items, 8 * allocated)?;
        self.items(memory, items, length, visitor)?;
        let tables = if allocated > 0 {
            self.blocks.size(memory, items, 8 * allocated)
        } else {
            0
        };
        Ok(Extent {
            counted: info.basicsize + 8 * allocated - if sorting { 8 } else { 0 },
            own: info.basicsize,
            tables,
            length,
        })
    }

    pub(super) fn tuple<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let length = memory.word(address + self.layout.object.ob_size)?;
        // A structure sequence holds more than it shows as a tuple.
        let held = length.max(info.least_items);
        if held > MOST_ITEMS {
            return Err(Unreadable::Implausible {
                what: "tuple",
                at: address,
            });
        }
        let own = info.basicsize + 8 * held;
        self.bounds.block(memory, address, own)?;
        self.items(memory, address + self.layout.tuple.items, held, visitor)?;
        Ok(Extent {
            counted: info.basicsize + 8 * length,
            own,
            tables: 0,
            length,
        })
    }

    pub(super) fn set<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.set;
        let bytes = memory.read(address, at.small_table as usize)?;
        let (used, mask, table) = (
            word_at(bytes, at.used),
            word_at(bytes, at.mask),
            word_at(bytes, at.table),
        );
        let slots = mask.wrapping_add(1);
        if !slots.is_power_of_two() || slots > MOST_ITEMS || used > slots {
            return Err(Unreadable::Implausible {
                what: "set",
                at: address,
            });
        }
        self.bounds.block(memory, table, SET_ENTRY * slots)?;
        let mut done = 0;
        // Numbers in a row lie in a row: up to eight times as much is empty.
        let mut gap = Gap::new(16 * used);
        while done < slots {
            let piece = (slots - done).min(Self::PIECE_WORDS / 2);
            let bytes = memory.read(table.wrapping_add(SET_ENTRY * done), (SET_ENTRY * piece) as usize)?;
            for entry in bytes.chunks_exact(SET_ENTRY as usize) {
                let (key, hash) = (word_at(entry, 0), word_at(entry, 8));
                if key != 0 && hash != DUMMY_HASH {
                    visitor.reference(Step::Member, key);
                }
            }
            done += piece;
            if done < slots && gap.is_endless(2 * piece, is_zero(bytes)) {
                break;
            }
        }
        let own_table = table == address + at.small_table;
        let tables = if own_table {
            0
        } else {
            self.blocks.size(memory, table, SET_ENTRY * slots)
        };
        let counted = info.basicsize + if own_table { 0 } else { SET_ENTRY * slots };
        Ok(Extent {
            counted,
            own: info.basicsize,
            tables,
            length: used,
        })
    }

    pub(super) fn deque<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        info: &TypeInfo,
        address: u64,
        visitor: &mut V,
    ) -> Result<Extent, Unreadable> {
        let at = self.layout.deque;
        let bytes = memory.read(address, info.basicsize as usize)?;
        let length = word_at(bytes, self.layout.object.ob_size);
        let (mut block, mut index) = (word_at(bytes, at.left_block), word_at(bytes, at.left_index));
        let spare = at.free_block_count.map_or(0, |count| word_at(bytes, count));
        if length > MOST_ITEMS || index > BLOCK_ITEMS || spare > BLOCK_ITEMS {
            return Err(Unreadable::Implausible {
                what: "deque",
                at: address,
            });
        }
        let blocks = (index + length).div_ceil(BLOCK_ITEMS).max(1);
        let mut done = 0;
        let (mut followed, mut remembered) = (0u64, block);
        while done < length {
            let piece = (BLOCK_ITEMS - index).min(length - done);
            self.items_from(memory, block.wrapping_add(BLOCK_DATA + 8 * index), piece, done, visitor)?;
            done += piece;
            index = 0;
            if done < length {
                block = memory.word(block.wrapping_add(BLOCK_RIGHT))?;
                // Blocks that lead back to one of them: every 2ⁿth is remembered, as no ring can avoid.
                followed += 1;
                if block == remembered {
                    return Err(Unreadable::Implausible {
                        what: "deque",
                        at: address,
                    });
                }
                if followed == u64::next_power_of_two(followed) {
                    remembered = block;
                }
            }
        }
        self.bounds.room(address, 8 * length)?;
        let block_size = self.blocks.size(memory, block, BLOCK_SIZE);
        Ok(Extent {
            counted: info.basicsize + BLOCK_SIZE * blocks,
            own: info.basicsize,
            tables: block_size * (blocks + spare),
            length,
        })
    }

    pub(super) fn items<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        start: u64,
        count: u64,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        self.items_from(memory, start, count, 0, visitor)
    }

    /// Tells `count` references in a row from `start`, whose first has the place `place`; NULLs are passed over.
    pub(super) fn items_from<M: ReadMemory, V: Visitor<M>>(
        &mut self,
        memory: &mut M,
        start: u64,
        count: u64,
        place: u64,
        visitor: &mut V,
    ) -> Result<(), Unreadable> {
        let mut gap = Gap::new(0);
        let mut done = 0;
        while done < count {
            let piece = (count - done).min(Self::PIECE_WORDS);
            let words = memory.read(start.wrapping_add(8 * done), (8 * piece) as usize)?;
            visitor.items(place + done, words);
            done += piece;
            // What is as long as a piece may go on forever.
            if done < count && gap.is_endless(piece, is_zero(words)) {
                break;
            }
        }
        Ok(())
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}
