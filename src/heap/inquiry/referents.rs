//! What objects hold, down to some depth: a tree in which what is held alike is one node.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::alike::{Likenesses, NO_STEP};
use super::{Inquiry, Referent, Sum};
use crate::heap::facts::Facts;
use crate::heap::graph::nodes::NodeSet;
use crate::heap::labels::Label;
use crate::heap::paths::Link;

/// How deep it is looked unless told.
const DEPTH: u32 = 3;
/// So many nodes hang on one; the others are counted.
const MOST_BELOW: usize = 24;
/// So many nodes are told in all.
const MOST_NODES: usize = 400;

/// A node while the tree grows.
struct Growing {
    parent: u32,
    text: String,
    rows: Vec<u32>,
    is_weak: bool,
    hidden: u64,
}

impl<F: Facts> Inquiry<F> {
    /// The tree below these rows. Each object stands once, where it is met first; modules, classes, functions and code
    /// are told and not entered.
    pub fn referents(&mut self, rows: &[u32], depth: Option<u32>) -> Vec<Referent> {
        let bounds = self.bounds_of_objects();
        let mut met = NodeSet::none_of(self.network.references.nodes());
        rows.iter().for_each(|&row| {
            met.insert(row);
        });
        let mut tree = vec![Growing {
            parent: 0,
            text: String::new(),
            rows: rows.to_vec(),
            is_weak: false,
            hidden: 0,
        }];
        let weak = self.facts.weak_references();
        let weak: FxHashMap<u32, u32> = weak.iter().map(|each| (each.holder, each.target)).collect();
        let mut level = 0..1;
        for _ in 0..depth.unwrap_or(DEPTH) {
            let first = tree.len();
            for node in level.clone() {
                self.grow(&mut tree, node, &bounds, &weak, &mut met);
            }
            level = first..tree.len();
        }
        for node in level {
            tree[node].hidden = self.hidden_below(&tree[node].rows, &bounds, &met);
        }
        self.told(tree)
    }

    /// Adds what the rows of a node hold.
    fn grow(
        &mut self,
        tree: &mut Vec<Growing>,
        node: usize,
        bounds: &NodeSet,
        weak: &FxHashMap<u32, u32>,
        met: &mut NodeSet,
    ) {
        let holders = std::mem::take(&mut tree[node].rows);
        let mut numbers: FxHashMap<(u32, bool), usize> = FxHashMap::default();
        let mut below: Vec<Growing> = Vec::new();
        let mut likenesses = Likenesses::new();
        let is_entered = |row: u32| node == 0 || !bounds.contains(row);
        for &holder in holders.iter().filter(|&&row| !tree[node].is_weak && is_entered(row)) {
            let weak = weak.get(&holder).map(|&row| Link {
                row,
                parent: holder,
                label: Label::UNNAMED,
                in_namespace: false,
                is_of_attributes: false,
                is_of_task: false,
            });
            let links = self.links_below(holder);
            for (link, is_weak) in links
                .into_iter()
                .map(|link| (link, false))
                .chain(weak.map(|link| (link, true)))
            {
                if !is_weak && !met.insert(link.row) {
                    continue;
                }
                let likeness = match holders.len() == 1 && self.network.references.of(holder).len() <= MOST_BELOW {
                    true => {
                        // Places are told apart where they are few.
                        let text = self.step(link);
                        below.push(Growing {
                            parent: node as u32,
                            text,
                            rows: vec![link.row],
                            is_weak,
                            hidden: 0,
                        });
                        continue;
                    }
                    false => self.step_below(&mut likenesses, NO_STEP, link),
                };
                let number = *numbers.entry((likeness, is_weak)).or_insert_with(|| {
                    below.push(Growing {
                        parent: node as u32,
                        text: likenesses.path(likeness, None),
                        rows: Vec::new(),
                        is_weak,
                        hidden: 0,
                    });
                    below.len() - 1
                });
                below[number].rows.push(link.row);
            }
        }
        tree[node].rows = holders;
        let bytes = |each: &Growing| each.rows.iter().map(|&row| self.retained_bytes(row)).max();
        below.sort_by_cached_key(|each| Reverse((bytes(each), each.rows.len())));
        let room = MOST_BELOW.min(MOST_NODES.saturating_sub(tree.len()));
        let hidden = below.split_off(below.len().min(room));
        tree[node].hidden = hidden.iter().map(|each| each.rows.len() as u64).sum();
        tree.extend(below);
    }

    fn hidden_below(&self, rows: &[u32], bounds: &NodeSet, met: &NodeSet) -> u64 {
        let mut below = NodeSet::none_of(self.network.references.nodes());
        let entered = rows.iter().filter(|&&row| !bounds.contains(row));
        for link in entered.flat_map(|&row| self.links_below(row)) {
            if !met.contains(link.row) {
                below.insert(link.row);
            }
        }
        u64::from(below.len())
    }

    fn told(&self, tree: Vec<Growing>) -> Vec<Referent> {
        // What is referred to weakly may stand elsewhere in the tree too, and is not held.
        let sets: Vec<&[u32]> = tree
            .iter()
            .map(|each| if each.is_weak { &[][..] } else { &each.rows[..] })
            .collect();
        let sums = self.sums(&sets);
        let told = tree.iter().zip(sums).map(|(each, sum)| Referent {
            parent: each.parent,
            text: each.text.clone(),
            type_name: self.facts.type_name(each.rows.first().copied().unwrap_or_default()),
            sum: match each.is_weak {
                true => Sum {
                    count: each.rows.len() as u64,
                    ..Sum::default()
                },
                false => sum,
            },
            address: match each.rows[..] {
                [row] => Some(self.facts.address(row)),
                _ => None,
            },
            is_weak: each.is_weak,
            hidden: each.hidden,
        });
        told.collect()
    }
}
