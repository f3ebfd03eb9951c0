//! Tasks and futures that are done pile up.
//!
//! # What it measures
//!
//! Tasks and futures of `asyncio`, and futures of `concurrent.futures`, that are done and held alike, such as by one set or
//! list: from 10 000 on, or when they retain 1 MiB or more with their results.
//!
//! # What it looks at
//!
//! Whether each has its result or its exception, so that what it counts is certain. Tasks that wait are none of it.
//!
//! # Why it matters
//!
//! A task keeps its result or its exception, with the traceback and all variables of the calls in it, its coroutine and its
//! context. A set of background tasks that nobody clears grows with every request.
//!
//! # How to fix
//!
//! Take each out when it is done: `task.add_done_callback(TASKS.discard)`, or `asyncio.TaskGroup`, which does. Take the
//! results of futures as they come (`as_completed`) and keep the results, not the futures.
//!
//! Before:
//!
//! ```python
//! TASKS.add(asyncio.create_task(notify(order)))
//! ```
//!
//! After:
//!
//! ```python
//! task = asyncio.create_task(notify(order))
//! TASKS.add(task)
//! task.add_done_callback(TASKS.discard)
//! ```

use super::finding::Finding;
use super::piles::{self, Piles};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::units;

pub const RULE: Rule = Rule {
    name: "finished-tasks",
    source: include_str!("finished_tasks.rs"),
    thresholds: &[&TASKS, &BYTES],
    find,
};

const TASKS: Threshold = Threshold {
    rule: "finished-tasks",
    name: "tasks",
    evidence_name: "threshold_tasks",
    default: 10_000,
    unit: Unit::Items,
    meaning: "speak from this many on, or from `bytes`; fewer than 100 in one place are never counted",
};

const BYTES: Threshold = Threshold {
    rule: "finished-tasks",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on, or from `tasks`",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let finished = &evidence.heap.patterns.finished;
    let all = piles::large(finished, evidence, &TASKS, &BYTES);
    all.iter().map(|piles| finding(piles, evidence)).collect()
}

fn finding(piles: &Piles<'_>, evidence: &Evidence<'_>) -> Finding {
    let (objects, advice) = match piles.most.type_name.ends_with("Task") {
        true => (
            "tasks",
            "Take each task out when it is done: task.add_done_callback(tasks.discard), or use an asyncio.TaskGroup.",
        ),
        false => (
            "futures",
            "Take the results as they come, with as_completed, and let go of the futures.",
        ),
    };
    let summary = format!(
        "{}: {} {objects} that are done, {} retained",
        piles.most.subject.path,
        units::count(piles.count),
        units::bytes(piles.bytes),
    );
    piles.finding(&RULE, evidence, summary, advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::{Pile, Subject};
    use crate::rules::fake_heap::findings_of_patterns;

    fn found(count: u64, retained_bytes: u64) -> Vec<Finding> {
        let finished = vec![Pile {
            subject: Subject {
                path: "shop.TASKS".to_owned(),
                ..Subject::default()
            },
            first: "shop.TASKS > _asyncio.Task".to_owned(),
            type_name: "_asyncio.Task".to_owned(),
            count,
            retained_bytes,
            ..Pile::default()
        }];
        findings_of_patterns(&RULE, |facts| facts.finished = finished)
    }

    #[test]
    fn many_or_large_ones_are_found() {
        let by_bytes = found(1_500, 2 << 20);
        assert_eq!(
            by_bytes[0].summary,
            "shop.TASKS: 1 500 tasks that are done, 2.0 MiB retained"
        );
        assert_eq!(by_bytes[0].saving_bytes, Some(2 << 20));
        assert_eq!(found(10_000, 0).len(), 1);
        assert_eq!(found(9_999, (1 << 20) - 1), []);
    }
}
