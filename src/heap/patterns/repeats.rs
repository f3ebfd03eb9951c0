//! Equal texts that are stored many times.
//!
//! A few thousand texts tell whether it is worth reading all of them: in most programs it is not.

use std::cmp::Reverse;
use std::hash::{BuildHasher, Hasher};

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, half_at, word_at};
use cpython::objects::content::Content;
use cpython::objects::text::{TextHeader, is_compact_ascii};
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::Place;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::names::Form;
use crate::heap::objects::{HEAP, Reference};

/// Fewer bytes of repeats are not looked for.
const LEAST_WASTE: u64 = 256 << 10;
/// Texts are read in so many runs of so many to tell whether it is worth reading all.
const RUNS: usize = 64;
const RUN: usize = 256;
/// More texts are not read.
const MOST_TEXTS: usize = 1 << 23;
/// So many places with repeats are described, those that waste most first.
const MOST_PLACES: usize = 50;
/// So many of the repeated texts of a place are shown.
const MOST_SHOWN: usize = 3;

/// Equal texts that are held alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// The nearest holder with a name of its own.
    pub subject: Subject,
    /// How the first of them is held: `shop.ORDERS[0].country`.
    pub first: String,
    /// Whether they are `str`s; else `bytes`.
    pub are_str: bool,
    /// Texts that have equals here, and how many different ones these are.
    pub texts: u64,
    pub different: u64,
    /// The bytes of all but one of each.
    pub repeated_bytes: u64,
    /// Those that waste most, as they are shown, with their numbers.
    pub most: Vec<(String, u64)>,
}

/// A text that stands in a place of its own: the nth leaf.
struct Texts {
    leaves: Vec<u32>,
    /// The first leaf's row.
    first_row: u32,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>) -> Vec<Repeats> {
    let mut repeats = Vec::new();
    for (name, are_str) in [("builtins.str", true), ("builtins.bytes", false)] {
        let types = &sight.found.types;
        let of_name = |index: &u32| &*types.get(*index).name == name && types.get(*index).bytes >= LEAST_WASTE;
        let Some(type_of) = (0..types.count()).find(of_name) else {
            continue;
        };
        let leaves = sight.found.objects.leaves().zip(0..);
        let of_type = leaves
            .filter(|((each, _), _)| *each == type_of)
            .map(|(_, number)| number);
        let texts = Texts {
            leaves: of_type.take(MOST_TEXTS).collect(),
            first_row: sight.found.objects.holders() as u32,
        };
        if texts.are_worth_reading(sight, are_str) {
            repeats.extend(texts.repeats(sight, are_str));
        }
    }
    repeats
}

impl Texts {
    /// Whether so much seems to be repeated that it is worth reading all texts. A text that is met twice among one of `n`
    /// stands for `n²` pairs, and one that is met more often for `n` times as many.
    fn are_worth_reading<M: ReadMemory>(&self, sight: &mut Sight<M>, are_str: bool) -> bool {
        let stride = (self.leaves.len() / RUNS).max(RUN);
        let mut met: FxHashMap<u64, (u64, u64)> = FxHashMap::default();
        let mut read = 0;
        for run in self.leaves.chunks(stride).map(|run| &run[..run.len().min(RUN)]) {
            for &leaf in run {
                read += 1;
                if let Some(hash) = self.hash(sight, leaf, are_str) {
                    let bytes = sight.found.objects.leaf_type_and_bytes(leaf as usize).1;
                    met.entry(hash).or_insert((0, bytes)).0 += 1;
                }
            }
        }
        let one_of = self.leaves.len() as f64 / f64::from(read.max(1));
        let repeated = met.values().map(|&(count, bytes)| match count {
            0 | 1 => 0.0,
            2 => bytes as f64 * one_of * one_of,
            more => bytes as f64 * one_of * (more - 1) as f64,
        });
        repeated.sum::<f64>() >= LEAST_WASTE as f64
    }

    fn hash<M: ReadMemory>(&self, sight: &mut Sight<M>, leaf: u32, are_str: bool) -> Option<u64> {
        let address = sight.found.address_of(self.first_row + leaf);
        let bytes = sight.found.objects.leaf_type_and_bytes(leaf as usize).1;
        hash(sight.memory, sight.layout, address, bytes, are_str)
    }

    fn repeats<M: ReadMemory>(&self, sight: &mut Sight<M>, are_str: bool) -> Vec<Repeats> {
        let values = self.repeated_values(sight, are_str);
        let (places, owners) = self.places(sight, &values);
        let mut wastes: Vec<(u64, usize)> = Vec::new();
        let mut of_place: Vec<Vec<(u32, u32)>> = vec![Vec::new(); places.len()];
        for (&leaf, &value) in self.leaves.iter().zip(&values) {
            if let Some(&place) = owners.get(leaf as usize).filter(|&&place| place != NOWHERE) {
                of_place[place as usize].push((value, leaf));
            }
        }
        for (place, texts) in of_place.iter_mut().enumerate() {
            texts.sort_unstable();
            let bytes = |leaf: u32| sight.found.objects.leaf_type_and_bytes(leaf as usize).1;
            let groups = texts.chunk_by(|a, b| a.0 == b.0);
            let waste = groups.map(|equal| bytes(equal[0].1).saturating_mul(equal.len() as u64 - 1));
            wastes.push((waste.fold(0, u64::saturating_add), place));
        }
        wastes.retain(|&(waste, _)| waste >= LEAST_WASTE);
        wastes.sort_unstable_by_key(|&(waste, place)| (Reverse(waste), place));
        wastes.truncate(MOST_PLACES);
        let described = wastes
            .into_iter()
            .map(|(waste, place)| self.describe(sight, are_str, &places[place], &of_place[place], waste));
        described.collect()
    }

    /// For each text the number of its value, among those that are there several times; 0 for others.
    fn repeated_values<M: ReadMemory>(&self, sight: &mut Sight<M>, are_str: bool) -> Vec<u32> {
        let hashes: Vec<u64> = self
            .leaves
            .iter()
            .map(|&leaf| self.hash(sight, leaf, are_str).unwrap_or(0))
            .collect();
        // Most texts are there once: small counters by a part of the hash spare them a place in the table.
        let size = (2 * hashes.len()).next_power_of_two();
        let mut counters = vec![0u8; size];
        for hash in &hashes {
            let counter = &mut counters[*hash as usize & (size - 1)];
            *counter = counter.saturating_add(1);
        }
        let mut numbers: FxHashMap<u64, (u32, u32)> = FxHashMap::default();
        for &hash in hashes.iter().filter(|&&hash| hash != 0) {
            if counters[hash as usize & (size - 1)] > 1 {
                let next = numbers.len() as u32 + 1;
                numbers.entry(hash).or_insert((next, 0)).1 += 1;
            }
        }
        let number = |hash: u64| {
            numbers
                .get(&hash)
                .filter(|(_, count)| *count > 1)
                .map(|&(number, _)| number)
        };
        hashes.into_iter().map(|hash| number(hash).unwrap_or(0)).collect()
    }

    /// The places that hold texts that are there several times, and for each leaf the number of the first that holds it.
    fn places<M: ReadMemory>(&self, sight: &Sight<M>, values: &[u32]) -> (Vec<PlaceOfTexts>, Vec<u32>) {
        let leaves = sight.found.objects.leaves().count();
        let mut owners = vec![NOT_REPEATED; leaves];
        for (&leaf, _) in self.leaves.iter().zip(values).filter(|(_, value)| **value != 0) {
            owners[leaf as usize] = NOWHERE;
        }
        let mut places: Vec<PlaceOfTexts> = Vec::new();
        let mut known: FxHashMap<(u32, Label), u32> = FxHashMap::default();
        for row in self.holders_of(sight, &owners) {
            for &reference in sight.found.objects.references(row) {
                let Some(leaf) = reference.target.checked_sub(self.first_row) else {
                    continue;
                };
                if owners[leaf as usize] != NOWHERE || !is_data(sight.content(row), reference) {
                    continue;
                }
                let key = (sight.owned.owner(row).frame, sight.kind_of_step(row, reference.label));
                let place = *known.entry(key).or_insert_with(|| {
                    places.push(PlaceOfTexts { row, reference });
                    places.len() as u32 - 1
                });
                owners[leaf as usize] = place;
            }
        }
        for owner in &mut owners {
            if *owner == NOT_REPEATED {
                *owner = NOWHERE;
            }
        }
        (places, owners)
    }

    /// Those that hold one of the leaves whose owner is looked for, by address: of several the first is its owner.
    fn holders_of<M>(&self, sight: &Sight<M>, owners: &[u32]) -> Vec<u32> {
        let objects = &sight.found.objects;
        let is_looked_for = |target: u32| {
            let leaf = target.checked_sub(self.first_row);
            leaf.is_some_and(|leaf| owners[leaf as usize] == NOWHERE)
        };
        let holds = |row: &u32| objects.references(*row).iter().any(|each| is_looked_for(each.target));
        let mut holders: Vec<u32> = (0..self.first_row).filter(holds).collect();
        holders.sort_by_cached_key(|&row| sight.found.address_of(row));
        holders
    }

    fn describe<M: ReadMemory>(
        &self,
        sight: &mut Sight<M>,
        are_str: bool,
        place: &PlaceOfTexts,
        texts: &[(u32, u32)],
        waste: u64,
    ) -> Repeats {
        let holder = sight.named_holder(place.row);
        let mut groups: Vec<&[(u32, u32)]> = texts.chunk_by(|a, b| a.0 == b.0).collect();
        let different = groups.len() as u64;
        let weight = |equal: &&[(u32, u32)]| {
            let bytes = sight.found.objects.leaf_type_and_bytes(equal[0].1 as usize).1;
            let leaves = equal.iter().map(|(_, leaf)| self.first_row + leaf);
            let lowest = sight.lowest(leaves).map(|row| sight.found.address_of(row));
            (Reverse(bytes.saturating_mul(equal.len() as u64 - 1)), lowest)
        };
        groups.sort_by_cached_key(weight);
        let mut most = Vec::new();
        for equal in groups.into_iter().take(MOST_SHOWN) {
            let address = sight.found.address_of(self.first_row + equal[0].1);
            let shown = sight.found.names.key_at(sight.memory, sight.layout, address);
            most.push((shown, equal.len() as u64));
        }
        let length = sight.found.objects.references(holder).len() as u64;
        Repeats {
            subject: sight.subject(holder, length),
            first: format!(
                "{}{}",
                sight.path(place.row),
                sight.step(place.row, place.reference.label)
            ),
            are_str,
            texts: texts.len() as u64,
            different,
            repeated_bytes: waste,
            most,
        }
    }
}

/// The first that holds texts in a certain way.
struct PlaceOfTexts {
    row: u32,
    reference: Reference,
}

const NOWHERE: u32 = u32::MAX;
const NOT_REPEATED: u32 = u32::MAX - 1;

/// Whether a text held like this is data of the program: no part of its code, and no key of a dict, which is either told
/// apart by it or has it in common with others of its kind.
fn is_data(content: Content, reference: Reference) -> bool {
    let is_code = matches!(content, Content::Code | Content::Module | Content::Type);
    let is_key =
        reference.label.kind() == LabelKind::Unnamed && matches!(content, Content::Dict | Content::OrderedDict);
    !is_code && !is_key && reference.label.kind() != LabelKind::Member
}

/// A number for the contents of the text whose block takes `bytes`; `None` when it cannot be read.
fn hash<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64, bytes: u64, are_str: bool) -> Option<u64> {
    // Most texts stand behind their heads in one small block, which is read at once.
    if let Ok(block) = memory.read(address, bytes as usize)
        && let Some((data, size, kind)) = text_in(layout, block, are_str)
    {
        return Some(hash_of(data, size, kind));
    }
    let (data, size, kind) = if are_str {
        let header = TextHeader::read(memory, layout, address).ok()?;
        let kind = header.character_size();
        (header.data, header.length.checked_mul(kind)?, kind)
    } else {
        let size = memory.word(address.wrapping_add(layout.object.ob_size)).ok()?;
        (address.wrapping_add(layout.text.bytes_value), size, 0)
    };
    let data = memory.read(data, usize::try_from(size).ok()?).ok()?;
    Some(hash_of(data, size, kind))
}

/// The contents, their size and the bytes of a character, of a `str` of ASCII or a `bytes` that all stands in `block`.
fn text_in<'a>(layout: &Layout, block: &'a [u8], are_str: bool) -> Option<(&'a [u8], u64, u64)> {
    let at = &layout.text;
    let (start, size, kind) = if are_str {
        if block.len() < at.ascii_size as usize || !is_compact_ascii(half_at(block, at.state)) {
            return None;
        }
        (at.ascii_size, word_at(block, at.length), 1)
    } else {
        if block.len() < at.bytes_value as usize {
            return None;
        }
        (at.bytes_value, word_at(block, layout.object.ob_size), 0)
    };
    let end = start.checked_add(size)?;
    let data = block.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
    Some((data, size, kind))
}

fn hash_of(data: &[u8], size: u64, kind: u64) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    hasher.write(data);
    hasher.write_u64(size << 3 | kind);
    hasher.finish().max(1)
}

impl<M: ReadMemory> Sight<'_, '_, M> {
    /// How a holder holds what is like it in all of its kind: without places and keys.
    fn kind_of_step(&self, row: u32, label: Label) -> Label {
        match label.kind() {
            LabelKind::Value | LabelKind::Entry if !self.owned.is_namespace(row) => Label::new(LabelKind::Entry, 0),
            _ => label.without_place(self.owned.is_namespace(row)),
        }
    }

    /// A step from a holder in Python terms.
    fn step(&mut self, row: u32, label: Label) -> String {
        let in_namespace = self.owned.is_namespace(row);
        match label.kind() {
            LabelKind::Value if !in_namespace => format!("[{}]", self.name(label, Form::Key)),
            LabelKind::Attribute | LabelKind::Slot | LabelKind::Member | LabelKind::Value => {
                format!(".{}", self.name(label, Form::Name))
            }
            LabelKind::Local => format!(" > {}", self.name(label, Form::Name)),
            LabelKind::Index => format!("[{}]", label.number()),
            _ => "[…]".to_owned(),
        }
    }

    /// The row itself or the nearest that holds it and has a name of its own; the row itself where none has.
    pub fn named_holder(&self, row: u32) -> u32 {
        let mut holder = row;
        while holder != HEAP {
            if self.owned.owner(holder).place != Place::Elsewhere {
                return holder;
            }
            holder = self.owned.owner(holder).parent;
        }
        row
    }
}
