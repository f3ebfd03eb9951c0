//! Dicts that all have the same `str` keys: records in all but name.

use std::hash::BuildHasher;

use cpython::memory::ReadMemory;
use cpython::objects::types::flags;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::key_hashes::{KeySet, MOST_KEYS};
use crate::heap::labels::{Label, LabelKind};
use crate::heap::names::Form;
use crate::heap::objects::HEAP;

/// So many dicts with the same keys are records.
pub const FEWEST_RECORDS: u64 = 1000;
/// A dict of one entry is no record.
const FEWEST_KEYS: u32 = 2;
/// So many places with records are described, those with the most records first.
const MOST_PLACES: usize = 200;
/// So many keys are named.
const MOST_NAMED: usize = 32;
/// Counters that keep most sets of keys out of a table.
const SIEVE: usize = 1 << 12;
/// So many keys that are objects of their own are told apart.
const MOST_OWN_KEYS: usize = 1 << 21;

/// Dicts with the same keys that are held alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// The container that holds the first of them; that one itself where no container does.
    pub subject: Subject,
    /// The path of the first of them.
    pub first: String,
    pub count: u64,
    /// The first of their keys, in the order of the first dict.
    pub keys: Vec<String>,
    pub key_count: u64,
    /// Of all of them, with their tables.
    pub bytes: u64,
    /// The bytes of keys that each dict has for itself, but those of one dict.
    pub key_bytes: u64,
    /// What as many instances of a class with slots of these names would take.
    pub slotted_bytes: u64,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, dicts: &[u32]) -> Vec<Records> {
    if (dicts.len() as u64) < FEWEST_RECORDS {
        return Vec::new();
    }
    let sets: Vec<KeySet> = dicts.iter().map(|&row| sight.key_set(row)).collect();
    let counts = counts_of_many(&sets);
    if counts.is_empty() {
        return Vec::new();
    }
    let mut places: FxHashMap<(u32, KeySet), Vec<u32>> = FxHashMap::default();
    for (&row, set) in dicts.iter().zip(sets) {
        if counts.contains_key(&set) {
            let frame = sight.owned.owner(row).frame;
            places.entry((frame, set)).or_default().push(row);
        }
    }
    let places = places.into_iter().filter_map(|((_, set), rows)| {
        let first = sight.representative(&rows)?;
        Some((sight.found.address_of(first), first, set, rows))
    });
    let mut places: Vec<(u64, u32, KeySet, Vec<u32>)> = places.collect();
    places.sort_unstable_by_key(|(address, _, _, rows)| (std::cmp::Reverse(rows.len()), *address));
    places.truncate(MOST_PLACES);
    places
        .into_iter()
        .filter_map(|(_, first, set, rows)| describe(sight, set, first, &rows))
        .collect()
}

/// The sets of keys that are those of records, with how often they are there.
fn counts_of_many(sets: &[KeySet]) -> FxHashMap<KeySet, u64> {
    let is_of_record = |set: &&KeySet| (FEWEST_KEYS..=MOST_KEYS).contains(&set.count);
    // Keys that are data make each set another one: counters by a part of a hash spare these a place in the table.
    let mut sieve = vec![0u64; SIEVE];
    let place = |set: &KeySet| FxBuildHasher.hash_one(set) as usize % SIEVE;
    for set in sets.iter().filter(is_of_record) {
        sieve[place(set)] += 1;
    }
    let mut counts: FxHashMap<KeySet, u64> = FxHashMap::default();
    for set in sets.iter().filter(is_of_record) {
        if sieve[place(set)] >= FEWEST_RECORDS {
            *counts.entry(*set).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count >= FEWEST_RECORDS);
    counts
}

fn describe<M: ReadMemory>(sight: &mut Sight<M>, set: KeySet, first: u32, rows: &[u32]) -> Option<Records> {
    let keys = key_texts(sight, first)?;
    let holder = sight.owned.owner(first).parent;
    let is_held_by_container = holder != HEAP && !sight.is_named(first);
    let subject = match is_held_by_container {
        true => sight.subject(holder, sight.found.objects.references(holder).len() as u64),
        false => sight.subject(first, u64::from(set.count)),
    };
    let bytes = rows.iter().map(|&row| sight.found.objects.bytes(row));
    let bytes = bytes.fold(0, u64::saturating_add);
    Some(Records {
        first: sight.path(first),
        count: rows.len() as u64,
        keys,
        key_count: u64::from(set.count),
        bytes,
        key_bytes: own_key_bytes(sight, set, rows),
        slotted_bytes: sight.slotted(u64::from(set.count)).saturating_mul(rows.len() as u64),
        subject,
    })
}

/// The keys of a dict as texts; `None` when one of them is no `str`.
fn key_texts<M: ReadMemory>(sight: &mut Sight<M>, row: u32) -> Option<Vec<String>> {
    let values = sight.found.objects.references(row).iter().map(|each| each.label);
    let labels: Vec<Label> = values.filter(|label| label.kind() == LabelKind::Value).collect();
    for label in &labels {
        let key = sight.found.names.address(label.number())?;
        let type_address = sight.memory.word(key.wrapping_add(sight.layout.object.ob_type)).ok()?;
        let of_type = sight
            .memory
            .word(type_address.wrapping_add(sight.layout.types.flags))
            .ok()?;
        if of_type & flags::UNICODE_SUBCLASS == 0 {
            return None;
        }
    }
    // They are data of the program as well, which may have to be hidden.
    let form = match sight.found.names.redacts_keys {
        true => Form::Key,
        false => Form::Name,
    };
    let shown = labels.into_iter().take(MOST_NAMED);
    Some(shown.map(|label| sight.name(label, form)).collect())
}

/// The bytes of keys that dicts do not share, but those of one dict: of dicts that were read from texts one by one.
fn own_key_bytes<M>(sight: &Sight<M>, set: KeySet, rows: &[u32]) -> u64 {
    let objects = &sight.found.objects;
    let shared = u64::from(set.count);
    let mut own: FxHashSet<u32> = FxHashSet::default();
    for (number, &row) in rows.iter().enumerate() {
        if number == FEWEST_RECORDS as usize && own.len() as u64 <= 2 * shared {
            return 0;
        }
        let references = objects.references(row).iter();
        let keys = references.filter(|each| each.label.kind() == LabelKind::Unnamed);
        own.extend(keys.map(|each| each.target));
        if own.len() > MOST_OWN_KEYS {
            break;
        }
    }
    let count = own.len() as u64;
    if count <= 2 * shared {
        return 0;
    }
    let bytes = own.iter().map(|&key| objects.bytes(key)).fold(0, u64::saturating_add);
    (u128::from(bytes) * u128::from(count - shared) / u128::from(count)) as u64
}
