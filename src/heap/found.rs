//! What a survey has found so far: each object once, with its type, its size and its first holder.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, word_at};
use cpython::objects::examine::{Examiner, ObjectSize};
use cpython::objects::types::{FieldName, flags};
use cpython::objects::visit::{Step, Visitor};
use rustc_hash::FxHashMap;

use super::collector::Tracked;
use super::containers::container_kind;
use super::labels::{Label, LabelKind, Names};
use super::naming;
use super::objects::{MOST_ROWS, NO_OBJECT, Objects};
use super::owners::LEAST_KEPT;
use super::place::place_of;
use super::tree::{Growing, ROOT};
use super::types::Types;
use super::{ContainerKind, OwnerRank, Place};
use crate::memory::marks::{Marked, Marks};
use crate::memory::slots::Slots;

/// Dicts with more entries keep no text of each key; whoever needs one looks it up.
const KEYED_ENTRIES: u64 = 64;
/// So many names of attributes and variables are kept: programs that make up more of them use them as keys.
const MOST_NAMES: usize = 1 << 20;
/// So many distinct keys get a text; further ones are shown by their place.
const MOST_KEY_TEXTS: usize = 200_000;
/// A container this long is watched wherever it is; a shorter one when a module, a class or a singleton holds it.
pub const LONG: u64 = 1000;

/// What counts references in the first word of an object; 3.14 and later have flags above it.
const REFERENCE_COUNT: u64 = (1 << 48) - 1;
/// A dead object has no references, or the allocator's pointer to the next free block where their number was. (The count
/// of an immortal object can pass 2³² when extensions made for older releases hold it.)
const MOST_REFERENCES: u64 = 1 << 40;

/// Stands for the holder of a root.
const NO_HOLDER: u32 = u32::MAX;

pub struct Found<'a> {
    layout: &'a Layout,
    marks: Marks,
    tracked: Tracked,
    pub objects: Objects,
    pub tree: Growing,
    pub types: Types,
    pub names: Names,
    /// Pointers that should have led to an object and did not.
    pub rejected: u64,
    /// Long containers and those that have names, by row.
    pub watched: Vec<Watched>,
    /// Also for looking at objects once more.
    pub leaves: Examiner<'a>,
    /// What the present holder was the first to refer to.
    claims: Vec<Claim>,
    /// The holder whose references are being told, and whether it is the dict behind a holder's attributes.
    holder: u32,
    in_namespace: bool,
    names_by_address: FxHashMap<u64, u32>,
    names_by_member: FxHashMap<usize, u32>,
    keys_by_address: FxHashMap<u64, Label>,
}

/// An object that a long container holds, marked as its own, but not looked at yet.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    address: u64,
    label: Label,
}

/// So many claims are looked at together; those of a long container wait, so that its items are looked at together with
/// what they hold.
pub const CLAIMS_AT_ONCE: usize = 1 << 12;
/// So many addresses are touched before they are read.
const TOUCHED_AT_ONCE: usize = 32;

/// A container that may be worth a line of its own.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    pub row: u32,
    pub kind: ContainerKind,
    pub length: u64,
    pub own_bytes: u64,
    pub place: Place,
    /// Unlisted until all are ranked.
    pub rank: OwnerRank,
}

impl<'a> Found<'a> {
    pub fn new(layout: &'a Layout, slots: Rc<Slots>, leaves: Examiner<'a>, tracked: Tracked) -> Self {
        Found {
            layout,
            marks: Marks::new(slots),
            tracked,
            objects: Objects::default(),
            tree: Growing::new(),
            types: Types::new(),
            names: Names::default(),
            rejected: 0,
            watched: Vec::new(),
            leaves,
            claims: Vec::new(),
            holder: 0,
            in_namespace: false,
            names_by_address: FxHashMap::default(),
            names_by_member: FxHashMap::default(),
            keys_by_address: FxHashMap::default(),
        }
    }

    pub fn tracked_count(&self) -> u64 {
        self.tracked.count
    }

    /// Adds a row that is no object: a root of its own, or below `parent`.
    pub fn add_holder(&mut self, parent: Option<u32>, kind: LabelKind, name: &str, address: u64) -> u32 {
        let label = Label::new(kind, u64::from(self.names.id(name)));
        let row = self.objects.count() as u32;
        let above = parent.map_or(ROOT, |parent| self.objects.node[parent as usize]);
        let node = self.tree.frame(above, label, NO_OBJECT);
        self.objects
            .push(address, NO_OBJECT, parent.unwrap_or(row), label, node)
    }

    /// Adds an object that something other than an object holds; a root when `holder` is `None`.
    pub fn seed<M: ReadMemory>(&mut self, memory: &mut M, holder: Option<u32>, label: Label, address: u64) {
        self.holder = holder.unwrap_or(NO_HOLDER);
        if address != 0 && self.mark(address) {
            self.admit(memory, address, |_, _| label);
        }
    }

    /// Whether the row stands for a thread, a frame or the like, and not for an object.
    pub fn is_holder_only(&self, row: u32) -> bool {
        self.objects.type_of[row as usize] == NO_OBJECT
    }

    /// The references that are told from now on are those of `row`.
    pub fn begin(&mut self, row: u32) {
        self.holder = row;
        self.in_namespace = self.objects.label[row as usize].kind() == LabelKind::Namespace;
    }

    /// Looks at what the present holder has claimed; of a long container's items the first ones, and answers the others.
    pub fn settle<M: ReadMemory>(&mut self, memory: &mut M) -> Vec<Claim> {
        let mut claims = std::mem::take(&mut self.claims);
        let waiting = if claims.len() > CLAIMS_AT_ONCE {
            claims.split_off(CLAIMS_AT_ONCE)
        } else {
            Vec::new()
        };
        self.redeem(memory, &claims);
        claims.clear();
        self.claims = claims;
        waiting
    }

    /// Looks at objects that the present holder has claimed.
    pub fn redeem<M: ReadMemory>(&mut self, memory: &mut M, claims: &[Claim]) {
        for claims in claims.chunks(TOUCHED_AT_ONCE) {
            for claim in claims {
                memory.touch(claim.address);
            }
            for claim in claims {
                self.admit(memory, claim.address, |_, _| claim.label);
            }
        }
    }

    /// The object of `row` has been examined.
    pub fn measured(&mut self, row: u32, size: ObjectSize) {
        let type_of = self.account_row(row, size);
        let Some(kind) = container_kind(self.types.get(type_of).info.of_type.content) else {
            return;
        };
        let place = place_of(&self.objects, &self.types, row);
        if size.length >= LONG || place != Place::Elsewhere || kind == ContainerKind::LruCache {
            self.watched.push(Watched {
                row,
                kind,
                length: size.length,
                own_bytes: size.bytes,
                place,
                rank: OwnerRank::Unlisted,
            });
        }
    }

    /// The object of `row` is there, but its contents make no sense.
    pub fn misread(&mut self, row: u32) {
        self.rejected += 1;
        let size = self.least_size(self.objects.type_of[row as usize]);
        self.account_row(row, size);
    }

    fn account_row(&mut self, row: u32, size: ObjectSize) -> u32 {
        let at = row as usize;
        let type_of = self.objects.type_of[at];
        self.account(self.objects.address[at], type_of, self.objects.node[at], size);
        self.objects.kept[at] = self.objects.kept[at].saturating_add(size.bytes);
        type_of
    }

    /// What an object of a type must at least have.
    fn least_size(&self, type_of: u32) -> ObjectSize {
        let basicsize = self.types.get(type_of).info.of_type.basicsize;
        ObjectSize {
            getsizeof: basicsize,
            bytes: basicsize,
            length: 0,
        }
    }

    /// The tracked objects that have not been met.
    pub fn unvisited_tracked(&self) -> Vec<u64> {
        self.tracked.marks.difference(&self.marks)
    }

    /// Watches no container any more whose type has no objects.
    pub fn forget_withdrawn(&mut self) {
        let (types, type_of) = (&self.types, &self.objects.type_of);
        self.watched
            .retain(|each| types.get(type_of[each.row as usize]).count > 0);
    }

    fn account(&mut self, address: u64, type_of: u32, node: u32, size: ObjectSize) {
        self.tree.add(node, size.bytes);
        let totals = self.types.get_mut(type_of);
        let tracked = totals.info.of_type.has(flags::HAVE_GC) && self.tracked.marks.contains(address);
        totals.count += 1;
        totals.bytes = totals.bytes.saturating_add(size.bytes);
        totals.getsizeof_bytes = totals.getsizeof_bytes.saturating_add(size.getsizeof);
        if tracked {
            totals.tracked_count += 1;
            totals.tracked_getsizeof_bytes = totals.tracked_getsizeof_bytes.saturating_add(size.getsizeof);
        }
    }

    #[inline]
    fn mark(&mut self, address: u64) -> bool {
        match self.marks.mark(address) {
            Marked::First => true,
            Marked::Again => false,
            Marked::Nowhere => {
                self.rejected += 1;
                false
            }
        }
    }

    /// Takes in the object at `address`, which was just marked: as a row, or, when it holds nothing, in the sums alone.
    #[inline]
    fn admit<M: ReadMemory>(&mut self, memory: &mut M, address: u64, label: impl FnOnce(&mut Self, &mut M) -> Label) {
        let Some(type_of) = self.type_at(memory, address) else {
            self.rejected += 1;
            return;
        };
        let label = label(self, memory);
        let holder = self.holder;
        let above = if holder == NO_HOLDER {
            ROOT
        } else {
            self.objects.node[holder as usize]
        };
        let node = self.tree.frame(above, label, type_of);
        let is_leaf = self.types.get(type_of).info.is_leaf && holder != NO_HOLDER;
        if is_leaf && self.admit_leaf(memory, address, type_of, node) {
            return;
        }
        let row = self.objects.count();
        if row >= MOST_ROWS {
            self.rejected += 1;
            return;
        }
        let parent = if holder == NO_HOLDER { row as u32 } else { holder };
        self.objects.push(address, type_of, parent, label, node);
    }

    /// Adds it up under its holder, unless it is so large that it may be an owner, which needs a row.
    #[inline]
    fn admit_leaf<M: ReadMemory>(&mut self, memory: &mut M, address: u64, type_of: u32, node: u32) -> bool {
        let info = &self.types.get(type_of).info.of_type;
        let size = match self.leaves.measure_leaf(memory, info, address) {
            Ok(size) if size.bytes >= LEAST_KEPT => return false,
            Ok(size) => size,
            Err(_) => {
                self.rejected += 1;
                self.least_size(type_of)
            }
        };
        self.account(address, type_of, node, size);
        let kept = &mut self.objects.kept[self.holder as usize];
        *kept = kept.saturating_add(size.bytes);
        true
    }

    /// The type of the object at `address`, when one can stand there: alive, and of a type.
    #[inline]
    fn type_at<M: ReadMemory>(&mut self, memory: &mut M, address: u64) -> Option<u32> {
        let head = memory.read(address, 16).ok()?;
        let count = word_at(head, self.layout.object.refcnt) & REFERENCE_COUNT;
        let type_address = word_at(head, self.layout.object.ob_type);
        if count == 0 || count >= MOST_REFERENCES {
            return None;
        }
        self.types.index_of(memory, self.layout, type_address)
    }

    fn label<M: ReadMemory>(&mut self, memory: &mut M, step: Step) -> Label {
        match step {
            Step::Index(place) => Label::new(LabelKind::Index, place),
            Step::Value { key, .. } if self.in_namespace => self.named(memory, LabelKind::Attribute, key),
            Step::Value { key, position } if position < KEYED_ENTRIES => self.keyed(memory, key, position),
            Step::Value { position, .. } => Label::new(LabelKind::Entry, position),
            Step::Attribute(name) => self.named(memory, LabelKind::Attribute, name),
            Step::Local(name) => self.named(memory, LabelKind::Local, name),
            Step::Field(FieldName::Known("__dict__")) => Label::new(LabelKind::Namespace, 0),
            Step::Field(FieldName::Known(name)) => {
                let id = *self
                    .names_by_member
                    .entry(name.as_ptr() as usize)
                    .or_insert_with(|| self.names.id(name));
                Label::new(LabelKind::Attribute, u64::from(id))
            }
            Step::Field(FieldName::Text(address)) => {
                let names = &mut self.names;
                let id = *self.names_by_address.entry(address).or_insert_with(|| {
                    let text = memory.c_string(address, naming::LONGEST_NAME).unwrap_or_default();
                    names.id(&String::from_utf8_lossy(&text))
                });
                Label::new(LabelKind::Attribute, u64::from(id))
            }
            Step::Key | Step::Member | Step::Stack | Step::Scanned => Label::new(LabelKind::Unnamed, 0),
        }
    }

    /// A label with the text of the `str` at `name`.
    fn named<M: ReadMemory>(&mut self, memory: &mut M, kind: LabelKind, name: u64) -> Label {
        if let Some(&id) = self.names_by_address.get(&name) {
            return Label::new(kind, u64::from(id));
        }
        if self.names_by_address.len() >= MOST_NAMES {
            return Label::new(LabelKind::Unnamed, 0);
        }
        let text = naming::name_text(memory, self.layout, name);
        let id = self.names.id(&text);
        self.names_by_address.insert(name, id);
        Label::new(kind, u64::from(id))
    }

    fn keyed<M: ReadMemory>(&mut self, memory: &mut M, key: u64, position: u64) -> Label {
        if let Some(&label) = self.keys_by_address.get(&key) {
            return label;
        }
        if self.keys_by_address.len() >= MOST_KEY_TEXTS {
            return Label::new(LabelKind::Entry, position);
        }
        let text = naming::key_text(memory, self.layout, key);
        let label = Label::new(LabelKind::Key, u64::from(self.names.id(&text)));
        self.keys_by_address.insert(key, label);
        label
    }
}

impl<M: ReadMemory> Visitor<M> for Found<'_> {
    #[inline]
    fn reference(&mut self, memory: &mut M, step: Step, target: u64) {
        if self.mark(target) {
            let label = self.label(memory, step);
            self.claims.push(Claim { address: target, label });
        }
    }

    /// A word that may be anything is believed to be a reference when an object of a known kind stands there, and the
    /// collector's view of it is in order.
    fn candidate(&mut self, memory: &mut M, word: u64) {
        if self.marks.contains(word) || !self.marks.can_hold(word) {
            return;
        }
        let Some(type_of) = self.type_at(memory, word) else {
            return;
        };
        let info = Rc::clone(&self.types.get(type_of).info.of_type);
        if self.leaves.is_plausible(memory, &info, word) && self.mark(word) {
            self.admit(memory, word, |_, _| Label::new(LabelKind::Unnamed, 0));
        }
    }
}
