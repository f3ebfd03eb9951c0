//! Dicts, sets and lists with large tables in which little is left.

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::dict::{DictHeader, KeysHeader};
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};

/// Smaller tables are not looked at, in bytes.
pub const LEAST_TABLE: u64 = 64 << 10;
/// So many tables are described, the emptiest first.
const MOST_TABLES: usize = 1000;
/// An entry of a set: a key and its hash.
const SET_ENTRY: u64 = 16;
const SLOT: u64 = 8;

/// A container whose table has room for far more than it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparseTable {
    pub subject: Subject,
    /// So many items have room in the table.
    pub room: u64,
    /// The table's bytes, and those that it would have in a copy.
    pub bytes: u64,
    pub copy_bytes: u64,
}

/// A table in numbers: items, room for items, bytes, and the bytes of a copy's.
struct Table {
    items: u64,
    room: u64,
    bytes: u64,
    copy_bytes: u64,
}

impl Table {
    /// Whether it is emptier than any table is while its container only grows: a list has an eighth more slots than
    /// items, and tables of sets become up to eight times as large as what they hold.
    fn is_sparse(&self, is_list: bool) -> bool {
        if is_list {
            self.items.saturating_mul(4) <= self.room.saturating_mul(3)
        } else {
            self.items.saturating_mul(8) < self.room
        }
    }

    fn waste(&self) -> u64 {
        self.bytes.saturating_sub(self.copy_bytes)
    }
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, rows: &[u32]) -> Vec<SparseTable> {
    let mut sparse: Vec<(u32, Table)> = Vec::new();
    for &row in rows {
        let content = sight.content(row);
        let Some(table) = table(sight, row, content) else {
            continue;
        };
        if table.is_sparse(content == Content::List) && table.waste() >= LEAST_TABLE {
            sparse.push((row, table));
        }
    }
    sparse.sort_unstable_by_key(|(row, table)| (std::cmp::Reverse(table.waste()), sight.found.address_of(*row)));
    sparse.truncate(MOST_TABLES);
    sparse
        .into_iter()
        .map(|(row, table)| SparseTable {
            subject: sight.subject(row, table.items),
            room: table.room,
            bytes: table.bytes,
            copy_bytes: table.copy_bytes,
        })
        .collect()
}

fn table<M: ReadMemory>(sight: &mut Sight<M>, row: u32, content: Content) -> Option<Table> {
    let address = sight.found.address_of(row);
    match content {
        Content::List => list(sight, address),
        Content::Set => set(sight, address),
        _ => dict(sight, address),
    }
}

fn list<M: ReadMemory>(sight: &mut Sight<M>, address: u64) -> Option<Table> {
    let at = sight.layout;
    let items = sight.memory.word(address.wrapping_add(at.object.ob_size)).ok()?;
    let room = sight.memory.word(address.wrapping_add(at.list.allocated)).ok()?;
    Some(Table {
        items,
        room,
        bytes: room.checked_mul(SLOT)?,
        copy_bytes: items.checked_mul(SLOT)?,
    })
}

/// A copy has more than two slots an item (`set_merge`, Objects/setobject.c).
fn set<M: ReadMemory>(sight: &mut Sight<M>, address: u64) -> Option<Table> {
    let at = sight.layout.set;
    let items = sight.memory.word(address.wrapping_add(at.used)).ok()?;
    let slots = sight.memory.word(address.wrapping_add(at.mask)).ok()?.checked_add(1)?;
    let in_copy = items.checked_mul(2)?.checked_add(1)?.checked_next_power_of_two()?;
    Some(Table {
        items,
        room: slots,
        bytes: slots.checked_mul(SET_ENTRY)?,
        copy_bytes: in_copy.checked_mul(SET_ENTRY)?,
    })
}

/// A copy has the fewest slots of which two thirds are enough (`ESTIMATE_SIZE`, Objects/dictobject.c).
fn dict<M: ReadMemory>(sight: &mut Sight<M>, address: u64) -> Option<Table> {
    let header = DictHeader::read(sight.memory, sight.layout, address).ok()?;
    let keys = KeysHeader::read(sight.memory, &sight.layout.keys, header.keys).ok()?;
    if header.values != 0 || keys.refcnt != 1 {
        return None;
    }
    let in_copy = header
        .used
        .checked_mul(3)?
        .div_ceil(2)
        .checked_next_power_of_two()?
        .max(8);
    // A slot more or less in the hash table is a byte or four beside an entry of 16 or 24.
    let copy_bytes = u128::from(keys.bytes) * u128::from(in_copy) / u128::from(keys.slots.max(1));
    Some(Table {
        items: header.used,
        room: keys.capacity(),
        bytes: keys.bytes,
        copy_bytes: u64::try_from(copy_bytes).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sparse(items: u64, room: u64, is_list: bool) -> bool {
        let table = Table {
            items,
            room,
            bytes: 16 * room,
            copy_bytes: 0,
        };
        table.is_sparse(is_list)
    }

    #[test]
    fn tables_that_only_grew_are_not_sparse() {
        // A set of 19 662 numbers has just got 131 072 slots; a list grows by an eighth.
        assert!(!is_sparse(19_662, 131_072, false));
        assert!(!is_sparse(1_000_000, 1_125_000, true));
        assert!(is_sparse(1_000, 131_072, false));
        assert!(is_sparse(500_000, 900_000, true));
    }
}
