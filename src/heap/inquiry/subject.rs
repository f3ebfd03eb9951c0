//! Which objects are asked about: those of a type, or the one at an address.

use super::{Topic, Unanswerable};
use crate::heap::found::Found;
use crate::heap::types::Types;
use crate::spelling::distance;

/// So many types are offered in place of one that does not exist.
const MOST_NEAR: usize = 3;

/// The rows asked about, never none, in the order of their addresses.
pub fn rows_of(found: &Found, topic: &Topic) -> Result<Vec<u32>, Unanswerable> {
    match topic {
        Topic::Type(name) => of_type(found, name),
        Topic::Address(address) => at_address(found, *address).map(|row| vec![row]),
    }
}

fn of_type(found: &Found, name: &str) -> Result<Vec<u32>, Unanswerable> {
    let is_asked: Vec<bool> = (0..found.types.count())
        .map(|index| &*found.types.get(index).name == name || found.types.short_name(index) == name)
        .collect();
    let objects = &found.objects;
    let mut rows: Vec<u32> = (0..objects.count() as u32)
        .filter(|&row| !name.is_empty() && is_asked[objects.type_of(row) as usize])
        .collect();
    rows.sort_unstable_by_key(|&row| found.spots.address(objects.spot(row)));
    if rows.is_empty() {
        return Err(Unanswerable::NoSuchType {
            asked: name.to_owned(),
            near: near(&found.types, name),
        });
    }
    Ok(rows)
}

/// Types whose names come near: first those that are called so in another module, then those that are written nearly so.
fn near(types: &Types, asked: &str) -> Vec<String> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_lowercase();
    let (whole, tail) = (asked.to_lowercase(), last(asked));
    let mut near: Vec<(usize, u64, &str)> = Vec::new();
    for index in 1..types.count() {
        let each = types.get(index);
        if each.count == 0 {
            continue;
        }
        let apart = distance(&whole, &each.name.to_lowercase()).min(distance(&tail, &last(&each.name)) * 2);
        if apart <= whole.chars().count().max(6) / 3 {
            near.push((apart, u64::MAX - each.bytes, &each.name));
        }
    }
    near.sort_unstable();
    near.dedup_by_key(|&mut (_, _, name)| name);
    near.into_iter()
        .take(MOST_NEAR)
        .map(|(_, _, name)| name.to_owned())
        .collect()
}

fn at_address(found: &Found, address: u64) -> Result<u32, Unanswerable> {
    let objects = &found.objects;
    let place = |row: u32| found.spots.address(objects.spot(row));
    let is_object = |row: &u32| objects.type_of(*row) != crate::heap::objects::NO_OBJECT;
    let before = (0..objects.count() as u32)
        .filter(is_object)
        .filter(|&row| place(row) <= address)
        .max_by_key(|&row| place(row));
    match before {
        Some(row) if place(row) == address => Ok(row),
        other => Err(Unanswerable::NoObject {
            address,
            within: other
                .filter(|&row| address - place(row) < objects.bytes(row))
                .map(|row| (place(row), found.types.get(objects.type_of(row)).name.to_string())),
        }),
    }
}
