//! The survey: examines everything that roots and the collector's lists lead to, each object once, in an order that reads
//! each part of the memory about once.

use std::ops::Range;
use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, Unreadable};
use cpython::objects::blocks::Blocks;
use cpython::objects::examine::Examiner;
use cpython::objects::tracemalloc::Whereabouts;

use super::collector::{self, CollectorState};
use super::found::Found;
use super::holders::{Holders, Rows};
use super::roots::Gathering;
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
    pub(super) collectors: Vec<CollectorState>,
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
