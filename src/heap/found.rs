//! What a survey has found so far: each object once, with its type, its size and its references.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, word_at};
use cpython::objects::content::Content;
use cpython::objects::examine::{Examiner, ObjectSize};
use cpython::objects::leaves;
use cpython::objects::types::{Field, FieldName, TypeInfo, flags};
use cpython::objects::visit::{Step, Visitor};

use super::collector::Link;
use super::key_hashes::KeyHashes;
use super::labels::{Label, LabelKind};
use super::names::Names;
use super::objects::{NO_OBJECT, NO_SPOT, Objects};
use super::owners::LEAST_KEPT;
use super::types::Types;
use super::worklist::Worklist;
use crate::memory::slots::{SLOT_SIZE, Slots};
use crate::memory::spots::{Added, OBJECT_ALIGNMENT, Spot, Spots};

/// Of dicts with more entries not every key is noted; whoever needs one looks it up.
const KEYED_ENTRIES: u64 = 64;
/// A container this long is followed from snapshot to snapshot, wherever it is.
pub const LONG: u64 = 64;
/// A slot in which so many objects wait is read in full.
const MANY: usize = 64;

/// What counts references in the first word of an object; 3.14 and later have flags above it.
const REFERENCE_COUNT: u64 = (1 << 48) - 1;
/// A dead object has no references, or the allocator's pointer to the next free block where their number was. (The count
/// of an immortal object can pass 2³² when extensions made for older releases hold it.)
const MOST_REFERENCES: u64 = 1 << 40;

pub struct Found<'a> {
    layout: &'a Layout,
    slots: Rc<Slots>,
    pub spots: Spots,
    worklist: Worklist,
    pub objects: Objects,
    pub types: Types,
    pub names: Names,
    pub key_hashes: KeyHashes,
    /// Pointers that should have led to an object and did not.
    pub rejected: u64,
    /// Links of the collector's lists that lead nowhere.
    pub broken_links: u64,
    /// Long containers with their lengths, by row.
    pub long: Vec<(u32, u64)>,
    /// Rows of calls that run, some of whose values may be left over (see `leftovers`).
    pub running: Vec<u32>,
    /// Whether the object being examined is one.
    is_running: bool,
    /// The type of the object that is being examined; `NO_OBJECT` while roots are gathered.
    type_of: u32,
    /// References that count if their words turn out to be addresses of objects, by their numbers.
    doubtful: Vec<(usize, u64)>,
    /// Judges words that may be references.
    judge: Examiner<'a>,
    /// The heads of the collector's lists, which are no objects.
    heads: Vec<u64>,
}

impl<'a> Found<'a> {
    pub fn new(layout: &'a Layout, slots: Rc<Slots>, judge: Examiner<'a>, heads: Vec<u64>) -> Self {
        Found {
            layout,
            spots: Spots::new(Rc::clone(&slots)),
            worklist: Worklist::new(&slots),
            objects: Objects::in_memory(slots.count() as u64 * SLOT_SIZE),
            types: Types::new(),
            names: Names::default(),
            key_hashes: KeyHashes::default(),
            rejected: 0,
            broken_links: 0,
            long: Vec::new(),
            running: Vec::new(),
            is_running: false,
            type_of: NO_OBJECT,
            doubtful: Vec::new(),
            judge,
            heads,
            slots,
        }
    }

    /// Notes an object that is held by something; it will be examined. `None` where none can stand.
    #[inline(always)]
    pub fn meet(&mut self, address: u64) -> Option<Spot> {
        match self.spots.add(address) {
            Added::First(spot, slot) => {
                self.worklist.push(slot, address);
                Some(spot)
            }
            Added::Again(spot) => Some(spot),
            Added::Nowhere => {
                self.rejected += 1;
                None
            }
        }
    }

    /// Examines everything that was met, and what is met meanwhile.
    pub fn examine_all<M: ReadMemory>(&mut self, memory: &mut M, walker: &mut Examiner) {
        let mut places = Vec::new();
        while let Some(slot) = self
            .worklist
            .next_slot(|slot| memory.has_at_hand(self.slots.start(slot)))
        {
            let (start, first) = (self.slots.start(slot), self.spots.first_of(slot));
            if self.worklist.waiting_in(slot) >= MANY {
                memory.expect(start);
            }
            while self.worklist.take(slot, &mut places) {
                if !self.objects.has_room_for(places.len()) {
                    self.rejected += places.len() as u64;
                    continue;
                }
                for &place in &places {
                    let address = start + u64::from(place) * OBJECT_ALIGNMENT;
                    let examined = self.examine(memory, walker, address, first + u32::from(place));
                    self.rejected += u64::from(examined.is_none());
                }
            }
            self.worklist.finish(slot);
            self.key_hashes.read_at_hand(memory, self.layout, &self.names);
        }
        for (number, word) in std::mem::take(&mut self.doubtful) {
            if let Some(spot) = self.spots.find(word) {
                self.objects.redirect(number, spot);
            }
        }
    }

    /// `None` when no object can stand there.
    #[inline(always)]
    fn examine<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        walker: &mut Examiner,
        address: u64,
        spot: Spot,
    ) -> Option<()> {
        let head = memory.read(address, leaves::HEAD).ok();
        let head = head.and_then(|head| head.first_chunk::<{ leaves::HEAD }>());
        let type_of = match head.and_then(|head| Some((head, self.recent_type(head)?))) {
            Some((head, type_of)) => {
                let leaf = self.types.get(type_of).info.leaf;
                if let Some(size) = leaf.and_then(|leaf| walker.measure_small(leaf, head, address)) {
                    self.types.get_mut(type_of).count_in(size, false);
                    self.objects.push_leaf(spot, type_of, size.bytes);
                    return Some(());
                }
                type_of
            }
            None => self.type_at(memory, address)?,
        };
        if self.types.get(type_of).info.is_leaf {
            self.examine_leaf(memory, walker, address, spot, type_of);
        } else {
            self.examine_holder(memory, walker, address, spot, type_of);
        }
        Some(())
    }

    #[inline(never)]
    fn examine_leaf<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        walker: &mut Examiner,
        address: u64,
        spot: Spot,
        type_of: u32,
    ) {
        let info = Rc::clone(&self.types.get(type_of).info.of_type);
        let size = walker.measure_leaf(memory, &info, address).unwrap_or_else(|_| {
            self.rejected += 1;
            least_size(&info)
        });
        self.types.get_mut(type_of).count_in(size, false);
        if size.bytes < LEAST_KEPT {
            self.objects.push_leaf(spot, type_of, size.bytes);
        } else {
            self.objects.push(spot, type_of, size.bytes);
        }
    }

    #[inline(always)]
    fn examine_holder<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        walker: &mut Examiner,
        address: u64,
        spot: Spot,
        type_of: u32,
    ) {
        let info = Rc::clone(&self.types.get(type_of).info.of_type);
        let is_tracked = info.has(flags::HAVE_GC) && self.follow(memory, &info, address);
        self.type_of = type_of;
        let measured = walker.examine(memory, &info, address, self);
        let size = measured.unwrap_or_else(|_| {
            self.rejected += 1;
            least_size(&info)
        });
        self.types.get_mut(type_of).count_in(size, is_tracked);
        let row = self.objects.push(spot, type_of, size.bytes);
        if is_tracked {
            self.objects.track(row);
        }
        if std::mem::take(&mut self.is_running) {
            self.running.push(row);
        }
        if size.length >= LONG || info.content == Content::LruCache {
            self.long.push((row, size.length));
        }
    }

    /// Whether the collector tracks the object; its neighbour in the collector's list is met as well.
    #[inline]
    fn follow<M: ReadMemory>(&mut self, memory: &mut M, info: &TypeInfo, address: u64) -> bool {
        if info.content == Content::Type && is_static_type(memory, self.layout, address) {
            return false;
        }
        let head = memory.word(address.wrapping_sub(self.layout.object.gc_head));
        match Link::of(memory, self.layout, address, head.unwrap_or(0)) {
            Link::None => false,
            Link::Broken => {
                self.broken_links += 1;
                false
            }
            Link::To(next) => {
                if !self.heads.contains(&next) {
                    self.meet(next.wrapping_add(self.layout.object.gc_head));
                }
                true
            }
        }
    }

    /// The type of the object at `address`, when one can stand there: alive, and of a type.
    #[inline(never)]
    fn type_at<M: ReadMemory>(&mut self, memory: &mut M, address: u64) -> Option<u32> {
        let head = memory.read(address, 16).ok()?;
        let type_address = word_at(head, self.layout.object.ob_type);
        if !is_alive(word_at(head, self.layout.object.refcnt)) {
            return None;
        }
        self.types.index_of(memory, self.layout, type_address)
    }

    /// The same of an object that begins with `head`, when it is of one of the types asked for last.
    #[inline]
    fn recent_type(&self, head: &[u8; leaves::HEAD]) -> Option<u32> {
        let at = &self.layout.object;
        let type_of = self.types.recent(word_at(head, at.ob_type));
        type_of.filter(|_| is_alive(word_at(head, at.refcnt)))
    }

    #[inline(always)]
    fn label(&mut self, step: Step) -> Label {
        let named = |kind, name: Option<u32>| name.map_or(Label::UNNAMED, |name| Label::new(kind, u64::from(name)));
        match step {
            Step::Index(place) => Label::new(LabelKind::Index, place),
            Step::Value { key, position } if position < KEYED_ENTRIES => {
                named(LabelKind::Value, self.names.object(key))
            }
            Step::Value { position, .. } => Label::new(LabelKind::Entry, position),
            Step::Attribute(name) => named(LabelKind::Attribute, self.names.object(name)),
            Step::Local(name) => named(LabelKind::Local, self.names.object(name)),
            Step::Field(FieldName::Known("__dict__")) => Label::NAMESPACE,
            Step::Field(FieldName::Known(name)) => named(LabelKind::Member, Some(self.names.known(name))),
            Step::Field(FieldName::Text(address)) => named(LabelKind::Slot, self.names.c_string(address)),
            Step::Key | Step::Member | Step::Stack | Step::Scanned => Label::UNNAMED,
        }
    }
}

/// Whether the word that counts an object's references is one of an object that has some.
#[inline]
fn is_alive(word: u64) -> bool {
    (1..MOST_REFERENCES).contains(&(word & REFERENCE_COUNT))
}

/// What an object of a type must at least have.
fn least_size(info: &TypeInfo) -> ObjectSize {
    ObjectSize {
        getsizeof: info.basicsize,
        bytes: info.basicsize,
        length: 0,
    }
}

/// Whether a type is one that C code laid out, without a `PyGC_Head` in front (`type_is_gc`, typeobject.c).
fn is_static_type<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> bool {
    let tp_flags = memory.word(address.wrapping_add(layout.types.flags));
    tp_flags.is_ok_and(|tp_flags| tp_flags & flags::HEAPTYPE == 0)
}

impl<M: ReadMemory> Visitor<M> for Found<'_> {
    #[inline(always)]
    fn reference(&mut self, step: Step, target: u64) {
        if let Some(spot) = self.meet(target) {
            let label = self.label(step);
            self.objects.refer(spot, label);
        }
    }

    fn fields(&mut self, fields: &[Field], object: &[u8]) {
        let type_of = self.type_of;
        let mut labels = std::mem::take(&mut self.types.get_mut(type_of).info.labels);
        if labels.is_empty() {
            labels.extend(fields.iter().map(|field| self.label(Step::Field(field.name))));
        }
        for (field, &label) in fields.iter().zip(&labels) {
            let target = word_at(object, field.offset);
            if target != 0
                && let Some(spot) = self.meet(target)
            {
                self.objects.refer(spot, label);
            }
        }
        self.types.get_mut(type_of).info.labels = labels;
    }

    fn items(&mut self, first: u64, words: &[u8]) {
        for (place, word) in (first..).zip(words.chunks_exact(8)) {
            let target = word_at(word, 0);
            if target != 0
                && let Some(spot) = self.meet(target)
            {
                self.objects.refer(spot, Label::new(LabelKind::Index, place));
            }
        }
    }

    fn candidate(&mut self, memory: &mut M, word: u64) {
        self.refer_if_object(memory, word, Label::UNNAMED);
    }

    fn perhaps_left(&mut self, memory: &mut M, target: u64) {
        self.is_running = true;
        self.refer_if_object(memory, target, Label::PERHAPS_LEFT);
    }
}

impl Found<'_> {
    /// A word that may be anything is believed to be a reference when an object of a known kind stands there, and the
    /// collector's view of it is in order; or when something else leads there too, be it met before or after.
    fn refer_if_object<M: ReadMemory>(&mut self, memory: &mut M, word: u64, label: Label) {
        if self.spots.find(word).is_none() {
            if !self.spots.can_hold(word) {
                return;
            }
            let Some(type_of) = self.type_at(memory, word) else {
                return;
            };
            let info = Rc::clone(&self.types.get(type_of).info.of_type);
            if !self.judge.is_plausible(memory, &info, word) {
                if self.type_of != NO_OBJECT {
                    self.doubtful.push((self.objects.reference_count(), word));
                    self.objects.refer(NO_SPOT, label);
                }
                return;
            }
        }
        if let Some(spot) = self.meet(word) {
            self.objects.refer(spot, label);
        }
    }

    /// The address of the object of a row; 0 for what is none.
    pub fn address_of(&self, row: u32) -> u64 {
        match self.objects.spot(row) {
            NO_SPOT => 0,
            spot => self.spots.address(spot),
        }
    }

    /// Adds the row of a holder that is no object, whose references have been noted.
    pub fn push_holder(&mut self) -> u32 {
        self.objects.push(NO_SPOT, NO_OBJECT, 0)
    }
}
