//! Which types refer to each object: the sets of them, each once, and the objects by their set.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::found::Found;
use super::graph::references::References;
use super::objects::NO_OBJECT;
use super::ownership::Ownership;
use super::partitions::{Amount, Part, parts};
use super::{Tree, TreeNode};

/// What objects are told apart by: their type, and of the dicts behind attributes the type whose attributes they have.
pub struct Classes {
    /// Of each row that is no leaf: its type, or `types` and the type whose attributes it has.
    of_row: Vec<u32>,
    types: u32,
}

impl Classes {
    pub fn of(found: &Found, owned: &Ownership) -> Classes {
        let types = found.types.count();
        let class_of = |row: u32| match owned.is_namespace(row) {
            true => types + found.objects.type_of(owned.owner(row).parent),
            false => found.objects.type_of(row),
        };
        Classes {
            of_row: (0..found.objects.holders() as u32).map(class_of).collect(),
            types,
        }
    }

    pub fn of_row(&self, found: &Found, row: u32) -> u32 {
        match self.of_row.get(row as usize) {
            Some(&class) => class,
            None => found.objects.type_of(row),
        }
    }

    /// `dict of shop.Order`, or the name of the type; `(root)` for what is no object.
    pub fn name(&self, found: &Found, class: u32) -> String {
        match class.checked_sub(self.types) {
            Some(owner) => format!("dict of {}", found.types.short_name(owner)),
            None if class == NO_OBJECT => "(root)".to_owned(),
            None => found.types.short_name(class).to_owned(),
        }
    }
}

/// An object to which more types refer than these is said to have many.
const MOST_TYPES: usize = 6;
/// Nor are more sets than these told apart.
const MOST_SETS: usize = 1 << 16;
/// The set of what nothing refers to, and the one that stands for all that are not told apart.
const NONE: u32 = 0;
const MANY: u32 = 1;

/// The sets of classes that refer to an object.
pub struct Referrers {
    /// In order.
    sets: Vec<Rc<[u32]>>,
    /// The set of each row.
    of_row: Vec<u32>,
}

impl Referrers {
    pub fn of(references: &References, found: &Found, classes: &Classes) -> Referrers {
        let mut known = Known {
            sets: vec![Rc::new([]), Rc::new([])],
            numbers: FxHashMap::default(),
            with: FxHashMap::default(),
        };
        let mut of_row = vec![NONE; references.nodes() as usize];
        for (source, targets) in references.rows() {
            let class = classes.of_row(found, source);
            let mut last = (NONE, known.with(NONE, class));
            for &target in targets {
                let set = &mut of_row[target as usize];
                if *set != last.0 {
                    last = (*set, known.with(*set, class));
                }
                *set = last.1;
            }
        }
        Referrers {
            sets: known.sets,
            of_row,
        }
    }

    /// `dict of shop.Order, list`
    fn name(&self, found: &Found, classes: &Classes, set: u32) -> String {
        match set {
            NONE => "(nothing)".to_owned(),
            MANY => "(many types)".to_owned(),
            set => {
                let classes = self.sets[set as usize].iter().map(|&class| classes.name(found, class));
                let mut names: Vec<String> = classes.collect();
                names.sort_unstable();
                names.dedup();
                names.join(", ")
            }
        }
    }

    /// All objects by the set of types that refer to them.
    pub fn division(&self, found: &Found, classes: &Classes) -> Vec<Part> {
        let mut sums: Vec<Amount> = vec![Amount::default(); self.sets.len()];
        for (row, &set) in (0..).zip(&self.of_row) {
            if found.objects.type_of(row) != NO_OBJECT {
                sums[set as usize].add(found.objects.bytes(row));
            }
        }
        parts((0..).zip(sums).map(|(set, sum)| (self.name(found, classes, set), sum)))
    }

    /// All objects by their type, and then by the set of types that refer to them.
    pub fn tree(&self, found: &Found, classes: &Classes) -> Tree {
        let mut sums: FxHashMap<(u32, u32), Amount> = FxHashMap::default();
        for (row, &set) in (0..).zip(&self.of_row) {
            if found.objects.type_of(row) != NO_OBJECT {
                let class = classes.of_row(found, row);
                sums.entry((class, set)).or_default().add(found.objects.bytes(row));
            }
        }
        let mut sums: Vec<((u32, u32), Amount)> = sums.into_iter().collect();
        sums.sort_unstable_by_key(|(key, _)| *key);
        let node = |parent, label: String, sum: Amount| TreeNode {
            parent,
            label: label.into(),
            own_objects: sum.count,
            own_bytes: sum.bytes,
        };
        let mut nodes = vec![node(0, "heap".to_owned(), Amount::default())];
        for of_class in sums.chunk_by(|((a, _), _), ((b, _), _)| a == b) {
            let parent = nodes.len() as u32;
            let class = of_class.first().map_or(NO_OBJECT, |((class, _), _)| *class);
            nodes.push(node(0, classes.name(found, class), Amount::default()));
            for &((_, set), sum) in of_class {
                nodes.push(node(parent, format!("in {}", self.name(found, classes, set)), sum));
            }
        }
        Tree { nodes }
    }
}

/// Sets, and what each becomes with one class more.
struct Known {
    sets: Vec<Rc<[u32]>>,
    numbers: FxHashMap<Rc<[u32]>, u32>,
    with: FxHashMap<(u32, u32), u32>,
}

impl Known {
    fn with(&mut self, set: u32, class: u32) -> u32 {
        if let Some(&known) = self.with.get(&(set, class)) {
            return known;
        }
        let grown = self.grown(set, class);
        self.with.insert((set, class), grown);
        grown
    }

    fn grown(&mut self, set: u32, class: u32) -> u32 {
        let members = &self.sets[set as usize];
        let Err(place) = members.binary_search(&class) else {
            return set;
        };
        if set == MANY || members.len() == MOST_TYPES {
            return MANY;
        }
        let mut grown = members.to_vec();
        grown.insert(place, class);
        let grown: Rc<[u32]> = grown.into();
        if let Some(&known) = self.numbers.get(&grown) {
            return known;
        }
        if self.sets.len() >= MOST_SETS {
            return MANY;
        }
        let number = self.sets.len() as u32;
        self.sets.push(Rc::clone(&grown));
        self.numbers.insert(grown, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_do_not_depend_on_the_order_in_which_they_grow() {
        let mut known = Known {
            sets: vec![Rc::new([]), Rc::new([])],
            numbers: FxHashMap::default(),
            with: FxHashMap::default(),
        };
        let mut set_of = |classes: &[u32]| classes.iter().fold(NONE, |set, &class| known.with(set, class));
        assert_eq!(set_of(&[5, 3, 5]), set_of(&[3, 5]));
        assert_ne!(set_of(&[3]), set_of(&[5]));
        assert_eq!(set_of(&[1, 2, 3, 4, 5, 6, 7]), MANY);
        assert_eq!(set_of(&[7, 6, 5, 4, 3, 2, 1, 1]), MANY);
    }
}
