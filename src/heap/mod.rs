//! The heap as data: types, totals, who keeps what. Built once from frozen memory; from then on an address is a label.

pub mod blocks;
mod calls;
pub mod collector;
mod containers;
mod describing;
pub mod detail;
pub mod difference;
mod dominator_tree;
pub mod facts;
mod finishing;
mod followed;
mod found;
mod further;
pub mod garbage;
mod gone;
pub mod graph;
mod holders;
pub mod inquiry;
mod key_hashes;
mod labels;
mod leaves;
mod leftovers;
mod live;
mod names;
mod naming;
pub mod newcomers;
mod objects;
mod owners;
mod ownership;
pub mod partitions;
mod paths;
pub mod patterns;
mod recalled;
pub mod redaction;
mod referrers;
mod retention;
mod roots;
pub mod saved;
mod shortening;
pub mod survey;
mod tasks;
mod texts;
mod thread_names;
mod threads;
mod tree;
mod types;
mod unheld;
mod values;
pub mod wanted;
mod worklist;

pub use followed::{Earlier, may_be_same};
pub use naming::without_lines;
pub use shortening::digest;

use std::hash::BuildHasher;
use std::rc::Rc;

use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use self::collector::CollectorState;
use self::detail::Detail;
use self::facts::Nature;
use self::garbage::Garbage;
use self::newcomers::Newcomers;
use self::partitions::Partitions;
use self::patterns::PatternFacts;

/// Everything that one snapshot of a heap says.
#[derive(Debug, Clone, Default)]
pub struct Heap {
    /// Every type that has at least one object, the largest `bytes` first.
    pub types: Vec<TypeTotals>,
    pub totals: Totals,
    /// Pointers that should have led to an object and did not.
    pub rejected: u64,
    /// Each object once, above what it would not outlive; empty unless it was wanted.
    pub tree: Tree,
    /// Each object once, by its type and then by the types that refer to it; empty unless it was wanted.
    pub type_tree: Tree,
    pub partitions: Option<Partitions>,
    /// The containers worth watching: all that a module, a class or a module-level object holds, and all large ones.
    /// With them all other objects that keep much.
    pub containers: Vec<Container>,
    /// All further containers that are large enough to be followed from snapshot to snapshot.
    pub followed: Vec<Followed>,
    /// The state of each interpreter's collector, the main one's first.
    pub collectors: Vec<CollectorState>,
    /// What no root reaches; absent where a graph of the references could not be had.
    pub garbage: Option<Garbage>,
    /// What patterns are proved with.
    pub patterns: PatternFacts,
    /// What came since the first snapshot, if that was to be told.
    pub newcomers: Option<Newcomers>,
    /// Every object and every reference; absent unless it was wanted.
    pub detail: Option<Detail>,
    /// What the reader should know about these figures, as whole sentences.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub objects: u64,
    /// The blocks that the objects and their private tables occupy, with headers and the allocator's rounding.
    pub bytes: u64,
    /// The sum of what `sys.getsizeof` would return.
    pub getsizeof_bytes: u64,
    /// How many of the objects the collector tracks.
    pub tracked_objects: u64,
}

/// The objects of one type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeTotals {
    /// `module.qualname`.
    pub name: Rc<str>,
    pub nature: Nature,
    pub count: u64,
    pub bytes: u64,
    pub getsizeof_bytes: u64,
    /// What would go with them: the sum of what each retains, those left out that another one of the type retains.
    pub retained_bytes: u64,
    /// The part of them that the collector tracks.
    pub tracked_count: u64,
    pub tracked_getsizeof_bytes: u64,
}

/// A picture of all objects as a tree: node 0 is the whole heap.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    pub nodes: Vec<TreeNode>,
}

/// One frame of a tree: objects that are alike in what the tree tells apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeNode {
    /// The index of the parent, always smaller than the node's own; the root is its own parent.
    pub parent: u32,
    /// What a reader sees: `shop.cache`, `PRICES: dict`, `['eu']: list`, `[…]: Order`, `lines: list`.
    pub label: Rc<str>,
    /// The objects of this node alone, without its children's.
    pub own_objects: u64,
    pub own_bytes: u64,
}

/// A container that rules and the list of owners look at, or another object that keeps much.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    pub address: u64,
    /// `module.qualname` of its type; of what is no object, what it is, as in `(thread)`.
    pub type_name: Rc<str>,
    pub kind: ContainerKind,
    /// Its items; 0 for what has none.
    pub length: u64,
    /// The address of its first item or key where these keep their order; 0 otherwise.
    pub first: u64,
    /// Its own block and tables.
    pub own_bytes: u64,
    /// What it keeps: its own bytes and those of all objects first reached through it.
    pub kept_bytes: u64,
    /// What would go with it: the part of `kept_bytes` that is reached through it alone.
    pub retained_bytes: u64,
    /// Who holds it, in Python terms: `shop.cache.PRICES['eu']`.
    pub path: String,
    pub place: Place,
    pub rank: OwnerRank,
    /// For lists: the slots that are allocated, in items. For deques with a bound: that bound.
    pub allocated: Option<u64>,
    /// For long lists: the types of the items with their numbers, the most frequent first.
    pub item_types: Vec<(Rc<str>, u64)>,
    /// For `functools.lru_cache` wrappers.
    pub cache: Option<CacheStatistics>,
}

/// A container that is compared with earlier and later snapshots, and not described unless it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed {
    pub address: u64,
    pub kind: ContainerKind,
    pub length: u64,
    /// What `Container::first` says.
    pub first: u64,
    pub kept_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ContainerKind {
    Dict,
    List,
    Set,
    Deque,
    OrderedDict,
    LruCache,
    ByteArray,
    Array,
    /// No container, but an object that keeps much: an instance, a large text.
    Object,
    /// No object: a thread, a frame, the interpreter.
    Holder,
}

impl Container {
    /// What it is known by in several snapshots of the same process. A container is the same as long as it has its
    /// address; of anything else it counts where it is held, so that a linked list with a new first member is the same.
    pub fn identity(&self) -> u64 {
        match self.kind {
            ContainerKind::Object | ContainerKind::Holder => FxBuildHasher.hash_one(naming::without_lines(&self.path)),
            _ => self.address,
        }
    }

    /// A number made of its path, where that is a name for good: places among others change, and so does what a local
    /// variable holds.
    pub fn name(&self) -> Option<u64> {
        let is_named = matches!(self.place, Place::Module | Place::Class | Place::Singleton);
        is_named.then(|| FxBuildHasher.hash_one(&self.path))
    }
}

/// What part an object has in the list of owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerRank {
    /// An owner that no other owner keeps.
    Outermost,
    /// An owner whose bytes another one keeps too.
    Inner,
    Unlisted,
}

/// How near a container is to a name that lives as long as the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A module's global holds it.
    Module,
    /// A class attribute holds it.
    Class,
    /// An attribute of an object that a module or class holds.
    Singleton,
    /// A local variable of a running or suspended function.
    Frame,
    Elsewhere,
}

impl Place {
    pub const ALL: [Place; 5] = [
        Place::Module,
        Place::Class,
        Place::Singleton,
        Place::Frame,
        Place::Elsewhere,
    ];

    /// The word for it in reports and saved heaps.
    pub fn word(self) -> &'static str {
        match self {
            Place::Module => "module",
            Place::Class => "class",
            Place::Singleton => "singleton",
            Place::Frame => "frame",
            Place::Elsewhere => "other",
        }
    }
}

/// What a `functools.lru_cache` says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheStatistics {
    /// The function behind the cache: `module.qualname`.
    pub function: String,
    /// Where that function is defined: file and first line.
    pub defined_at: Option<(String, u32)>,
    pub hits: u64,
    pub misses: u64,
    /// `None` when the cache has no bound.
    pub maxsize: Option<u64>,
    /// How many entries' keys begin with an instance of a class that has this function as a method.
    pub instance_keys: u64,
}
