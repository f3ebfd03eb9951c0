//! Files or sockets stay open that nobody closes.
//!
//! # What it measures
//!
//! Open files, pipes and sockets that are held alike from a module or a class, 100 or more, and those in garbage, 10 or
//! more: their descriptors, and what their objects take with buffers.
//!
//! # What it looks at
//!
//! The descriptor in each object of `io.FileIO` and `socket.socket`, and whether the process has it open at the same moment;
//! then they are counted for `certain`. A core file has no list of open descriptors, and its findings are `likely`. What
//! something else than that one container holds as well is in use: an event loop that waits for it, a call under way.
//! Memory maps and what C libraries have open for themselves, such as `sqlite3`, are not seen.
//!
//! # Why it matters
//!
//! A process may have only so many descriptors, often 1 024; then every `open()` and every connection fails. What has been
//! written may stand in a buffer for as long as the file is open. Files in a cycle are closed when the collector comes by,
//! and not before.
//!
//! # How to fix
//!
//! Let a `with` block close each when its work is done, or a `contextlib.ExitStack` where there are many. Keep names and
//! addresses rather than open files, or a bounded pool of connections.
//!
//! Before:
//!
//! ```python
//! def first_line(path):
//!     file = open(path)
//!     FILES.append(file)
//!     return file.readline()
//! ```
//!
//! After:
//!
//! ```python
//! def first_line(path):
//!     with open(path) as file:
//!         return file.readline()
//! ```

use super::alike::{Alike, held_alike};
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::whose::is_garbage;
use super::{Evidence, Rule};
use crate::heap::patterns::OpenResources;
use crate::units;

pub const RULE: Rule = Rule {
    name: "unclosed-resource",
    source: include_str!("unclosed_resource.rs"),
    thresholds: &[&DESCRIPTORS, &IN_GARBAGE],
    find,
};

const DESCRIPTORS: Threshold = Threshold {
    rule: "unclosed-resource",
    name: "descriptors",
    evidence_name: "threshold_descriptors",
    default: 100,
    unit: Unit::Items,
    meaning: "speak from this many that are held alike on; fewer than 10 in all are never counted",
};

const IN_GARBAGE: Threshold = Threshold {
    rule: "unclosed-resource",
    name: "in-garbage",
    evidence_name: "threshold_in_garbage",
    default: 10,
    unit: Unit::Items,
    meaning: "speak from this many that only garbage holds on",
};

/// Where event loops keep what they wait for (`selectors`, Lib/selectors.py).
const WAITED_FOR: [&str; 2] = ["._selector", "._fd_to_key"];

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let resources = evidence.heap.patterns.resources.iter();
    let is_waited_for = |each: &OpenResources| WAITED_FOR.iter().any(|part| each.pile.first.contains(part));
    let all = held_alike(
        resources.filter(|each| !is_waited_for(each)),
        |each| &each.pile.first,
        |each| each.are_files,
    );
    all.iter().filter_map(|alike| finding(alike, evidence)).collect()
}

fn finding(alike: &Alike<'_, OpenResources>, evidence: &Evidence<'_>) -> Option<Finding> {
    let most = alike.heaviest(|each| each.pile.count)?;
    let count = alike.sum(|each| each.pile.count);
    let bytes = alike.sum(|each| each.pile.retained_bytes);
    let in_garbage = is_garbage(&most.pile.first);
    let threshold = if in_garbage { &IN_GARBAGE } else { &DESCRIPTORS };
    if count < evidence.limit(threshold) {
        return None;
    }
    let facts = vec![
        ("descriptors", Fact::Number(count)),
        ("type", Fact::Text(most.pile.type_name.clone())),
        ("such_as", Fact::Text(most.pile.first.clone())),
    ];
    let kind = if most.are_files { "files" } else { "sockets" };
    let state = if in_garbage {
        "that nothing holds any more"
    } else {
        "that stay open"
    };
    Some(Finding {
        rule: RULE.name,
        severity: Severity::Warning,
        confidence: if most.confirmed {
            Confidence::Certain
        } else {
            Confidence::Likely
        },
        summary: format!(
            "{}: {} open {kind} {state}, {} with their buffers",
            most.pile.subject.path,
            units::count(count),
            units::bytes(bytes),
        ),
        advice: match most.are_files {
            true => "Close each when its work is done: with open(path) as file, or a contextlib.ExitStack for many.",
            false => "Close each when its work is done, with a with block, or keep a pool of few.",
        }
        .to_owned(),
        location: None,
        object: Object::of_subject(&most.pile.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::{Pile, Subject};
    use crate::rules::fake_heap::findings_of_patterns;

    fn files(path: &str, first: &str, count: u64) -> OpenResources {
        OpenResources {
            pile: Pile {
                subject: Subject {
                    path: path.to_owned(),
                    ..Subject::default()
                },
                first: first.to_owned(),
                type_name: "_io.TextIOWrapper".to_owned(),
                count,
                retained_bytes: 10_240 * count,
                ..Pile::default()
            },
            are_files: true,
            confirmed: true,
        }
    }

    fn found(resources: Vec<OpenResources>) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.resources = resources)
    }

    #[test]
    fn descriptors_are_counted() {
        let found = found(vec![files("app.FILES", "app.FILES[0]", 300)]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            finding.summary,
            "app.FILES: 300 open files that stay open, 2.9 MiB with their buffers"
        );
        assert_eq!(
            (finding.confidence, finding.saving_bytes),
            (Confidence::Certain, Some(3_072_000))
        );
    }

    #[test]
    fn a_few_are_in_order_unless_nothing_holds_them() {
        assert_eq!(found(vec![files("app.FILES", "app.FILES[0]", 99)]), []);
        assert_eq!(found(vec![files("(garbage)", "(garbage).file", 10)]).len(), 1);
    }

    #[test]
    fn what_a_loop_waits_for_is_in_use() {
        let first = "app.LOOP._selector._fd_to_key[7].fileobj";
        assert_eq!(found(vec![files("app.LOOP", first, 500)]), []);
    }

    #[test]
    fn a_core_leaves_a_doubt() {
        let of_core = OpenResources {
            confirmed: false,
            ..files("app.FILES", "app.FILES[0]", 300)
        };
        assert_eq!(found(vec![of_core])[0].confidence, Confidence::Likely);
    }
}
