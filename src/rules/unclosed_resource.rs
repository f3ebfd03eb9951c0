//! Files, sockets, databases or memory maps stay open that nobody closes.
//!
//! # What it measures
//!
//! Open files, pipes, sockets, `sqlite3` connections and `mmap`s that are held alike from a module or a class, 100 or more,
//! and those in garbage, 10 or more: how many, and what their objects take with buffers.
//!
//! # What it looks at
//!
//! The descriptor in each object of `io.FileIO` and `socket.socket`, and whether the process has it open at the same moment;
//! connections and maps show themselves whether they are closed. What nothing holds any more is `certain` to be of no use;
//! of what a container holds that is `likely`, and of descriptors in a core, which has no list of them, too. In use is what
//! something else than that one container holds as well (an event loop, a call under way), what an epoll instance waits
//! for, and what a pool has that says how many it holds at most (`queue.Queue(maxsize)`). What C libraries have open for
//! themselves is not seen.
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
use crate::heap::patterns::{OpenResources, ResourceKind};
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
        |each| in_items(&each.pile.first),
        |each| each.kind,
    );
    all.iter().filter_map(|alike| finding(alike, evidence)).collect()
}

/// The path of the item of a container that has it, whatever it calls it: `app.CLIENTS[3]` of `app.CLIENTS[3].socket`. What
/// one object of many has as several attributes belongs together.
fn in_items(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((item, name)) if item.ends_with(']') && !name.contains(['[', ']', '\'']) => item,
        _ => path,
    }
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
    let (kind, one) = match most.kind {
        ResourceKind::File => ("files", "with open(path) as file"),
        ResourceKind::Socket => ("sockets", "with socket.create_connection(address) as connection"),
        ResourceKind::Database => (
            "databases",
            "with contextlib.closing(sqlite3.connect(path)) as connection",
        ),
        ResourceKind::MemoryMap => ("memory maps", "with mmap.mmap(number, 0) as contents"),
    };
    let mut names: Vec<&str> = alike
        .all
        .iter()
        .filter_map(|each| attribute(&each.pile.first))
        .collect();
    names.sort_unstable();
    names.dedup();
    let place = match names.len() {
        0 | 1 => most.pile.subject.path.clone(),
        _ => format!("{} ({})", in_items(&most.pile.subject.path), names.join(", ")),
    };
    let state = if in_garbage {
        "that nothing holds any more"
    } else {
        "that stay open"
    };
    Some(Finding {
        rule: RULE.name,
        severity: Severity::Warning,
        confidence: match most.confirmed && in_garbage {
            true => Confidence::Certain,
            false => Confidence::Likely,
        },
        summary: format!(
            "{place}: {} open {kind} {state}, {} with their buffers",
            units::count(count),
            units::bytes(bytes),
        ),
        advice: format!(
            "Close each when its work is done: {one}; a contextlib.ExitStack does so for many. Or keep a pool of few."
        ),
        location: None,
        object: Object::of_subject(&most.pile.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(bytes),
    })
}

/// The name by which an item of a container has it.
fn attribute(path: &str) -> Option<&str> {
    path.strip_prefix(in_items(path))?.strip_prefix('.')
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
            kind: ResourceKind::File,
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
            (Confidence::Likely, Some(3_072_000))
        );
    }

    #[test]
    fn a_few_are_in_order_unless_nothing_holds_them() {
        assert_eq!(found(vec![files("app.FILES", "app.FILES[0]", 99)]), []);
        let of_garbage = found(vec![files("(garbage)", "(garbage).file", 10)]);
        assert_eq!(of_garbage[0].confidence, Confidence::Certain);
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
            ..files("(garbage)", "(garbage).file", 300)
        };
        assert_eq!(found(vec![of_core])[0].confidence, Confidence::Likely);
    }

    #[test]
    fn what_one_object_has_several_of_is_one_finding() {
        let pipes = |name: &str| {
            let path = format!("app.PROCESSES[0].{name}");
            files(&path, &path, 70)
        };
        let found = found(vec![pipes("stdout"), pipes("stderr")]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        let begin = "app.PROCESSES[0] (stderr, stdout): 140 open files that stay open";
        assert!(finding.summary.starts_with(begin), "{}", finding.summary);
    }
}
