//! Who keeps the memory: of all that hold something, those worth a line of their own.
//!
//! An owner is a container with a name, or an object, a thread or a frame that keeps much that no other owner inside it
//! keeps. One of many that are held alike is none: their common holder is. Of a structure whose parts hold each other,
//! such as a linked list, it is the first part.

use std::rc::Rc;

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::examine::ObjectSize;
use cpython::objects::visit::{Step, Visitor};
use rustc_hash::FxHashMap;

use super::containers::container_kind;
use super::found::{Found, Watched};
use super::labels::LabelKind;
use super::objects::Objects;
use super::place::place_of;
use super::{ContainerKind, OwnerRank, Place};

/// What keeps less is no owner unless it is a container with a name.
pub const LEAST_KEPT: u64 = 64 << 10;
/// More owners than these are left out, the smallest first.
const MOST_OWNERS: usize = 1_000;
/// The parts of a structure hold each other through at most so many others, such as a list of children.
const STEPS_BETWEEN_PARTS: usize = 4;
/// An item that keeps less than this part of its container's bytes is one of many.
const MANY: u64 = 8;
/// So many holders are asked whether they hold many.
const STEPS_TO_CONTAINERS: usize = 64;
/// What lies deeper is taken for a holder of its own.
const DEEPEST: usize = 10_000;

/// Adds the owners to the containers that are watched, and gives each of these its rank.
pub fn rank<M: ReadMemory>(memory: &mut M, found: &mut Found) {
    let mut ranks: FxHashMap<u32, OwnerRank> = FxHashMap::default();
    for row in owners(found) {
        ranks.insert(row, OwnerRank::Outermost);
    }
    let ranked: Vec<(u32, OwnerRank)> = ranks.keys().map(|&row| (row, rank_of(found, &ranks, row))).collect();
    ranks.extend(ranked);
    for watched in &mut found.watched {
        watched.rank = ranks.remove(&watched.row).unwrap_or(OwnerRank::Unlisted);
    }
    let mut added: Vec<(u32, OwnerRank)> = ranks
        .into_iter()
        .filter(|&(_, rank)| rank != OwnerRank::Unlisted)
        .collect();
    added.sort_unstable_by_key(|&(row, _)| (std::cmp::Reverse(found.objects.kept[row as usize]), row));
    added.truncate(MOST_OWNERS);
    for (row, rank) in added {
        watch(memory, found, row, rank);
    }
}

/// The rows of the owners, in no order.
fn owners(found: &Found) -> Vec<u32> {
    let objects = &found.objects;
    let frame_bytes = found.tree.sums();
    let is_single = |row: u32| {
        let alike = frame_bytes.get(objects.node[row as usize] as usize);
        alike.is_none_or(|&alike| objects.kept[row as usize] >= alike / 2) && !is_one_of_many(objects, row)
    };
    let named: FxHashMap<u32, bool> = found
        .watched
        .iter()
        .map(|each| (each.row, has_name_for_good(each) || is_single(each.row)))
        .collect();
    let mut owners: Vec<u32> = named.iter().filter(|(_, is)| **is).map(|(&row, _)| row).collect();

    // What holds much holds it through others that hold much. From the innermost outwards, each claims what no other has.
    let large: Vec<u32> = (0..objects.count() as u32)
        .filter(|&row| objects.kept[row as usize] >= LEAST_KEPT && has_frame(objects, row))
        .collect();
    let mut unclaimed: Vec<u64> = large.iter().map(|&row| objects.kept[row as usize]).collect();
    for (index, &row) in large.iter().enumerate().rev() {
        let kept = objects.kept[row as usize];
        let claims = named.get(&row).copied().unwrap_or_else(|| {
            let claims = unclaimed[index] >= LEAST_KEPT
                && can_own(found, row)
                && is_single(row)
                && (found.is_holder_only(row) || !is_part_of_structure(found, row));
            owners.extend(claims.then_some(row));
            claims
        });
        let claimed = if claims { kept } else { kept - unclaimed[index] };
        let holder = holders(objects, row).find(|&holder| has_frame(objects, holder));
        if let Some(Ok(holder)) = holder.map(|holder| large.binary_search(&holder)) {
            unclaimed[holder] = unclaimed[holder].saturating_sub(claimed);
        }
    }
    owners
}

/// Whether it has a frame of the ownership tree apart from its holder's. Without, it is a part of it: the dict behind its
/// attributes, the next one of a chain.
fn has_frame(objects: &Objects, row: u32) -> bool {
    let parent = objects.parent[row as usize];
    parent == row || objects.node[row as usize] != objects.node[parent as usize]
}

/// Whether it is, or is in, an item of a container that holds many such: one that keeps a small part of what they all do.
fn is_one_of_many(objects: &Objects, row: u32) -> bool {
    std::iter::once(row)
        .chain(holders(objects, row))
        .take(STEPS_TO_CONTAINERS)
        .any(|part| {
            let holder = objects.parent[part as usize];
            let is_item = !matches!(
                objects.label[part as usize].kind(),
                LabelKind::Root | LabelKind::Attribute | LabelKind::Namespace | LabelKind::Local
            );
            is_item && objects.kept[part as usize] < objects.kept[holder as usize] / MANY
        })
}

/// Locals and attributes may be there many times, for every call and every instance.
fn has_name_for_good(watched: &Watched) -> bool {
    matches!(watched.place, Place::Module | Place::Class) || watched.kind == ContainerKind::LruCache
}

/// Modules, classes and code are where things are kept, and by whom stands in paths.
fn can_own(found: &Found, row: u32) -> bool {
    let content = found
        .types
        .get(found.objects.type_of[row as usize])
        .info
        .of_type
        .content;
    !matches!(content, Content::Module | Content::Type | Content::Code)
}

/// Whether one of the nearest holders is an object of the same kind, held alike where the kind is a built-in container.
fn is_part_of_structure(found: &Found, row: u32) -> bool {
    let objects = &found.objects;
    let (type_of, label) = (objects.type_of[row as usize], objects.label[row as usize].folded());
    let is_usual = matches!(
        found.types.get(type_of).info.of_type.content,
        Content::Dict | Content::List | Content::Tuple | Content::Set
    );
    holders(objects, row)
        .filter(|&holder| objects.label[holder as usize].kind() != LabelKind::Namespace)
        .take(STEPS_BETWEEN_PARTS)
        .enumerate()
        .any(|(between, holder)| {
            objects.type_of[holder as usize] == type_of
                && (between == 0 || !is_usual || objects.label[holder as usize].folded() == label)
        })
}

/// The holders of a row, the nearest first.
fn holders(objects: &Objects, row: u32) -> impl Iterator<Item = u32> {
    let holder_of = |row: u32| Some(objects.parent[row as usize]).filter(|&holder| holder != row);
    std::iter::successors(holder_of(row), move |&row| holder_of(row)).take(DEEPEST)
}

/// What a cache is made of is the cache's own business.
fn rank_of(found: &Found, owners: &FxHashMap<u32, OwnerRank>, row: u32) -> OwnerRank {
    let is_cache = |holder: u32| {
        let type_of = found.objects.type_of[holder as usize];
        found.types.get(type_of).info.of_type.content == Content::LruCache
    };
    let mut rank = OwnerRank::Outermost;
    for holder in holders(&found.objects, row) {
        if is_cache(holder) {
            return OwnerRank::Unlisted;
        }
        if owners.contains_key(&holder) {
            rank = OwnerRank::Inner;
        }
    }
    rank
}

/// Watches the object of a row, whose length and size are asked for once more.
fn watch<M: ReadMemory>(memory: &mut M, found: &mut Found, row: u32, rank: OwnerRank) {
    let type_of = found.objects.type_of[row as usize];
    let info = Rc::clone(&found.types.get(type_of).info.of_type);
    let address = found.objects.address[row as usize];
    let (kind, size) = if found.is_holder_only(row) {
        (ContainerKind::Holder, ObjectSize::default())
    } else {
        (
            container_kind(info.content).unwrap_or(ContainerKind::Object),
            found
                .leaves
                .examine(memory, &info, address, &mut Deaf)
                .unwrap_or_default(),
        )
    };
    found.watched.push(Watched {
        row,
        kind,
        // The letters of a text are no items.
        length: if info.content == Content::Str { 0 } else { size.length },
        own_bytes: size.bytes,
        place: place_of(&found.objects, &found.types, row),
        rank,
    });
}

/// Listens to no reference.
struct Deaf;

impl<M> Visitor<M> for Deaf {
    fn reference(&mut self, _memory: &mut M, _step: Step, _target: u64) {}

    fn candidate(&mut self, _memory: &mut M, _word: u64) {}
}
