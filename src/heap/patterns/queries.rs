//! The rows that Django's query sets keep: each keeps all that it was iterated over, and objects keep what was fetched for
//! them in advance.

use cpython::memory::ReadMemory;
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::naming;
use crate::heap::objects::{HEAP, NO_OBJECT};
use crate::heap::retention::RetainedSizes;

/// By these endings types are known that may be query sets.
pub const TYPE_ENDING: &str = "QuerySet";
/// The attribute of an object that has what was fetched for it in advance, by the names of its relations.
const PREFETCHED: &str = "_prefetched_objects_cache";
/// Fewer rows in one query set are not looked at unless they keep `LEAST_BYTES`.
pub const FEWEST_ROWS: u64 = 1000;
pub const LEAST_BYTES: u64 = 1 << 20;
/// So many query sets are described.
const MOST: usize = 200;

/// A query set with the rows that it keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedRows {
    pub subject: Subject,
    /// `module.qualname` of the model's class.
    pub model: String,
    pub rows: u64,
    /// The list of the rows, until it is known what it retains.
    #[serde(skip)]
    pub cache: u32,
    /// What would be freed with the list.
    pub retained_bytes: u64,
}

/// Rows that were fetched in advance for the objects of one query.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefetchedRows {
    /// The nearest holder of the objects with a name of its own.
    pub subject: Subject,
    /// The first of the query sets that keep the rows.
    pub first: String,
    pub model: String,
    /// For so many objects.
    pub objects: u64,
    pub rows: u64,
    /// The query sets, until it is known what they retain.
    #[serde(skip)]
    pub query_sets: Vec<u32>,
    pub retained_bytes: u64,
}

/// What is found in query sets.
#[derive(Default)]
pub(super) struct Queries {
    pub cached: Vec<CachedRows>,
    pub prefetched: Vec<PrefetchedRows>,
}

impl CachedRows {
    pub(super) fn add_retained(&mut self, retention: &RetainedSizes<'_>) {
        self.subject.add_retained(retention);
        self.retained_bytes = retention.bytes(self.cache);
    }
}

impl PrefetchedRows {
    pub(super) fn add_retained(&mut self, retention: &RetainedSizes<'_>) {
        self.subject.add_retained(retention);
        let rows = std::mem::take(&mut self.query_sets).into_iter();
        self.retained_bytes = rows.fold(0, |sum, row| sum.saturating_add(retention.bytes(row)));
    }
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, query_sets: &[u32]) -> Queries {
    let mut queries = Queries::default();
    let mut frames: Vec<u32> = Vec::new();
    let mut query_sets = query_sets.to_vec();
    query_sets.sort_by_cached_key(|&row| sight.found.address_of(row));
    for row in query_sets {
        let Some(cache) = sight.attribute(row, "_result_cache") else {
            continue;
        };
        let rows = sight.found.objects.references(cache).len() as u64;
        if is_prefetched(sight, row) {
            let frame = sight.owned.owner(row).frame;
            let place = match frames.iter().position(|&known| known == frame) {
                Some(place) => place,
                None if frames.len() == MOST => continue,
                None => {
                    frames.push(frame);
                    queries.prefetched.push(of_first(sight, row));
                    frames.len() - 1
                }
            };
            let all = &mut queries.prefetched[place];
            all.objects += 1;
            all.rows += rows;
            all.query_sets.push(row);
        } else if (rows >= FEWEST_ROWS || sight.owned.kept(cache) >= LEAST_BYTES) && queries.cached.len() < MOST {
            queries.cached.push(CachedRows {
                subject: sight.subject(row, rows),
                model: model(sight, row),
                rows,
                cache,
                retained_bytes: 0,
            });
        }
    }
    queries.prefetched.retain(|all| all.rows >= FEWEST_ROWS);
    queries
}

/// Whether an object has the query set among what was fetched for it in advance.
fn is_prefetched<M: ReadMemory>(sight: &mut Sight<M>, row: u32) -> bool {
    let dict = sight.owned.owner(row).parent;
    if dict == HEAP || sight.found.objects.type_of(dict) == NO_OBJECT {
        return false;
    }
    let holder = sight.owned.owner(dict);
    sight.attribute_name(holder.label).as_deref() == Some(PREFETCHED)
}

fn of_first<M: ReadMemory>(sight: &mut Sight<M>, row: u32) -> PrefetchedRows {
    let holder = sight.named_holder(row);
    let length = sight.found.objects.references(holder).len() as u64;
    PrefetchedRows {
        subject: sight.subject(holder, length),
        first: sight.path(row),
        model: model(sight, row),
        ..PrefetchedRows::default()
    }
}

fn model<M: ReadMemory>(sight: &mut Sight<M>, row: u32) -> String {
    let class = sight.attribute(row, "model").map(|class| sight.found.address_of(class));
    let name = class.and_then(|class| naming::type_name_at(sight.memory, sight.layout, class));
    name.unwrap_or_else(|| "?".to_owned())
}
