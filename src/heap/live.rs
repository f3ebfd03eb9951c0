//! What can be asked of a heap while the memory of its program is at hand: names are read when somebody wants them.

use std::cell::OnceCell;
use std::rc::Rc;

use cpython::layout::{CodeForm, Layout};
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::frames::suspended_call;
use cpython::objects::lines;
use rustc_hash::FxHashMap;

use super::facts::{Facts, Kind, Nature, WeakReference};
use super::found::Found;
use super::graph::nodes::NodeSet;
use super::labels::{Label, LabelKind};
use super::names::Form;
use super::naming;
use super::objects::NO_OBJECT;
use super::paths::key_at;
use super::types::{Type, Types};
use crate::memory::spots::Spot;

/// The types of functions and of cells.
const FUNCTION: &str = "builtins.function";
const CELL: &str = "builtins.cell";
/// Places of the sieve that keeps most objects out of the table of those that weak references refer to.
const SIEVE: u32 = 1 << 20;

/// A heap and the memory that it was found in.
pub struct Live<'a, 'b, M> {
    pub memory: &'a mut M,
    pub layout: &'a Layout,
    pub found: &'a mut Found<'b>,
    kinds: OnceCell<Kinds>,
}

/// Types, those of one name taken together.
struct Kinds {
    all: Vec<Kind>,
    /// By the index of a type.
    of_type: Vec<u32>,
}

impl Kinds {
    fn of(types: &Types) -> Kinds {
        let mut numbers: FxHashMap<Rc<str>, u32> = FxHashMap::default();
        let mut all: Vec<Kind> = Vec::new();
        let of_type = (0..types.count()).map(|index| {
            let each = types.get(index);
            let number = *numbers.entry(Rc::clone(&each.name)).or_insert(all.len() as u32);
            if number as usize == all.len() {
                all.push(Kind {
                    name: Rc::clone(&each.name),
                    nature: nature_of(each),
                    count: 0,
                    bytes: 0,
                });
            }
            let kind = &mut all[number as usize];
            kind.count += each.count;
            kind.bytes = kind.bytes.saturating_add(each.bytes);
            number
        });
        let of_type = of_type.collect();
        Kinds { all, of_type }
    }
}

/// What the objects of a type are.
pub fn nature_of(of_type: &Type) -> Nature {
    match of_type.info.of_type.content {
        Content::Module => Nature::Module,
        Content::Type => Nature::Class,
        Content::Code => Nature::Code,
        Content::Frame => Nature::Frame,
        Content::Generator | Content::Coroutine => Nature::Call,
        Content::WeakRef => Nature::WeakReference,
        Content::Plain if &*of_type.name == CELL => Nature::Cell,
        _ if &*of_type.name == FUNCTION => Nature::Function,
        _ => Nature::Other,
    }
}

impl<'a, 'b, M: ReadMemory> Live<'a, 'b, M> {
    pub fn new(memory: &'a mut M, layout: &'a Layout, found: &'a mut Found<'b>) -> Self {
        Live {
            memory,
            layout,
            found,
            kinds: OnceCell::new(),
        }
    }

    fn types(&self) -> &Kinds {
        self.kinds.get_or_init(|| Kinds::of(&self.found.types))
    }

    fn type_of(&self, node: u32) -> &Type {
        self.found.types.get(self.found.objects.type_of(node))
    }

    /// The text of a name that was noted.
    fn text(&mut self, label: Label, form: Form) -> Rc<str> {
        let read = self.found.names.read(self.memory, self.layout, label.number(), form);
        self.found.names.get(read)
    }

    /// The key object of an entry that was noted by its place alone.
    fn key_object(&mut self, dict: u32, label: Label) -> Option<u64> {
        let dict = self.found.address_of(dict);
        key_at(self.memory, self.layout, dict, u64::from(label.number()))
    }

    /// What a weak reference refers to; `None` for any other object, and for a reference whose object is gone.
    fn weakly(&mut self, node: u32) -> Option<Spot> {
        if self.type_of(node).info.of_type.content != Content::WeakRef {
            return None;
        }
        let at = self.address(node).wrapping_add(self.layout.weakref.object);
        let target = self.memory.word(at).ok().filter(|&target| target != 0)?;
        self.found.spots.find(target)
    }
}

impl<M: ReadMemory> Facts for Live<'_, '_, M> {
    fn nodes(&self) -> u32 {
        self.found.objects.count() as u32
    }

    fn address(&self, node: u32) -> u64 {
        self.found.address_of(node)
    }

    fn bytes(&self, node: u32) -> u64 {
        self.found.objects.bytes(node)
    }

    fn kind_of(&self, node: u32) -> u32 {
        let type_of = self.found.objects.type_of(node) as usize;
        self.types().of_type.get(type_of).copied().unwrap_or_default()
    }

    fn kind(&self, number: u32) -> &Kind {
        &self.types().all[number as usize]
    }

    fn kinds(&self) -> u32 {
        self.types().all.len() as u32
    }

    fn is_object(&self, node: u32) -> bool {
        self.found.objects.type_of(node) != NO_OBJECT
    }

    fn member(&mut self, name: &str) -> Label {
        Label::new(LabelKind::Member, u64::from(self.found.names.text(name)))
    }

    fn name_number(&mut self, holder: u32, label: Label) -> u32 {
        let form = match label.kind() {
            LabelKind::Entry => {
                let name = self.name(holder, label).unwrap_or_default();
                return self.found.names.text(&name);
            }
            LabelKind::Task => Form::Key,
            _ => Form::Name,
        };
        self.found.names.read(self.memory, self.layout, label.number(), form)
    }

    fn name(&mut self, holder: u32, label: Label) -> Option<Rc<str>> {
        if label.kind() != LabelKind::Entry {
            return Some(self.text(label, Form::Name));
        }
        let key = self.key_object(holder, label)?;
        Some(self.found.names.name_at(self.memory, self.layout, key).into())
    }

    fn key(&mut self, holder: u32, label: Label) -> Option<Rc<str>> {
        if label.kind() != LabelKind::Entry {
            return Some(self.text(label, Form::Key));
        }
        let key = self.key_object(holder, label)?;
        Some(self.found.names.key_at(self.memory, self.layout, key).into())
    }

    fn call(&mut self, node: u32) -> Option<Rc<str>> {
        if !self.is_call(node) {
            return None;
        }
        let call = suspended_call(self.memory, self.layout, self.address(node)).ok()??;
        let line = lines::of_suspended(self.memory, self.layout, call).unwrap_or(None);
        Some(naming::call_of(self.memory, self.layout, call.code, line).into())
    }

    fn variable(&mut self, code: u32, closure: u32, place: u32) -> Option<Rc<str>> {
        let (code, closure) = (self.address(code), self.address(closure));
        let names = match self.layout.code.form {
            CodeForm::Tuples { freevars, .. } => freevars,
            CodeForm::LocalsPlus { names, .. } => names,
        };
        let names = self.memory.word(code.wrapping_add(names)).ok()?;
        // The free variables are the last of a frame's variables.
        let size = self.layout.object.ob_size;
        let count = self.memory.word(names.wrapping_add(size)).ok()?;
        let shared = self.memory.word(closure.wrapping_add(size)).ok()?;
        let place = count.checked_sub(shared)?.checked_add(u64::from(place))?;
        let item = (place < count).then(|| names.wrapping_add(self.layout.tuple.items).wrapping_add(8 * place))?;
        let name = self.memory.word(item).ok()?;
        Some(self.found.names.name_at(self.memory, self.layout, name).into())
    }

    fn weak_references(&mut self) -> Vec<WeakReference> {
        // A weak reference may hold a callback, so that it is no leaf.
        let holders = 0..self.found.objects.holders() as u32;
        let held: Vec<(u32, Spot)> = holders.filter_map(|node| Some((node, self.weakly(node)?))).collect();
        let mut nodes_at: FxHashMap<Spot, u32> = held.iter().map(|&(_, spot)| (spot, 0)).collect();
        let mut sieve = NodeSet::none_of(SIEVE);
        for (_, spot) in &held {
            sieve.insert(spot % SIEVE);
        }
        let asked = if held.is_empty() { 0 } else { self.nodes() };
        for node in 0..asked {
            let spot = self.found.objects.spot(node);
            if sieve.contains(spot % SIEVE)
                && let Some(found) = nodes_at.get_mut(&spot)
            {
                *found = node;
            }
        }
        let reference = |(holder, spot)| {
            // What turned out to be no object has no node.
            let target = *nodes_at.get(&spot).filter(|&&node| node != 0)?;
            Some(WeakReference { holder, target })
        };
        let mut references: Vec<WeakReference> = held.into_iter().filter_map(reference).collect();
        references.sort_unstable_by_key(|each| self.address(each.holder));
        references
    }

    fn rejected(&self) -> u64 {
        self.found.rejected
    }

    fn nature(&self, node: u32) -> Nature {
        nature_of(self.type_of(node))
    }

    fn type_name(&self, node: u32) -> Rc<str> {
        Rc::clone(&self.type_of(node).name)
    }
}
