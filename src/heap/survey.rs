//! The survey: examines everything that roots and the collector's lists lead to, each object once, in an order that reads
//! each part of the memory about once; only then asks who holds whom.

use std::ops::Range;
use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, Unreadable};
use cpython::objects::blocks::Blocks;
use cpython::objects::examine::Examiner;
use cpython::objects::tracemalloc::Whereabouts;

use super::collector::{self, CollectorState};
use super::containers::{self, Watched};
use super::describing::{Besides, complete, describe};
use super::followed::{self, Earlier};
use super::found::Found;
use super::further::Further;
use super::garbage;
use super::holders::{Holders, Rows};
use super::leftovers;
use super::live::Live;
use super::newcomers::Newcomers;
use super::objects::HEAP;
use super::owners;
use super::ownership::Ownership;
use super::patterns;
use super::retention::Retention;
use super::roots::Gathering;
use super::tasks;
use super::wanted::Wanted;
use super::{Container, Heap, Totals, TypeTotals};
use crate::memory::slots::{SLOT_SIZE, Slots};

/// What a survey needs to know of a process.
pub struct Subject<'a> {
    pub layout: &'a Layout,
    /// The address of `_PyRuntime`.
    pub runtime: u64,
    pub slots: Rc<Slots>,
    /// Data that came with executables and libraries.
    pub statics: Vec<Range<u64>>,
    /// Whether keys are shown as hashes, and names that no code can have (`--redact`).
    pub redacts_keys: bool,
    /// Where to look for what `tracemalloc` knows; `None` leaves it alone.
    pub tracing: Option<Whereabouts>,
    /// The descriptors that the process has open and that no epoll instance waits for, in order; `None` where it could not be asked.
    pub descriptors: Option<Vec<u32>>,
}

/// The objects of a heap, before anybody has asked who holds them.
pub struct Survey<'a> {
    pub subject: &'a Subject<'a>,
    pub found: Found<'a>,
    pub warnings: Vec<String>,
    collectors: Vec<CollectorState>,
    pub(super) walker: Examiner<'a>,
    pub(super) rows: Rows,
}

/// So many objects tell which allocator is at work.
const SAMPLE: usize = 64;

/// Examines the whole heap. What cannot be read is counted in `Found::rejected`; only a runtime that cannot be read at
/// all is an error.
pub fn survey<'a, M: ReadMemory>(memory: &mut M, subject: &'a Subject<'a>) -> Result<Survey<'a>, Unreadable> {
    let interpreters = cpython::runtime::interpreters(memory, subject.layout, subject.runtime)?;
    let mut warnings = Vec::new();
    let lists = collector::lists(memory, subject, &interpreters, &mut warnings)?;
    let addresses: Vec<u64> = interpreters.iter().map(|interpreter| interpreter.address).collect();
    let mapped = subject.slots.count() as u64 * SLOT_SIZE;
    let blocks = judge_allocator(memory, subject.layout, &lists.sample);
    if blocks.debug {
        warnings.push("The program runs with a debugging allocator; bytes include its guard bytes.".to_owned());
    }
    let examiner = || Examiner::new(subject.layout, blocks, subject.statics.clone(), addresses.clone()).within(mapped);
    let mut walker = examiner();
    let mut found = Found::new(subject.layout, Rc::clone(&subject.slots), examiner(), lists.heads);
    found.names.redacts_keys = subject.redacts_keys;
    let rows = Gathering {
        memory: &mut *memory,
        subject,
        walker: &mut walker,
        found: &mut found,
        holders: Holders::new(),
    }
    .gather(&interpreters);
    for first in lists.first {
        found.meet(first);
    }
    found.examine_all(memory, &mut walker);
    let collectors = collector::states(memory, subject, &interpreters, found.objects.count() as u64);
    found.broken_links += lists.broken;
    if found.broken_links > 0 {
        warnings.push(format!(
            "The collector's lists are broken in {} places; what they list behind these may be missing.",
            found.broken_links
        ));
    }
    Ok(Survey {
        subject,
        found,
        warnings,
        collectors,
        walker,
        rows,
    })
}

impl Survey<'_> {
    /// The heap as data. Asks the memory for what names paths need, and for nothing afterwards. What has grown since the
    /// `earlier` snapshot is described. What costs is found out as far as it is `wanted`.
    pub fn finish<M: ReadMemory>(self, memory: &mut M, earlier: &Earlier, wanted: Wanted) -> Heap {
        let Survey {
            subject,
            mut found,
            mut warnings,
            collectors,
            mut walker,
            rows,
        } = self;
        if !wanted.detail {
            memory.expect_little();
        }
        leftovers::resolve(memory, subject.layout, &mut found, &rows);
        let tasks = tasks::pending(memory, subject.layout, &mut walker, &mut found);
        let mut owned = Ownership::of(memory, &mut found, subject.layout, &rows, &tasks);
        let mut watched = containers::watched(memory, &mut walker, &found, &owned);
        let large = owned.large();
        owners::rank(memory, &mut walker, &found, &owned, &large, &mut watched);
        let followed = followed::follow(memory, &mut walker, &found, &owned, &large, earlier, &mut watched);
        let mut detailed = wanted.detail.then(|| {
            let besides = Besides {
                tasks: &tasks,
                adopted: &owned.adopted,
                holders: rows.count,
            };
            describe(Live::new(memory, subject.layout, &mut found), &besides, wanted)
        });
        let inside = containers::look_inside(&found, &watched);
        let descriptors = subject.descriptors.as_deref();
        let mut patterns = patterns::gather(memory, subject.layout, &mut found, &owned, &rows.calls, descriptors);
        let mut further = Further::of_owners(memory, subject.layout, &mut found, &mut owned, wanted);
        // What has no holder has one in the graph as well: the last of those that are no objects, and for tasks the heap.
        let mut more = std::mem::take(&mut owned.adopted);
        more.push((HEAP, tasks.iter().map(|task| task.row).collect()));
        let newcomers = earlier.watch.as_ref().map(|watch| Newcomers::of(&found, watch));
        let references = found.objects.take_references(&more);
        let unheld = std::mem::take(&mut owned.unheld);
        let mut containers = containers::describe(memory, subject.layout, &mut found, &owned, &watched, inside);
        let holders = owned.into_tree();
        warnings.extend(counted_by_formula(&found));
        let mut types = found.types.totals();
        let (mut retention, mut garbage) = (None, None);
        match references {
            Ok(references) => {
                let cycles = garbage::cycles(&references, &found, &unheld);
                further.add_references(&references, &found);
                let of_each = retention.insert(Retention::of(references, &found.objects));
                add_retained(of_each, &found, &watched, &mut containers, &mut types);
                patterns.add_retained(&of_each.with(&found.objects));
                let described = garbage::describe(memory, subject.layout, &found, &unheld, &cycles, of_each);
                garbage = Some(described);
            }
            Err(cause) => warnings.push(format!("Retained sizes are missing: {cause}.")),
        }
        if let Some((detail, numbering)) = &mut detailed {
            let facts = Live::new(memory, subject.layout, &mut found);
            complete(detail, facts, numbering, &types, retention.as_ref());
        }
        Heap {
            totals: totals(&types),
            types,
            rejected: found.rejected,
            tree: further.ownership_tree(retention.as_ref(), &found, &holders),
            type_tree: further.type_tree(&found),
            partitions: Some(further.partitions(&found)),
            containers,
            followed,
            collectors,
            garbage,
            newcomers,
            patterns,
            detail: detailed.map(|(detail, _)| detail),
            warnings,
        }
    }
}

/// The warning about types whose sizes only their own code knows.
pub(super) fn counted_by_formula(found: &Found) -> Option<String> {
    let own_sizes = found.types.with_own_sizeof();
    (!own_sizes.is_empty()).then(|| {
        format!(
            "These types have a __sizeof__ of their own and are counted by formula: {}.",
            own_sizes.join(", ")
        )
    })
}

/// Adds to containers, and to types, what would be freed with them.
fn add_retained(
    retention: &Retention,
    found: &Found,
    watched: &[Watched],
    containers: &mut [Container],
    types: &mut [TypeTotals],
) {
    for (container, each) in containers.iter_mut().zip(watched) {
        container.retained_bytes = retention.bytes(&found.objects, each.row);
    }
    retention.add_to_types(&found.objects, &found.types, types);
}

/// The sums over all types.
fn totals(types: &[TypeTotals]) -> Totals {
    let sum = |of: fn(&TypeTotals) -> u64| types.iter().map(of).fold(0, u64::saturating_add);
    Totals {
        objects: sum(|each| each.count),
        bytes: sum(|each| each.bytes),
        getsizeof_bytes: sum(|each| each.getsizeof_bytes),
        tracked_objects: sum(|each| each.tracked_count),
    }
}

fn judge_allocator<M: ReadMemory>(memory: &mut M, layout: &Layout, objects: &[u64]) -> Blocks {
    // Objects with a fixed part alone, and no more: `sizeof` is then what was asked for.
    let sample: Vec<(u64, u64)> = objects
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
