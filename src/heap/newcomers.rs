//! The objects that came since an earlier snapshot, and what is known of each: whether it was seen being made, and by whom
//! it is held.

use std::rc::Rc;

use cpython::objects::content::Content;
use cpython::objects::types::flags;
use rustc_hash::FxHashMap;

use super::found::Found;
use super::objects::{HEAP, NO_OBJECT};

/// What newcomers are told by.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// The objects of the first snapshot; without it, all objects are there for the first time, and none has come.
    pub before: Option<Rc<Roll>>,
    /// Addresses of objects that were seen being made, and of their types.
    pub seen: Rc<[(u64, u64)]>,
}

/// Which objects were there at a snapshot: a byte for each place where one can stand, made of its type's address.
#[derive(Debug, Default)]
pub struct Roll {
    tags: FxHashMap<u64, Box<[u8; PLACES]>>,
}

/// Bytes of memory that have one entry in the roll.
const BLOCK: u64 = 1 << 14;
/// Objects stand at multiples of this.
const ALIGNMENT: u64 = 8;
const PLACES: usize = (BLOCK / ALIGNMENT) as usize;

/// Objects, and the bytes that they and their tables occupy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: u64,
    pub bytes: u64,
}

/// What is known of all objects of a heap, for the one who asks where they were made.
#[derive(Debug, Clone, Default)]
pub struct Newcomers {
    /// Who is there now, for a later snapshot to be compared with; made at the first only.
    pub roll: Option<Rc<Roll>>,
    /// The types that have objects.
    pub kinds: Vec<Kind>,
}

/// The objects of one type, each in one of the tallies.
#[derive(Debug, Clone, Default)]
pub struct Kind {
    /// `module.qualname`.
    pub name: Rc<str>,
    /// Those that were there at the first snapshot.
    pub before: Tally,
    /// Those that came, and of which the collector's list could have told.
    pub listed: Tally,
    /// Of these, the ones that were seen being made: the number among `Watch::seen`, and the bytes.
    pub seen: Vec<(u32, u64)>,
    /// Those that came unlisted and are held by one newcomer alone, by that one's type (its number in `kinds`).
    pub held: Vec<(u32, Tally)>,
    /// Of these, the ones whose holder was seen being made: its number among `Watch::seen`.
    pub held_by_seen: Vec<(u32, Tally)>,
    /// All others that came.
    pub others: Tally,
}

impl Tally {
    pub fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl Roll {
    fn add(&mut self, address: u64, type_address: u64) {
        let block = self
            .tags
            .entry(address / BLOCK)
            .or_insert_with(|| Box::new([0; PLACES]));
        block[(address % BLOCK / ALIGNMENT) as usize] = tag(type_address);
    }

    /// Whether an object of this type stood there, as far as can be told.
    fn has(&self, address: u64, type_address: u64) -> bool {
        let block = self.tags.get(&(address / BLOCK));
        block.is_some_and(|block| block[(address % BLOCK / ALIGNMENT) as usize] == tag(type_address))
    }
}

/// A number of a type that is not 0.
fn tag(type_address: u64) -> u8 {
    (type_address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8 | 1
}

/// What an object has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    NoObject,
    Before,
    /// It came, and the collector's list told of it, or could have.
    Listed,
    /// The same, and it was seen (its number among `Watch::seen`).
    Seen(u32),
    /// It came, and was never in that list.
    Unlisted,
}

/// Nothing holds it, so far.
const NOBODY: u32 = u32::MAX;
/// More than one object holds it.
const SEVERAL: u32 = u32::MAX - 1;
/// An object is looked for the holder of its holder of its holder: instance, dict, tuple.
const MOST_STEPS: usize = 3;

impl Newcomers {
    /// Tells the objects that were found apart.
    pub fn of(found: &Found, watch: &Watch) -> Newcomers {
        let Some(before) = &watch.before else {
            return Newcomers {
                roll: Some(Rc::new(call_the_roll(found))),
                kinds: Vec::new(),
            };
        };
        let (numbers, mut kinds) = kinds(found);
        let standings = standings(found, before, &watch.seen);
        let holders = holders(found);
        let mut tallies = Tallies::default();
        for (row, &standing) in standings.iter().enumerate() {
            let row = row as u32;
            let type_of = found.objects.type_of(row);
            let Some(number) = numbers
                .get(type_of as usize)
                .copied()
                .filter(|&number| number != NOBODY)
            else {
                continue;
            };
            let Some(kind) = kinds.get_mut(number as usize) else {
                continue;
            };
            let bytes = found.objects.bytes(row);
            match standing {
                Standing::NoObject => {}
                Standing::Before => kind.before.add(bytes),
                Standing::Listed => kind.listed.add(bytes),
                Standing::Seen(seen) => {
                    kind.listed.add(bytes);
                    kind.seen.push((seen, bytes));
                }
                Standing::Unlisted => match listed_holder(&standings, &holders, row) {
                    None => kind.others.add(bytes),
                    Some(holder) => {
                        let of_holder = numbers.get(found.objects.type_of(holder) as usize);
                        let of_holder = of_holder.copied().unwrap_or(NOBODY);
                        tallies.held.entry((number, of_holder)).or_default().add(bytes);
                        if let Some(Standing::Seen(seen)) = standings.get(holder as usize) {
                            tallies.held_by_seen.entry((number, *seen)).or_default().add(bytes);
                        }
                    }
                },
            }
        }
        tallies.put_into(&mut kinds);
        Newcomers { roll: None, kinds }
    }
}

/// What is summed up by two numbers each: of the kind, and of another kind or of an object that was seen.
#[derive(Default)]
struct Tallies {
    held: FxHashMap<(u32, u32), Tally>,
    held_by_seen: FxHashMap<(u32, u32), Tally>,
}

impl Tallies {
    fn put_into(self, kinds: &mut [Kind]) {
        for ((kind, of), tally) in self.held {
            if let Some(kind) = kinds.get_mut(kind as usize) {
                kind.held.push((of, tally));
            }
        }
        for ((kind, seen), tally) in self.held_by_seen {
            if let Some(kind) = kinds.get_mut(kind as usize) {
                kind.held_by_seen.push((seen, tally));
            }
        }
        for kind in kinds {
            kind.held.sort_unstable_by_key(|&(of, _)| of);
            kind.held_by_seen.sort_unstable_by_key(|&(seen, _)| seen);
        }
    }
}

fn call_the_roll(found: &Found) -> Roll {
    let mut roll = Roll::default();
    for row in 0..found.objects.count() as u32 {
        let type_of = found.objects.type_of(row);
        if type_of != NO_OBJECT {
            roll.add(found.address_of(row), found.types.get(type_of).info.of_type.address);
        }
    }
    roll
}

/// The number of the kind of each type, the same for types of one name, and the kinds; `NOBODY` for what has no objects.
fn kinds(found: &Found) -> (Vec<u32>, Vec<Kind>) {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut known: FxHashMap<&Rc<str>, u32> = FxHashMap::default();
    let mut number = |index: u32| {
        let type_of = found.types.get(index);
        if index == NO_OBJECT || type_of.count == 0 {
            return NOBODY;
        }
        *known.entry(&type_of.name).or_insert_with(|| {
            kinds.push(Kind {
                name: Rc::clone(&type_of.name),
                ..Kind::default()
            });
            kinds.len() as u32 - 1
        })
    };
    let numbers = (0..found.types.count()).map(&mut number).collect();
    (numbers, kinds)
}

fn standings(found: &Found, before: &Roll, seen: &[(u64, u64)]) -> Vec<Standing> {
    let seen: FxHashMap<(u64, u64), u32> = seen.iter().copied().zip(0..).collect();
    let standing = |row: u32| {
        let type_of = found.objects.type_of(row);
        if type_of == NO_OBJECT {
            return Standing::NoObject;
        }
        let info = &found.types.get(type_of).info.of_type;
        let is_tracked = found.objects.is_tracked(row);
        let address = found.address_of(row);
        // The collector stops tracking tuples that hold nothing that it looks at, and never begins with such dicts.
        let may_be_listed = is_tracked || info.has(flags::HAVE_GC) && info.content != Content::Dict;
        if may_be_listed && let Some(&number) = seen.get(&(address, info.address)) {
            Standing::Seen(number)
        } else if before.has(address, info.address) {
            Standing::Before
        } else if may_be_listed {
            Standing::Listed
        } else {
            Standing::Unlisted
        }
    };
    (0..found.objects.count() as u32).map(standing).collect()
}

/// The only row that refers to each, or `NOBODY` or `SEVERAL`.
fn holders(found: &Found) -> Vec<u32> {
    let mut holders = vec![NOBODY; found.objects.count()];
    for row in 0..found.objects.holders() as u32 {
        for reference in found.objects.references(row) {
            if reference.target == HEAP {
                continue;
            }
            if let Some(holder) = holders.get_mut(reference.target as usize) {
                *holder = if *holder == NOBODY || *holder == row {
                    row
                } else {
                    SEVERAL
                };
            }
        }
    }
    holders
}

/// The newcomer known to the list that alone holds a row, directly or by unlisted ones that it alone holds.
fn listed_holder(standings: &[Standing], holders: &[u32], row: u32) -> Option<u32> {
    let mut row = row;
    for _ in 0..MOST_STEPS {
        row = *holders.get(row as usize)?;
        match standings.get(row as usize)? {
            Standing::Listed | Standing::Seen(_) => return Some(row),
            Standing::Unlisted => {}
            Standing::NoObject | Standing::Before => return None,
        }
    }
    None
}
