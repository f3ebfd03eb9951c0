//! A large object that a function is done with, and keeps while it goes on.
//!
//! # What it measures
//!
//! Objects of 1 MiB or more that nothing holds but a local variable of a call under way, which is never read again from
//! where the call stands: of functions that run or wait, and of generators and coroutines that wait for their next turn.
//!
//! # What it looks at
//!
//! The instructions of the function: whether any way onwards reads the variable before it is given another value, by
//! jumps, loops and the handlers of exceptions. A variable that an inner function shares is never reported, nor any
//! of a function that asks for `locals()` or the like. That makes it certain. What the object retains would be free if
//! the variable were deleted.
//!
//! # Why it matters
//!
//! A variable holds its value until the function returns. One that serves, waits or works for a long time keeps all that
//! it needed at its beginning, and each of many coroutines keeps its own.
//!
//! # How to fix
//!
//! Delete the variable behind its last use, or move what needs the object into a function of its own, which returns the
//! result alone.
//!
//! Before:
//!
//! ```python
//! def main():
//!     rows = read(path)
//!     totals = sum_up(rows)
//!     serve(totals)
//! ```
//!
//! After:
//!
//! ```python
//! def main():
//!     rows = read(path)
//!     totals = sum_up(rows)
//!     del rows
//!     serve(totals)
//! ```

use rustc_hash::FxHashMap;

use super::finding::{Confidence, Fact, Finding, Location, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::Temporary;
use crate::units;

pub const RULE: Rule = Rule {
    name: "large-temporary",
    source: include_str!("large_temporary.rs"),
    thresholds: &[&BYTES],
    find,
};

const BYTES: Threshold = Threshold {
    rule: "large-temporary",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let least = evidence.limit(&BYTES);
    let large = |each: &&Temporary| each.subject.retained_bytes >= least;
    let all: Vec<&Temporary> = evidence.heap.patterns.temporaries.iter().filter(large).collect();
    causes(&all).iter().map(|calls| finding(calls, evidence)).collect()
}

/// The same variables of calls of the same function that stand in the same line, each time; the largest of them first.
fn causes<'a>(all: &[&'a Temporary]) -> Vec<Vec<&'a Temporary>> {
    let mut causes: Vec<Vec<&Temporary>> = Vec::new();
    let mut known = FxHashMap::default();
    for &each in all {
        let place = (&each.file, &each.function, each.line, &each.names);
        let cause = *known.entry(place).or_insert_with(|| {
            causes.push(Vec::new());
            causes.len() - 1
        });
        causes[cause].push(each);
    }
    for calls in &mut causes {
        calls.sort_by_key(|each| std::cmp::Reverse(each.subject.retained_bytes));
    }
    causes
}

/// `calls` are one or more.
fn finding(calls: &[&Temporary], evidence: &Evidence<'_>) -> Finding {
    let first = calls[0];
    let sizes = calls.iter().map(|each| each.subject.retained_bytes);
    let saving = sizes.fold(0, u64::saturating_add);
    let mut facts = vec![
        ("variable", Fact::Text(first.names.join(", "))),
        ("retained_bytes", Fact::Number(first.subject.retained_bytes)),
    ];
    if calls.len() > 1 {
        facts.push(("calls", Fact::Number(calls.len() as u64)));
    }
    Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Certain,
        summary: summary(first, calls.len(), saving),
        advice: advice(first),
        location: Some(Location {
            file: first.file.clone(),
            line: first.line,
            function: first.function.clone(),
        }),
        object: Object::of_subject(&first.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(saving),
    }
}

fn summary(first: &Temporary, calls: usize, saving: u64) -> String {
    let Temporary { subject, line, .. } = first;
    let kind = subject.type_name.trim_start_matches("builtins.");
    let alike = match calls {
        1 => String::new(),
        _ => format!(
            ", {} in {} such calls",
            units::bytes(saving),
            units::count(calls as u64)
        ),
    };
    format!(
        "{}: {kind}, {} retained{alike}, never read again from line {line} on",
        subject.path,
        units::bytes(subject.retained_bytes),
    )
}

fn advice(first: &Temporary) -> String {
    format!(
        "Write `del {}` behind its last use in {}(), or let a function of its own read it, work on it and return the result.",
        first.names.join(", "),
        first.function,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    fn temporary(thread: &str, line: u32, retained_bytes: u64) -> Temporary {
        Temporary {
            subject: Subject {
                path: format!("thread {thread} > main() at app.py:{line} > rows"),
                type_name: "builtins.list".into(),
                retained_bytes,
                ..Subject::default()
            },
            names: vec!["rows".into()],
            function: "main".to_owned(),
            file: "/srv/app.py".to_owned(),
            line,
        }
    }

    fn found(temporaries: Vec<Temporary>) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.temporaries = temporaries)
    }

    #[test]
    fn the_variable_and_its_call_are_named() {
        let found = found(vec![
            temporary("MainThread", 7, 3 << 20),
            temporary("small", 9, 1 << 19),
        ]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            finding.summary,
            "thread MainThread > main() at app.py:7 > rows: list, 3.0 MiB retained, never read again from line 7 on"
        );
        assert!(finding.advice.contains("`del rows`"), "{}", finding.advice);
        let location = finding.location.as_ref().map(|at| (at.line, at.function.as_str()));
        assert_eq!(location, Some((7, "main")));
        assert_eq!(finding.saving_bytes, Some(3 << 20));
    }

    #[test]
    fn calls_that_stand_in_one_place_are_one_cause() {
        let calls = vec![
            temporary("a", 7, 2 << 20),
            temporary("b", 7, 4 << 20),
            temporary("c", 8, 1 << 20),
        ];
        let found = found(calls);
        let savings: Vec<Option<u64>> = found.iter().map(|finding| finding.saving_bytes).collect();
        assert_eq!(savings, [Some(6 << 20), Some(1 << 20)]);
        let summary = &found[0].summary;
        assert!(
            summary.contains("4.0 MiB retained, 6.0 MiB in 2 such calls"),
            "{summary}"
        );
    }
}
