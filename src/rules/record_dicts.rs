//! Records as dicts: each has the same keys, and a table of its own for them.
//!
//! # What it measures
//!
//! 1 000 dicts or more that are held alike and have the same `str` keys, two or more: what they take with their tables,
//! and what as many instances of a class with `__slots__` of these names would take.
//!
//! # What it looks at
//!
//! The keys of every dict that is not the namespace of an object, by the hashes that the keys keep, so that the same is
//! said of dicts that came from one line of code and of those that were read from JSON one by one. Where each dict has
//! keys of its own, as `json.loads` makes them, these count as well. That a record needs no further keys is `likely`.
//!
//! # Why it matters
//!
//! A dict with five keys takes 184 bytes or more, an instance with five slots 72.
//!
//! # How to fix
//!
//! Use `typing.NamedTuple` for what does not change and `@dataclass(slots=True)`, or a class with `__slots__`, for what
//! does. Large numbers of records of numbers are at home in `numpy`, `pandas` or a database.
//!
//! Before:
//!
//! ```python
//! points = [{"x": x, "y": y, "label": label} for x, y, label in source]
//! ```
//!
//! After:
//!
//! ```python
//! class Point(typing.NamedTuple):
//!     x: float
//!     y: float
//!     label: str
//!
//! points = [Point(x, y, label) for x, y, label in source]
//! ```

use super::alike::{Alike, held_alike};
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::whose::is_garbage;
use super::{Evidence, Rule};
use crate::heap::patterns::Records;
use crate::units;

pub const RULE: Rule = Rule {
    name: "record-dicts",
    source: include_str!("record_dicts.rs"),
    thresholds: &[&DICTS],
    find,
};

const DICTS: Threshold = Threshold {
    rule: "record-dicts",
    name: "dicts",
    evidence_name: "threshold_dicts",
    default: 1_000,
    unit: Unit::Items,
    meaning: "speak from this many dicts with the same keys on; fewer are never looked at",
};

/// So many keys stand in the summary.
const KEYS_SHOWN: usize = 5;

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let records = evidence.heap.patterns.records.iter();
    let own = records.filter(|each| !each.subject.in_library && !is_garbage(&each.first));
    held_alike(own, |each| &each.first, |each| each.keys.clone())
        .iter()
        .filter_map(|alike| finding(alike, evidence))
        .collect()
}

fn saving(records: &Records) -> u64 {
    let now = records.bytes.saturating_add(records.key_bytes);
    now.saturating_sub(records.slotted_bytes)
}

fn finding(alike: &Alike<'_, Records>, evidence: &Evidence<'_>) -> Option<Finding> {
    let most = alike.heaviest(|each| each.count)?;
    let (count, saving) = (alike.sum(|each| each.count), alike.sum(saving));
    if count < evidence.limit(&DICTS) || saving == 0 {
        return None;
    }
    let facts = vec![
        ("dicts", Fact::Number(count)),
        ("keys", Fact::Text(most.keys.join(", "))),
        ("dict_bytes", Fact::Number(alike.sum(|each| each.bytes))),
        ("key_bytes", Fact::Number(alike.sum(|each| each.key_bytes))),
        ("slotted_bytes", Fact::Number(alike.sum(|each| each.slotted_bytes))),
        ("such_as", Fact::Text(most.first.clone())),
    ];
    Some(Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Likely,
        summary: summary(most, count, saving),
        advice: "Make the records instances of a typing.NamedTuple, of a dataclass(slots=True) or of a class with \
                 __slots__: each then takes its values and no table."
            .to_owned(),
        location: None,
        object: Object::of_subject(&most.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(saving),
    })
}

fn summary(most: &Records, count: u64, saving: u64) -> String {
    let shown: Vec<&str> = most.keys.iter().take(KEYS_SHOWN).map(String::as_str).collect();
    let more = match most.key_count as usize > shown.len() {
        true => ", …",
        false => "",
    };
    format!(
        "{}: {} dicts with the keys {}{more}, {} more than with slots",
        most.subject.path,
        units::count(count),
        shown.join(", "),
        units::bytes(saving),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    fn records(path: &str, first: &str, count: u64) -> Records {
        Records {
            subject: Subject {
                path: path.to_owned(),
                ..Subject::default()
            },
            first: first.to_owned(),
            count,
            keys: ["x", "y", "label"].map(str::to_owned).to_vec(),
            key_count: 3,
            bytes: 184 * count,
            key_bytes: 0,
            slotted_bytes: 64 * count,
        }
    }

    fn found(records: Vec<Records>) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.records = records)
    }

    #[test]
    fn the_saving_is_what_slots_do_not_take() {
        let found = found(vec![records("map.POINTS", "map.POINTS[0]", 10_000)]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.saving_bytes, Some(120 * 10_000));
        assert_eq!(
            finding.summary,
            "map.POINTS: 10 000 dicts with the keys x, y, label, 1.1 MiB more than with slots"
        );
    }

    #[test]
    fn what_is_held_alike_is_counted_together() {
        let of = |name: &str, count| {
            let path = format!("map.LAYERS['{name}']");
            let first = format!("{path}[0]");
            records(&path, &first, count)
        };
        let found = found(vec![of("a", 600), of("b", 700), records("map.FEW", "map.FEW[0]", 900)]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.object.path, "map.LAYERS['b']");
        assert_eq!(finding.evidence[0], ("dicts", Fact::Number(1_300)));
    }

    #[test]
    fn keys_that_go_with_their_dicts_are_saved_too() {
        let read = Records {
            key_bytes: 150 * 1_000,
            ..records("map.READ", "map.READ[0]", 1_000)
        };
        assert_eq!(found(vec![read])[0].saving_bytes, Some((120 + 150) * 1_000));
    }
}
