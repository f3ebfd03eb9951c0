//! The rows that Django's query sets keep: each keeps all that it was iterated over, and objects keep what was fetched for
//! them in advance.

use cpython::memory::ReadMemory;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::labels::{Label, LabelKind};
use crate::heap::names::Form;
use crate::heap::naming;
use crate::heap::objects::{HEAP, NO_OBJECT};
use crate::heap::retention::RetainedSizes;

/// The attribute of an object that has what was fetched for it in advance, by the names of its relations.
const PREFETCHED: &str = "_prefetched_objects_cache";
/// Fewer rows in one query set are not looked at unless they keep `LEAST_BYTES`.
pub const FEWEST_ROWS: u64 = 1000;
pub const LEAST_BYTES: u64 = 1 << 20;
/// Of more rows only so many are asked for their attributes, spread evenly.
const MOST_LOOKED_AT: usize = 1 << 16;
/// More attributes than models have.
const MOST_FIELDS: usize = 500;
/// So many query sets are described.
const MOST: usize = 200;

/// Whether a type of this name may be one of query sets.
pub fn is_query_set(type_name: &str) -> bool {
    type_name.ends_with("QuerySet")
}

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
    /// Of the list alone.
    #[serde(default)]
    pub list_bytes: u64,
    /// The attributes of the rows.
    #[serde(default)]
    pub fields: Vec<CachedField>,
}

/// An attribute that rows of a query set have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedField {
    pub name: String,
    /// Of all its values, each counted once.
    pub bytes: u64,
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
                list_bytes: sight.found.objects.bytes(cache),
                fields: fields(sight, cache),
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

/// What the rows in a list of them have as attributes, in the order of the first row.
fn fields<M: ReadMemory>(sight: &mut Sight<M>, cache: u32) -> Vec<CachedField> {
    let rows = sight.items(cache);
    let stride = rows.len().div_ceil(MOST_LOOKED_AT).max(1);
    let mut order: Vec<Label> = Vec::new();
    let mut values: FxHashMap<Label, FxHashSet<u32>> = FxHashMap::default();
    for &(row, _) in rows.iter().step_by(stride) {
        for (label, value) in named_values(sight, row) {
            if !values.contains_key(&label) {
                if order.len() == MOST_FIELDS {
                    continue;
                }
                order.push(label);
            }
            values.entry(label).or_default().insert(value);
        }
    }
    let bytes = |label: &Label| values[label].iter().map(|&value| value_bytes(sight, value));
    let sums = order.iter().map(|label| bytes(label).fold(0, u64::saturating_add));
    let sums: Vec<u64> = sums.map(|sum| sum.saturating_mul(stride as u64)).collect();
    let names = order.into_iter().map(|label| sight.name(label, Form::Name));
    names
        .zip(sums)
        .map(|(name, bytes)| CachedField { name, bytes })
        .collect()
}

/// The attributes of an instance, wherever it keeps them.
fn named_values<'a, M>(sight: &'a Sight<M>, row: u32) -> impl Iterator<Item = (Label, u32)> + use<'a, M> {
    let objects = &sight.found.objects;
    let own = objects.references(row);
    let dict = own.iter().find(|each| each.label == Label::NAMESPACE);
    let in_dict = dict.map_or(&[][..], |dict| objects.references(dict.target));
    let all = own.iter().chain(in_dict).filter(|each| each.target != HEAP);
    let is_named = |label: Label| matches!(label.kind(), LabelKind::Attribute | LabelKind::Value);
    all.filter(move |each| is_named(each.label))
        .map(|each| (each.label, each.target))
}

/// Of a leaf alone, of others all that hangs on them.
fn value_bytes<M>(sight: &Sight<M>, value: u32) -> u64 {
    match (value as usize) < sight.found.objects.holders() {
        true => sight.owned.kept(value),
        false => sight.found.objects.bytes(value),
    }
}
