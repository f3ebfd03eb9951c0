//! A long list is used as a queue: each time that its first item goes or comes, all others move.
//!
//! # What it measures
//!
//! The share of the time that a program spends in `name.pop(0)`, `name.insert(0, …)`, `del name[0]` and `name = name[1:]`,
//! where `name` is a list of 1 000 items or more: from 5 % on.
//!
//! # What it looks at
//!
//! Which instruction runs, some hundred times a second between the snapshots, from outside and without a stop: so it needs a
//! duration, and is silent with `-d 0` and on heaps that were saved without one. The line is parsed, and the names in it are
//! looked up in the call that runs. Where the source is missing or was changed since the program started, nothing is guessed.
//! It is `likely`: time is known by samples.
//!
//! # Why it matters
//!
//! The items of a list stand side by side. With the first one all others are moved by a place, eight bytes each. A slice
//! copies all of them.
//!
//! # How to fix
//!
//! Use a `collections.deque`: `popleft()` and `appendleft()` take the same time however long it is.
//!
//! Before:
//!
//! ```python
//! while waiting:
//!     handle(waiting.pop(0))
//! ```
//!
//! After:
//!
//! ```python
//! waiting = collections.deque(waiting)
//! while waiting:
//!     handle(waiting.popleft())
//! ```

use super::busy::{Cause, causes};
use super::finding::{Confidence, Finding, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::Habit;
use crate::units;

pub const RULE: Rule = Rule {
    name: "list-as-queue",
    source: include_str!("list_as_queue.rs"),
    thresholds: &[&ITEMS, &SHARE],
    find,
};

const ITEMS: Threshold = Threshold {
    rule: "list-as-queue",
    name: "items",
    evidence_name: "threshold_items",
    default: 1000,
    unit: Unit::Items,
    meaning: "speak of lists from this length on",
};

const SHARE: Threshold = Threshold {
    rule: "list-as-queue",
    name: "share",
    evidence_name: "threshold_share",
    default: 5,
    unit: Unit::Percent,
    meaning: "speak from this share of the time on",
};

const HABITS: [Habit; 4] = [
    Habit::TakesFirst,
    Habit::InsertsFirst,
    Habit::DeletesFirst,
    Habit::SlicesFirst,
];

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let items = evidence.limit(&ITEMS);
    let found = causes(evidence, &HABITS, evidence.limit(&SHARE), |_, each| {
        &*each.type_name == "builtins.list" && each.longest >= items
    });
    found.iter().map(|cause| finding(cause, evidence)).collect()
}

fn finding(cause: &Cause<'_>, evidence: &Evidence<'_>) -> Finding {
    let operand = &cause.line().operand;
    let (what, instead) = match cause.line().habit {
        Habit::InsertsFirst => (format!("{operand}.insert(0, …)"), "appendleft()"),
        Habit::DeletesFirst => (format!("del {operand}[0]"), "popleft()"),
        Habit::SlicesFirst => (format!("{operand} = {operand}[1:]"), "popleft()"),
        _ => (format!("{operand}.pop(0)"), "popleft()"),
    };
    Finding {
        rule: RULE.name,
        severity: Severity::Warning,
        confidence: Confidence::Likely,
        summary: format!(
            "{}: list, {}, all moved by {what} for {}, in {}",
            cause.object.path,
            units::items(cause.object.length),
            cause.share_of_time(),
            cause.place(),
        ),
        advice: format!("Make {operand} a collections.deque, and use {instead} in place of {what}."),
        location: cause.location(),
        object: cause.object.clone(),
        evidence: evidence.beside_thresholds(&RULE, cause.facts(evidence)),
        saving_bytes: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::{BusyLine, BusyLines};
    use crate::rules::fake_heap::{busy_line, findings_of_patterns, worked_on};

    fn found(habit: Habit, type_name: &str, length: u64) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| {
            facts.busy = BusyLines {
                looks: 1000,
                samples: 1000,
                lines: vec![BusyLine {
                    worked_on: vec![worked_on(type_name, length, 30)],
                    ..busy_line(habit, 330)
                }],
                unknown: Vec::new(),
            }
        })
    }

    #[test]
    fn the_operation_and_what_stands_in_its_place_are_named() {
        let found = found(Habit::InsertsFirst, "builtins.list", 20_000);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!(
            finding
                .summary
                .contains("all moved by BLOCKED.insert(0, …) for 33 % of the time"),
            "{finding:?}"
        );
        assert!(finding.advice.contains("appendleft()"), "{}", finding.advice);
    }

    #[test]
    fn what_is_no_long_list_is_none_of_it() {
        assert_eq!(found(Habit::TakesFirst, "builtins.list", 999), []);
        assert_eq!(found(Habit::TakesFirst, "bytearray", 0), []);
        assert_eq!(found(Habit::Membership, "builtins.list", 20_000), []);
    }
}
