//! Garbage: what nothing but itself holds, the cycles that keep it from being freed at once, and what else no root reaches.

use std::cmp::Reverse;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::found::Found;
use super::graph::components::{Component, Components};
use super::graph::nodes::NodeSet;
use super::graph::references::References;
use super::naming;
use super::retention::Retention;
use super::unheld::Unheld;

/// What no root reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garbage {
    /// What nothing but itself holds: a collection frees it.
    pub objects: u64,
    pub bytes: u64,
    /// What more references lead to than are known, and what that holds: C code keeps it alive.
    pub c_held_objects: u64,
    pub c_held_bytes: u64,
    /// The cycles among the garbage, those that are alike together; what would be freed most with comes first.
    pub cycles: Vec<Cycles>,
    /// Those that are not listed.
    pub cycles_left_out: CyclesLeftOut,
}

/// Cycles that consist of objects of the same types, in the same numbers. A cycle is here a largest set of objects each of
/// which reaches all others (a strongly connected component).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycles {
    /// How many there are.
    pub count: u64,
    /// The objects in all of them.
    pub objects: u64,
    /// What these occupy by themselves.
    pub bytes: u64,
    /// With all that goes with them.
    pub retained_bytes: u64,
    /// What one of them consists of, the most frequent type first; of many types the rarest are left out.
    pub types: Vec<TypeCount>,
    /// The types among them that have a `__del__`, which the collector calls first.
    pub finalizers: Vec<String>,
    /// The address of an object in one of them, as `0x7f31c0de0010`.
    pub address: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeCount {
    #[serde(rename = "type")]
    pub name: String,
    pub count: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CyclesLeftOut {
    pub count: u64,
    pub objects: u64,
    pub bytes: u64,
}

/// So many groups of cycles are listed, and so many types of each.
const MOST_GROUPS: usize = 50;
const MOST_TYPES: usize = 20;

/// The cycles among what is garbage.
pub fn cycles(references: &References, found: &Found, unheld: &Unheld) -> Components {
    if unheld.garbage.is_empty() {
        return Components::default();
    }
    let mut garbage = NodeSet::none_of(references.nodes());
    for &row in &unheld.garbage {
        garbage.insert(row);
    }
    Components::find(references, |row| found.objects.bytes(row), garbage)
}

/// Says what no root reaches. Asks the memory which types have a `__del__`.
pub fn describe<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &Found,
    unheld: &Unheld,
    cycles: &Components,
    retention: &Retention,
) -> Garbage {
    let bytes = |rows: &[u32]| {
        let bytes = rows.iter().map(|&row| found.objects.bytes(row));
        bytes.fold(0, u64::saturating_add)
    };
    let mut groups = Groups::of(found, cycles, retention);
    let rest = groups.split_off_smallest();
    let mut garbage = Garbage {
        objects: unheld.garbage.len() as u64,
        bytes: bytes(&unheld.garbage),
        c_held_objects: unheld.by_c.len() as u64,
        c_held_bytes: bytes(&unheld.by_c),
        ..Garbage::default()
    };
    for group in rest {
        let left_out = &mut garbage.cycles_left_out;
        left_out.count += group.count;
        left_out.objects += group.objects;
        left_out.bytes = left_out.bytes.saturating_add(group.bytes);
    }
    garbage.cycles = groups
        .all
        .iter()
        .map(|group| group.described(memory, layout, found))
        .collect();
    garbage
}

/// Cycles that are alike.
#[derive(Default)]
struct Group {
    count: u64,
    objects: u64,
    bytes: u64,
    retained_bytes: u64,
    /// Types and how many objects of them a cycle has, in the order of the types.
    types: Vec<(u32, u64)>,
    /// An object of the first of them.
    example: u32,
}

struct Groups {
    all: Vec<Group>,
}

impl Groups {
    fn of(found: &Found, cycles: &Components, retention: &Retention) -> Groups {
        let mut numbers: FxHashMap<Vec<(u32, u64)>, usize> = FxHashMap::default();
        let mut all: Vec<Group> = Vec::new();
        for cycle in cycles.iter() {
            let types = types_in(found, cycle);
            let number = *numbers.entry(types).or_insert_with_key(|types| {
                all.push(Group {
                    types: types.clone(),
                    example: cycle.members.first().copied().unwrap_or_default(),
                    ..Group::default()
                });
                all.len() - 1
            });
            let group = &mut all[number];
            group.count += 1;
            group.objects += cycle.members.len() as u64;
            group.bytes = group.bytes.saturating_add(cycle.bytes);
            group.retained_bytes = group.retained_bytes.saturating_add(retained(found, cycle, retention));
        }
        Groups { all }
    }

    /// Sorts the groups, the largest first, and takes out those that are not listed.
    fn split_off_smallest(&mut self) -> Vec<Group> {
        self.all
            .sort_by_key(|group| Reverse((group.retained_bytes, group.bytes, group.count)));
        self.all.split_off(self.all.len().min(MOST_GROUPS))
    }
}

impl Group {
    fn described<M: ReadMemory>(&self, memory: &mut M, layout: &Layout, found: &Found) -> Cycles {
        let mut types: Vec<TypeCount> = Vec::new();
        let mut finalizers = Vec::new();
        for &(type_of, count) in &self.types {
            let known = found.types.get(type_of);
            types.push(TypeCount {
                name: known.name.to_string(),
                count,
            });
            if naming::has_finalizer(memory, layout, &known.info.of_type) {
                finalizers.push(known.name.to_string());
            }
        }
        types.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        types.truncate(MOST_TYPES);
        finalizers.sort_unstable();
        finalizers.truncate(MOST_TYPES);
        Cycles {
            count: self.count,
            objects: self.objects,
            bytes: self.bytes,
            retained_bytes: self.retained_bytes,
            types,
            finalizers,
            address: format!("{:#x}", found.address_of(self.example)),
        }
    }
}

fn types_in(found: &Found, cycle: Component) -> Vec<(u32, u64)> {
    let mut types: Vec<u32> = cycle.members.iter().map(|&row| found.objects.type_of(row)).collect();
    types.sort_unstable();
    types
        .chunk_by(|a, b| a == b)
        .map(|alike| (alike[0], alike.len() as u64))
        .collect()
}

/// The bytes of a cycle with all that goes with it: what those members retain that no other member does. What dominates a
/// member and is dominated by another one is in the cycle too.
fn retained(found: &Found, cycle: Component, retention: &Retention) -> u64 {
    let is_first = |row: &&u32| {
        let dominator = retention.dominator(**row);
        dominator.is_none_or(|dominator| cycle.members.binary_search(&dominator).is_err())
    };
    let first = cycle.members.iter().filter(is_first);
    first.fold(0, |sum, &row| sum.saturating_add(retention.bytes(&found.objects, row)))
}
