//! The holders that are no objects, while roots are gathered: the heap as a whole, threads, frames, the interpreter; and
//! what they hold.

use super::calls::ThreadCall;
use super::found::Found;
use super::labels::{Label, LabelKind};
use super::objects::{HEAP, NO_SPOT};
use crate::memory::spots::Spot;

/// What a holder holds.
#[derive(Debug, Clone, Copy)]
enum Held {
    Object(Spot),
    /// Another holder, by its row.
    Holder(u32),
}

/// Holders and what they hold.
#[derive(Debug)]
pub struct Holders {
    count: u32,
    held: Vec<(u32, Label, Held)>,
    /// Up to where each phase goes among what the heap as a whole holds.
    phases: Vec<usize>,
    /// The calls that threads are in.
    pub calls: Vec<ThreadCall>,
}

/// How the first rows of the heap came out.
pub struct Rows {
    /// How many rows are no objects.
    pub count: usize,
    /// References that lead to such rows.
    pub held: Vec<(usize, u32)>,
    /// What the heap as a whole holds, in the order in which it is followed: each phase to its end before the next.
    pub phases: Vec<std::ops::Range<usize>>,
    /// The calls that threads are in.
    pub calls: Vec<ThreadCall>,
}

impl Rows {
    /// The rows that hold what no root reaches: the first what C code holds, the second what is garbage.
    pub fn adopters(&self) -> [u32; 2] {
        [self.count as u32 - 2, self.count as u32 - 1]
    }
}

impl Holders {
    pub fn new() -> Self {
        Holders {
            count: HEAP + 1,
            held: Vec::new(),
            phases: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Adds a holder that `parent` holds, and answers its row.
    pub fn add(&mut self, found: &mut Found, parent: u32, name: &str) -> u32 {
        let row = self.count;
        self.count += 1;
        let label = Label::new(LabelKind::Attribute, u64::from(found.names.text(name)));
        self.held.push((parent, label, Held::Holder(row)));
        row
    }

    /// Adds an object that `holder` holds under a name.
    pub fn hold(&mut self, found: &mut Found, holder: u32, name: &str, address: u64) {
        if address != 0
            && let Some(spot) = found.meet(address)
        {
            let label = Label::new(LabelKind::Attribute, u64::from(found.names.text(name)));
            self.held.push((holder, label, Held::Object(spot)));
        }
    }

    /// Adds everything that `tell` tells `found` of.
    pub fn hold_told(&mut self, found: &mut Found, holder: u32, tell: impl FnOnce(&mut Found)) {
        let before = found.objects.reference_count();
        tell(found);
        for told in found.objects.take_back(before) {
            self.held.push((holder, told.label, Held::Object(told.target)));
        }
    }

    /// What the heap holds from now on is followed after all that it holds so far.
    pub fn end_phase(&mut self) {
        let of_heap = self.held.iter().filter(|(holder, ..)| *holder == HEAP).count();
        self.phases.push(of_heap);
    }

    /// Writes all holders as the heap's first rows.
    pub fn finish(mut self, found: &mut Found) -> Rows {
        self.held.sort_by_key(|(holder, ..)| *holder);
        let mut all = self.held.into_iter().peekable();
        let mut held = Vec::new();
        for row in 0..self.count {
            while let Some((_, label, what)) = all.next_if(|(holder, ..)| *holder == row) {
                let spot = match what {
                    Held::Object(spot) => spot,
                    Held::Holder(row) => {
                        held.push((found.objects.reference_count(), row));
                        NO_SPOT
                    }
                };
                found.objects.refer(spot, label);
            }
            found.push_holder();
        }
        let starts = std::iter::once(0).chain(self.phases.iter().copied());
        Rows {
            count: self.count as usize,
            held,
            calls: self.calls,
            phases: starts
                .zip(self.phases.iter().copied())
                .map(|(start, end)| start..end)
                .collect(),
        }
    }
}
