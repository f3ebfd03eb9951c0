//! Containers with the same contents: copies that hold the very same items, and deep copies, which hold the same leaves in
//! containers of their own.
//!
//! Texts and numbers are not copied, by `copy.deepcopy` neither, so that equal contents are known by what is referred to.

use std::cmp::Reverse;
use std::hash::{BuildHasher, Hasher};

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::types::InstanceDict;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::Place;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::objects::HEAP;
use crate::heap::retention::RetainedSizes;

/// Containers are looked at that take so many bytes themselves, or with what they keep.
const LEAST_TABLE: u64 = 32 << 10;
const LEAST_KEPT: u64 = 256 << 10;
/// Contents of fewer different items, or with one in more than one of so many places, are a filling and no data: two lists
/// of zeros are no copies.
const FEWEST_DIFFERENT: usize = 16;
const MOST_OF_ONE: usize = 2;
/// Leaves that are equal by chance, such as small numbers, prove no deep copy: so many must be different ones.
const FEWEST_LEAVES: usize = 1000;
/// So deep a structure is compared, over so many objects in all.
const DEPTH: u32 = 6;
const MOST_VISITS: usize = 1 << 22;
/// So many groups of copies are described, and so many paths of each.
const MOST_GROUPS: usize = 50;
const MOST_PATHS: usize = 4;

/// Containers of one type that have the same contents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copies {
    /// The one with the best name.
    pub subject: Subject,
    /// The paths of all of them, or of the first few.
    pub paths: Vec<String>,
    pub count: u64,
    /// Whether the items are copies, too.
    pub deep: bool,
    /// What would be freed with all of them one by one, and with all but the largest.
    pub bytes: u64,
    pub copied_bytes: u64,
    /// Their rows, until it is known what they retain.
    #[serde(skip)]
    pub rows: Vec<u32>,
}

impl Copies {
    pub(super) fn add_retained(&mut self, retention: &RetainedSizes<'_>) {
        self.subject.add_retained(retention);
        let rows = std::mem::take(&mut self.rows).into_iter();
        let each: Vec<u64> = rows.map(|row| retention.bytes(row)).collect();
        self.bytes = each.iter().fold(0, |sum, bytes| sum.saturating_add(*bytes));
        self.copied_bytes = self.bytes.saturating_sub(each.into_iter().max().unwrap_or(0));
    }
}

/// A container that may be one of several with the same contents.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    row: u32,
    length: u64,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>) -> Vec<Copies> {
    let candidates = candidates(sight);
    let mut groups: Vec<(Vec<Candidate>, bool)> = Vec::new();
    let mut deep = Vec::new();
    for alike in several(candidates, |each| {
        Some((sight.found.objects.type_of(each.row), each.length))
    }) {
        let mut in_shallow: FxHashSet<u32> = FxHashSet::default();
        for same in several(alike.clone(), |each| items_hash(sight, each.row)) {
            let same = those_like_the_first(sight, same);
            // One of them stands for all when deep copies are looked for.
            in_shallow.extend(same.iter().skip(1).map(|each| each.row));
            if same.len() > 1 && same.first().is_some_and(|first| is_data(sight, first.row)) {
                groups.push((same, false));
            }
        }
        deep.extend(alike.into_iter().filter(|each| !in_shallow.contains(&each.row)));
    }
    groups.extend(deep_copies(sight, deep).into_iter().map(|same| (same, true)));
    groups.sort_by_key(|(same, _)| {
        let bytes = same.iter().map(|each| sight.found.objects.bytes(each.row)).sum::<u64>();
        let lowest = sight.lowest(same.iter().map(|each| each.row));
        (Reverse(bytes), lowest.map(|row| sight.found.address_of(row)))
    });
    groups.truncate(MOST_GROUPS);
    groups
        .into_iter()
        .filter_map(|(same, deep)| describe(sight, same, deep))
        .collect()
}

/// Large containers that are nobody's attributes.
fn candidates<M: ReadMemory>(sight: &Sight<M>) -> Vec<Candidate> {
    let is_large = |row: u32| sight.found.objects.bytes(row) >= LEAST_TABLE || sight.owned.kept(row) >= LEAST_KEPT;
    let long = sight.found.long.iter().map(|&(row, length)| Candidate { row, length });
    long.filter(|each| {
        is_container(sight.content(each.row)) && is_large(each.row) && !sight.owned.is_namespace(each.row)
    })
    .collect()
}

fn is_container(content: Content) -> bool {
    use Content::*;
    matches!(content, List | Tuple | Dict | OrderedDict | Set | Deque)
}

/// Groups of two or more that have the same key; what has none is left out.
fn several<K: Eq + std::hash::Hash>(
    all: Vec<Candidate>,
    mut key: impl FnMut(&Candidate) -> Option<K>,
) -> Vec<Vec<Candidate>> {
    let mut places: FxHashMap<K, usize> = FxHashMap::default();
    let mut groups: Vec<Vec<Candidate>> = Vec::new();
    for each in all {
        let Some(key) = key(&each) else { continue };
        let place = *places.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(each);
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// A number for what a container refers to: in its order, but for sets, whose tables have none.
fn items_hash<M: ReadMemory>(sight: &Sight<M>, row: u32) -> Option<u64> {
    let items = sight.found.objects.references(row).iter();
    let numbers = items.map(|item| u64::from(item.target));
    Some(combined(numbers, sight.content(row) != Content::Set))
}

/// Those of a group that refer to the very same things as its first: equal numbers alone prove nothing.
fn those_like_the_first<M: ReadMemory>(sight: &Sight<M>, mut group: Vec<Candidate>) -> Vec<Candidate> {
    let targets = |row: u32| {
        let items = sight.found.objects.references(row).iter();
        let mut targets: Vec<u32> = items.map(|item| item.target).collect();
        if sight.content(row) == Content::Set {
            targets.sort_unstable();
        }
        targets
    };
    if let Some(of_first) = group.first().map(|first| targets(first.row)) {
        group.retain(|each| targets(each.row) == of_first);
    }
    group
}

fn combined(numbers: impl Iterator<Item = u64>, in_order: bool) -> u64 {
    if in_order {
        let mut hasher = FxBuildHasher.build_hasher();
        numbers.for_each(|number| hasher.write_u64(number));
        return hasher.finish();
    }
    numbers.fold(0, |sum, number| sum.wrapping_add(FxBuildHasher.hash_one(number)))
}

/// Whether the items differ as those of data do.
fn is_data<M: ReadMemory>(sight: &Sight<M>, row: u32) -> bool {
    let items = sight.found.objects.references(row);
    let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
    for item in items {
        *counts.entry(item.target).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    counts.len() >= FEWEST_DIFFERENT && most * MOST_OF_ONE <= items.len()
}

/// Groups of containers of which the parts are containers of their own, and alike down to the leaves.
fn deep_copies<M: ReadMemory>(sight: &mut Sight<M>, mut all: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    all.retain(|each| sight.owned.kept(each.row) >= LEAST_KEPT);
    let mut visits = MOST_VISITS;
    let mut at_sight = Vec::new();
    for alike in several(all, |each| Some((sight.found.objects.type_of(each.row), each.length))) {
        at_sight.extend(several(alike, |each| sample_hash(sight, each.row, &mut visits)));
    }
    let mut groups = Vec::new();
    for alike in at_sight {
        let mut telling: FxHashSet<u32> = FxHashSet::default();
        let same = several(alike, |each| {
            let mut structure = Structure::new(&mut visits);
            let hash = structure.hash(sight, each.row, DEPTH)?;
            if structure.leaves.len() == FEWEST_LEAVES {
                telling.insert(each.row);
            }
            Some(hash)
        });
        let is_telling = |group: &Vec<Candidate>| group.iter().all(|each| telling.contains(&each.row));
        groups.extend(same.into_iter().filter(is_telling));
    }
    without_parts(sight, groups)
}

/// What is a part of one copy is a part of the others; only the whole is told.
fn without_parts<M: ReadMemory>(sight: &Sight<M>, mut groups: Vec<Vec<Candidate>>) -> Vec<Vec<Candidate>> {
    let whole: FxHashSet<u32> = groups.iter().flatten().map(|each| each.row).collect();
    let is_part = |row: u32| {
        let mut holder = row;
        while holder != HEAP {
            holder = sight.owned.owner(holder).parent;
            if whole.contains(&holder) {
                return true;
            }
        }
        false
    };
    groups.retain(|group| !group.first().is_some_and(|first| is_part(first.row)));
    groups
}

/// A number for the structure of three of the items, which tells most containers apart. Sets have no order to pick by.
fn sample_hash<M: ReadMemory>(sight: &mut Sight<M>, row: u32, visits: &mut usize) -> Option<u64> {
    if sight.content(row) == Content::Set {
        return Some(0);
    }
    let items = sight.found.objects.references(row);
    let picked = [items.first(), items.get(items.len() / 2), items.last()].map(|item| item.map(|item| item.target));
    let mut structure = Structure::new(visits);
    let mut numbers = Vec::new();
    for item in picked.into_iter().flatten() {
        numbers.push(structure.hash(sight, item, DEPTH - 1)?);
    }
    Some(combined(numbers.into_iter(), true))
}

/// What a container consists of, down to objects that are not copied.
struct Structure<'a> {
    /// How many objects may still be visited.
    visits: &'a mut usize,
    /// The first so many different leaves that prove something.
    leaves: FxHashSet<u32>,
}

impl<'a> Structure<'a> {
    fn new(visits: &'a mut usize) -> Structure<'a> {
        Structure {
            visits,
            leaves: FxHashSet::default(),
        }
    }

    /// A number for the structure below a row; `None` when it is too much to look at.
    fn hash<M: ReadMemory>(&mut self, sight: &mut Sight<M>, row: u32, depth: u32) -> Option<u64> {
        *self.visits = self.visits.checked_sub(1)?;
        let parts = match depth {
            0 => None,
            _ => parts(sight, row),
        };
        let Some((parts, in_order)) = parts else {
            if self.leaves.len() < FEWEST_LEAVES {
                self.leaves.insert(row);
            }
            return Some(u64::from(row));
        };
        let mut numbers = Vec::with_capacity(parts.len() + 1);
        for (name, part) in parts {
            let part = self.hash(sight, part, depth - 1)?;
            numbers.push(FxBuildHasher.hash_one((name, part)));
        }
        let of_type = FxBuildHasher.hash_one(sight.found.objects.type_of(row));
        Some(combined(numbers.into_iter(), in_order) ^ of_type)
    }
}

/// What would be copied with an object, with the numbers of names, and whether its order counts; `None` for what is not
/// copied.
fn parts<M: ReadMemory>(sight: &Sight<M>, row: u32) -> Option<(Vec<(u32, u32)>, bool)> {
    if row as usize >= sight.found.objects.holders() {
        return None;
    }
    let info = &sight.found.types.get(sight.found.objects.type_of(row)).info.of_type;
    let references = sight.found.objects.references(row);
    if is_container(info.content) {
        let items = references.iter().map(|item| (0, item.target)).collect();
        return Some((items, info.content != Content::Set));
    }
    if info.content != Content::Plain || info.instance_dict == InstanceDict::None || references.is_empty() {
        return None;
    }
    // Of two equal instances one may have a dict for its attributes, and the other none.
    let dict = references.iter().find(|each| each.label == Label::NAMESPACE);
    let in_dict = dict.map_or(&[][..], |dict| sight.found.objects.references(dict.target));
    let is_attribute = |kind| matches!(kind, LabelKind::Attribute | LabelKind::Slot | LabelKind::Value);
    let all = references.iter().chain(in_dict);
    let attributes = all.filter(|each| is_attribute(each.label.kind()));
    Some((
        attributes.map(|each| (each.label.number(), each.target)).collect(),
        false,
    ))
}

/// Describes copies of the program's own.
fn describe<M: ReadMemory>(sight: &mut Sight<M>, mut same: Vec<Candidate>, deep: bool) -> Option<Copies> {
    // What a module holds by name is easiest to find.
    same.sort_by_key(|each| {
        let place = sight.owned.owner(each.row).place;
        let address = sight.found.address_of(each.row);
        (Place::ALL.iter().position(|known| *known == place), address)
    });
    let first = same.first()?;
    let subject = sight.subject(first.row, first.length);
    let paths: Vec<String> = same.iter().take(MOST_PATHS).map(|each| sight.path(each.row)).collect();
    Some(Copies {
        subject,
        paths,
        count: same.len() as u64,
        deep,
        bytes: 0,
        copied_bytes: 0,
        rows: same.iter().map(|each| each.row).collect(),
    })
}
