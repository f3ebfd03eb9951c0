//! Numbers in a list or a tuple, each of them an object of its own.
//!
//! # What it measures
//!
//! Lists and tuples of 1 000 items or more that hold nothing but `float`, or nothing but `int` that fit 64 bits: the
//! slots for the addresses of the numbers, and the numbers themselves, as far as nothing else holds them.
//!
//! # What it looks at
//!
//! The type of every item, and the value of every `int` that is not small for certain, so that what it says of the items
//! is certain. The saving is what would be freed with the list, less eight bytes a number. Numbers that something else
//! holds too, and small numbers, which the interpreter has once for all, do not count. Sequences that are held alike, such
//! as the rows of a table, are reported once.
//!
//! # Why it matters
//!
//! A `float` takes 24 bytes and an `int` 32, and the list eight more for its address: three to five times what the number
//! itself needs.
//!
//! # How to fix
//!
//! Keep the numbers in `array.array('d')` or `array.array('q')`, which behave as lists do, or in `numpy` arrays.
//!
//! Before:
//!
//! ```python
//! temperatures = [float(line) for line in log]
//! ```
//!
//! After:
//!
//! ```python
//! temperatures = array.array("d", (float(line) for line in log))
//! ```

use super::alike::{Alike, held_alike};
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::NumberSequences;
use crate::units;

pub const RULE: Rule = Rule {
    name: "numeric-list",
    source: include_str!("numeric_list.rs"),
    thresholds: &[&ITEMS, &BYTES],
    find,
};

const ITEMS: Threshold = Threshold {
    rule: "numeric-list",
    name: "items",
    evidence_name: "threshold_items",
    default: 1_000,
    unit: Unit::Items,
    meaning: "speak from this length on; shorter ones are never looked at",
};

const BYTES: Threshold = Threshold {
    rule: "numeric-list",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 16 << 10,
    unit: Unit::Bytes,
    meaning: "speak from this saving on",
};

/// What a number takes in an array.
const NUMBER: u64 = 8;

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let sequences = evidence.heap.patterns.numbers.iter();
    let own = sequences.filter(|each| !each.subject.in_library && each.subject.length >= evidence.limit(&ITEMS));
    held_alike(own, |each| &each.subject.path, |each| each.floats)
        .iter()
        .filter_map(|alike| finding(alike, evidence))
        .collect()
}

fn finding(alike: &Alike<'_, NumberSequences>, evidence: &Evidence<'_>) -> Option<Finding> {
    let first = alike.heaviest(|each| each.subject.length)?;
    let (items, count) = (alike.sum(|each| each.items), alike.sum(|each| each.count));
    let array_bytes = items.saturating_mul(NUMBER);
    let saving = alike.sum(|each| each.retained_bytes).saturating_sub(array_bytes);
    if saving < evidence.limit(&BYTES) {
        return None;
    }
    let facts = vec![
        ("items", Fact::Number(items)),
        ("item_type", Fact::Text(item_type(first).to_owned())),
        ("sequences", Fact::Number(count)),
        ("array_bytes", Fact::Number(array_bytes)),
    ];
    Some(Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Certain,
        summary: summary(first, items, count, saving),
        advice: advice(first).to_owned(),
        location: None,
        object: Object::of_subject(&first.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(saving),
    })
}

fn item_type(sequence: &NumberSequences) -> &'static str {
    if sequence.floats { "float" } else { "int" }
}

fn summary(first: &NumberSequences, items: u64, count: u64, saving: u64) -> String {
    let kind = first.subject.type_name.rsplit('.').next().unwrap_or_default();
    let others = match count {
        1 => String::new(),
        _ => format!("; {} held alike, {} in all", units::count(count), units::count(items)),
    };
    format!(
        "{}: {kind} of {} {}s{others}, {} more than in an array",
        first.subject.path,
        units::count(first.subject.length),
        item_type(first),
        units::bytes(saving),
    )
}

fn advice(sequence: &NumberSequences) -> &'static str {
    if sequence.floats {
        "Keep the numbers in array.array('d') or a numpy array: eight bytes each."
    } else {
        "Keep the numbers in array.array('q') or a numpy array: eight bytes each, and fewer with a smaller type code."
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    fn floats(path: &str, length: u64) -> NumberSequences {
        NumberSequences {
            subject: Subject {
                path: path.to_owned(),
                length,
                type_name: "builtins.list".into(),
                ..Subject::default()
            },
            floats: true,
            count: 1,
            items: length,
            retained_bytes: 56 + 32 * length,
            ..NumberSequences::default()
        }
    }

    fn found(numbers: Vec<NumberSequences>) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.numbers = numbers)
    }

    #[test]
    fn the_saving_is_what_an_array_does_not_take() {
        let found = found(vec![floats("lab.SAMPLES", 100_000)]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.saving_bytes, Some(56 + 24 * 100_000));
        assert_eq!(
            (finding.severity, finding.confidence),
            (Severity::Warning, Confidence::Certain)
        );
        assert_eq!(
            finding.summary,
            "lab.SAMPLES: list of 100 000 floats, 2.3 MiB more than in an array"
        );
    }

    #[test]
    fn rows_of_a_table_are_one_finding() {
        let found = found(vec![floats("lab.TABLE[0]", 2_000), floats("lab.TABLE[1]", 3_000)]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.object.path, "lab.TABLE[1]");
        assert_eq!(finding.saving_bytes, Some(2 * 56 + 24 * 5_000));
        assert!(
            finding.summary.contains("2 held alike, 5 000 in all"),
            "{}",
            finding.summary
        );
    }

    #[test]
    fn what_is_short_shared_or_of_a_library_is_not() {
        let shared = NumberSequences {
            retained_bytes: 56 + 8 * 100_000,
            ..floats("lab.SHARED", 100_000)
        };
        let mut library = floats("idna.DATA", 100_000);
        library.subject.in_library = true;
        assert_eq!(found(vec![shared, library, floats("lab.FEW", 999)]), []);
    }
}
