//! The types of the objects met so far, each read once.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::examine::ObjectSize;
use cpython::objects::leaves::Leaf;
use cpython::objects::types::{TypeInfo, flags, is_type};
use rustc_hash::FxHashMap;

use super::labels::Label;
use super::live::nature_of;
use super::{TypeTotals, naming};

/// A type, and what its objects have come to.
pub struct Type {
    pub info: Known,
    /// `module.qualname`.
    pub name: Rc<str>,
    /// How much of the name is the module's.
    module_length: usize,
    /// The class whose `__sizeof__` overrides what we reckon with, if one does.
    pub own_sizeof: bool,
    pub count: u64,
    pub bytes: u64,
    pub getsizeof_bytes: u64,
    pub tracked_count: u64,
    pub tracked_getsizeof_bytes: u64,
}

/// What an object of the type is read with.
pub struct Known {
    pub of_type: Rc<TypeInfo>,
    /// Its objects hold nothing, and no collector looks at them.
    pub is_leaf: bool,
    /// How most of them can be measured, where that is simple.
    pub leaf: Option<Leaf>,
    /// The labels of its fields, once they were asked for.
    pub labels: Vec<Label>,
}

/// Further addresses that are no types are looked at each time.
const MOST_KNOWN: usize = 1 << 20;

const RECENT: usize = 256;

/// All types met so far. The first one stands for rows that are no objects.
pub struct Types {
    all: Vec<Type>,
    index: FxHashMap<u64, Option<u32>>,
    /// The types asked for last, by some bits of their address.
    recent: [(u64, u32); RECENT],
}

impl Type {
    /// Counts an object of this type.
    #[inline]
    pub fn count_in(&mut self, size: ObjectSize, is_tracked: bool) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(size.bytes);
        self.getsizeof_bytes = self.getsizeof_bytes.saturating_add(size.getsizeof);
        if is_tracked {
            self.tracked_count += 1;
            self.tracked_getsizeof_bytes = self.tracked_getsizeof_bytes.saturating_add(size.getsizeof);
        }
    }

    /// The module that it says it is of.
    pub fn module(&self) -> &str {
        self.name.get(..self.module_length).unwrap_or_default()
    }

    /// Takes all its objects back; from now on it is called `name`.
    pub fn withdraw(&mut self, name: &str) {
        self.name = name.into();
        self.own_sizeof = false;
        self.count = 0;
        self.bytes = 0;
        self.getsizeof_bytes = 0;
        self.tracked_count = 0;
        self.tracked_getsizeof_bytes = 0;
    }
}

impl Types {
    pub fn new() -> Self {
        let nothing = TypeInfo::nothing();
        let none = Type {
            info: Known {
                of_type: Rc::new(nothing),
                is_leaf: true,
                leaf: None,
                labels: Vec::new(),
            },
            name: "".into(),
            module_length: 0,
            own_sizeof: false,
            count: 0,
            bytes: 0,
            getsizeof_bytes: 0,
            tracked_count: 0,
            tracked_getsizeof_bytes: 0,
        };
        Types {
            all: vec![none],
            index: FxHashMap::default(),
            recent: [(0, 0); RECENT],
        }
    }

    /// One more than the last index.
    pub fn count(&self) -> u32 {
        self.all.len() as u32
    }

    #[inline]
    pub fn get(&self, index: u32) -> &Type {
        &self.all[index as usize]
    }

    #[inline]
    pub fn get_mut(&mut self, index: u32) -> &mut Type {
        &mut self.all[index as usize]
    }

    /// The sums of all types that have objects, types of one name together, the largest `bytes` first.
    pub fn totals(&self) -> Vec<TypeTotals> {
        let mut rows: Vec<TypeTotals> = Vec::new();
        let mut row_of: FxHashMap<&Rc<str>, usize> = FxHashMap::default();
        for each in self.all.iter().skip(1).filter(|each| each.count > 0) {
            let row = *row_of.entry(&each.name).or_insert_with(|| {
                rows.push(TypeTotals {
                    name: Rc::clone(&each.name),
                    nature: nature_of(each),
                    ..TypeTotals::default()
                });
                rows.len() - 1
            });
            let row = &mut rows[row];
            row.count += each.count;
            row.bytes = row.bytes.saturating_add(each.bytes);
            row.getsizeof_bytes = row.getsizeof_bytes.saturating_add(each.getsizeof_bytes);
            row.tracked_count += each.tracked_count;
            row.tracked_getsizeof_bytes = row.tracked_getsizeof_bytes.saturating_add(each.tracked_getsizeof_bytes);
        }
        rows.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        rows
    }

    /// The names of types with objects whose `__sizeof__` is not reproduced.
    pub fn with_own_sizeof(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .all
            .iter()
            .filter(|each| each.count > 0 && each.own_sizeof)
            .map(|each| &*each.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The name without its module for built-in types, in full for others; empty for rows that are no objects.
    pub fn short_name(&self, index: u32) -> &str {
        let name = &self.all[index as usize].name;
        name.strip_prefix("builtins.").unwrap_or(name)
    }

    /// The index of the type at `address`; `None` when no type stands there.
    #[inline]
    pub fn index_of<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, address: u64) -> Option<u32> {
        match self.recent(address) {
            Some(index) => Some(index),
            None => self.find(memory, layout, address),
        }
    }

    /// The index of the type at `address`, when it is one of those that were asked for last.
    #[inline]
    pub fn recent(&self, address: u64) -> Option<u32> {
        let (known, index) = self.recent[recent(address)];
        (known == address && address != 0).then_some(index)
    }

    #[inline(never)]
    fn find<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, address: u64) -> Option<u32> {
        let index = match self.index.get(&address) {
            Some(&known) => known,
            None => self.read(memory, layout, address),
        }?;
        self.recent[recent(address)] = (address, index);
        Some(index)
    }

    #[cold]
    fn read<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, address: u64) -> Option<u32> {
        let info = if is_type(memory, layout, address) {
            TypeInfo::read(memory, layout, address).ok()
        } else {
            None
        };
        let index = info.map(|info| {
            let (module, _) = naming::module_and_qualname(memory, layout, &info);
            let is_leaf = info.is_leaf() && !info.has(flags::HAVE_GC);
            let leaf = Leaf::of(layout, &info);
            self.all.push(Type {
                name: naming::type_name(memory, layout, &info).into(),
                module_length: module.len(),
                own_sizeof: naming::has_own_sizeof(memory, layout, &info),
                info: Known {
                    of_type: Rc::new(info),
                    is_leaf,
                    leaf,
                    labels: Vec::new(),
                },
                count: 0,
                bytes: 0,
                getsizeof_bytes: 0,
                tracked_count: 0,
                tracked_getsizeof_bytes: 0,
            });
            self.all.len() as u32 - 1
        });
        // Looking through unknown blocks asks about many words that are no types; so many refusals are remembered.
        if index.is_some() || self.index.len() < MOST_KNOWN {
            self.index.insert(address, index);
        }
        index
    }
}

#[inline]
fn recent(address: u64) -> usize {
    (address >> 4 ^ address >> 10) as usize % RECENT
}

impl Default for Types {
    fn default() -> Self {
        Types::new()
    }
}
