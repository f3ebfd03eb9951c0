//! What the garbage collector knows: the members of its lists.

use cpython::memory::{ReadMemory, Unreadable, word_at};
use cpython::runtime::{Interpreter, collectors};

use super::survey::Subject;
use crate::memory::marks::{Marked, Marks};

/// The objects that the collectors of a process track.
pub struct Tracked {
    pub marks: Marks,
    pub count: u64,
    /// Some of them, from all over the lists.
    pub sample: Vec<u64>,
    /// Lists that broke off.
    pub broken: u64,
}

/// Every so many objects one is put into the sample.
const SAMPLE_STEP: u64 = 31;
const SAMPLE_MOST: usize = 400;

/// Walks all lists of all collectors.
pub fn tracked<M: ReadMemory>(
    memory: &mut M,
    subject: &Subject,
    interpreters: &[Interpreter],
    warnings: &mut Vec<String>,
) -> Result<Tracked, Unreadable> {
    let marks = Marks::new(subject.slots.clone());
    let mut tracked = Tracked {
        marks,
        count: 0,
        sample: Vec::new(),
        broken: 0,
    };
    for collector in collectors(memory, subject.layout, subject.runtime, interpreters)? {
        if collector.collecting {
            warnings.push(
                "The program was collecting garbage when it was read; objects that the collection had set apart may be \
                 missing."
                    .to_owned(),
            );
        }
        for head in collector.heads(subject.layout) {
            if !tracked.walk(memory, subject, head) {
                tracked.broken += 1;
            }
        }
    }
    if tracked.broken > 0 {
        warnings.push(format!(
            "{} of the collector's lists could not be read to their end.",
            tracked.broken
        ));
    }
    Ok(tracked)
}

impl Tracked {
    /// Marks every object of the ring at `head`; answers whether it led back there.
    fn walk<M: ReadMemory>(&mut self, memory: &mut M, subject: &Subject, head: u64) -> bool {
        let at = &subject.layout.object;
        let next_of = |node: &[u8]| word_at(node, 0) & !at.gc_bits;
        let Ok(mut node) = memory.read(head, at.gc_head as usize).map(next_of) else {
            return false;
        };
        while node != head {
            let object = node.wrapping_add(at.gc_head);
            // An object that was met before, or cannot be one, means that the lists change under our hands.
            if self.marks.mark(object) != Marked::First {
                return false;
            }
            if self.count.is_multiple_of(SAMPLE_STEP) && self.sample.len() < SAMPLE_MOST {
                self.sample.push(object);
            }
            self.count += 1;
            match memory.read(node, at.gc_head as usize) {
                Ok(bytes) => node = next_of(bytes),
                Err(_) => return false,
            }
        }
        true
    }
}
