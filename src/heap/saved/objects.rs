//! `objects.parquet`: a row for each object, in the order of addresses; and `roots.parquet`: a row for each holder that is
//! no object, the heap as a whole (0) first. `id` counts on from the one to the other.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::table::{Column, ParquetError, Table, Values, write};
use crate::heap::TypeTotals;
use crate::heap::detail::{Detail, NO_TYPE};

/// Writes the rows of these numbers. Further columns are of objects or of what is none.
fn save(
    file: impl Write + Send,
    detail: &Detail,
    ids: Range<usize>,
    further: Vec<(&'static str, Values)>,
) -> Result<(), ParquetError> {
    let first = ids.start;
    let id = |row: usize| (first + row) as u64;
    let address = |row: usize| detail.addresses[first + row];
    let bytes = |row: usize| detail.bytes[first + row];
    let retained = |row: usize| detail.retained_bytes.get(first + row).copied();
    let dominator = |row: usize| detail.dominators.get(first + row).map(|&id| u64::from(id));
    let mut columns = vec![
        ("id", Values::Near(&id)),
        ("address", Values::Near(&address)),
        ("bytes", Values::Near(&bytes)),
        ("retained_bytes", Values::Number(&retained)),
        ("dominator", Values::Number(&dominator)),
    ];
    columns.extend(further);
    let columns: Vec<Column> = columns
        .into_iter()
        .map(|(name, values)| Column { name, values })
        .collect();
    write(file, ids.len(), &columns)
}

pub fn save_objects(file: impl Write + Send, detail: &Detail, types: &[TypeTotals]) -> Result<(), ParquetError> {
    let names: Vec<Rc<str>> = types.iter().map(|each| Rc::clone(&each.name)).collect();
    let id = |row: usize| detail.holders + row;
    let type_of = |row: usize| Some(detail.types[id(row)]).filter(|&number| number != NO_TYPE);
    let call = |row: usize| detail.calls.get(&(id(row) as u32)).copied();
    let types = Values::Text {
        texts: &names,
        of: &type_of,
    };
    let calls = Values::Text {
        texts: &detail.names,
        of: &call,
    };
    let mut further = vec![("type", types), ("call", calls)];
    let value_of = |row: usize| detail.values.as_ref()?.of_objects.get(row).copied().flatten();
    if let Some(values) = &detail.values {
        let texts = &values.texts;
        let of = &value_of;
        further.push(("value", Values::Text { texts, of }));
    }
    save(file, detail, detail.holders..detail.count(), further)
}

pub fn save_roots(file: impl Write + Send, detail: &Detail) -> Result<(), ParquetError> {
    let names = names_of_holders(detail);
    let name_of = |id: usize| Some(id as u32);
    let names = Values::Text {
        texts: &names,
        of: &name_of,
    };
    save(file, detail, 0..detail.holders, vec![("name", names)])
}

/// What the holders are called, each behind what it is a part of: `thread 4242 > work(rows) at app.py:7`.
fn names_of_holders(detail: &Detail) -> Vec<Rc<str>> {
    let mut names: Vec<Rc<str>> = vec!["".into(); detail.holders];
    for holder in 0..detail.holders as u32 {
        for held in detail.references(holder) {
            if (held.target as usize) < detail.holders && held.target > holder {
                let own = held.by().name().and_then(|name| detail.names.get(name as usize));
                let own = own.map(|name| &**name).unwrap_or_default();
                names[held.target as usize] = match &*names[holder as usize] {
                    "" => own.into(),
                    above => format!("{above} > {own}").into(),
                };
            }
        }
    }
    names
}

/// Reads the objects and the holders that are none; their references are not there yet.
pub fn load(roots: File, objects: File, types: &[TypeTotals]) -> Result<Detail, ParquetError> {
    let mut detail = Detail::default();
    let roots = Table::open(roots)?;
    load_columns(&roots, &mut detail)?;
    detail.holders = detail.addresses.len();
    detail.types.resize(detail.holders, NO_TYPE);
    let objects = Table::open(objects)?;
    load_columns(&objects, &mut detail)?;
    let numbers: FxHashMap<&str, u32> = types.iter().map(|each| &*each.name).zip(0..).collect();
    objects.texts("type", |name| {
        let number = name.and_then(|name| numbers.get(name)).copied();
        detail.types.push(number.unwrap_or(NO_TYPE));
    })?;
    let count = detail.count();
    let is_ordered = |addresses: &[u64]| addresses.is_sorted_by(|a, b| a < b);
    let is_whole = [detail.types.len(), detail.bytes.len()] == [count; 2]
        && [detail.retained_bytes.len(), detail.dominators.len()]
            .iter()
            .all(|&length| length == count || length == 0)
        && detail.dominators.iter().all(|&id| (id as usize) < count)
        && u32::try_from(count).is_ok()
        && detail.holders > 0;
    if is_whole && is_ordered(&detail.addresses[detail.holders..]) {
        Ok(detail)
    } else {
        Err(ParquetError::General("the objects do not fit together".to_owned()))
    }
}

/// Reads of which objects more is known, with the texts that this needs; the names of references have been read.
pub fn load_calls(objects: File, detail: &mut Detail) -> Result<(), ParquetError> {
    let objects = Table::open(objects)?;
    let mut numbers: FxHashMap<Rc<str>, u32> = FxHashMap::default();
    let mut id = detail.holders as u32;
    objects.texts("call", |call| {
        if let Some(call) = call {
            let number = *numbers.entry(call.into()).or_insert_with_key(|call| {
                detail.names.push(Rc::clone(call));
                detail.names.len() as u32 - 1
            });
            detail.calls.insert(id, number);
        }
        id += 1;
    })
}

fn load_columns(table: &Table, detail: &mut Detail) -> Result<(), ParquetError> {
    table.numbers("address", |address| detail.addresses.push(address.unwrap_or(0)))?;
    table.numbers("bytes", |bytes| detail.bytes.push(bytes.unwrap_or(0)))?;
    table.numbers("retained_bytes", |bytes| detail.retained_bytes.extend(bytes))?;
    table.numbers("dominator", |id| {
        detail
            .dominators
            .extend(id.map(|id| u32::try_from(id).unwrap_or(u32::MAX)))
    })
}
