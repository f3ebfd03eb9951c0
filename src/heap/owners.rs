//! Who keeps the memory: of all that hold something, those worth a line of their own.
//!
//! An owner is a container with a name, or an object, a thread or a frame that keeps much that no other owner inside it
//! keeps. One of many that are held alike is none: their common holder is. Of a structure whose parts hold each other,
//! such as a linked list, it is the first part.

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::examine::Examiner;
use rustc_hash::FxHashMap;

use super::containers::{Watched, container_kind, length};
use super::found::Found;
use super::labels::{Label, LabelKind};
use super::objects::{HEAP, NO_OBJECT};
use super::ownership::{Owner, Ownership};
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

/// Adds the owners to the containers that are watched, and gives each of these its rank. `large` are the rows that keep
/// much.
pub fn rank<M: ReadMemory>(
    memory: &mut M,
    walker: &mut Examiner,
    found: &Found,
    owned: &Ownership,
    large: &[u32],
    watched: &mut Vec<Watched>,
) {
    let heap = Held { found, owned };
    let mut ranks: FxHashMap<u32, OwnerRank> = FxHashMap::default();
    for row in heap.owners(large, watched) {
        ranks.insert(row, OwnerRank::Outermost);
    }
    let ranked: Vec<(u32, OwnerRank)> = ranks.keys().map(|&row| (row, heap.rank_of(&ranks, row))).collect();
    ranks.extend(ranked);
    for each in watched.iter_mut() {
        each.rank = ranks.remove(&each.row).unwrap_or(OwnerRank::Unlisted);
    }
    let mut added: Vec<(u32, OwnerRank)> = ranks
        .into_iter()
        .filter(|&(_, rank)| rank != OwnerRank::Unlisted)
        .collect();
    added.sort_unstable_by_key(|&(row, _)| (std::cmp::Reverse(owned.kept(row)), row));
    added.truncate(MOST_OWNERS);
    for (row, rank) in added {
        let (kind, length) = if heap.is_no_object(row) {
            (ContainerKind::Holder, 0)
        } else {
            let kind = container_kind(heap.content(row)).unwrap_or(ContainerKind::Object);
            (kind, length(memory, walker, found, row))
        };
        watched.push(Watched {
            row,
            kind,
            length,
            rank,
        });
    }
}

/// The objects of a heap and who holds them.
struct Held<'a> {
    found: &'a Found<'a>,
    owned: &'a Ownership,
}

impl Held<'_> {
    /// The rows of the owners, in no order.
    fn owners(&self, large: &[u32], watched: &[Watched]) -> Vec<u32> {
        let frame_bytes = self.owned.tree.sums();
        let is_single = |row: u32| {
            let alike = frame_bytes.get(self.owned.owner(row).frame as usize);
            alike.is_none_or(|&alike| self.owned.kept(row) >= alike / 2) && !self.is_one_of_many(row)
        };
        let named: FxHashMap<u32, bool> = watched
            .iter()
            .map(|each| (each.row, self.has_name_for_good(each) || is_single(each.row)))
            .collect();
        let mut owners: Vec<u32> = named.iter().filter(|(_, is)| **is).map(|(&row, _)| row).collect();

        // What holds much holds it through others that hold much. From the innermost outwards, each claims what no other
        // has.
        let large: Vec<u32> = large.iter().copied().filter(|&row| self.has_frame(row)).collect();
        let mut unclaimed: FxHashMap<u32, u64> = large.iter().map(|&row| (row, self.owned.kept(row))).collect();
        for &row in large.iter().rev() {
            let (kept, left) = (self.owned.kept(row), unclaimed.get(&row).copied().unwrap_or(0));
            let claims = named.get(&row).copied().unwrap_or_else(|| {
                let claims = left >= LEAST_KEPT
                    && self.can_own(row)
                    && is_single(row)
                    && (self.is_no_object(row) || !self.is_part_of_structure(row));
                owners.extend(claims.then_some(row));
                claims
            });
            let claimed = if claims { kept } else { kept - left };
            let holder = self.holders(row).find(|&holder| self.has_frame(holder));
            if let Some(left) = holder.and_then(|holder| unclaimed.get_mut(&holder)) {
                *left = left.saturating_sub(claimed);
            }
        }
        owners
    }

    /// Whether it has a frame of the ownership tree apart from its holder's. Without, it is a part of it: the dict behind
    /// its attributes, the next one of a chain.
    fn has_frame(&self, row: u32) -> bool {
        let owner = self.owned.owner(row);
        owner.parent == HEAP || owner.frame != self.owned.owner(owner.parent).frame
    }

    /// Whether it is, or is in, an item of a container that holds many such: one that keeps a small part of what they all
    /// do.
    fn is_one_of_many(&self, row: u32) -> bool {
        std::iter::once(row)
            .chain(self.holders(row))
            .take(STEPS_TO_CONTAINERS)
            .any(|part| {
                let holder = self.owned.owner(part).parent;
                self.is_item(part) && self.owned.kept(part) < self.owned.kept(holder) / MANY
            })
    }

    /// Whether it is held by its place in a container, and not by a name.
    fn is_item(&self, row: u32) -> bool {
        let Owner { label, parent, .. } = self.owned.owner(row);
        match label.kind() {
            LabelKind::Attribute
            | LabelKind::Slot
            | LabelKind::Member
            | LabelKind::Namespace
            | LabelKind::Local
            | LabelKind::Task => false,
            LabelKind::Value | LabelKind::Entry => !self.owned.is_namespace(parent),
            LabelKind::Index | LabelKind::Unnamed => true,
        }
    }

    /// Locals and attributes may be there many times, for every call and every instance.
    fn has_name_for_good(&self, watched: &Watched) -> bool {
        let place = self.owned.owner(watched.row).place;
        matches!(place, Place::Module | Place::Class) || watched.kind == ContainerKind::LruCache
    }

    /// Modules, classes and code are where things are kept, and by whom stands in paths.
    fn can_own(&self, row: u32) -> bool {
        !matches!(self.content(row), Content::Module | Content::Type | Content::Code)
    }

    /// Whether one of the nearest holders is an object of the same kind, held alike where the kind is a built-in
    /// container.
    fn is_part_of_structure(&self, row: u32) -> bool {
        let type_of = self.found.objects.type_of(row);
        let is_usual = matches!(
            self.content(row),
            Content::Dict | Content::List | Content::Tuple | Content::Set
        );
        self.holders(row)
            .filter(|&holder| !self.owned.is_namespace(holder))
            .take(STEPS_BETWEEN_PARTS)
            .enumerate()
            .any(|(between, holder)| {
                self.found.objects.type_of(holder) == type_of
                    && (between == 0 || !is_usual || self.are_held_alike(holder, row))
            })
    }

    /// Whether both are held by the same kind of step, and by the same name where it has one.
    fn are_held_alike(&self, one: u32, other: u32) -> bool {
        let (a, b) = (self.owned.owner(one).label, self.owned.owner(other).label);
        let is_place = |label: Label| matches!(label.kind(), LabelKind::Index | LabelKind::Entry);
        a == b || is_place(a) && is_place(b)
    }

    /// The holders of a row, the nearest first, without the heap as a whole.
    fn holders(&self, row: u32) -> impl Iterator<Item = u32> {
        let holder_of = |row: u32| Some(self.owned.owner(row).parent).filter(|&holder| holder != HEAP);
        std::iter::successors(holder_of(row), move |&row| holder_of(row)).take(DEEPEST)
    }

    /// What a cache is made of is the cache's own business.
    fn rank_of(&self, owners: &FxHashMap<u32, OwnerRank>, row: u32) -> OwnerRank {
        let mut rank = OwnerRank::Outermost;
        for holder in self.holders(row) {
            if self.content(holder) == Content::LruCache {
                return OwnerRank::Unlisted;
            }
            if owners.contains_key(&holder) {
                rank = OwnerRank::Inner;
            }
        }
        rank
    }

    fn content(&self, row: u32) -> Content {
        let type_of = self.found.objects.type_of(row);
        self.found.types.get(type_of).info.of_type.content
    }

    /// Whether the row stands for a thread, a frame or the like.
    fn is_no_object(&self, row: u32) -> bool {
        self.found.objects.type_of(row) == NO_OBJECT
    }
}
