//! Files, sockets, databases and maps that are open, where nobody seems to close them: in containers of modules, and in
//! garbage.

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::descriptor::descriptor_of;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::Sight;
use super::piles::Pile;
use crate::heap::leftovers;
use crate::heap::objects::{HEAP, NO_OBJECT};

/// The types that have a descriptor of their own.
const FILES: &[&str] = &["_io.FileIO"];
const SOCKETS: &[&str] = &["socket.socket", "_socket.socket", "ssl.SSLSocket"];
/// Those that begin with a pointer, which is NULL once they are closed: `db` of `pysqlite_Connection`
/// (Modules/_sqlite/connection.h), `data` of `mmap_object` (Modules/mmapmodule.c).
const DATABASES: &[&str] = &["sqlite3.Connection"];
const MAPS: &[&str] = &["mmap.mmap"];
/// Types around these, which a program has in hand instead of them.
const WRAPPERS: [&str; 8] = [
    "_io.BufferedReader",
    "_io.BufferedWriter",
    "_io.BufferedRandom",
    "_io.BufferedRWPair",
    "_io.TextIOWrapper",
    "socket.SocketIO",
    "tempfile._TemporaryFileWrapper",
    "tempfile._TemporaryFileCloser",
];
/// Standard input, output and error stay open.
const FIRST_OF_ITS_OWN: u32 = 3;
/// Fewer in all are not looked at.
const FEWEST: usize = 10;

/// The attributes in which pools say how many they hold at most.
const BOUNDS: [&str; 5] = ["maxsize", "_maxsize", "max_size", "_max_size", "maxconn"];
/// A pool holds what it pools in so many steps.
const STEPS_TO_POOL: usize = 8;
/// What a connection has for itself is so many steps away from it.
const STEPS_WITHIN: usize = 4;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ResourceKind {
    /// Files and pipes.
    #[default]
    File,
    Socket,
    Database,
    MemoryMap,
}

impl ResourceKind {
    const ALL: [ResourceKind; 4] = [
        ResourceKind::File,
        ResourceKind::Socket,
        ResourceKind::Database,
        ResourceKind::MemoryMap,
    ];

    fn types(self) -> &'static [&'static str] {
        match self {
            ResourceKind::File => FILES,
            ResourceKind::Socket => SOCKETS,
            ResourceKind::Database => DATABASES,
            ResourceKind::MemoryMap => MAPS,
        }
    }

    fn has_descriptor(self) -> bool {
        matches!(self, ResourceKind::File | ResourceKind::Socket)
    }
}

/// Open resources of one kind that are held alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenResources {
    pub pile: Pile,
    pub kind: ResourceKind,
    /// Whether it is known that they are open: descriptors by the process's own list, which a core has not; others show it
    /// themselves.
    pub confirmed: bool,
}

/// `open` has the descriptors that the process has open and does not wait for, where it could be asked.
pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, open: Option<&[u32]>) -> Vec<OpenResources> {
    let mut resources = Vec::new();
    for kind in ResourceKind::ALL {
        let rows = open_rows(sight, kind, open);
        let rows = match kind {
            ResourceKind::Database => held_from_one_place(sight, rows),
            _ => held_once(sight, rows),
        };
        // The first keys of a dict are places of their own; rules add up what is held alike.
        for pile in sight.piles(&rows, 1) {
            let root = sight.root_of(pile.subject.row);
            let is_kept =
                sight.content(root) == Content::Module && !pile.subject.in_library && !is_pooled(sight, &pile);
            if is_kept || pile.first.starts_with("(garbage)") {
                resources.push(OpenResources {
                    pile,
                    kind,
                    confirmed: open.is_some() || !kind.has_descriptor(),
                });
            }
        }
    }
    resources
}

/// Those that one thing alone holds: what an event loop, a call under way or another container has as well is in use.
/// Garbage, which refers to itself, is in no use however often it is held.
fn held_once<M: ReadMemory>(sight: &Sight<M>, mut rows: Vec<u32>) -> Vec<u32> {
    if rows.len() < FEWEST {
        return rows;
    }
    let references = leftovers::count(sight.found.objects.sure_targets(), rows.iter().copied());
    let is_garbage = |row: u32| sight.owned.unheld.garbage.binary_search(&row).is_ok();
    rows.retain(|&row| references.get(&row) == Some(&1) || is_garbage(row));
    rows
}

/// The same of what refers to itself: the statements of a connection know it, and they are its own.
fn held_from_one_place<M: ReadMemory>(sight: &Sight<M>, mut rows: Vec<u32>) -> Vec<u32> {
    if rows.len() < FEWEST {
        return rows;
    }
    let mut holders: FxHashMap<u32, u64> = rows.iter().map(|&row| (row, 0)).collect();
    for holder in 0..sight.found.objects.holders() as u32 {
        for each in sight.found.objects.references(holder) {
            if let Some(count) = holders.get_mut(&each.target)
                && !is_within(sight, holder, each.target)
            {
                *count += 1;
            }
        }
    }
    let is_garbage = |row: u32| sight.owned.unheld.garbage.binary_search(&row).is_ok();
    rows.retain(|&row| holders.get(&row) == Some(&1) || is_garbage(row));
    rows
}

/// Whether a row was first reached through `outer`, over a few steps at most.
fn is_within<M>(sight: &Sight<M>, row: u32, outer: u32) -> bool {
    let mut holder = row;
    for _ in 0..STEPS_WITHIN {
        if holder == outer || holder == HEAP {
            break;
        }
        holder = sight.owned.owner(holder).parent;
    }
    holder == outer
}

/// Whether they are in a pool that says how many it holds at most, such as a `queue.Queue` with a `maxsize`.
fn is_pooled<M: ReadMemory>(sight: &mut Sight<M>, pile: &Pile) -> bool {
    let Some(&first) = pile.rows.first() else {
        return false;
    };
    let mut holder = first;
    for _ in 0..STEPS_TO_POOL {
        holder = sight.owned.owner(holder).parent;
        if holder == HEAP {
            break;
        }
        let bound = BOUNDS.iter().find_map(|name| sight.number(holder, name));
        if bound.is_some_and(|bound| bound > 0 && pile.count as i128 <= bound) {
            return true;
        }
    }
    false
}

/// The resources that are open, as the program has them in hand.
fn open_rows<M: ReadMemory>(sight: &mut Sight<M>, kind: ResourceKind, open: Option<&[u32]>) -> Vec<u32> {
    let types = &sight.found.types;
    let of_kind: FxHashSet<u32> = (0..types.count())
        .filter(|&index| kind.types().contains(&&*types.get(index).name))
        .collect();
    let count: u64 = of_kind.iter().map(|&index| types.get(index).count).sum();
    if count < FEWEST as u64 {
        return Vec::new();
    }
    let mut rows = Vec::new();
    let mut seen: FxHashSet<u32> = FxHashSet::default();
    for row in 0..sight.found.objects.holders() as u32 {
        if !of_kind.contains(&sight.found.objects.type_of(row)) {
            continue;
        }
        let address = sight.found.address_of(row);
        if !kind.has_descriptor() {
            let pointer = address.wrapping_add(sight.layout.object.size);
            if sight.memory.word(pointer).is_ok_and(|pointer| pointer != 0) {
                rows.push(row);
            }
            continue;
        }
        let descriptor = descriptor_of(sight.memory, sight.layout, address).ok().flatten();
        let is_open =
            |number: &u32| *number >= FIRST_OF_ITS_OWN && open.is_none_or(|open| open.binary_search(number).is_ok());
        // Two objects may share a descriptor; it is open once.
        if descriptor.filter(is_open).is_some_and(|number| seen.insert(number)) {
            rows.push(in_hand(sight, row));
        }
    }
    rows
}

/// The outermost wrapper around a file or a socket.
fn in_hand<M: ReadMemory>(sight: &Sight<M>, row: u32) -> u32 {
    let mut outermost = row;
    loop {
        let mut holder = sight.owned.owner(outermost).parent;
        if holder != HEAP && sight.owned.is_namespace(holder) {
            holder = sight.owned.owner(holder).parent;
        }
        let type_of = sight.found.objects.type_of(holder);
        if holder == HEAP || type_of == NO_OBJECT || !WRAPPERS.contains(&&*sight.found.types.get(type_of).name) {
            return outermost;
        }
        outermost = holder;
    }
}
