//! The turn of tasks: what their calls hold is followed before what threads hold, all else of them after it.

use cpython::memory::ReadMemory;

use super::{Owner, Ownership, Reader};
use crate::heap::Place;
use crate::heap::objects::{HEAP, Reference};
use crate::heap::tasks::Task;
use crate::heap::tree::Step;

impl Ownership {
    /// Follows what the calls of tasks hold, whose first holder is the task, not what will wake it up.
    pub(super) fn walk_calls<M: ReadMemory>(&mut self, reader: &mut Reader<M>, tasks: &[Task], done: usize) -> usize {
        for task in tasks {
            let type_of = reader.objects.type_of(task.row);
            let frame = self.tree.frame_of_step(Step::Name(task.kind), type_of);
            self.tree.add(frame, reader.objects.bytes(task.row));
            let owner = Owner {
                parent: HEAP,
                label: task.label,
                frame,
                place: Place::Elsewhere,
            };
            self.owners[task.row as usize] = owner.into();
            self.order.push(task.row);
        }
        for task in tasks {
            let references = reader.objects.references(task.row);
            let is_call = |reference: &&Reference| reference.target == task.coroutine;
            if let Some(call) = references.iter().find(is_call) {
                self.follow(reader, task.row, std::slice::from_ref(call));
            }
        }
        self.walk(reader, done)
    }

    /// Follows what else tasks hold: their loop, whom they wait for, their context.
    pub(super) fn walk_tasks<M: ReadMemory>(&mut self, reader: &mut Reader<M>, tasks: &[Task], done: usize) -> usize {
        for task in tasks {
            self.follow(reader, task.row, reader.objects.references(task.row));
        }
        self.walk(reader, done)
    }
}
