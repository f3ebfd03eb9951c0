//! Who holds what was asked for: chains from the roots, in groups of those that look alike.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::alike::Likenesses;
use super::prices::TOLERANCE;
use super::{Group, Inquiry, State, Sum};
use crate::heap::facts::Facts;
use crate::heap::graph::chains::{self, Graph, Limits};
use crate::heap::graph::retained::Amount;
use crate::heap::graph::{NO_NODE, groups};

/// So many groups are listed.
const MOST_GROUPS: usize = 20;
/// So many chains to one object are looked at, which cost so many steps.
const MOST_CHAINS: usize = 500;
const MOST_CHAIN_STEPS: u32 = 50_000;
/// Of an object at the end of a longer chain, such as a linked list, no other chains are looked for.
const LONGEST_SEARCHED: usize = 500;

impl<F: Facts> Inquiry<F> {
    /// The objects of a type by the way in which each is held.
    pub fn groups_of(&mut self, rows: &[u32], depth: Option<u32>) -> (Vec<Group>, Sum) {
        let (likenesses, of_rows) = self.likenesses(rows);
        let mut numbers: FxHashMap<(State, u32), usize> = FxHashMap::default();
        let mut all: Vec<((State, u32), Vec<u32>)> = Vec::new();
        for (&row, likeness) in rows.iter().zip(of_rows) {
            let kind = (self.network.state(row), likeness);
            let number = *numbers.entry(kind).or_insert_with(|| {
                all.push((kind, Vec::new()));
                all.len() - 1
            });
            all[number].1.push(row);
        }
        let cost = |alike: &[u32]| alike.iter().filter_map(|&row| self.network.cheapest.cost(row)).min();
        all.sort_by_cached_key(|(_, alike)| (Reverse(alike.len()), cost(alike)));
        let rest = all.split_off(all.len().min(MOST_GROUPS));
        let mut sets: Vec<&[u32]> = all.iter().map(|(_, alike)| &alike[..]).collect();
        let left: Vec<u32> = rest.into_iter().flat_map(|(_, alike)| alike).collect();
        sets.push(&left);
        let mut sums = self.sums(&sets);
        let left_out = sums.pop().unwrap_or_default();
        let groups = all.iter().zip(sums).map(|(((state, likeness), alike), sum)| {
            let example = alike.iter().copied().min_by_key(|&row| {
                let (cheapest, network) = (&self.network.cheapest, &self.network);
                let place = cheapest.through(row).map(|through| network.place(&self.facts, through));
                (cheapest.cost(row), place)
            });
            let references = self.network.chain(example.unwrap_or_default());
            self.group((&likenesses, *likeness), *state, sum, &[references], depth)
        });
        (groups.collect(), left_out)
    }

    /// The chains to one object, the cheapest to understand first.
    pub fn ways_to(&mut self, rows: &[u32], depth: Option<u32>) -> (Vec<Group>, Sum) {
        let &[row] = rows else {
            return (Vec::new(), Sum::default());
        };
        let state = self.network.state(row);
        let found = match state {
            State::Held => self.chains_to(row),
            // Where these chains begin is no name; one is enough.
            State::HeldByC | State::Garbage => vec![self.network.chain(row)],
        };
        let mut likenesses = Likenesses::new();
        let mut alike: Vec<(u32, Vec<Vec<u32>>)> = Vec::new();
        for references in found {
            let likeness = self.likeness_of_chain(&mut likenesses, &references);
            match alike.iter_mut().find(|(known, _)| *known == likeness) {
                Some((_, chains)) => chains.push(references),
                None => alike.push((likeness, vec![references])),
            }
        }
        let sum = Sum {
            count: 1,
            bytes: self.facts.bytes(row),
            retained_bytes: self.retained_bytes(row),
        };
        let groups = alike.iter().take(MOST_GROUPS);
        let groups = groups.map(|(likeness, chains)| self.group((&likenesses, *likeness), state, sum, chains, depth));
        (groups.collect(), Sum::default())
    }

    /// The cheapest chains to a row, at least one.
    fn chains_to(&self, row: u32) -> Vec<Vec<u32>> {
        let network = &self.network;
        let first = network.chain(row);
        if first.len() > LONGEST_SEARCHED {
            return vec![first];
        }
        let graph = Graph {
            references: &network.references,
            incoming: &network.incoming,
            cheapest: &network.cheapest,
            order: &|reference| network.place(&self.facts, reference),
        };
        let limits = Limits {
            chains: MOST_CHAINS,
            cost: network.cheapest.cost(row).unwrap_or(0).saturating_add(TOLERANCE),
            steps: MOST_CHAIN_STEPS,
        };
        let found = chains::cheapest(graph, row, limits, |source, reference| network.price(source, reference));
        if found.is_empty() { vec![first] } else { found }
    }

    fn group(
        &mut self,
        (likenesses, likeness): (&Likenesses, u32),
        state: State,
        sum: Sum,
        chains: &[Vec<u32>],
        depth: Option<u32>,
    ) -> Group {
        let references = chains.first().map(Vec::as_slice).unwrap_or_default();
        let example = self.chain(references, depth);
        let path = match sum.count == 1 && chains.len() == 1 {
            true => example.path.clone(),
            false => likenesses.path(likeness, depth),
        };
        Group {
            state,
            path,
            sum,
            chains: chains.len() as u64,
            dominators: self.dominators(references),
            example,
        }
    }

    /// The sum of some rows.
    pub fn sum(&self, rows: &[u32]) -> Sum {
        self.sums(&[rows]).first().copied().unwrap_or_default()
    }

    /// The sums of sets of rows that have none in common.
    pub fn sums(&self, sets: &[&[u32]]) -> Vec<Sum> {
        let network = &self.network;
        let mut set_of_row = vec![NO_NODE; network.references.nodes() as usize];
        let mut leaves = vec![Amount::default(); sets.len()];
        for ((rows, leaves), set) in sets.iter().zip(&mut leaves).zip(0..) {
            for &row in *rows {
                set_of_row[row as usize] = set;
                if row >= network.references.holders() {
                    leaves.bytes = leaves.bytes.saturating_add(self.facts.bytes(row));
                    leaves.nodes += 1;
                }
            }
        }
        let set_of_row = |row: u32| set_of_row[row as usize];
        let retained = groups::retained(&network.dominators, &self.facts, &network.retained, leaves, set_of_row);
        let sums = sets.iter().zip(retained).map(|(rows, retained)| Sum {
            count: rows.len() as u64,
            bytes: rows
                .iter()
                .fold(0, |sum: u64, &row| sum.saturating_add(self.facts.bytes(row))),
            retained_bytes: retained.bytes,
        });
        sums.collect()
    }
}
