//! The survey: walks from the roots through everything they reach, breadth first, and measures each object once.

use std::ops::Range;
use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, Unreadable};
use cpython::objects::blocks::Blocks;
use cpython::objects::examine::Examiner;

use super::collector::{self, Tracked};
use super::containers;
use super::found::{CLAIMS_AT_ONCE, Claim, Found};
use super::labels::{Label, LabelKind};
use super::objects::NO_OBJECT;
use super::owners;
use super::roots;
use super::{Heap, Totals, TypeTotals};
use crate::memory::slots::{SLOT_SIZE, Slots};

/// What a survey needs to know of a process.
pub struct Subject<'a> {
    pub layout: &'a Layout,
    /// The address of `_PyRuntime`.
    pub runtime: u64,
    pub slots: Rc<Slots>,
    /// Data that came with executables and libraries.
    pub statics: Vec<Range<u64>>,
}

/// The objects of a heap, before anybody has asked anything of them.
pub struct Survey<'a> {
    pub subject: &'a Subject<'a>,
    pub found: Found<'a>,
    pub warnings: Vec<String>,
}

/// So many of the first objects tell which allocator is at work.
const SAMPLE: usize = 64;

/// Walks the whole heap. What cannot be read is counted in `Found::rejected`; only a runtime that cannot be read at all
/// is an error.
pub fn survey<'a, M: ReadMemory>(memory: &mut M, subject: &'a Subject<'a>) -> Result<Survey<'a>, Unreadable> {
    let interpreters = cpython::runtime::interpreters(memory, subject.layout, subject.runtime)?;
    let mut warnings = Vec::new();
    let tracked = collector::tracked(memory, subject, &interpreters, &mut warnings)?;
    let addresses: Vec<u64> = interpreters.iter().map(|interpreter| interpreter.address).collect();
    let mapped = subject.slots.count() as u64 * SLOT_SIZE;
    let examiner =
        |blocks| Examiner::new(subject.layout, blocks, subject.statics.clone(), addresses.clone()).within(mapped);

    let blocks = judge_allocator(memory, subject.layout, &tracked);
    let mut walker = examiner(blocks);
    let mut found = Found::new(subject.layout, Rc::clone(&subject.slots), examiner(blocks), tracked);
    if blocks.debug {
        warnings.push("The program runs with a debugging allocator; bytes include its guard bytes.".to_owned());
    }

    // All that modules reach before anything that threads work on: what outlives the call is the holder to name.
    roots::add_modules(memory, subject, &interpreters, &mut found);
    walk(memory, &mut walker, &mut found, 0);
    let first = found.objects.count();
    roots::add_threads(memory, subject, &interpreters, &walker, &mut found);
    walk(memory, &mut walker, &mut found, first);
    let first = found.objects.count();
    roots::add_interpreters(memory, subject, &interpreters, &mut found);
    walk(memory, &mut walker, &mut found, first);
    // What only C code holds, or nobody any more, the collector still knows.
    let held = found.add_holder(None, LabelKind::Root, "(held by C code, or garbage)", 0);
    for address in found.unvisited_tracked() {
        let first = found.objects.count();
        found.seed(memory, Some(held), Label::new(LabelKind::Unnamed, 0), address);
        walk(memory, &mut walker, &mut found, first);
    }
    Ok(Survey {
        subject,
        found,
        warnings,
    })
}

/// What is still to be looked at.
enum Pending {
    /// Rows whose objects have not been examined.
    Rows(Range<usize>),
    /// Objects that a long container holds, claimed for it, but not looked at.
    Claimed {
        holder: u32,
        claims: Vec<Claim>,
        done: usize,
    },
}

/// Examines all rows from `first` on, and those that are added meanwhile: breadth first, so that each object is found by
/// one of its shortest paths. Where that is very wide it goes by batches, each followed to its end before the next, so
/// that what was allocated together is read together; who holds what is settled before.
fn walk<M: ReadMemory>(memory: &mut M, walker: &mut Examiner, found: &mut Found, first: usize) {
    const BATCH: usize = 1 << 12;
    const TOUCHED: usize = 16;
    const WIDE: usize = 8 * BATCH;
    /// The levels of modules, their namespaces and what is in these are never split.
    const WHOLE_LEVELS: usize = 3;
    let mut steps = 0;
    let mut pending = vec![Pending::Rows(first..found.objects.count())];
    while let Some(next) = pending.pop() {
        let children = found.objects.count();
        match next {
            Pending::Rows(rows) => {
                let split = rows.len() > WIDE && steps >= WHOLE_LEVELS;
                let until = if split { rows.start + BATCH } else { rows.end };
                if until < rows.end {
                    pending.push(Pending::Rows(until..rows.end));
                }
                for row in rows.start..until {
                    if (row - rows.start).is_multiple_of(TOUCHED) {
                        for &address in &found.objects.address[row..until.min(row + TOUCHED)] {
                            memory.touch(address);
                        }
                    }
                    let holder = row as u32;
                    examine(memory, walker, found, holder);
                    let claims = found.settle(memory);
                    if !claims.is_empty() {
                        pending.push(Pending::Claimed {
                            holder,
                            claims,
                            done: 0,
                        });
                    }
                }
            }
            Pending::Claimed { holder, claims, done } => {
                found.begin(holder);
                let until = claims.len().min(done + CLAIMS_AT_ONCE);
                found.redeem(memory, &claims[done..until]);
                if until < claims.len() {
                    pending.push(Pending::Claimed {
                        holder,
                        claims,
                        done: until,
                    });
                }
            }
        }
        if found.objects.count() > children {
            pending.push(Pending::Rows(children..found.objects.count()));
        }
        steps += 1;
    }
}

fn examine<M: ReadMemory>(memory: &mut M, walker: &mut Examiner, found: &mut Found, row: u32) {
    let type_of = found.objects.type_of[row as usize];
    if type_of == NO_OBJECT {
        roots::expand(memory, walker, found, row);
        return;
    }
    let info = Rc::clone(&found.types.get(type_of).info.of_type);
    let address = found.objects.address[row as usize];
    found.begin(row);
    match walker.examine(memory, &info, address, found) {
        Ok(size) => found.measured(row, size),
        Err(_) => found.misread(row),
    }
}

impl Survey<'_> {
    /// The heap as data. Asks the memory for what names paths need, and for nothing afterwards.
    pub fn finish<M: ReadMemory>(self, memory: &mut M) -> Heap {
        let Survey {
            subject,
            mut found,
            mut warnings,
        } = self;
        found.objects.sum_up();
        owners::rank(memory, &mut found);
        let containers = containers::describe(memory, subject.layout, &mut found);
        let own_sizes = found.types.with_own_sizeof();
        if !own_sizes.is_empty() {
            warnings.push(format!(
                "These types have a __sizeof__ of their own and are counted by formula: {}.",
                own_sizes.join(", ")
            ));
        }
        let types = found.types.totals();
        let sum = |of: fn(&TypeTotals) -> u64| types.iter().map(of).fold(0, u64::saturating_add);
        let totals = Totals {
            objects: sum(|each| each.count),
            bytes: sum(|each| each.bytes),
            getsizeof_bytes: sum(|each| each.getsizeof_bytes),
            tracked_objects: sum(|each| each.tracked_count),
        };
        let rejected = found.rejected;
        let Found {
            tree,
            names,
            types: all,
            ..
        } = found;
        Heap {
            types,
            totals,
            rejected,
            tree: tree.finish(&names, &all),
            containers,
            warnings,
        }
    }
}

fn judge_allocator<M: ReadMemory>(memory: &mut M, layout: &Layout, tracked: &Tracked) -> Blocks {
    // Objects with a fixed part alone, and no more: `sizeof` is then what was asked for.
    let sample: Vec<(u64, u64)> = tracked
        .sample
        .iter()
        .take(SAMPLE)
        .filter_map(|&object| {
            let type_address = memory.word(object.wrapping_add(layout.object.ob_type)).ok()?;
            let info = cpython::objects::types::TypeInfo::read(memory, layout, type_address).ok()?;
            let fixed = info.itemsize == 0 && info.flags & cpython::objects::types::flags::INLINE_VALUES == 0;
            fixed.then_some((object.wrapping_sub(info.presize), info.presize + info.basicsize))
        })
        .filter(|&(_, request)| request <= 400)
        .collect();
    Blocks::judge(memory, layout, &sample)
}
