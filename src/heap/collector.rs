//! What the garbage collector knows: the lists of the objects that it tracks, and whether it is at work.

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, Unreadable, word_at};
use cpython::runtime::{Collector, Interpreter, collectors};
use serde::{Deserialize, Serialize};

use super::survey::Subject;

/// Where the lists of all collectors of a process begin.
#[derive(Debug, Default)]
pub struct Lists {
    /// The addresses of their heads.
    pub heads: Vec<u64>,
    /// The first object of each that has one.
    pub first: Vec<u64>,
    /// Some of their objects.
    pub sample: Vec<u64>,
    /// Lists that cannot be read.
    pub broken: u64,
}

/// The state of one collector.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectorState {
    /// The interpreter that it collects for, 0 for the main one; that one's may collect for all.
    pub interpreter: i64,
    /// Whether it runs by itself (`gc.isenabled`).
    pub enabled: bool,
    /// Objects that it does not look at any more (`gc.get_freeze_count`). Some releases put objects there by themselves.
    pub frozen_objects: u64,
    /// The length of `gc.garbage`.
    pub garbage_objects: u64,
    /// The youngest first.
    pub generations: Vec<GenerationState>,
}

/// A generation is collected when its count passes its threshold (`gc.get_threshold`, `gc.get_count`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationState {
    pub threshold: i32,
    pub count: i32,
}

/// So many of the first objects of each list are put into the sample.
const SAMPLED: usize = 100;

/// The lists of all collectors.
pub fn lists<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    interpreters: &[Interpreter],
    warnings: &mut Vec<String>,
) -> Result<Lists, Unreadable> {
    let mut lists = Lists::default();
    for collector in collectors(memory, subject.layout, subject.runtime, interpreters)? {
        if collector.collecting {
            warnings.push(
                "The program was collecting garbage when it was read; objects that the collection had set apart may be \
                 missing."
                    .to_owned(),
            );
        }
        lists.heads.extend(collector.heads(subject.layout));
    }
    let at = &subject.layout.object;
    for &head in &lists.heads {
        let mut node = head;
        for place in 0..=SAMPLED {
            let Ok(next) = memory.word(node).map(|word| word & !at.gc_bits) else {
                lists.broken += u64::from(node == head);
                break;
            };
            if lists.heads.contains(&next) {
                break;
            }
            let object = next.wrapping_add(at.gc_head);
            if place == 0 {
                lists.first.push(object);
            }
            lists.sample.push(object);
            node = next;
        }
    }
    Ok(lists)
}

/// The state of each collector that can be read, the main interpreter's first. No list has more than `most` objects.
pub fn states<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    interpreters: &[Interpreter],
    most: u64,
) -> Vec<CollectorState> {
    let Ok(found) = collectors(memory, subject.layout, subject.runtime, interpreters) else {
        return Vec::new();
    };
    // One collector for all interpreters is said to be the main one's, which comes last.
    let ids = interpreters.iter().map(|interpreter| interpreter.id).rev();
    let states = found.iter().rev().zip(ids);
    states
        .filter_map(|(collector, id)| state(memory, subject, collector, id, most).ok())
        .collect()
}

fn state<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    collector: &Collector,
    interpreter: i64,
    most: u64,
) -> Result<CollectorState, Unreadable> {
    let layout = subject.layout;
    let generations = collector.generations(memory, layout)?;
    let generations = generations.iter().map(|generation| GenerationState {
        threshold: generation.threshold,
        count: generation.count,
    });
    Ok(CollectorState {
        interpreter,
        enabled: collector.enabled,
        frozen_objects: collector.frozen(memory, layout, most)?,
        garbage_objects: collector.garbage(memory, layout)?,
        generations: generations.collect(),
    })
}

/// The collector's link in front of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The object is in no list.
    None,
    /// To the next node of its list: a `PyGC_Head`, of an object or of the list itself.
    To(u64),
    /// What it leads to does not lead back.
    Broken,
}

impl Link {
    /// The link of an object that has a `PyGC_Head` in front of it, which begins with `word`.
    #[inline]
    pub fn of<M: ReadMemory>(memory: &mut M, layout: &Layout, object: u64, word: u64) -> Link {
        let node = object.wrapping_sub(layout.object.gc_head);
        let next = word & !layout.object.gc_bits;
        if next == 0 {
            return Link::None;
        }
        match memory.read(next, 16) {
            Ok(head) if word_at(head, 8) & !layout.object.gc_bits == node => Link::To(next),
            _ => Link::Broken,
        }
    }
}
