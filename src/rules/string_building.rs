//! A large text is built by adding to it again and again, and may be copied each time.
//!
//! # What it measures
//!
//! The share of the time that a program spends in `name += …` or `name = name + …`, where `name` is a `str` or `bytes` of
//! 64 KiB or more that grows: from 5 % on. What it would save is one copy of the text at its largest: while it is copied,
//! it is there twice.
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
//! A text cannot change. Each addition makes a new one and copies all that was there, so that twice the pieces take four
//! times the time. CPython avoids the copy for a `str` in a local variable that nothing else holds, and nowhere else.
//!
//! # How to fix
//!
//! Collect the pieces in a list and `join` them at the end, or write them to an `io.StringIO` or `io.BytesIO`.
//!
//! Before:
//!
//! ```python
//! page = b""
//! for row in rows:
//!     page += render(row)
//! ```
//!
//! After:
//!
//! ```python
//! page = b"".join(render(row) for row in rows)
//! ```

use super::busy::{Cause, causes};
use super::finding::{Confidence, Finding, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::Habit;
use crate::units;

pub const RULE: Rule = Rule {
    name: "string-building",
    source: include_str!("string_building.rs"),
    thresholds: &[&BYTES, &SHARE],
    find,
};

const BYTES: Threshold = Threshold {
    rule: "string-building",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 64 << 10,
    unit: Unit::Bytes,
    meaning: "speak of texts from this length on",
};

const SHARE: Threshold = Threshold {
    rule: "string-building",
    name: "share",
    evidence_name: "threshold_share",
    default: 5,
    unit: Unit::Percent,
    meaning: "speak from this share of the time on",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let bytes = evidence.limit(&BYTES);
    let found = causes(evidence, &[Habit::Builds], evidence.limit(&SHARE), |line, each| {
        let is_text = matches!(&*each.type_name, "builtins.str" | "builtins.bytes");
        is_text && each.longest >= bytes && line.rises > 0
    });
    found.iter().map(|cause| finding(cause, evidence)).collect()
}

fn finding(cause: &Cause<'_>, evidence: &Evidence<'_>) -> Finding {
    let kind = cause.object.type_name.trim_start_matches("builtins.");
    let pieces = match kind {
        "bytes" => "b\"\".join(pieces), or write them to an io.BytesIO",
        _ => "\"\".join(pieces), or write them to an io.StringIO",
    };
    let most = cause.object.length;
    Finding {
        rule: RULE.name,
        severity: Severity::Warning,
        confidence: Confidence::Likely,
        summary: format!(
            "{}: {kind}, up to {} long, built piece by piece for {}, in {}",
            cause.object.path,
            units::bytes(most),
            cause.share_of_time(),
            cause.place(),
        ),
        advice: format!(
            "Collect the pieces of {} in a list and use {pieces}.",
            cause.line().operand
        ),
        location: cause.location(),
        object: cause.object.clone(),
        evidence: evidence.beside_thresholds(&RULE, cause.facts(evidence)),
        saving_bytes: Some(most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::{BusyLine, BusyLines};
    use crate::rules::fake_heap::{busy_line, findings_of_patterns, worked_on};

    fn found(type_name: &str, length: u64, rises: u64) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| {
            facts.busy = BusyLines {
                looks: 1000,
                samples: 1000,
                lines: vec![BusyLine {
                    rises,
                    worked_on: vec![worked_on(type_name, length, 30)],
                    ..busy_line(Habit::Builds, 500)
                }],
                unknown: Vec::new(),
            }
        })
    }

    #[test]
    fn a_text_that_grows_is_named_with_its_copy() {
        let found = found("builtins.bytes", 1 << 20, 12);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!(finding.summary.contains("bytes, up to 1.0 MiB long"), "{finding:?}");
        assert!(finding.advice.contains("io.BytesIO"), "{}", finding.advice);
        assert_eq!(finding.saving_bytes, Some(1 << 20));
    }

    #[test]
    fn numbers_short_texts_and_texts_that_stay_are_all_right() {
        assert_eq!(found("int", 0, 12), []);
        assert_eq!(found("builtins.str", 65_535, 12), []);
        assert_eq!(found("builtins.str", 1 << 20, 0), []);
    }
}
