//! The containers that are followed from one snapshot to the next, wherever they are held: all large ones, by a few numbers
//! each. Those that have grown since the last snapshot are described in full.

use super::newcomers::Watch;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::examine::Examiner;
use rustc_hash::{FxHashMap, FxHashSet};

use super::containers::{Watched, container_kind, length};
use super::found::Found;
use super::ownership::Ownership;
use super::{ContainerKind, Followed, OwnerRank};

/// More are not followed: those that keep least are left out.
const MOST_FOLLOWED: usize = 10_000;
/// More that have grown are not described.
const MOST_DESCRIBED: usize = 1_000;

/// What the snapshot before knew of containers.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// What is to be told of the objects that have come since the first snapshot.
    pub watch: Option<Watch>,
    containers: FxHashMap<(u64, ContainerKind), Size>,
}

#[derive(Debug, Clone, Copy)]
struct Size {
    length: u64,
    first: u64,
}

impl Earlier {
    pub fn insert(&mut self, address: u64, kind: ContainerKind, length: u64, first: u64) {
        self.containers.insert((address, kind), Size { length, first });
    }

    /// Whether the same container was there and had fewer items, as far as can be told without its name.
    fn has_grown(&self, now: &Followed) -> bool {
        let before = self.containers.get(&(now.address, now.kind));
        before.is_some_and(|before| before.length < now.length && may_be_same(now.kind, before.first, now.first))
    }
}

/// Whether a container may be the one that had the first item `before` when it now has the first item `now`. A list that
/// is made anew in the same place has another one; queues lose their first item as a matter of course.
pub fn may_be_same(kind: ContainerKind, before: u64, now: u64) -> bool {
    kind == ContainerKind::Deque || before == 0 || now == 0 || before == now
}

/// All large containers that are not `watched`; of these, those that have grown are added to `watched` instead. `large`
/// are the rows that keep much.
pub fn follow<M: ReadMemory>(
    memory: &mut M,
    walker: &mut Examiner,
    found: &Found,
    owned: &Ownership,
    large: &[u32],
    earlier: &Earlier,
    watched: &mut Vec<Watched>,
) -> Vec<Followed> {
    let mut known: FxHashSet<u32> = watched.iter().map(|each| each.row).collect();
    let mut candidates: Vec<(u32, u64)> = found
        .long
        .iter()
        .copied()
        .filter(|(row, _)| known.insert(*row))
        .collect();
    for &row in large {
        if kind_of(found, row).is_some() && known.insert(row) {
            candidates.push((row, length(memory, walker, found, row)));
        }
    }
    let mut followed: Vec<(u32, Followed)> = candidates
        .into_iter()
        .filter_map(|(row, length)| {
            Some((
                row,
                Followed {
                    address: found.spots.address(found.objects.spot(row)),
                    kind: kind_of(found, row)?,
                    length,
                    first: first(found, row),
                    kept_bytes: owned.kept(row),
                },
            ))
        })
        .collect();
    followed.sort_unstable_by_key(|(row, each)| (std::cmp::Reverse(each.kept_bytes), *row));
    followed.truncate(MOST_FOLLOWED);
    let mut described = 0;
    followed.retain(|(row, each)| {
        let is_described = described < MOST_DESCRIBED && earlier.has_grown(each);
        if is_described {
            described += 1;
            watched.push(Watched {
                row: *row,
                kind: each.kind,
                length: each.length,
                rank: OwnerRank::Unlisted,
            });
        }
        !is_described
    });
    followed.into_iter().map(|(_, each)| each).collect()
}

/// The kind of a container that can grow by items; caches are watched anyway.
fn kind_of(found: &Found, row: u32) -> Option<ContainerKind> {
    let type_of = found.types.get(found.objects.type_of(row));
    let kind = container_kind(type_of.info.of_type.content).filter(|_| type_of.count > 0)?;
    (kind != ContainerKind::LruCache).then_some(kind)
}

/// The address of a container's first item or key, where these stand in the order in which they came; 0 otherwise.
pub fn first(found: &Found, row: u32) -> u64 {
    let is_ordered = matches!(
        found.types.get(found.objects.type_of(row)).info.of_type.content,
        Content::List | Content::Dict | Content::OrderedDict | Content::Deque
    );
    let first = found.objects.references(row).first().filter(|_| is_ordered);
    first.map_or(0, |first| found.address_of(first.target))
}
