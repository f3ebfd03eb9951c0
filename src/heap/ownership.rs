//! Who holds whom: each object under the first holder that reaches it from the roots, breadth first.

mod adoption;
mod frames;
mod owner;
mod tasks;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;

use super::Place;
use super::containers::container_kind;
use super::found::Found;
use super::graph::nodes::NodeSet;
use super::holders::Rows;
use super::labels::{Label, LabelKind};
use super::names::{Form, Names};
use super::objects::{HEAP, NO_OBJECT, Objects, Reference};
use super::owners::LEAST_KEPT;
use super::paths::key_at;
use super::tasks::Task;
use super::tree::{Growing, Held, Keys, Step};
use super::types::Types;
use super::unheld::Unheld;
use crate::memory::spots::Spots;
pub use owner::Owner;
use owner::{NOBODY, PackedOwner};

/// The holder of tasks, until it is their turn.
const LATER: u32 = u32::MAX - 1;
/// Two of the phases in which roots are followed (see `Gathering`).
const MODULES: usize = 0;
const THREADS: usize = 1;

/// The holders of all rows.
pub struct Ownership {
    /// Those of rows that are no leaves.
    owners: Vec<PackedOwner>,
    /// Of the leaves it is only known whether they have been reached; all else has gone to their holders.
    reached_leaves: NodeSet,
    /// Bytes of each row's object and, after `sum_up`, of everything first reached through it.
    kept: Vec<u64>,
    /// The rows that are no leaves, in the order in which they were reached: a holder before what it holds.
    pub order: Vec<u32>,
    /// Containers that a module, a class, a singleton or a frame holds by a name.
    pub named: Vec<u32>,
    /// By the last of the holders that are no objects, the later one first, the rows that they were given because no root
    /// reaches them; with these, everything is reached.
    pub adopted: Vec<(u32, Vec<u32>)>,
    /// All rows that no root reaches.
    pub unheld: Unheld,
    pub tree: Growing,
}

/// A row whose references are being followed.
#[derive(Clone, Copy)]
struct Holder {
    row: u32,
    frame: u32,
    /// It is the dict behind another object's attributes.
    is_namespace: bool,
}

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
    /// They may be watched.
    Container,
    Other,
}

fn kind_of(types: &Types, index: u32) -> Kind {
    let known = &types.get(index).info;
    match container_kind(known.of_type.content) {
        _ if index == NO_OBJECT => Kind::NoObject,
        Some(_) => Kind::Container,
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
        let holders = found.objects.holders();
        let mut owned = Ownership {
            owners: vec![PackedOwner::NOBODY; holders],
            reached_leaves: NodeSet::none_of((found.objects.count() - holders) as u32),
            kept: found.objects.bytes_of_holders().collect(),
            order: Vec::with_capacity(holders),
            named: Vec::new(),
            adopted: Vec::new(),
            unheld: Unheld::default(),
            tree: Growing::new(),
        };
        let mut reader = Reader::of(memory, found, layout);
        owned.owners[HEAP as usize].parent = HEAP;
        owned.order.push(HEAP);
        let mut done = 1;
        for task in tasks {
            owned.owners[task.row as usize].parent = LATER;
        }
        for (number, phase) in rows.phases.iter().enumerate() {
            let objects = reader.objects;
            let roots = objects.references(HEAP).get(phase.clone()).unwrap_or_default();
            owned.follow(&mut reader, HEAP, roots);
            done = owned.walk(&mut reader, done);
            match number {
                MODULES => done = owned.walk_calls(&mut reader, tasks),
                THREADS => done = owned.walk_tasks(&mut reader, tasks, done),
                _ => {}
            }
        }
        owned.adopt(&mut reader, rows.adopters(), done);
        owned.sum_up();
        owned
    }

    /// How the object of a row is held that is no leaf.
    #[inline]
    pub fn owner(&self, row: u32) -> Owner {
        self.owners[row as usize].into()
    }

    #[inline]
    fn parent(&self, row: u32) -> u32 {
        self.owners[row as usize].parent
    }

    #[inline]
    fn label(&self, row: u32) -> Label {
        self.owners[row as usize].label
    }

    /// Whether the row is a dict behind another object's attributes.
    #[inline]
    pub fn is_namespace(&self, row: u32) -> bool {
        self.label(row) == Label::NAMESPACE
    }

    /// Follows what the rows from the `done`th on hold, to the end; answers how many rows have been reached.
    fn walk<M: ReadMemory>(&mut self, reader: &mut Reader<M>, mut done: usize) -> usize {
        let objects = reader.objects;
        while let Some(&row) = self.order.get(done) {
            self.follow(reader, row, objects.references(row));
            done += 1;
        }
        done
    }

    /// Makes `row` the owner of what these references of it lead to and nobody owns yet.
    #[inline]
    fn follow<M: ReadMemory>(&mut self, reader: &mut Reader<M>, row: u32, references: &[Reference]) {
        let owner = self.owners[row as usize];
        let holder = Holder {
            row,
            frame: owner.frame(),
            is_namespace: owner.label == Label::NAMESPACE,
        };
        let mut leaf_bytes: u64 = 0;
        for &reference in references {
            let target = reference.target as usize;
            match self.owners.get(target) {
                Some(owner) if owner.parent == NOBODY => self.claim(reader, holder, reference),
                Some(_) => {}
                None => {
                    let leaf = target - self.owners.len();
                    if self.reached_leaves.insert(leaf as u32) {
                        let bytes = self.claim_leaf(reader, holder, reference.label, leaf);
                        leaf_bytes = leaf_bytes.saturating_add(bytes);
                    }
                }
            }
        }
        let kept = &mut self.kept[row as usize];
        *kept = kept.saturating_add(leaf_bytes);
    }

    /// Counts a leaf for its frame; answers its bytes.
    #[inline(always)]
    fn claim_leaf<M: ReadMemory>(&mut self, reader: &mut Reader<M>, holder: Holder, label: Label, leaf: usize) -> u64 {
        let (type_of, bytes) = reader.objects.leaf_type_and_bytes(leaf);
        let frame = self.frame(reader, holder, label, type_of);
        self.tree.add(frame, bytes);
        bytes
    }

    #[inline(always)]
    fn claim<M: ReadMemory>(&mut self, reader: &mut Reader<M>, holder: Holder, reference: Reference) {
        let (row, label) = (reference.target, reference.label);
        let (type_of, bytes) = reader.objects.type_and_bytes(row);
        let frame = self.frame(reader, holder, label, type_of);
        let kind = reader.kinds[type_of as usize];
        if kind != Kind::NoObject {
            self.tree.add(frame, bytes);
        }
        let mut place = Place::Elsewhere;
        if label.is_name() {
            place = self.place_of(reader, holder, label);
            if place != Place::Elsewhere && kind == Kind::Container {
                self.named.push(row);
            }
        }
        let owner = Owner {
            parent: holder.row,
            label,
            frame,
            place,
        };
        self.owners[row as usize] = owner.into();
        self.order.push(row);
    }

    /// The frame of the ownership tree for what `holder` holds like this.
    #[inline(always)]
    fn frame<M: ReadMemory>(&mut self, reader: &mut Reader<M>, holder: Holder, label: Label, type_of: u32) -> u32 {
        // The dict behind an object's attributes is a part of it to a reader.
        if label == Label::NAMESPACE {
            return holder.frame;
        }
        let held = Held {
            label,
            in_namespace: holder.is_namespace,
            type_of,
        };
        match self.tree.recent_frame(holder.frame, held) {
            Some(frame) => frame,
            None => self.other_frame(reader, holder, held),
        }
    }

    #[inline(never)]
    fn other_frame<M: ReadMemory>(&mut self, reader: &mut Reader<M>, holder: Holder, held: Held) -> u32 {
        let read = |keys| reader.step(held, holder.row, keys);
        self.tree.frame(holder.frame, held, read)
    }

    /// How near an object is to a name that `holder` holds by one.
    fn place_of<M>(&self, reader: &Reader<M>, holder: Holder, label: Label) -> Place {
        let owner = match label.kind() {
            LabelKind::Local => return Place::Frame,
            LabelKind::Attribute | LabelKind::Value | LabelKind::Entry if holder.is_namespace => {
                self.parent(holder.row)
            }
            LabelKind::Attribute | LabelKind::Slot | LabelKind::Member => holder.row,
            _ => return Place::Elsewhere,
        };
        let type_of = reader.objects.type_of(owner);
        match reader.types.get(type_of).info.of_type.content {
            _ if type_of == NO_OBJECT => Place::Elsewhere,
            Content::Module => Place::Module,
            Content::Type => Place::Class,
            _ => match self.owners[owner as usize].place() {
                Place::Module | Place::Class => Place::Singleton,
                _ => Place::Elsewhere,
            },
        }
    }

    /// Adds to every holder what it holds.
    fn sum_up(&mut self) {
        for &row in self.order.iter().rev() {
            let parent = self.parent(row);
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
            at = self.parent(at);
            if at == HEAP || chain.len() == most {
                break;
            }
            chain.push(at);
        }
        chain.reverse();
        chain
    }
}

impl<'a, M: ReadMemory> Reader<'a, M> {
    fn of(memory: &'a mut M, found: &'a mut Found, layout: &'a Layout) -> Self {
        let types = &found.types;
        Reader {
            memory,
            layout,
            objects: &found.objects,
            spots: &found.spots,
            types,
            names: &mut found.names,
            kinds: (0..types.count()).map(|index| kind_of(types, index)).collect(),
        }
    }

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
            LabelKind::Attribute
            | LabelKind::Slot
            | LabelKind::Member
            | LabelKind::Local
            | LabelKind::Value
            | LabelKind::Namespace
            | LabelKind::Task => self.name(number),
            LabelKind::Index | LabelKind::Entry => Step::Place,
            LabelKind::Unnamed => Step::Unnamed,
        }
    }

    fn name(&mut self, name: u32) -> Step {
        Step::Name(self.names.read(self.memory, self.layout, name, Form::Name))
    }
}
