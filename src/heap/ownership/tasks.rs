//! The turn of tasks: what their calls hold is followed before what threads hold, all else of them after it.

use cpython::memory::ReadMemory;

use super::{Owner, Ownership, Reader};
use crate::heap::Place;
use crate::heap::objects::HEAP;
use crate::heap::tasks::Task;
use crate::heap::tree::{Held, Step};

impl Ownership {
    /// Follows what the calls of tasks hold, whose first holder is the task, not what will wake it up.
    pub(super) fn walk_calls<M: ReadMemory>(&mut self, reader: &mut Reader<M>, tasks: &[Task], done: usize) -> usize {
        for task in tasks {
            let (type_of, bytes) = reader.objects.type_and_bytes(task.row);
            let held = Held {
                label: task.label,
                in_namespace: false,
                type_of,
            };
            self.owners[task.row as usize] = Owner {
                parent: HEAP,
                label: task.label,
                frame: self.tree.frame_of_step(Step::Name(task.kind), type_of),
                place: Place::Elsewhere,
            };
            self.reached += 1;
            self.claim_holder(reader, HEAP, held, task.row, bytes);
        }
        for task in tasks {
            let references = reader.objects.references(task.row).iter();
            for reference in references.filter(|reference| reference.target == task.coroutine) {
                self.reach(reader, task.row, false, *reference);
            }
        }
        self.walk(reader, done)
    }

    /// Follows what else tasks hold: their loop, whom they wait for, their context.
    pub(super) fn walk_tasks<M: ReadMemory>(&mut self, reader: &mut Reader<M>, tasks: &[Task], done: usize) -> usize {
        for task in tasks {
            for reference in reader.objects.references(task.row) {
                self.reach(reader, task.row, false, *reference);
            }
        }
        self.walk(reader, done)
    }
}
