//! A long list or tuple is searched from its beginning each time that it is asked for a member.
//!
//! # What it measures
//!
//! The share of the time that a program spends in `x in name` or `x not in name`, where `name` is a list or tuple of 1 000
//! items or more: from 5 % on.
//!
//! # What it looks at
//!
//! Which instruction runs, some hundred times a second between the snapshots, from outside and without a stop: so it needs a
//! duration, and is silent with `-d 0` and on heaps that were saved without one. The line is parsed, and the names in it are
//! looked up in the call that runs. Time in `__eq__` methods that are called for it counts. Where the source is missing or was
//! changed since the program started, that is said, and nothing is guessed. It is `likely`: time is known by samples.
//!
//! # Why it matters
//!
//! A list compares one item after the other until one is equal, and all of them when none is. A set or dict looks in one
//! place, however many there are.
//!
//! # How to fix
//!
//! Keep a `set` or `frozenset` of what is asked for, beside the list where its order is needed too.
//!
//! Before:
//!
//! ```python
//! BLOCKED = load_addresses()
//!
//! def accept(address):
//!     return address not in BLOCKED
//! ```
//!
//! After:
//!
//! ```python
//! BLOCKED = frozenset(load_addresses())
//!
//! def accept(address):
//!     return address not in BLOCKED
//! ```

use super::busy::{Cause, causes};
use super::finding::{Confidence, Finding, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::Habit;
use crate::units;

pub const RULE: Rule = Rule {
    name: "list-membership",
    source: include_str!("list_membership.rs"),
    thresholds: &[&ITEMS, &SHARE],
    find,
};

const ITEMS: Threshold = Threshold {
    rule: "list-membership",
    name: "items",
    evidence_name: "threshold_items",
    default: 1000,
    unit: Unit::Items,
    meaning: "speak of lists from this length on",
};

pub const SHARE: Threshold = Threshold {
    rule: "list-membership",
    name: "share",
    evidence_name: "threshold_share",
    default: 5,
    unit: Unit::Percent,
    meaning: "speak from this share of the time on",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let items = evidence.limit(&ITEMS);
    let found = causes(evidence, &[Habit::Membership], evidence.limit(&SHARE), |_, each| {
        matches!(&*each.type_name, "builtins.list" | "builtins.tuple") && each.longest >= items
    });
    found.iter().map(|cause| finding(cause, evidence)).collect()
}

fn finding(cause: &Cause<'_>, evidence: &Evidence<'_>) -> Finding {
    let kind = cause.object.type_name.trim_start_matches("builtins.");
    Finding {
        rule: RULE.name,
        severity: Severity::Warning,
        confidence: Confidence::Likely,
        summary: format!(
            "{}: {kind}, {}, searched item by item for {}, in {}",
            cause.object.path,
            units::items(cause.object.length),
            cause.share_of_time(),
            cause.place(),
        ),
        advice: format!(
            "Ask a set: keep {} as a set or frozenset, or one beside it if its order is needed.",
            cause.line().operand
        ),
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

    fn found(lines: Vec<BusyLine>) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| {
            facts.busy = BusyLines {
                looks: 1000,
                samples: 1000,
                lines,
                unknown: Vec::new(),
            }
        })
    }

    #[test]
    fn the_share_is_that_of_long_lists() {
        let often_short = BusyLine {
            worked_on: vec![
                worked_on("builtins.list", 5000, 30),
                worked_on("builtins.list", 200, 10),
                worked_on("set", 0, 20),
            ],
            ..busy_line(Habit::Membership, 400)
        };
        let found = found(vec![often_short]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            finding.summary,
            "shop.BLOCKED: list, 5 000 items, searched item by item for 20 % of the time, in accept(), line 7: return name in \
             BLOCKED"
        );
        assert_eq!(finding.location.as_ref().map(|at| at.line), Some(7));
        assert_eq!(finding.saving_bytes, None);
    }

    #[test]
    fn lines_that_search_one_list_are_one_cause() {
        let line = |number: u32| BusyLine {
            line: number,
            worked_on: vec![worked_on("builtins.tuple", 1000, 5)],
            ..busy_line(Habit::Membership, 30)
        };
        let found = found(vec![line(7), line(9)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].summary.contains("6 % of the time"), "{}", found[0].summary);
    }

    #[test]
    fn little_time_and_short_lists_are_all_right() {
        let line = |samples: u64, length: u64| BusyLine {
            worked_on: vec![worked_on("builtins.list", length, 5)],
            ..busy_line(Habit::Membership, samples)
        };
        assert_eq!(found(vec![line(49, 100_000)]), []);
        assert_eq!(found(vec![line(900, 999)]), []);
        assert_eq!(
            found(vec![BusyLine {
                worked_on: Vec::new(),
                ..line(900, 0)
            }]),
            []
        );
    }
}
