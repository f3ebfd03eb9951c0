//! What the garbage collector knows: the lists of the objects that it tracks.

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, Unreadable, word_at};
use cpython::runtime::{Interpreter, collectors};

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
