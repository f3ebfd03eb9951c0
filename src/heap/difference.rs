//! What has changed from one heap to another: by type, by container, and, where both are of one process, by object.

mod unlisted;

use std::borrow::Cow;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::detail::Detail;
use super::naming::without_lines;
use super::{Container, ContainerKind, Heap, TypeTotals};
use unlisted::{LookUp, Unlisted};

/// One heap and how it is told which of its objects another one has too.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub heap: &'a Heap,
    pub detail: &'a Detail,
}

#[derive(Debug, Clone)]
pub struct Difference<'a> {
    /// Whether objects were followed from the one to the other.
    pub same_process: bool,
    /// Types whose figures differ, what changed by most bytes first.
    pub types: Vec<TypeChange>,
    /// Containers and owners that differ, what changed by most bytes first.
    pub containers: Vec<ContainerChange<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeChange {
    pub name: Rc<str>,
    pub old: Amounts,
    pub new: Amounts,
    /// Of one process: objects that only the new heap has, and those that only the old one had. An object is the same
    /// when it has its address and its type.
    pub objects: Option<Moves>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amounts {
    pub count: u64,
    pub bytes: u64,
    pub retained_bytes: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moves {
    pub appeared: u64,
    pub gone: u64,
}

/// A container or an owner in both heaps. At least one lists it.
#[derive(Debug, Clone, Copy)]
pub struct ContainerChange<'a> {
    /// It as it was listed last.
    pub shown: &'a Container,
    /// `None` where the heap does not have it.
    pub old: Option<Figures>,
    pub new: Option<Figures>,
}

/// Items and bytes of a container or an owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub length: u64,
    /// Of what is too small to be listed only the part that it retains is known.
    pub kept_bytes: u64,
    pub retained_bytes: u64,
}

impl From<&Container> for Figures {
    fn from(listed: &Container) -> Self {
        Figures {
            length: listed.length,
            kept_bytes: listed.kept_bytes,
            retained_bytes: listed.retained_bytes,
        }
    }
}

impl From<Unlisted> for Figures {
    fn from(unlisted: Unlisted) -> Self {
        Figures {
            length: unlisted.length,
            kept_bytes: unlisted.retained_bytes,
            retained_bytes: unlisted.retained_bytes,
        }
    }
}

impl ContainerChange<'_> {
    pub fn bytes_grown(&self) -> i64 {
        self.grown(|each| each.kept_bytes)
    }

    pub fn length_grown(&self) -> i64 {
        self.grown(|each| each.length)
    }

    pub fn retained_grown(&self) -> i64 {
        self.grown(|each| each.retained_bytes)
    }

    fn grown(&self, of: fn(Figures) -> u64) -> i64 {
        grown(self.old.map(of), self.new.map(of))
    }

    /// What is merely counted for another holder now is no difference.
    fn differs(&self) -> bool {
        self.length_grown() != 0 || self.retained_grown() != 0
    }
}

/// From the old number to the new one; what is not there is 0.
pub fn grown(old: Option<u64>, new: Option<u64>) -> i64 {
    let number = |side: Option<u64>| i64::try_from(side.unwrap_or(0)).unwrap_or(i64::MAX);
    number(new).saturating_sub(number(old))
}

impl TypeChange {
    pub fn bytes_grown(&self) -> i64 {
        grown(Some(self.old.bytes), Some(self.new.bytes))
    }

    fn differs(&self) -> bool {
        self.old != self.new || self.objects.is_some_and(|moves| moves != Moves::default())
    }
}

/// Whether of the objects of the smaller heap most stand in the other one too, by their addresses: after another program
/// was executed in a process they are elsewhere.
pub fn have_most_in_common(old: &Detail, new: &Detail) -> bool {
    let [old, new] = [old, new].map(|detail| &detail.addresses[detail.holders.min(detail.addresses.len())..]);
    let mut later = new.iter().peekable();
    let is_in_new = |address: &&u64| {
        while later.next_if(|other| other < address).is_some() {}
        later.peek() == Some(address)
    };
    old.iter().filter(is_in_new).count() >= old.len().min(new.len()) / 2
}

/// Compares two heaps; `same_process` says whether an address means the same in both.
pub fn difference<'a>(old: Side<'a>, new: Side<'a>, same_process: bool) -> Difference<'a> {
    let moves = same_process.then(|| moves(old, new));
    let mut types = types(&old.heap.types, &new.heap.types);
    for each in &mut types {
        let of_type = |moves: &FxHashMap<Rc<str>, Moves>| moves.get(&each.name).copied().unwrap_or_default();
        each.objects = moves.as_ref().map(of_type);
    }
    types.retain(TypeChange::differs);
    types.sort_by(|a, b| {
        let most = b.bytes_grown().unsigned_abs().cmp(&a.bytes_grown().unsigned_abs());
        most.then_with(|| a.name.cmp(&b.name))
    });
    Difference {
        same_process,
        types,
        containers: containers(old, new, same_process),
    }
}

fn types(old: &[TypeTotals], new: &[TypeTotals]) -> Vec<TypeChange> {
    let mut changes: FxHashMap<&Rc<str>, TypeChange> = FxHashMap::default();
    for (side, is_new) in [(old, false), (new, true)] {
        for each in side {
            let change = changes.entry(&each.name).or_insert_with(|| TypeChange {
                name: Rc::clone(&each.name),
                old: Amounts::default(),
                new: Amounts::default(),
                objects: None,
            });
            let amounts = Amounts {
                count: each.count,
                bytes: each.bytes,
                retained_bytes: each.retained_bytes,
            };
            *(if is_new { &mut change.new } else { &mut change.old }) = amounts;
        }
    }
    changes.into_values().collect()
}

/// By type, the objects that only one of two heaps of a process has.
fn moves(old: Side, new: Side) -> FxHashMap<Rc<str>, Moves> {
    let mut moves: FxHashMap<Rc<str>, Moves> = FxHashMap::default();
    let (mut before, mut after) = (objects(old).peekable(), objects(new).peekable());
    let mut count = |name: Option<&Rc<str>>, appeared: u64, gone: u64| {
        if let Some(name) = name {
            let moved = moves.entry(Rc::clone(name)).or_default();
            moved.appeared += appeared;
            moved.gone += gone;
        }
    };
    loop {
        match (before.peek().copied(), after.peek().copied()) {
            (Some(a), Some(b)) if a.0 == b.0 => {
                if a.1 != b.1 {
                    count(a.1, 0, 1);
                    count(b.1, 1, 0);
                }
                before.next();
                after.next();
            }
            (Some(a), b) if b.is_none_or(|b| a.0 < b.0) => {
                count(a.1, 0, 1);
                before.next();
            }
            (_, Some(b)) => {
                count(b.1, 1, 0);
                after.next();
            }
            (_, None) => break,
        }
    }
    moves
}

/// The objects of a heap with their types' names, by address.
fn objects(side: Side<'_>) -> impl Iterator<Item = (u64, Option<&Rc<str>>)> {
    let Detail {
        holders,
        addresses,
        types,
        ..
    } = side.detail;
    let all = addresses.iter().zip(types).skip(*holders);
    all.map(move |(&address, &number)| (address, side.heap.types.get(number as usize).map(|each| &each.name)))
}

fn containers<'a>(old: Side<'a>, new: Side<'a>, same_process: bool) -> Vec<ContainerChange<'a>> {
    // An object that is no container is known by where it is held, as anything is in another process.
    let held_as = |each: &'a Container| (0, without_lines(&each.path), &*each.type_name);
    let identity = |each: &'a Container| match each.kind {
        ContainerKind::Object | ContainerKind::Holder => held_as(each),
        _ if same_process => (each.address, Cow::Borrowed(""), &*each.type_name),
        _ => held_as(each),
    };
    let listed_before = old.heap.containers.iter();
    let mut before: FxHashMap<_, &Container> = listed_before.map(|each| (identity(each), each)).collect();
    let mut changes = Vec::new();
    let mut appeared = Vec::new();
    for each in &new.heap.containers {
        let is_same = |old: &&Container| !are_named_apart(old, each) || hold_the_same(old, each);
        let found = before.get(&identity(each)).copied().filter(is_same);
        match found {
            Some(found) => {
                before.remove(&identity(each));
                changes.push(ContainerChange {
                    shown: each,
                    old: Some(found.into()),
                    new: Some(each.into()),
                });
            }
            None => appeared.push(each),
        }
    }
    let mut gone: Vec<&Container> = before.into_values().collect();
    let look_up =
        |here, there, owners: &[&'a Container]| same_process.then(|| LookUp::new(here, there, owners.iter().copied()));
    let (in_old, in_new) = (look_up(new, old, &appeared), look_up(old, new, &gone));
    let find = |look_up: &Option<LookUp>, each| Some(look_up.as_ref()?.find(each)?.into());
    // To a reader, what stands under the name of another one that is gone is that one, made anew.
    let lost = gone.iter().filter(|each| find(&in_new, **each).is_none());
    let mut lost: FxHashMap<_, &Container> = lost.map(|each| (held_as(each), *each)).collect();
    changes.extend(appeared.into_iter().map(|each| ContainerChange {
        shown: each,
        old: find(&in_old, each).or_else(|| {
            let replaced = lost.remove(&held_as(each))?;
            gone.retain(|other| !std::ptr::eq(*other, replaced));
            Some(replaced.into())
        }),
        new: Some(each.into()),
    }));
    changes.extend(gone.into_iter().map(|each| ContainerChange {
        shown: each,
        old: Some(each.into()),
        new: find(&in_new, each),
    }));
    changes.retain(ContainerChange::differs);
    changes.sort_by(|a, b| {
        let most = b.bytes_grown().unsigned_abs().cmp(&a.bytes_grown().unsigned_abs());
        most.then_with(|| a.shown.path.cmp(&b.shown.path))
    });
    changes
}

/// Whether another container has come to stand where one stood: each has a name, and not the same.
fn are_named_apart(old: &Container, new: &Container) -> bool {
    old.name().zip(new.name()).is_some_and(|(old, new)| old != new)
}

/// Whether a container that has another name now is still the one that stood there: as long as it was, with the first
/// item that it had.
fn hold_the_same(old: &Container, new: &Container) -> bool {
    old.first != 0 && old.first == new.first && old.length == new.length
}
