//! Cycles that nothing holds, and that the collector has not freed.
//!
//! # What it measures
//!
//! Objects that hold each other in a ring and that no root reaches: those with a `__del__` from 10 000 objects or 1 MiB on,
//! and any when the collector is disabled, with all that would be freed with them.
//!
//! # What it looks at
//!
//! The references between all objects, the reference counts, which tell what C code holds, and the state of the collector,
//! so that what it says is certain. Garbage of cycles without a `__del__` waits for the collector as a matter of course, and
//! is no finding while that is enabled.
//!
//! # Why it matters
//!
//! What is in a cycle is not freed when it is let go of but when the collector comes by, which for what has lived long
//! may be late, and never where it was disabled. A `__del__` is run at a time that nobody knows, and may bring objects back
//! to life.
//!
//! # How to fix
//!
//! Let one side of the cycle hold the other by `weakref.ref`. Close resources in a context manager or with
//! `weakref.finalize`, and not in `__del__`. Where the collector is disabled on purpose, call `gc.collect()` between
//! two pieces of work.
//!
//! Before:
//!
//! ```python
//! class Node:
//!     def __init__(self, parent):
//!         self.parent = parent
//!
//!     def __del__(self):
//!         self.close()
//! ```
//!
//! After:
//!
//! ```python
//! class Node:
//!     def __init__(self, parent):
//!         self.parent = weakref.ref(parent)
//! ```

use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::collector::CollectorState;
use crate::heap::garbage::Cycles;
use crate::units;

pub const RULE: Rule = Rule {
    name: "cycle-with-finalizer",
    source: include_str!("cycle_with_finalizer.rs"),
    thresholds: &[&OBJECTS, &BYTES],
    find,
};

const OBJECTS: Threshold = Threshold {
    rule: "cycle-with-finalizer",
    name: "objects",
    evidence_name: "threshold_objects",
    default: 10_000,
    unit: Unit::Items,
    meaning: "speak from this many objects in cycles on, or from `bytes`",
};

const BYTES: Threshold = Threshold {
    rule: "cycle-with-finalizer",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on, or from `objects`",
};

/// So many types stand in the summary.
const TYPES_SHOWN: usize = 3;

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let collectors = &evidence.heap.collectors;
    let is_disabled = collectors.iter().any(|collector| !collector.enabled);
    let groups = evidence.heap.garbage.iter().flat_map(|garbage| &garbage.cycles);
    groups
        .filter(|group| is_disabled || !group.finalizers.is_empty())
        .filter(|group| group.objects >= evidence.limit(&OBJECTS) || group.retained_bytes >= evidence.limit(&BYTES))
        .map(|group| finding(group, is_disabled, evidence))
        .collect()
}

fn finding(group: &Cycles, is_disabled: bool, evidence: &Evidence<'_>) -> Finding {
    let collectors = &evidence.heap.collectors;
    let sum = |of: fn(&CollectorState) -> u64| collectors.iter().map(of).fold(0, u64::saturating_add);
    let facts = vec![
        ("cycles", Fact::Number(group.count)),
        ("objects", Fact::Number(group.objects)),
        ("finalizers", Fact::Text(group.finalizers.join(", "))),
        (
            "collector",
            Fact::Text(if is_disabled { "disabled" } else { "enabled" }.to_owned()),
        ),
        (
            "frozen_objects",
            Fact::Number(sum(|collector| collector.frozen_objects)),
        ),
        ("gc_garbage", Fact::Number(sum(|collector| collector.garbage_objects))),
    ];
    let types: Vec<&str> = group.types.iter().map(|each| each.name.as_str()).collect();
    let shown = types.iter().take(TYPES_SHOWN).copied().collect::<Vec<_>>().join(", ");
    let more = if types.len() > TYPES_SHOWN { ", …" } else { "" };
    let finalizers = match group.finalizers.as_slice() {
        [] => String::new(),
        named => format!(" with a __del__ in {}", named.join(", ")),
    };
    let state = if is_disabled {
        ", and the collector is disabled"
    } else {
        ""
    };
    Finding {
        rule: RULE.name,
        severity: Severity::Warning,
        confidence: Confidence::Certain,
        summary: format!(
            "{} cycles of {shown}{more} that nothing holds{finalizers}{state}, {} retained",
            units::count(group.count),
            units::bytes(group.retained_bytes),
        ),
        advice: advice(is_disabled).to_owned(),
        location: None,
        object: Object {
            address: u64::from_str_radix(group.address.trim_start_matches("0x"), 16).unwrap_or(0),
            type_name: group
                .finalizers
                .first()
                .map(String::as_str)
                .or(types.first().copied())
                .unwrap_or_default()
                .into(),
            length: group.objects,
            bytes: group.retained_bytes,
            retained_bytes: group.retained_bytes,
            path: "(garbage)".to_owned(),
        },
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(group.retained_bytes),
    }
}

fn advice(is_disabled: bool) -> &'static str {
    if is_disabled {
        "Let one side hold the other by weakref.ref, or call gc.collect() between two pieces of work: nobody else frees \
         cycles while the collector is disabled."
    } else {
        "Let one side hold the other by weakref.ref, so that both are freed at once, and close resources in a context \
         manager instead of __del__."
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Heap;
    use crate::heap::garbage::{Garbage, TypeCount};
    use crate::rules::fake_heap::findings_of_heap;

    fn found(finalizers: &[&str], objects: u64, enabled: bool) -> Vec<Finding> {
        let group = Cycles {
            count: objects / 2,
            objects,
            retained_bytes: 100 * objects,
            types: vec![TypeCount {
                name: "tree.Node".to_owned(),
                count: 2,
            }],
            finalizers: finalizers.iter().map(|name| (*name).to_owned()).collect(),
            address: "0x7f31c0de0010".to_owned(),
            ..Cycles::default()
        };
        let heap = Heap {
            garbage: Some(Garbage {
                cycles: vec![group],
                ..Garbage::default()
            }),
            collectors: vec![CollectorState {
                interpreter: 0,
                enabled,
                frozen_objects: 0,
                garbage_objects: 0,
                generations: Vec::new(),
            }],
            ..Heap::default()
        };
        findings_of_heap(&RULE, &heap)
    }

    #[test]
    fn finalizers_are_named() {
        let found = found(&["tree.Node"], 20_000, true);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            finding.summary,
            "10 000 cycles of tree.Node that nothing holds with a __del__ in tree.Node, 1.9 MiB retained"
        );
        assert_eq!(finding.object.address, 0x7f31_c0de_0010);
    }

    #[test]
    fn others_count_while_the_collector_is_disabled() {
        assert_eq!(found(&[], 20_000, true), []);
        assert_eq!(found(&[], 20_000, false).len(), 1);
        assert_eq!(found(&["tree.Node"], 9_999, true), []);
    }
}
