//! Occurrences are counted by hand in a dict.
//!
//! # What it measures
//!
//! Dicts of 100 keys or more that are filled by `counts[key] = counts.get(key, 0) + 1`, or by `counts[key] += 1` where it is
//! asked first whether the key is there, or a `KeyError` caught; where a program spends 1 % of its time or more.
//!
//! # What it looks at
//!
//! Which instruction runs, some hundred times a second between the snapshots, from outside and without a stop: so it needs a
//! duration, and is silent with `-d 0` and on heaps that were saved without one. The line is parsed, and the names in it are
//! looked up in the call that runs. Where the source is missing or was changed since the program started, nothing is guessed.
//!
//! # Why it matters
//!
//! `collections.Counter` says what is meant, counts an iterable in C, and has `most_common`, sums and differences. It takes as
//! much memory as the dict: this is a matter of clarity, and `info`.
//!
//! # How to fix
//!
//! Before:
//!
//! ```python
//! counts = {}
//! for word in words:
//!     counts[word] = counts.get(word, 0) + 1
//! ```
//!
//! After:
//!
//! ```python
//! counts = collections.Counter(words)
//! ```

use super::busy::{Cause, causes};
use super::finding::{Confidence, Finding, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::Habit;
use crate::units;

pub const RULE: Rule = Rule {
    name: "counting-dict",
    source: include_str!("counting_dict.rs"),
    thresholds: &[&ITEMS, &SHARE],
    find,
};

const ITEMS: Threshold = Threshold {
    rule: "counting-dict",
    name: "items",
    evidence_name: "threshold_items",
    default: 100,
    unit: Unit::Items,
    meaning: "speak of dicts from so many keys on",
};

const SHARE: Threshold = Threshold {
    rule: "counting-dict",
    name: "share",
    evidence_name: "threshold_share",
    default: 1,
    unit: Unit::Percent,
    meaning: "speak from this share of the time on",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let items = evidence.limit(&ITEMS);
    let found = causes(evidence, &[Habit::Counts], evidence.limit(&SHARE), |_, each| {
        &*each.type_name == "builtins.dict" && each.longest >= items
    });
    found.iter().map(|cause| finding(cause, evidence)).collect()
}

fn finding(cause: &Cause<'_>, evidence: &Evidence<'_>) -> Finding {
    Finding {
        rule: RULE.name,
        severity: Severity::Info,
        confidence: Confidence::Likely,
        summary: format!(
            "{}: dict, {}, counts by hand, in {}",
            cause.object.path,
            units::items(cause.object.length),
            cause.place(),
        ),
        advice: format!(
            "Make {} a collections.Counter: it counts an iterable in C, and says what is meant.",
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

    fn found(type_name: &str, length: u64) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| {
            facts.busy = BusyLines {
                looks: 1000,
                samples: 1000,
                lines: vec![BusyLine {
                    worked_on: vec![worked_on(type_name, length, 30)],
                    ..busy_line(Habit::Counts, 100)
                }],
                unknown: Vec::new(),
            }
        })
    }

    #[test]
    fn a_dict_of_counts_is_a_matter_of_clarity() {
        let found = found("builtins.dict", 700);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((finding.severity, finding.saving_bytes), (Severity::Info, None));
        assert!(
            finding.summary.contains("dict, 700 items, counts by hand"),
            "{finding:?}"
        );
    }

    #[test]
    fn few_keys_and_counters_are_all_right() {
        assert_eq!(found("builtins.dict", 99), []);
        assert_eq!(found("Counter", 0), []);
    }
}
