//! Owners that only one of two heaps of a process lists: most of them are in the other heap too, and keep less there than
//! what is listed.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Side;
use crate::heap::detail::{By, Detail};
use crate::heap::{Container, ContainerKind};

/// What a heap says of an object that it does not list as an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlisted {
    pub length: u64,
    pub retained_bytes: u64,
}

/// Looks up owners that the heap `listed` lists in the heap `other`, by address. An object is the same when it has its
/// address and its type, and some holder that is the same too holds it by the same name: memory is used again.
pub struct LookUp<'a> {
    other: Side<'a>,
    holders: [FxHashMap<u64, FxHashSet<Holding<'a>>>; 2],
}

/// The address of a holder, 0 for what is no object, and the name by which it holds.
type Holding<'a> = (u64, Option<&'a str>);

impl<'a> LookUp<'a> {
    /// Gets ready to look up these owners.
    pub fn new(listed: Side<'a>, other: Side<'a>, owners: impl Iterator<Item = &'a Container>) -> Self {
        let wanted: FxHashSet<u64> = owners
            .map(|each| each.address)
            .filter(|&address| address != 0)
            .collect();
        LookUp {
            other,
            holders: [listed, other].map(|side| holders(side.detail, &wanted)),
        }
    }

    /// What the other heap says of the owner, if it has it.
    pub fn find(&self, owner: &Container) -> Option<Unlisted> {
        let number = self.other.detail.at(owner.address)?;
        let detail = self.other.detail;
        let type_of = *detail.types.get(number as usize)?;
        let [here, there] = [0, 1].map(|side| self.holders[side].get(&owner.address));
        let is_same = self.other.heap.types.get(type_of as usize)?.name == owner.type_name
            && here.zip(there).is_some_and(|(here, there)| !here.is_disjoint(there));
        is_same.then(|| Unlisted {
            length: length(detail, number, owner.kind),
            retained_bytes: detail.retained_bytes.get(number as usize).copied().unwrap_or(0),
        })
    }
}

/// Who holds the objects at the `wanted` addresses.
fn holders<'a>(detail: &'a Detail, wanted: &FxHashSet<u64>) -> FxHashMap<u64, FxHashSet<Holding<'a>>> {
    let mut is_wanted = vec![false; detail.count()];
    for number in wanted.iter().filter_map(|&address| detail.at(address)) {
        is_wanted[number as usize] = true;
    }
    let mut holders: FxHashMap<u64, FxHashSet<Holding>> = FxHashMap::default();
    for holder in 0..detail.count() as u32 {
        for held in detail
            .references(holder)
            .iter()
            .filter(|held| is_wanted[held.target as usize])
        {
            let name = held.by().name().and_then(|name| detail.names.get(name as usize));
            let holding = (detail.addresses[holder as usize], name.map(Rc::as_ref));
            holders
                .entry(detail.addresses[held.target as usize])
                .or_default()
                .insert(holding);
        }
    }
    holders
}

/// The items of a container, as far as its references tell.
fn length(detail: &Detail, number: u32, kind: ContainerKind) -> u64 {
    let is_item = |by: By| match kind {
        ContainerKind::List | ContainerKind::Deque => matches!(by, By::Index(_)),
        ContainerKind::Dict | ContainerKind::OrderedDict => matches!(by, By::Key(_)),
        ContainerKind::Set => by == By::Unnamed,
        _ => false,
    };
    detail
        .references(number)
        .iter()
        .filter(|held| is_item(held.by()))
        .count() as u64
}
