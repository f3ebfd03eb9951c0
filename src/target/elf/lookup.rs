//! Looking a name up as the dynamic linker does: by the hash table that the image brings along.

use cpython::memory::{ReadMemory, half_at};

use crate::target::elf::format::{self, SYMBOL_SIZE, Sym};

/// Symbols that share a bucket of a hash table: a handful in an honest one.
const LONGEST_CHAIN: usize = 1 << 14;

/// Where the dynamic linker finds the symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DynamicTables {
    pub symbols: u64,
    pub strings: u64,
    pub gnu_hash: Option<u64>,
    pub hash: Option<u64>,
}

impl DynamicTables {
    /// The symbol that is defined under `name`.
    pub fn find(&self, memory: &mut dyn ReadMemory, name: &str) -> Option<Sym> {
        match (self.gnu_hash, self.hash) {
            (Some(at), _) => self.search_gnu_hash(memory, at, name),
            (None, Some(at)) => self.search_hash(memory, at, name),
            (None, None) => None,
        }
    }

    /// The symbol with this number, if it is defined here under that name.
    fn symbol(&self, memory: &mut dyn ReadMemory, index: u64, name: &str) -> Option<Sym> {
        let at = self.symbols.checked_add(index.checked_mul(SYMBOL_SIZE as u64)?)?;
        let symbol = format::symbol(memory.read(at, SYMBOL_SIZE).ok()?)?;
        let text = memory
            .read(self.strings.checked_add(symbol.st_name as u64)?, name.len() + 1)
            .ok()?;
        let same = text.strip_suffix(b"\0") == Some(name.as_bytes());
        (same && format::is_defined(&symbol)).then_some(symbol)
    }

    /// GNU's table: four numbers, a Bloom filter, buckets, and chains that end at an odd hash.
    fn search_gnu_hash(&self, memory: &mut dyn ReadMemory, table: u64, name: &str) -> Option<Sym> {
        let head = memory.read(table, 16).ok()?;
        let [buckets, first, filters, shift] = [0, 4, 8, 12].map(|offset| half_at(head, offset));
        if buckets == 0 || filters == 0 {
            return None;
        }
        let hash = gnu_hash(name);
        let filter_at = table.checked_add(16)?;
        let filter = memory
            .word(filter_at.checked_add(u64::from(hash / 64 % filters) * 8)?)
            .ok()?;
        if filter >> (hash % 64) & filter >> (hash.checked_shr(shift)? % 64) & 1 == 0 {
            return None;
        }
        let buckets_at = filter_at.checked_add(u64::from(filters) * 8)?;
        let chains_at = buckets_at.checked_add(u64::from(buckets) * 4)?;
        let start = memory
            .half(buckets_at.checked_add(u64::from(hash % buckets) * 4)?)
            .ok()?;
        for index in (u64::from(start.max(first))..).take(LONGEST_CHAIN) {
            let link = memory
                .half(chains_at.checked_add((index - u64::from(first)) * 4)?)
                .ok()?;
            if link | 1 == hash | 1
                && let Some(symbol) = self.symbol(memory, index, name)
            {
                return Some(symbol);
            }
            if link & 1 == 1 {
                break;
            }
        }
        None
    }

    /// The table of the System V ABI: two numbers, buckets, and chains that end at zero.
    fn search_hash(&self, memory: &mut dyn ReadMemory, table: u64, name: &str) -> Option<Sym> {
        let head = memory.read(table, 8).ok()?;
        let [buckets, symbols] = [0, 4].map(|offset| half_at(head, offset));
        let buckets_at = table.checked_add(8)?;
        let chains_at = buckets_at.checked_add(u64::from(buckets) * 4)?;
        let bucket = system_v_hash(name).checked_rem(buckets)?;
        let mut index = memory.half(buckets_at.checked_add(u64::from(bucket) * 4)?).ok()?;
        for _ in 0..LONGEST_CHAIN {
            if index == 0 || index >= symbols {
                break;
            }
            if let Some(symbol) = self.symbol(memory, u64::from(index), name) {
                return Some(symbol);
            }
            index = memory.half(chains_at.checked_add(u64::from(index) * 4)?).ok()?;
        }
        None
    }
}

fn gnu_hash(name: &str) -> u32 {
    name.bytes()
        .fold(5381, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte)))
}

fn system_v_hash(name: &str) -> u32 {
    name.bytes().fold(0, |hash: u32, byte| {
        let hash = (hash << 4).wrapping_add(u32::from(byte));
        let high = hash & 0xf000_0000;
        (hash ^ high >> 24) & !high
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published values of the two hash functions.
    #[test]
    fn hashes_are_those_of_the_formats() {
        assert_eq!(
            [gnu_hash(""), gnu_hash("printf"), gnu_hash("exit")],
            [0x1505, 0x156b_2bb8, 0x7c96_7e3f]
        );
        assert_eq!(
            [system_v_hash(""), system_v_hash("printf"), system_v_hash("exit")],
            [0, 0x0779_05a6, 0x0006_cf04]
        );
    }
}
