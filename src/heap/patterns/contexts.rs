//! Values of context variables that contexts alone keep: each task and each callback has a copy of the context that it was
//! made in, with all values of that moment.

use cpython::memory::ReadMemory;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Sight;
use super::piles::Pile;
use crate::heap::leftovers;

/// The types of the nodes in which contexts have variables and values by turns (Python/hamt.c).
pub const NODE_TYPES: [&str; 2] = ["builtins.hamt_bitmap_node", "builtins.hamt_collision_node"];
/// A variable with fewer values is not described: so many tasks may well be at work.
const FEWEST: usize = 100;

/// The values that one variable has in contexts, and that nothing else holds. The pile's subject is the
/// `contextvars.ContextVar`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextValues {
    pub pile: Pile,
    /// What the variable calls itself.
    pub name: String,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, nodes: &[u32]) -> Vec<ContextValues> {
    if nodes.len() < FEWEST {
        return Vec::new();
    }
    // By value the variable, and how many nodes have it.
    let mut held: FxHashMap<u32, (u32, u64)> = FxHashMap::default();
    for &node in nodes {
        for (variable, value) in pairs(sight, node) {
            held.entry(value).or_insert((variable, 0)).1 += 1;
        }
    }
    if held.len() < FEWEST {
        return Vec::new();
    }
    let references = leftovers::count(sight.found.objects.sure_targets(), held.keys().copied());
    let mut values: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for (value, (variable, count)) in held {
        if references.get(&value) == Some(&count) {
            values.entry(variable).or_default().push(value);
        }
    }
    let mut values: Vec<(u32, Vec<u32>)> = values.into_iter().filter(|(_, rows)| rows.len() >= FEWEST).collect();
    values.sort_unstable_by_key(|&(variable, _)| sight.found.address_of(variable));
    values
        .into_iter()
        .filter_map(|(variable, rows)| of_variable(sight, variable, rows))
        .collect()
}

/// The variables and values in a node, of those values that are no leaves. A value stands behind its variable.
fn pairs<M>(sight: &Sight<M>, node: u32) -> Vec<(u32, u32)> {
    let is_variable = |row: u32| {
        let of_type = sight.found.types.get(sight.found.objects.type_of(row));
        of_type.name.rsplit('.').next() == Some("ContextVar")
    };
    let holders = sight.found.objects.holders() as u32;
    let targets: Vec<u32> = sight
        .found
        .objects
        .references(node)
        .iter()
        .map(|each| each.target)
        .collect();
    let behind = targets.windows(2).filter_map(|pair| <[u32; 2]>::try_from(pair).ok());
    let pairs = behind.filter(|&[variable, value]| is_variable(variable) && value < holders && !is_variable(value));
    pairs.map(|[variable, value]| (variable, value)).collect()
}

fn of_variable<M: ReadMemory>(sight: &mut Sight<M>, variable: u32, mut rows: Vec<u32>) -> Option<ContextValues> {
    rows.sort_unstable();
    let first = sight.representative(&rows)?;
    let name_label = sight.member("name");
    let references = sight.found.objects.references(variable).iter();
    let name = references
        .filter(|each| each.label == name_label)
        .map(|each| each.target)
        .next();
    let name = name.map(|name| {
        let address = sight.found.address_of(name);
        sight.found.names.name_at(sight.memory, sight.layout, address)
    });
    Some(ContextValues {
        pile: Pile {
            subject: sight.subject(variable, rows.len() as u64),
            first: sight.path(first),
            type_name: sight
                .found
                .types
                .get(sight.found.objects.type_of(first))
                .name
                .to_string(),
            count: rows.len() as u64,
            retained_bytes: 0,
            container_bytes: 0,
            rows,
        },
        name: name.unwrap_or_else(|| "?".to_owned()),
    })
}
