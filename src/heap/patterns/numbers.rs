//! Lists and tuples of nothing but numbers that fit eight bytes.

use cpython::memory::ReadMemory;
use cpython::objects::int::int_value;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::labels::LabelKind;
use crate::heap::objects::HEAP;
use crate::heap::retention::RetainedSizes;

/// Shorter ones are not looked at.
pub const FEWEST_NUMBERS: u64 = 1000;
/// So many places with such sequences are described, those with the most numbers first.
const MOST_PLACES: usize = 1000;
/// An `int` whose block is no larger has two digits at most, and so less than 61 bits.
const TWO_DIGITS: u64 = 32;

/// Lists or tuples of numbers that are held alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberSequences {
    /// The longest of them.
    pub subject: Subject,
    /// Whether all numbers are exact `float`s; else all are exact `int`s that fit 64 bits.
    pub floats: bool,
    /// How many sequences there are, and how many numbers in all of them.
    pub count: u64,
    pub items: u64,
    /// What would be freed with all of them.
    pub retained_bytes: u64,
    /// Their rows, until it is known what they retain.
    #[serde(skip)]
    pub rows: Vec<u32>,
}

impl NumberSequences {
    pub(super) fn add_retained(&mut self, retention: &RetainedSizes<'_>) {
        self.subject.add_retained(retention);
        let rows = std::mem::take(&mut self.rows).into_iter();
        self.retained_bytes = rows.fold(0, |sum, row| sum.saturating_add(retention.bytes(row)));
    }
}

/// The types that count.
struct NumberTypes {
    float: Option<u32>,
    int: Option<u32>,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>) -> Vec<NumberSequences> {
    let index_of = |wanted: &str| {
        let types = &sight.found.types;
        (0..types.count()).find(|&index| &*types.get(index).name == wanted && types.get(index).count > 0)
    };
    let numbers = NumberTypes {
        float: index_of("builtins.float"),
        int: index_of("builtins.int"),
    };
    let sequences = [index_of("builtins.list"), index_of("builtins.tuple")];
    let is_long_sequence = |&(row, length): &(u32, u64)| {
        length >= FEWEST_NUMBERS && sequences.contains(&Some(sight.found.objects.type_of(row)))
    };
    let long: Vec<(u32, u64)> = sight.found.long.iter().copied().filter(is_long_sequence).collect();
    // Those in one frame of the ownership tree are held alike.
    let mut places: FxHashMap<(u32, bool), NumberSequences> = FxHashMap::default();
    for (row, length) in long {
        if let Some(floats) = only_numbers(sight, &numbers, row, length) {
            let place = places.entry((sight.owned.owner(row).frame, floats)).or_default();
            let is_longer = length > place.subject.length;
            let is_as_long = length == place.subject.length;
            if is_longer || is_as_long && sight.lowest([row, place.subject.row]) == Some(row) {
                place.subject.row = row;
                place.subject.length = length;
            }
            place.floats = floats;
            place.count += 1;
            place.items = place.items.saturating_add(length);
            place.rows.push(row);
        }
    }
    let mut places: Vec<NumberSequences> = places.into_values().collect();
    places.sort_unstable_by_key(|place| {
        (
            std::cmp::Reverse(place.items),
            sight.found.address_of(place.subject.row),
        )
    });
    places.truncate(MOST_PLACES);
    for place in &mut places {
        place.subject = sight.subject(place.subject.row, place.subject.length);
    }
    places
}

/// Whether a sequence holds nothing but numbers of one type: whether these are `float`s.
fn only_numbers<M: ReadMemory>(sight: &mut Sight<M>, numbers: &NumberTypes, row: u32, length: u64) -> Option<bool> {
    let Sight {
        memory, layout, found, ..
    } = sight;
    let objects = &found.objects;
    let items = objects.references(row);
    let first = items.first().filter(|_| items.len() as u64 == length)?;
    let type_of = objects.type_of(first.target);
    let floats = numbers.float == Some(type_of);
    if !floats && numbers.int != Some(type_of) {
        return None;
    }
    for item in items {
        let number = item.target;
        if number == HEAP || item.label.kind() != LabelKind::Index || objects.type_of(number) != type_of {
            return None;
        }
        if !floats && objects.bytes(number) > TWO_DIGITS {
            let value = int_value(*memory, layout, found.address_of(number)).ok().flatten()?;
            i64::try_from(value).ok()?;
        }
    }
    Some(floats)
}
