//! Owners for what no root reaches: first C code, where reference counts prove it, then the garbage.

use cpython::memory::ReadMemory;

use super::{NOBODY, Ownership, Reader};
use crate::heap::facts::Nature;
use crate::heap::graph::nodes::{NodeSet, RankedSet};
use crate::heap::labels::Label;
use crate::heap::leftovers::REFERENCE_COUNT;
use crate::heap::live::nature_of;
use crate::heap::objects::{Objects, Reference};
use crate::heap::types::Types;
use crate::heap::unheld::Unheld;

impl Ownership {
    /// Gives what no root reaches to two holders: to the first what more references lead to than are known, and what that
    /// reaches; the rest to the second. Of each group of objects that nothing outside it holds, the one that a reader knows
    /// best is given, of equals that at the lowest address; the rest hangs on these. So every look at a heap makes the same
    /// choice, and groups that are alike begin alike.
    pub(super) fn adopt<M: ReadMemory>(&mut self, reader: &mut Reader<M>, [by_c, garbage]: [u32; 2], mut done: usize) {
        let holders = self.owners.len() as u32;
        let mut unreached = Vec::new();
        if self.order.len() < self.owners.len() {
            unreached.extend((0..holders).filter(|&row| self.parent(row) == NOBODY));
        }
        unreached.extend(self.reached_leaves.others().map(|leaf| holders + leaf));
        if unreached.is_empty() {
            return;
        }
        let mut best_first = best_first(reader, &unreached);
        let proved = with_unknown_holders(reader, &unreached, &best_first);
        done = self.adopt_all(reader, by_c, &proved, done);
        let (garbage_rows, by_c_rows) = unreached.into_iter().partition(|&row| !self.is_reached(row));
        self.unheld = Unheld {
            by_c: by_c_rows,
            garbage: garbage_rows,
        };
        best_first.retain(|&row| !self.is_reached(row));
        self.adopt_all(reader, garbage, &best_first, done);
        self.adopted.reverse();
    }

    /// Makes `adopter` the owner of these rows and of what they reach, as far as nobody owns it.
    fn adopt_all<M: ReadMemory>(
        &mut self,
        reader: &mut Reader<M>,
        adopter: u32,
        rows: &[u32],
        mut done: usize,
    ) -> usize {
        let mut adopted = Vec::new();
        // What starts a walk over all of them is in a group of its own, or is held by what starts a later one.
        for row in self.starts(reader.objects, rows).into_iter().rev() {
            if !self.is_reached(row) {
                let label = Label::UNNAMED;
                adopted.push(row);
                self.follow(reader, adopter, &[Reference { target: row, label }]);
                done = self.walk(reader, done);
            }
        }
        self.adopted.push((adopter, adopted));
        done
    }

    fn is_reached(&self, row: u32) -> bool {
        match self.owners.get(row as usize) {
            Some(owner) => owner.parent != NOBODY,
            None => self.reached_leaves.contains(row - self.owners.len() as u32),
        }
    }

    /// Those of `unreached`, in their order, that none of the earlier ones leads to.
    fn starts(&self, objects: &Objects, unreached: &[u32]) -> Vec<u32> {
        let mut met = NodeSet::none_of(objects.count() as u32);
        let mut starts = Vec::new();
        let mut open = Vec::new();
        for &start in unreached {
            if !met.insert(start) {
                continue;
            }
            starts.push(start);
            open.push(start);
            while let Some(row) = open.pop() {
                for reference in objects.references(row) {
                    let target = reference.target;
                    if !self.is_reached(target) && met.insert(target) {
                        open.push(target);
                    }
                }
            }
        }
        starts
    }
}

/// The rows in the order in which they are worth beginning with.
fn best_first<M>(reader: &Reader<M>, unreached: &[u32]) -> Vec<u32> {
    let ranks = ranks(reader.types);
    let is_namespace = |reference: &&Reference| reference.label == Label::NAMESPACE;
    let mut namespaces = NodeSet::none_of(reader.objects.count() as u32);
    for reference in unreached
        .iter()
        .flat_map(|&row| reader.objects.references(row))
        .filter(is_namespace)
    {
        namespaces.insert(reference.target);
    }
    let mut rows = unreached.to_vec();
    rows.sort_by_cached_key(|&row| {
        let rank = ranks.get(reader.objects.type_of(row) as usize).copied();
        (
            namespaces.contains(row),
            rank,
            reader.spots.address(reader.objects.spot(row)),
        )
    });
    rows
}

/// The places of types among all, by how well a reader knows what their objects are: classes and modules, instances of the
/// program's own classes, functions, and then what the language has of its own.
fn ranks(types: &Types) -> Vec<u32> {
    let key = |index: u32| {
        let each = types.get(index);
        let kind = match nature_of(each) {
            Nature::Module | Nature::Class => 0,
            Nature::Other if !each.name.starts_with("builtins.") => 1,
            Nature::Function => 2,
            _ => 3,
        };
        (kind, &*each.name, each.info.of_type.address)
    };
    let mut order: Vec<u32> = (0..types.count()).collect();
    order.sort_unstable_by(|&a, &b| key(a).cmp(&key(b)));
    let mut ranks = vec![0; order.len()];
    for (rank, &index) in (0..).zip(&order) {
        ranks[index as usize] = rank;
    }
    ranks
}

/// Those of the `unreached`, in the order of `best_first`, that have more references than lead to them. Whatever leads
/// to what no root reaches is not reached either.
fn with_unknown_holders<M: ReadMemory>(reader: &mut Reader<M>, unreached: &[u32], best_first: &[u32]) -> Vec<u32> {
    let objects = reader.objects;
    let mut set = NodeSet::none_of(objects.count() as u32);
    for &row in unreached {
        set.insert(row);
    }
    let set = RankedSet::new(set);
    let mut known = vec![0_u32; unreached.len()];
    for reference in unreached.iter().flat_map(|&row| objects.references(row)) {
        if let Some(rank) = set.rank(reference.target) {
            let count = &mut known[rank as usize];
            *count = count.saturating_add(1);
        }
    }
    let has_unknown_holder = |&row: &u32| {
        let address = reader.spots.address(objects.spot(row));
        let counter = address.wrapping_add(reader.layout.object.refcnt);
        let count = reader.memory.word(counter).unwrap_or(0) & REFERENCE_COUNT;
        let known = set.rank(row).map_or(0, |rank| known[rank as usize]);
        count > u64::from(known)
    };
    best_first.iter().copied().filter(has_unknown_holder).collect()
}
