//! Who holds whom: each object under the first holder that reaches it from the roots, breadth first.

mod tasks;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;

use super::Place;
use super::containers::container_kind;
use super::found::Found;
use super::holders::Rows;
use super::labels::{Label, LabelKind};
use super::names::{Form, Names};
use super::objects::{HEAP, NO_OBJECT, Objects, Reference};
use super::owners::LEAST_KEPT;
use super::paths::key_at;
use super::tasks::Task;
use super::tree::{Growing, Held, Keys, ROOT, Step};
use super::types::Types;
use crate::memory::roomy::roomy;
use crate::memory::spots::Spots;

/// The holder of rows that none has reached.
const NOBODY: u32 = u32::MAX;

/// The holder of tasks, until it is their turn.
const LATER: u32 = u32::MAX - 1;
/// Two of the phases in which roots are followed (see `Gathering`).
const MODULES: usize = 0;
const THREADS: usize = 1;

/// The holders of all rows.
pub struct Ownership {
    owners: Vec<Owner>,
    /// Bytes of each row's object and, after `sum_up`, of everything first reached through it.
    kept: Vec<u64>,
    /// The rows that may hold something or are large, in the order in which they were reached: a holder before what it holds.
    pub order: Vec<u32>,
    reached: usize,
    /// Containers that a module, a class, a singleton or a frame holds by a name.
    pub named: Vec<u32>,
    /// Rows that no root reaches, which were given to the last of the holders that are no objects; with these, everything
    /// is reached.
    pub adopted: Vec<u32>,
    pub tree: Growing,
}

/// How a row is held.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The row of the first holder; the heap is its own.
    pub parent: u32,
    pub label: Label,
    /// The frame of the ownership tree that the object counts for.
    pub frame: u32,
    /// How near the object is to a name.
    pub place: Place,
}

const UNOWNED: Owner = Owner {
    parent: NOBODY,
    label: Label::UNNAMED,
    frame: ROOT,
    place: Place::Elsewhere,
};

/// Reads what the walk asks of the program: the texts of names.
struct Reader<'a, M> {
    memory: &'a mut M,
    layout: &'a Layout,
    objects: &'a Objects,
    spots: &'a Spots,
    types: &'a Types,
    names: &'a mut Names,
    /// For each type, what its objects are.
    kinds: Vec<Kind>,
}

/// What the objects of a type are, as far as who owns whom is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Threads, frames and the like.
    NoObject,
    /// They hold nothing.
    Leaf,
    /// They may be watched.
    Container,
    Other,
}

fn kind_of(types: &Types, index: u32) -> Kind {
    let known = &types.get(index).info;
    match container_kind(known.of_type.content) {
        _ if index == NO_OBJECT => Kind::NoObject,
        Some(_) => Kind::Container,
        None if known.is_leaf => Kind::Leaf,
        None => Kind::Other,
    }
}

impl Ownership {
    /// Walks over what was found from the roots, phase by phase, and then from whatever they do not reach. What the calls
    /// of `tasks` hold comes between what modules and what threads reach.
    pub fn of<M: ReadMemory>(
        memory: &mut M,
        found: &mut Found,
        layout: &Layout,
        rows: &Rows,
        tasks: &[Task],
    ) -> Ownership {
        let count = found.objects.count();
        let mut owned = Ownership {
            owners: filled(count, UNOWNED),
            kept: filled(count, 0),
            order: roomy(count),
            reached: 1,
            named: Vec::new(),
            adopted: Vec::new(),
            tree: Growing::new(),
        };
        let types = &found.types;
        let mut reader = Reader {
            memory,
            layout,
            objects: &found.objects,
            spots: &found.spots,
            types,
            names: &mut found.names,
            kinds: (0..types.count()).map(|index| kind_of(types, index)).collect(),
        };
        owned.owners[HEAP as usize].parent = HEAP;
        owned.order.push(HEAP);
        let mut done = 1;
        for task in tasks {
            owned.owners[task.row as usize].parent = LATER;
        }
        for (number, phase) in rows.phases.iter().enumerate() {
            for reference in found.objects.references(HEAP).get(phase.clone()).unwrap_or_default() {
                owned.reach(&mut reader, HEAP, false, *reference);
            }
            done = owned.walk(&mut reader, done);
            match number {
                MODULES => done = owned.walk_calls(&mut reader, tasks, done),
                THREADS => done = owned.walk_tasks(&mut reader, tasks, done),
                _ => {}
            }
        }
        // The last of the holders that are no objects is that of what nothing else holds.
        owned.adopt(&mut reader, rows.count as u32 - 1, done);
        owned.sum_up();
        owned
    }

    /// How the object of a row is held.
    #[inline]
    pub fn owner(&self, row: u32) -> Owner {
        self.owners[row as usize]
    }

    /// Whether the row is a dict behind another object's attributes.
    #[inline]
    pub fn is_namespace(&self, row: u32) -> bool {
        self.owner(row).label == Label::NAMESPACE
    }

    /// Follows what the rows from the `done`th on hold, to the end; answers how many rows have been reached.
    fn walk<M: ReadMemory>(&mut self, reader: &mut Reader<M>, mut done: usize) -> usize {
        let objects = reader.objects;
        while let Some(&row) = self.order.get(done) {
            let references = objects.references(row);
            let label = self.owner(row).label;
            if !references.is_empty() && label.kind() != LabelKind::Task {
                let is_namespace = label == Label::NAMESPACE;
                for reference in references {
                    self.reach(reader, row, is_namespace, *reference);
                }
            }
            done += 1;
        }
        done
    }

    #[inline]
    fn reach<M: ReadMemory>(&mut self, reader: &mut Reader<M>, holder: u32, in_namespace: bool, reference: Reference) {
        if self.owners[reference.target as usize].parent == NOBODY {
            self.claim(reader, holder, in_namespace, reference);
        }
    }

    /// Makes `holder` the owner of an object that has none.
    #[inline]
    fn claim<M: ReadMemory>(&mut self, reader: &mut Reader<M>, holder: u32, in_namespace: bool, reference: Reference) {
        let (row, label) = (reference.target, reference.label);
        let (type_of, bytes) = reader.objects.type_and_bytes(row);
        let held = Held {
            label,
            in_namespace,
            type_of,
        };
        let above = self.owners[holder as usize].frame;
        let frame = match label.kind() {
            // The dict behind an object's attributes is a part of it to a reader.
            LabelKind::Namespace => above,
            _ => self.tree.frame(above, held, |keys| reader.step(held, holder, keys)),
        };
        self.owners[row as usize] = Owner {
            parent: holder,
            label,
            frame,
            place: Place::Elsewhere,
        };
        self.reached += 1;
        if reader.kinds[type_of as usize] == Kind::Leaf && bytes < LEAST_KEPT {
            self.tree.add(frame, bytes);
            let kept = &mut self.kept[holder as usize];
            *kept = kept.saturating_add(bytes);
        } else {
            self.claim_holder(reader, holder, held, row, bytes);
        }
    }

    /// What else is to be known of an object that may hold others, or is large enough to be an owner by itself.
    fn claim_holder<M>(&mut self, reader: &Reader<M>, holder: u32, held: Held, row: u32, bytes: u64) {
        let place = self.place_of(reader, holder, held.label, held.in_namespace);
        let kind = reader.kinds[held.type_of as usize];
        if place != Place::Elsewhere && kind == Kind::Container {
            self.named.push(row);
        }
        let owner = &mut self.owners[row as usize];
        owner.place = place;
        if kind != Kind::NoObject {
            self.tree.add(owner.frame, bytes);
        }
        self.kept[row as usize] = self.kept[row as usize].saturating_add(bytes);
        self.order.push(row);
    }

    /// Where an object is held that `holder` holds.
    #[inline]
    fn place_of<M>(&self, reader: &Reader<M>, holder: u32, label: Label, in_namespace: bool) -> Place {
        let owner = match label.kind() {
            LabelKind::Local => return Place::Frame,
            LabelKind::Attribute | LabelKind::Value | LabelKind::Entry if in_namespace => self.owner(holder).parent,
            LabelKind::Attribute => holder,
            _ => return Place::Elsewhere,
        };
        let type_of = reader.objects.type_of(owner);
        match reader.types.get(type_of).info.of_type.content {
            _ if type_of == NO_OBJECT => Place::Elsewhere,
            Content::Module => Place::Module,
            Content::Type => Place::Class,
            _ => match self.owner(owner).place {
                Place::Module | Place::Class => Place::Singleton,
                _ => Place::Elsewhere,
            },
        }
    }

    /// Gives to `held` what no root reaches: of each group of objects that nothing outside it holds, the one at the lowest
    /// address; the rest hangs on these. The choice follows addresses alone, so that every look at a heap makes it alike.
    fn adopt<M: ReadMemory>(&mut self, reader: &mut Reader<M>, held: u32, mut done: usize) {
        let rows = reader.objects.count();
        if self.reached == rows {
            return;
        }
        let mut unreached: Vec<u32> = (0..rows as u32)
            .filter(|&row| self.owner(row).parent == NOBODY)
            .collect();
        unreached.sort_unstable_by_key(|&row| reader.spots.address(reader.objects.spot(row)));
        // What starts a walk over all of them is in such a group, or is held by what starts a later one.
        for row in self.starts(reader.objects, &unreached).into_iter().rev() {
            if self.owner(row).parent == NOBODY {
                let label = Label::UNNAMED;
                self.adopted.push(row);
                self.claim(reader, held, false, Reference { target: row, label });
                done = self.walk(reader, done);
            }
        }
    }

    /// Those of `unreached`, in their order, that none of the earlier ones leads to.
    fn starts(&self, objects: &Objects, unreached: &[u32]) -> Vec<u32> {
        let mut is_met = vec![false; objects.count()];
        let mut starts = Vec::new();
        let mut open = Vec::new();
        for &start in unreached {
            if is_met[start as usize] {
                continue;
            }
            is_met[start as usize] = true;
            starts.push(start);
            open.push(start);
            while let Some(row) = open.pop() {
                for reference in objects.references(row) {
                    let target = reference.target as usize;
                    if !is_met[target] && self.owners[target].parent == NOBODY {
                        is_met[target] = true;
                        open.push(reference.target);
                    }
                }
            }
        }
        starts
    }

    /// Adds to every holder what it holds.
    fn sum_up(&mut self) {
        for &row in self.order.iter().rev() {
            let parent = self.owner(row).parent;
            if parent != row {
                self.kept[parent as usize] = self.kept[parent as usize].saturating_add(self.kept[row as usize]);
            }
        }
    }

    /// The rows that keep much, a holder before what it holds.
    pub fn large(&self) -> Vec<u32> {
        let large = |&row: &u32| row != HEAP && self.kept(row) >= LEAST_KEPT;
        self.order.iter().copied().filter(large).collect()
    }

    /// The tree alone, when nobody will ask about rows any more.
    pub fn into_tree(self) -> Growing {
        self.tree
    }

    /// Bytes of a container and of everything first reached through it.
    pub fn kept(&self, row: u32) -> u64 {
        self.kept[row as usize]
    }

    /// The rows from below the heap down to `row`, or the last `most` of them.
    pub fn chain(&self, row: u32, most: usize) -> Vec<u32> {
        let mut chain = vec![row];
        let mut at = row;
        loop {
            at = self.owner(at).parent;
            if at == HEAP || chain.len() == most {
                break;
            }
            chain.push(at);
        }
        chain.reverse();
        chain
    }
}

fn filled<T: Copy>(count: usize, with: T) -> Vec<T> {
    let mut column = roomy(count);
    column.resize(count, with);
    column
}

impl<M: ReadMemory> Reader<'_, M> {
    /// The step by which a holder holds an object, with the text of its name.
    #[cold]
    fn step(&mut self, held: Held, holder: u32, keys: Keys) -> Step {
        let number = held.label.number();
        match held.label.kind() {
            LabelKind::Value if !held.in_namespace => match keys {
                Keys::Shown => Step::Key(self.names.read(self.memory, self.layout, number, Form::Key)),
                Keys::Folded => Step::Place,
            },
            LabelKind::Entry if held.in_namespace => {
                let dict = self.spots.address(self.objects.spot(holder));
                let key = key_at(self.memory, self.layout, dict, u64::from(number));
                match key.and_then(|key| self.names.object(key)) {
                    Some(name) => self.name(name),
                    None => Step::Place,
                }
            }
            LabelKind::Attribute | LabelKind::Local | LabelKind::Value | LabelKind::Namespace | LabelKind::Task => {
                self.name(number)
            }
            LabelKind::Index | LabelKind::Entry => Step::Place,
            LabelKind::Unnamed => Step::Unnamed,
        }
    }

    fn name(&mut self, name: u32) -> Step {
        Step::Name(self.names.read(self.memory, self.layout, name, Form::Name))
    }
}
