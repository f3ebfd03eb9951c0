//! Which objects are asked about: those of a type, or the one at an address.

use super::{Topic, Unanswerable};
use crate::heap::facts::{Facts, short_name};
use crate::heap::naming::LONGEST_TYPE_NAME;
use crate::heap::shortening::shorten;
use crate::spelling::distance;

/// So many types are offered in place of one that does not exist.
const MOST_NEAR: usize = 3;

/// The rows asked about, never none, in the order of their addresses.
pub fn rows_of(facts: &impl Facts, topic: &Topic) -> Result<Vec<u32>, Unanswerable> {
    match topic {
        Topic::Type(name) => of_type(facts, name),
        Topic::Address(address) => at_address(facts, *address).map(|row| vec![row]),
    }
}

fn of_type(facts: &impl Facts, name: &str) -> Result<Vec<u32>, Unanswerable> {
    let shortened = shorten(name, LONGEST_TYPE_NAME);
    let is_asked = |kind: u32| {
        let known = &*facts.kind(kind).name;
        !name.is_empty() && (known == name || known == shortened || short_name(known) == name)
    };
    let is_asked: Vec<bool> = (0..facts.kinds()).map(is_asked).collect();
    let mut rows: Vec<u32> = (0..facts.nodes())
        .filter(|&row| is_asked[facts.kind_of(row) as usize])
        .collect();
    rows.sort_by_cached_key(|&row| facts.address(row));
    if rows.is_empty() {
        return Err(Unanswerable::NoSuchType {
            asked: name.to_owned(),
            near: near(facts, name),
        });
    }
    Ok(rows)
}

/// Types whose names come near: first those that are called so in another module, then those that are written nearly so.
fn near(facts: &impl Facts, asked: &str) -> Vec<String> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_lowercase();
    let (whole, tail) = (asked.to_lowercase(), last(asked));
    let mut near: Vec<(usize, u64, &str)> = Vec::new();
    for each in (0..facts.kinds())
        .map(|kind| facts.kind(kind))
        .filter(|each| each.count > 0)
    {
        let apart = distance(&whole, &each.name.to_lowercase()).min(distance(&tail, &last(&each.name)) * 2);
        if apart <= whole.chars().count().max(6) / 3 {
            near.push((apart, u64::MAX - each.bytes, &each.name));
        }
    }
    near.sort_unstable();
    near.into_iter()
        .take(MOST_NEAR)
        .map(|(_, _, name)| name.to_owned())
        .collect()
}

fn at_address(facts: &impl Facts, address: u64) -> Result<u32, Unanswerable> {
    let before = (0..facts.nodes())
        .filter(|&row| facts.is_object(row) && facts.address(row) <= address)
        .max_by_key(|&row| facts.address(row));
    match before {
        Some(row) if facts.address(row) == address => Ok(row),
        other => Err(Unanswerable::NoObject {
            address,
            within: other
                .filter(|&row| address - facts.address(row) < facts.bytes(row))
                .map(|row| (facts.address(row), facts.type_name(row).to_string())),
        }),
    }
}
