//! Reads `_Py_hashtable_t`, the hash table of C code in the interpreter (Python/hashtable.c; 3.8: Modules/hashtable.c).

use std::ops::Range;

use crate::layout::{HashValues, Layout};
use crate::memory::{ReadMemory, Unreadable, half_at, word_at};

/// `HASHTABLE_MIN_SIZE`.
const FEWEST_BUCKETS: u64 = 16;
/// Tables shrink when fewer than a tenth of their buckets are in use; sizes are powers of two.
const BUCKETS_AN_ENTRY: u64 = 64;
/// Keys that stand in their entry are a pointer, or a pointer and 4 bytes more.
const KEY_SIZES: [u64; 2] = [8, 12];
const LARGEST_DATA: u64 = 64;
/// So many entries show what a table holds.
const SAMPLE: usize = 1 << 10;
/// Buckets are read in pieces of so many bytes.
const PIECE: u64 = 1 << 16;
/// One entry may be on its way in or out while the program stands still.
const ON_THE_WAY: u64 = 1;

/// A table whose own members are plausible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub address: u64,
    /// How many entries it says it has.
    pub count: u64,
    buckets: u64,
    bucket_count: u64,
    key_size: u64,
    /// Bytes of data that stand in each entry; `None` where entries have a pointer.
    pub data_size: Option<u64>,
}

/// An entry of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub key: u64,
    /// What keys of more than a pointer have behind it, else 0.
    pub key_rest: u32,
    pub hash: u64,
    /// The pointer that is its value, or the address of its data where they stand in the entry.
    pub value: u64,
}

impl Table {
    /// Reads the table at `address`.
    pub fn read<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Result<Table, Unreadable> {
        let at = &layout.tracemalloc.table;
        let bytes = memory.read(address, at.size as usize)?;
        let word = |offset| word_at(bytes, offset);
        let (key_size, data_size) = match at.values {
            HashValues::Inline { key_size, data_size } => (word(key_size), Some(word(data_size))),
            HashValues::Pointer(_) => (KEY_SIZES[0], None),
        };
        let table = Table {
            address,
            count: word(at.nentries),
            buckets: word(at.buckets),
            bucket_count: word(at.nbuckets),
            key_size,
            data_size,
        };
        let most_buckets = table
            .count
            .saturating_add(FEWEST_BUCKETS)
            .saturating_mul(BUCKETS_AN_ENTRY);
        let is_plausible = table.bucket_count.is_power_of_two()
            && (FEWEST_BUCKETS..=most_buckets).contains(&table.bucket_count)
            && table.count <= table.bucket_count
            && table.buckets != 0
            && table.buckets.is_multiple_of(8)
            && KEY_SIZES.contains(&key_size)
            && data_size.is_none_or(|size| size <= LARGEST_DATA);
        if is_plausible {
            Ok(table)
        } else {
            Err(implausible("hash table", address))
        }
    }

    /// Whether the functions that every table has stand in one of these ranges of code.
    pub fn has_functions_in<M: ReadMemory>(&self, memory: &mut M, layout: &Layout, code: &[Range<u64>]) -> bool {
        let offsets = layout.tracemalloc.table.functions;
        offsets.iter().all(|offset| {
            let function = memory.word(self.address.wrapping_add(*offset));
            function.is_ok_and(|function| code.iter().any(|range| range.contains(&function)))
        })
    }

    /// All entries, in no particular order; an error when there are more than `most`, or others than the table counts.
    ///
    /// Chains are followed side by side, all entries of one step in the order of their addresses: entries are strewn
    /// over the whole heap, and memory is read in large pieces.
    pub fn entries<M: ReadMemory>(&self, memory: &mut M, layout: &Layout, most: u64) -> Result<Vec<Entry>, Unreadable> {
        let miscounted = implausible("number of entries in the hash table", self.address);
        if self.count > most {
            return Err(miscounted);
        }
        let mut entries = Vec::new();
        let mut step = self.heads(memory, usize::MAX)?;
        while !step.is_empty() {
            if (entries.len() + step.len()) as u64 > self.count + ON_THE_WAY {
                return Err(miscounted);
            }
            step.sort_unstable();
            let mut next_step = Vec::new();
            for (address, bucket) in step {
                let (entry, next) = self.entry(memory, layout, address, bucket)?;
                entries.push(entry);
                next_step.extend((next != 0).then_some((next, bucket)));
            }
            step = next_step;
        }
        if (entries.len() as u64).abs_diff(self.count) > ON_THE_WAY {
            return Err(miscounted);
        }
        Ok(entries)
    }

    /// Some of the entries, enough to judge by what the table holds. Keys that are addresses may all have come into a few
    /// buckets, wherever these are.
    pub fn sample<M: ReadMemory>(&self, memory: &mut M, layout: &Layout) -> Result<Vec<Entry>, Unreadable> {
        let heads = self.heads(memory, SAMPLE)?;
        let entries = heads
            .into_iter()
            .map(|(address, bucket)| Ok(self.entry(memory, layout, address, bucket)?.0));
        entries.collect()
    }

    /// The first entry of each bucket that has any, with the bucket's number: of all buckets, or of the first ones until
    /// there are `enough`.
    fn heads<M: ReadMemory>(&self, memory: &mut M, enough: usize) -> Result<Vec<(u64, u64)>, Unreadable> {
        let mut heads = Vec::new();
        let length = self.bucket_count.saturating_mul(8);
        let mut at = 0;
        while at < length && heads.len() < enough {
            let piece = memory.read(self.buckets.wrapping_add(at), (length - at).min(PIECE) as usize)?;
            let heads_of_piece = piece.chunks_exact(8).map(|word| word_at(word, 0)).zip(at / 8..);
            heads.extend(heads_of_piece.filter(|&(head, _)| head != 0));
            if heads.len() as u64 > self.count + ON_THE_WAY {
                return Err(implausible("number of entries in the hash table", self.address));
            }
            at += PIECE;
        }
        Ok(heads)
    }

    /// The entry at `address`, which stands in a `bucket`, and the address of the next one there.
    fn entry<M: ReadMemory>(
        &self,
        memory: &mut M,
        layout: &Layout,
        address: u64,
        bucket: u64,
    ) -> Result<(Entry, u64), Unreadable> {
        let at = &layout.tracemalloc.table;
        let (length, value) = match at.values {
            HashValues::Inline { .. } => (at.entry_key + self.key_size, None),
            HashValues::Pointer(value) => (value + 8, Some(value)),
        };
        let bytes = memory.read(address, length as usize)?;
        let entry = Entry {
            key: word_at(bytes, at.entry_key),
            key_rest: match self.key_size {
                0..=8 => 0,
                _ => half_at(bytes, at.entry_key + 8),
            },
            hash: word_at(bytes, at.entry_hash),
            value: value.map_or(address.wrapping_add(length), |value| word_at(bytes, value)),
        };
        let next = word_at(bytes, at.entry_next);
        if entry.hash & (self.bucket_count - 1) != bucket {
            return Err(implausible("entry of the hash table", address));
        }
        Ok((entry, next))
    }
}

/// `_Py_HashPointer`: the low bits of addresses are mostly the same, and go to the other end.
pub fn hash_of_pointer(pointer: u64) -> u64 {
    pointer.rotate_right(4)
}

fn implausible(what: &'static str, at: u64) -> Unreadable {
    Unreadable::Implausible { what, at }
}
