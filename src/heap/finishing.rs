//! The end of a survey: asks who holds whom and what would go with what, and makes data of the answers.

use cpython::memory::ReadMemory;

use super::containers::{self, Watched};
use super::describing::{Besides, Numbering, complete, describe};
use super::detail::Detail;
use super::followed::{self, Earlier};
use super::found::Found;
use super::further::Further;
use super::garbage;
use super::graph::references::{Malformed, References};
use super::leftovers;
use super::live::Live;
use super::newcomers::Newcomers;
use super::objects::HEAP;
use super::owners;
use super::ownership::Ownership;
use super::patterns;
use super::retention::Retention;
use super::survey::Survey;
use super::tasks::{self, Task};
use super::unheld::Unheld;
use super::wanted::Wanted;
use super::{Followed, Heap, Totals, TypeTotals};

impl Survey<'_> {
    /// The heap as data. Asks the memory for what names paths need, and for nothing afterwards. What has grown since the
    /// `earlier` snapshot is described. What costs is found out as far as it is `wanted`.
    pub fn finish<M: ReadMemory>(mut self, memory: &mut M, earlier: &Earlier, wanted: Wanted) -> Heap {
        if !wanted.detail {
            memory.expect_little();
        }
        let layout = self.subject.layout;
        leftovers::resolve(memory, layout, &mut self.found, &self.rows);
        let tasks = tasks::pending(memory, layout, &mut self.walker, &mut self.found);
        let mut owned = Ownership::of(memory, &mut self.found, layout, &self.rows, &tasks);
        let (watched, followed) = self.watch(memory, &owned, earlier);
        let detailed = wanted.detail.then(|| self.describe(memory, &owned, &tasks, wanted));
        let inside = containers::look_inside(&self.found, &watched);
        let descriptors = self.subject.descriptors.as_deref();
        let calls = &self.rows.calls;
        let patterns = patterns::gather(memory, layout, &mut self.found, &owned, calls, descriptors);
        let mut further = Further::of_owners(memory, layout, &mut self.found, &mut owned, wanted);
        let newcomers = earlier.watch.as_ref().map(|watch| Newcomers::of(&self.found, watch));
        let references = self.take_references(&mut owned, &tasks);
        let unheld = std::mem::take(&mut owned.unheld);
        let mut heap = Heap {
            containers: containers::describe(memory, layout, &mut self.found, &owned, &watched, inside),
            types: self.found.types.totals(),
            rejected: self.found.rejected,
            followed,
            newcomers,
            patterns,
            collectors: std::mem::take(&mut self.collectors),
            warnings: std::mem::take(&mut self.warnings),
            ..Heap::default()
        };
        heap.totals = totals(&heap.types);
        heap.warnings.extend(counted_by_formula(&self.found));
        let holders = owned.into_tree();
        let retention = self.retain(memory, references, &unheld, &mut further, &watched, &mut heap);
        heap.detail = detailed.map(|(mut detail, numbering)| {
            let facts = Live::new(memory, layout, &mut self.found);
            complete(&mut detail, facts, &numbering, &heap.types, retention.as_ref());
            detail
        });
        heap.tree = further.ownership_tree(retention.as_ref(), &self.found, &holders);
        heap.type_tree = further.type_tree(&self.found);
        heap.partitions = Some(further.partitions(&self.found));
        heap
    }

    /// The containers that are worth watching, and others that are followed from snapshot to snapshot.
    fn watch<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        owned: &Ownership,
        earlier: &Earlier,
    ) -> (Vec<Watched>, Vec<Followed>) {
        let (walker, found) = (&mut self.walker, &self.found);
        let mut watched = containers::watched(memory, walker, found, owned);
        let large = owned.large();
        owners::rank(memory, walker, found, owned, &large, &mut watched);
        let followed = followed::follow(memory, walker, found, owned, &large, earlier, &mut watched);
        (watched, followed)
    }

    /// Every object and every reference, but for what is known last.
    fn describe<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        owned: &Ownership,
        tasks: &[Task],
        wanted: Wanted,
    ) -> (Detail, Numbering) {
        let besides = Besides {
            tasks,
            adopted: &owned.adopted,
            holders: self.rows.count,
        };
        describe(
            Live::new(memory, self.subject.layout, &mut self.found),
            &besides,
            wanted,
        )
    }

    /// The references as a graph, in which what has no holder has one as well: the last of those that are no objects, and for
    /// tasks the heap.
    fn take_references(&mut self, owned: &mut Ownership, tasks: &[Task]) -> Result<References, Malformed> {
        let mut more = std::mem::take(&mut owned.adopted);
        more.push((HEAP, tasks.iter().map(|task| task.row).collect()));
        self.found.objects.take_references(&more)
    }

    /// Adds to the heap what would go with what, and what is garbage. There is none of it where there is no graph.
    fn retain<M: ReadMemory>(
        &self,
        memory: &mut M,
        references: Result<References, Malformed>,
        unheld: &Unheld,
        further: &mut Further,
        watched: &[Watched],
        heap: &mut Heap,
    ) -> Option<Retention> {
        let found = &self.found;
        let references = references
            .map_err(|cause| heap.warnings.push(format!("Retained sizes are missing: {cause}.")))
            .ok()?;
        let cycles = garbage::cycles(&references, found, unheld);
        further.add_references(&references, found);
        let retention = Retention::of(references, &found.objects);
        for (container, each) in heap.containers.iter_mut().zip(watched) {
            container.retained_bytes = retention.bytes(&found.objects, each.row);
        }
        retention.add_to_types(&found.objects, &found.types, &mut heap.types);
        heap.patterns.add_retained(&retention.with(&found.objects));
        let layout = self.subject.layout;
        heap.garbage = Some(garbage::describe(memory, layout, found, unheld, &cycles, &retention));
        Some(retention)
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
