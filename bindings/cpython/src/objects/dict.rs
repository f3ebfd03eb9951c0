//! Reads dicts and their key tables (`PyDictObject`, `PyDictKeysObject`, `PyDictValues`; Objects/dictobject.c).

use crate::layout::{Keys, Layout, Values};
use crate::memory::{ReadMemory, Unreadable, word_at};

use super::bounds::Gap;
use super::text::{TextHeader, str_value};

/// More slots than a hash table can have in any memory there is.
const MOST_SLOTS: u64 = 1 << 40;

/// How the entries of a key table are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Hash, key, value: 24 bytes. In a split dict (up to 3.10) the values stand elsewhere.
    General,
    /// Key and value: 16 bytes, all keys are `str` (3.11 and later).
    Unicode,
    /// As `Unicode`, with the values elsewhere (3.11 and later).
    Split,
}

impl EntryKind {
    /// Bytes in an entry.
    pub const fn size(self) -> u64 {
        match self {
            EntryKind::General => 24,
            EntryKind::Unicode | EntryKind::Split => 16,
        }
    }

    /// Where the key stands in an entry; the value is behind it.
    pub const fn key(self) -> u64 {
        match self {
            EntryKind::General => 8,
            EntryKind::Unicode | EntryKind::Split => 0,
        }
    }
}

/// What the head of a key table says, checked for plausibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysHeader {
    /// How many dicts and types share the table.
    pub refcnt: u64,
    /// Slots of the hash table.
    pub slots: u64,
    /// Entries in use, deleted ones among them.
    pub used_entries: u64,
    /// Entries that can still be made.
    pub free_entries: u64,
    pub kind: EntryKind,
    /// Where the entries begin.
    pub entries: u64,
    /// Bytes of the whole table, as `sys.getsizeof` counts them.
    pub bytes: u64,
}

impl KeysHeader {
    /// Reads the head of the table at `address`.
    pub fn read(memory: &mut impl ReadMemory, layout: &Keys, address: u64) -> Result<Self, Unreadable> {
        let implausible = Unreadable::Implausible {
            what: "dict keys",
            at: address,
        };
        let head = memory.read(address, 40)?;
        let (refcnt, slots, index_bytes, kind, usable, nentries, indices) = match *layout {
            Keys::Sized {
                refcnt,
                size,
                usable,
                nentries,
                indices,
            } => {
                let slots = word_at(head, size);
                let index_size = match slots {
                    0..=0xff => 1,
                    0x100..=0xffff => 2,
                    0x1_0000..=0xffff_ffff => 4,
                    _ => 8,
                };
                let index_bytes = slots.checked_mul(index_size).ok_or(implausible)?;
                (
                    word_at(head, refcnt),
                    slots,
                    index_bytes,
                    EntryKind::General,
                    usable,
                    nentries,
                    indices,
                )
            }
            Keys::Log2 {
                refcnt,
                log2_size,
                log2_index_bytes,
                kind,
                usable,
                nentries,
                indices,
            } => {
                let byte = |offset: u64| head.get(offset as usize).copied().unwrap_or(u8::MAX);
                let power = |offset: u64| 1u64.checked_shl(u32::from(byte(offset))).ok_or(implausible);
                let kind = match byte(kind) {
                    0 => EntryKind::General,
                    1 => EntryKind::Unicode,
                    2 => EntryKind::Split,
                    _ => return Err(implausible),
                };
                (
                    word_at(head, refcnt),
                    power(log2_size)?,
                    power(log2_index_bytes)?,
                    kind,
                    usable,
                    nentries,
                    indices,
                )
            }
        };
        let header = KeysHeader {
            refcnt,
            slots,
            used_entries: word_at(head, nentries),
            free_entries: word_at(head, usable),
            kind,
            entries: address
                .checked_add(indices)
                .and_then(|at| at.checked_add(index_bytes))
                .ok_or(implausible)?,
            bytes: 0,
        };
        // A table of 2⁴⁰ slots would not fit into memory: larger ones only tempt later sums to overflow. A slot of the
        // hash table has one byte to eight.
        let fitting_index = (slots..=slots.saturating_mul(8)).contains(&index_bytes);
        if !slots.is_power_of_two() || slots > MOST_SLOTS || !fitting_index {
            return Err(implausible);
        }
        if header.used_entries > header.capacity() || header.free_entries > header.capacity() {
            return Err(implausible);
        }
        let bytes = indices + index_bytes + header.capacity() * kind.size();
        Ok(KeysHeader { bytes, ..header })
    }

    /// Entries that the table was made for (`USABLE_FRACTION`).
    pub const fn capacity(&self) -> u64 {
        (self.slots << 1) / 3
    }
}

/// What a dict says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DictHeader {
    /// Its `len`.
    pub used: u64,
    /// Address of its key table.
    pub keys: u64,
    /// Address of `ma_values`; 0 when the values stand in the table.
    pub values: u64,
}

impl DictHeader {
    /// Reads the dict at `address`.
    pub fn read(memory: &mut impl ReadMemory, layout: &Layout, address: u64) -> Result<Self, Unreadable> {
        let dict = &layout.dict;
        let bytes = memory.read(address, dict.size as usize)?;
        Ok(DictHeader {
            used: word_at(bytes, dict.used),
            keys: word_at(bytes, dict.keys),
            values: word_at(bytes, dict.values),
        })
    }
}

/// One live entry of a dict: addresses of a key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub key: u64,
    pub value: u64,
}

/// The first `most` live entries of the dict at `address`, in the order in which they were made.
pub fn entries(
    memory: &mut impl ReadMemory,
    layout: &Layout,
    address: u64,
    most: usize,
) -> Result<Vec<Entry>, Unreadable> {
    let dict = DictHeader::read(memory, layout, address)?;
    let keys = KeysHeader::read(memory, &layout.keys, dict.keys)?;
    let count = keys.used_entries;
    let values = if dict.values == 0 {
        None
    } else {
        Some(split_values(memory, layout, dict.values, count)?)
    };
    let mut found = Vec::new();
    let mut index = 0;
    let mut gap = Gap::new(0);
    while index < count && found.len() < most {
        // Pieces bound what a made-up length can make a reader fetch at once.
        const PIECE: u64 = 4096;
        let piece = PIECE.min(count - index);
        let size = keys.kind.size();
        let bytes = memory.read(keys.entries.wrapping_add(index * size), (piece * size) as usize)?;
        let before = found.len();
        for slot in 0..piece {
            let key = word_at(bytes, slot * size + keys.kind.key());
            let value = match &values {
                Some(values) => values.get((index + slot) as usize).copied().unwrap_or(0),
                None => word_at(bytes, slot * size + keys.kind.key() + 8),
            };
            if key != 0 && value != 0 && found.len() < most {
                found.push(Entry { key, value });
            }
        }
        index += piece;
        if gap.is_endless(piece, found.len() == before) {
            break;
        }
    }
    Ok(found)
}

/// The values of a split dict, `count` at most: as many as the key table has entries, or as there is room for.
fn split_values(
    memory: &mut impl ReadMemory,
    layout: &Layout,
    address: u64,
    count: u64,
) -> Result<Vec<u64>, Unreadable> {
    // Only instances' dicts are split, and a table with this many keys is never shared.
    const MOST: u64 = 1 << 16;
    if count > MOST {
        return Err(Unreadable::Implausible {
            what: "split dict",
            at: address,
        });
    }
    let (at, count) = match layout.values {
        Values::Inline { capacity, values, .. } => {
            let capacity = u64::from(memory.byte(address.wrapping_add(capacity))?);
            (address.wrapping_add(values), count.min(capacity))
        }
        Values::Bare | Values::Pointer | Values::Tagged => (address, count),
    };
    let bytes = memory.read(at, (count * 8) as usize)?;
    Ok((0..count).map(|index| word_at(bytes, index * 8)).collect())
}

/// The value under the `str` key `name` in the dict at `address`, read entry by entry; `None` when there is none.
pub fn get_str(
    memory: &mut impl ReadMemory,
    layout: &Layout,
    address: u64,
    name: &str,
) -> Result<Option<u64>, Unreadable> {
    // Dicts that this is asked of (of `sys`, of modules) are far smaller.
    const MOST: usize = 1 << 16;
    let length = name.chars().count();
    for entry in entries(memory, layout, address, MOST)? {
        // Keys that are no `str` are read as one here: what comes out is compared, and nothing else is done with it.
        let same_length = TextHeader::read(memory, layout, entry.key).is_ok_and(|head| head.length == length as u64);
        if same_length && str_value(memory, layout, entry.key, length).is_ok_and(|key| key == name) {
            return Ok(Some(entry.value));
        }
    }
    Ok(None)
}
