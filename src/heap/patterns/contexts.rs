//! Values of context variables that contexts alone keep: each task and each callback has a copy of the context that it was
//! made in, with all values of that moment.
//!
//! Whoever runs in a context may ask it for its values, so that those are in use which `context_users` says so of.

use cpython::memory::ReadMemory;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::Sight;
use super::context_users::{Users, Variable};
use super::picked::Picked;
use super::piles::Pile;
use crate::heap::calls::Call;
use crate::heap::leftovers;
use crate::heap::objects::HEAP;

pub const CONTEXT_TYPES: [&str; 2] = ["_contextvars.Context", "builtins.Context"];
/// The types of the nodes in which contexts have variables and values by turns (Python/hamt.c).
pub const NODE_TYPES: [&str; 2] = ["builtins.hamt_bitmap_node", "builtins.hamt_collision_node"];
/// What else stands between a context and these.
const INNER_TYPES: [&str; 2] = ["builtins.hamt", "builtins.hamt_array_node"];
/// A variable with fewer values is not described: so many tasks may well be at work.
const FEWEST: usize = 100;
/// A tree of nodes is not deeper: 32 bits of hash, five at a time, and the collisions below.
const DEEPEST: usize = 9;

/// The values that one variable has in contexts, and that nothing else holds. The pile's subject is the
/// `contextvars.ContextVar`; of texts and numbers the first is a context that keeps one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextValues {
    pub pile: Pile,
    /// What the variable calls itself.
    pub name: String,
    /// Whose contexts most of them are, such as `of tasks in beat()`; empty where nobody has asked.
    #[serde(default)]
    pub held_by: String,
}

/// A value that contexts have.
struct Value {
    variable: u32,
    /// How many nodes refer to it.
    nodes: u64,
    contexts: Vec<u32>,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, picked: &Picked, calls: &[Call]) -> Vec<ContextValues> {
    if picked.context_nodes.len() < FEWEST {
        return Vec::new();
    }
    let values = kept_by_contexts(sight, &picked.context_nodes);
    if values.is_empty() {
        return Vec::new();
    }
    let values = with_contexts(sight, values, &picked.contexts);
    let mut by_variable: FxHashMap<u32, Vec<(u32, Vec<u32>)>> = FxHashMap::default();
    for (row, value) in values {
        by_variable
            .entry(value.variable)
            .or_default()
            .push((row, value.contexts));
    }
    let mut variables: Vec<u32> = by_variable.keys().copied().collect();
    variables.sort_unstable_by_key(|&variable| sight.found.address_of(variable));
    let users = Users::of(sight, &picked.contexts, &variables, calls);
    let mut found = Vec::new();
    for variable in variables {
        let mut values = by_variable.remove(&variable).unwrap_or_default();
        let known = Variable::of(sight, &users, variable, &picked.functions);
        values.retain(|(_, contexts)| !contexts.iter().any(|&context| users.uses(sight, context, &known)));
        if values.len() >= FEWEST {
            found.extend(of_variable(sight, variable, values, &users));
        }
    }
    found
}

/// The values that only nodes of contexts refer to, of variables with enough of them.
fn kept_by_contexts<M>(sight: &Sight<M>, nodes: &[u32]) -> FxHashMap<u32, Value> {
    let mut values: FxHashMap<u32, Value> = FxHashMap::default();
    for &node in nodes {
        for (variable, value) in pairs(sight, node) {
            let value = values.entry(value).or_insert(Value {
                variable,
                nodes: 0,
                contexts: Vec::new(),
            });
            value.nodes += 1;
        }
    }
    if values.len() < FEWEST {
        return FxHashMap::default();
    }
    let references = leftovers::count(sight.found.objects.sure_targets(), values.keys().copied());
    values.retain(|row, value| references.get(row) == Some(&value.nodes));
    let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
    for value in values.values() {
        *counts.entry(value.variable).or_default() += 1;
    }
    values.retain(|_, value| counts.get(&value.variable).is_some_and(|&count| count >= FEWEST));
    values
}

/// Notes at each value which contexts have it.
fn with_contexts<M>(sight: &Sight<M>, mut values: FxHashMap<u32, Value>, contexts: &[u32]) -> FxHashMap<u32, Value> {
    for &context in contexts {
        let (mut level, mut met) = (vec![context], FxHashSet::default());
        for _ in 0..DEEPEST {
            let below = level.iter().flat_map(|&row| sight.found.objects.references(row));
            let below = below.map(|each| each.target).filter(|&row| is_inner(sight, row));
            level = below.filter(|&row| met.insert(row)).collect();
        }
        let nodes = met
            .into_iter()
            .filter(|&row| NODE_TYPES.contains(&sight.type_name(row)));
        for (_, value) in nodes.flat_map(|node| pairs(sight, node)) {
            if let Some(value) = values.get_mut(&value) {
                value.contexts.push(context);
            }
        }
    }
    values
}

fn is_inner<M>(sight: &Sight<M>, row: u32) -> bool {
    let name = sight.type_name(row);
    NODE_TYPES.contains(&name) || INNER_TYPES.contains(&name)
}

/// The variables and values in a node. A value stands behind its variable.
fn pairs<M>(sight: &Sight<M>, node: u32) -> Vec<(u32, u32)> {
    let is_variable = |row: u32| sight.type_name(row).rsplit('.').next() == Some("ContextVar");
    let references = sight.found.objects.references(node).iter();
    let targets: Vec<u32> = references.map(|each| each.target).collect();
    let behind = targets.windows(2).filter_map(|pair| <[u32; 2]>::try_from(pair).ok());
    let pairs = behind.filter(|&[variable, value]| is_variable(variable) && value != HEAP && !is_variable(value));
    pairs.map(|[variable, value]| (variable, value)).collect()
}

fn of_variable<M: ReadMemory>(
    sight: &mut Sight<M>,
    variable: u32,
    mut values: Vec<(u32, Vec<u32>)>,
    users: &Users,
) -> Option<ContextValues> {
    values.sort_unstable_by_key(|&(row, _)| sight.found.address_of(row));
    let &(first, _) = values.first()?;
    let contexts = values
        .iter()
        .filter_map(|(_, contexts)| sight.lowest(contexts.iter().copied()));
    let contexts: Vec<u32> = contexts.collect();
    // A leaf has no path of its own.
    let told = match (first as usize) < sight.found.objects.holders() {
        true => Some(first),
        false => contexts.first().copied(),
    };
    let name_label = sight.member("name");
    let mut references = sight.found.objects.references(variable).iter();
    let name = references.find(|each| each.label == name_label).map(|each| each.target);
    let name = name.map(|name| {
        let address = sight.found.address_of(name);
        sight.found.names.name_at(sight.memory, sight.layout, address)
    });
    Some(ContextValues {
        pile: Pile {
            subject: sight.subject(variable, values.len() as u64),
            first: told.map_or_else(String::new, |row| sight.path(row)),
            type_name: sight.type_name(first).to_owned(),
            count: values.len() as u64,
            retained_bytes: 0,
            container_bytes: 0,
            rows: values.into_iter().map(|(row, _)| row).collect(),
        },
        name: name.unwrap_or_else(|| "?".to_owned()),
        held_by: users.holders(sight, &contexts),
    })
}
