//! Files and sockets that are open, where nobody seems to close them: in containers of modules, and in garbage.

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::descriptor::descriptor_of;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::Sight;
use super::piles::Pile;
use crate::heap::leftovers;
use crate::heap::objects::{HEAP, NO_OBJECT};

/// The types that have a descriptor of their own.
const FILE: &str = "_io.FileIO";
const SOCKETS: [&str; 3] = ["socket.socket", "_socket.socket", "ssl.SSLSocket"];
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

/// Open files or sockets that are held alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenResources {
    /// Each has a descriptor.
    pub pile: Pile,
    /// Files and pipes; else sockets.
    pub are_files: bool,
    /// Whether the process's own list says that they are open. Of a core there is none.
    pub confirmed: bool,
}

/// `open` has the descriptors that the process has open, where it could be asked.
pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, open: Option<&[u32]>) -> Vec<OpenResources> {
    let mut resources = Vec::new();
    for are_files in [true, false] {
        let rows = open_rows(sight, are_files, open);
        let rows = held_once(sight, rows);
        // The first keys of a dict are places of their own; rules add up what is held alike.
        for pile in sight.piles(&rows, 1) {
            let root = sight.root_of(pile.subject.row);
            let is_kept = sight.content(root) == Content::Module && !pile.subject.in_library;
            if is_kept || pile.first.starts_with("(garbage)") {
                resources.push(OpenResources {
                    pile,
                    are_files,
                    confirmed: open.is_some(),
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

/// The files or sockets that are open, as the program has them in hand.
fn open_rows<M: ReadMemory>(sight: &mut Sight<M>, are_files: bool, open: Option<&[u32]>) -> Vec<u32> {
    let is_wanted = |name: &str| match are_files {
        true => name == FILE,
        false => SOCKETS.contains(&name),
    };
    let types = &sight.found.types;
    let of_kind: FxHashSet<u32> = (0..types.count())
        .filter(|&index| is_wanted(&types.get(index).name))
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
