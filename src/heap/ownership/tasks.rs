//! The turn of tasks: what their calls hold is followed before what threads hold, all else of them after it.

use cpython::memory::ReadMemory;

use super::{Owner, Ownership, Reader};
use crate::heap::Place;
use crate::heap::objects::HEAP;
use crate::heap::tasks::Task;
use crate::heap::tree::Step;

impl Ownership {
    /// Follows what the calls of tasks hold, whose first holder is the task, not what will wake it up.
    pub(super) fn walk_calls<M: ReadMemory>(&mut self, reader: &mut Reader<M>, tasks: &[Task]) -> usize {
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
        for task in tasks.iter().filter(|task| task.holder != task.row) {
            self.follow_to(reader, task.row, task.holder);
        }
        // What else tasks and these dicts hold is followed when it is their turn.
        let done = self.order.len();
        for task in tasks {
            self.follow_to(reader, task.holder, task.coroutine);
        }
        self.walk(reader, done)
    }

    /// Follows what else tasks hold: their loop, whom they wait for, their context.
    pub(super) fn walk_tasks<M: ReadMemory>(&mut self, reader: &mut Reader<M>, tasks: &[Task], done: usize) -> usize {
        for task in tasks {
            self.follow(reader, task.row, reader.objects.references(task.row));
            self.follow(reader, task.holder, reader.objects.references(task.holder));
        }
        self.walk(reader, done)
    }

    /// Follows the reference of `holder` to `row`.
    fn follow_to<M: ReadMemory>(&mut self, reader: &mut Reader<M>, holder: u32, row: u32) {
        let references = reader.objects.references(holder);
        if let Some(reference) = references.iter().find(|reference| reference.target == row) {
            self.follow(reader, holder, std::slice::from_ref(reference));
        }
    }
}
