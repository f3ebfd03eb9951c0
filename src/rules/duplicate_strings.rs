//! Equal texts are stored many times.
//!
//! # What it measures
//!
//! `str`s and `bytes` with equal contents that are held alike, such as by the same attribute of many instances: the bytes
//! of all but one of each, from 1 MiB on.
//!
//! # What it looks at
//!
//! The contents of the texts, so that what it counts is certain. It reads all of them only when a sample shows repeats; texts
//! of 64 KiB or more, the names and constants of code and the keys of dicts are left out.
//!
//! # Why it matters
//!
//! Texts that come from a file, a database or the network are made anew each time, even when there are only a dozen
//! different ones. A `str` takes 50 bytes and more.
//!
//! # How to fix
//!
//! Pass texts with few different values through `sys.intern`, or a dict of those that are known. What is one of a few
//! states may be an `enum.Enum`; columns of `pandas` may be categories.
//!
//! Before:
//!
//! ```python
//! country = row[3]
//! ```
//!
//! After:
//!
//! ```python
//! country = sys.intern(row[3])
//! ```

use super::alike::{Alike, held_alike};
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::Repeats;
use crate::units;

pub const RULE: Rule = Rule {
    name: "duplicate-strings",
    source: include_str!("duplicate_strings.rs"),
    thresholds: &[&BYTES],
    find,
};

const BYTES: Threshold = Threshold {
    rule: "duplicate-strings",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this many bytes of repeats on; below 256 KiB they are never counted",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let repeats = evidence.heap.patterns.repeats.iter();
    let own = repeats.filter(|each| !each.subject.in_library);
    held_alike(own, |each| &each.first, |each| each.are_str)
        .iter()
        .filter_map(|alike| finding(alike, evidence))
        .collect()
}

fn finding(alike: &Alike<'_, Repeats>, evidence: &Evidence<'_>) -> Option<Finding> {
    let most = alike.heaviest(|each| each.repeated_bytes)?;
    let saving = alike.sum(|each| each.repeated_bytes);
    if saving < evidence.limit(&BYTES) {
        return None;
    }
    let facts = vec![
        ("texts", Fact::Number(alike.sum(|each| each.texts))),
        ("different", Fact::Number(alike.sum(|each| each.different))),
        ("such_as", Fact::Text(most.first.clone())),
        (
            "most_repeated",
            Fact::Counts(
                most.most
                    .iter()
                    .map(|(text, count)| (text.as_str().into(), *count))
                    .collect(),
            ),
        ),
    ];
    let function = if most.are_str {
        "sys.intern(text)"
    } else {
        "a dict: KNOWN.setdefault(text, text)"
    };
    Some(Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Certain,
        summary: summary(most, alike, saving),
        advice: format!("Keep one of each: pass them through {function} where they come in."),
        location: None,
        object: Object::of_subject(&most.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(saving),
    })
}

fn summary(most: &Repeats, alike: &Alike<'_, Repeats>, saving: u64) -> String {
    let shown = most.most.first().map_or_else(String::new, |(text, count)| {
        format!(", {} of them {text}", units::count(*count))
    });
    format!(
        "{}: {} {} with {} different values such as {}{shown}, {} of repeats",
        most.subject.path,
        units::count(alike.sum(|each| each.texts)),
        if most.are_str { "str" } else { "bytes" },
        units::count(alike.sum(|each| each.different)),
        most.first,
        units::bytes(saving),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    fn repeats(first: &str, repeated_bytes: u64) -> Repeats {
        Repeats {
            subject: Subject {
                path: "shop.ORDERS".to_owned(),
                ..Subject::default()
            },
            first: first.to_owned(),
            are_str: true,
            texts: 40_000,
            different: 12,
            repeated_bytes,
            most: vec![("'Switzerland'".to_owned(), 9_000)],
        }
    }

    fn found(repeats: Vec<Repeats>) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.repeats = repeats)
    }

    #[test]
    fn the_saving_is_all_but_one_of_each() {
        let found = found(vec![repeats("shop.ORDERS[0].country", 2 << 20)]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.saving_bytes, Some(2 << 20));
        assert_eq!(
            finding.summary,
            "shop.ORDERS: 40 000 str with 12 different values such as shop.ORDERS[0].country, 9 000 of them \
             'Switzerland', 2.0 MiB of repeats"
        );
    }

    #[test]
    fn little_is_no_finding() {
        assert_eq!(found(vec![repeats("shop.ORDERS[0].country", (1 << 20) - 1)]), []);
        let two = ["a", "b"].map(|key| repeats(&format!("shop.ORDERS['{key}'].country"), 600 << 10));
        assert_eq!(found(two.to_vec()).len(), 1);
    }
}
