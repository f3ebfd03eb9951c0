//! The same contents stand in several containers.
//!
//! # What it measures
//!
//! Lists, tuples, dicts, sets and deques of 64 items or more that are alive at the same time and have the same contents,
//! 1 MiB or more together, the original among them: what would be freed if all but one of them were gone.
//!
//! # What it looks at
//!
//! What each container refers to. Copies hold the very same items in the same order: `rows[:]`, `list(rows)`,
//! `dict(prices)`, `copy.copy(rows)`. Of tuples that is `certain`; what can be changed may be equal for a moment only, and is
//! called `likely`. Deep copies have containers and instances of their own, but the same texts and numbers in the same
//! places, 1 000 different ones or more and down to six levels. Contents of which one item makes up more than half, such as
//! a list of zeros, are no data and not looked at.
//!
//! # Why it matters
//!
//! A copy takes eight bytes for each item of a list, and more for dicts and sets; a deep copy takes again all that is not
//! text or number.
//!
//! # How to fix
//!
//! Hand on the container itself where nobody changes it; a tuple or `types.MappingProxyType` sees to that. Copy where
//! something is about to be changed, only the part that is, and let go of the copy when that is done. Iterating needs no
//! copy unless items are added or taken out meanwhile.
//!
//! Before:
//!
//! ```python
//! class Region:
//!     def __init__(self, name):
//!         self.name = name
//!         self.articles = list(ARTICLES)
//! ```
//!
//! After:
//!
//! ```python
//! class Region:
//!     def __init__(self, name):
//!         self.name = name
//!         self.articles = ARTICLES
//! ```

use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::whose::is_interpreters_own;
use super::{Evidence, Rule};
use crate::heap::patterns::Copies;
use crate::units;

pub const RULE: Rule = Rule {
    name: "needless-copy",
    source: include_str!("needless_copy.rs"),
    thresholds: &[&BYTES],
    find,
};

const BYTES: Threshold = Threshold {
    rule: "needless-copy",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this many bytes on, in the original and its copies together",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let copies = evidence.heap.patterns.copies.iter();
    let own = copies.filter(|each| !each.subject.in_library && !is_interpreters_own(&each.subject.path));
    own.filter(|each| each.bytes >= evidence.limit(&BYTES) && each.copied_bytes > 0)
        .map(|each| finding(each, evidence))
        .collect()
}

fn finding(copies: &Copies, evidence: &Evidence<'_>) -> Finding {
    let facts = vec![
        ("containers", Fact::Number(copies.count)),
        ("items", Fact::Number(copies.subject.length)),
        ("deep", Fact::Text(if copies.deep { "yes" } else { "no" }.to_owned())),
        ("paths", Fact::Text(copies.paths.join(", "))),
        ("bytes", Fact::Number(copies.bytes)),
    ];
    Finding {
        rule: RULE.name,
        severity: Severity::of_saving(copies.copied_bytes),
        confidence: match !copies.deep && &*copies.subject.type_name == "builtins.tuple" {
            true => Confidence::Certain,
            false => Confidence::Likely,
        },
        summary: summary(copies),
        advice: ADVICE.to_owned(),
        location: None,
        object: Object::of_subject(&copies.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(copies.copied_bytes),
    }
}

const ADVICE: &str = "Hand on the container itself where nobody changes it, as a tuple or a types.MappingProxyType if need \
                      be, and copy only the part that is about to be changed.";

/// `shop.ARTICLES: 4 lists with the same 60 000 items, 1.8 MiB together, 1.4 MiB of it in the copies; also shop.OLD`.
fn summary(copies: &Copies) -> String {
    let kind = copies.subject.type_name.rsplit('.').next().unwrap_or_default();
    let deep = if copies.deep {
        ", all in copies of their own"
    } else {
        ""
    };
    let also = match copies.paths.get(1) {
        Some(other) => format!("; also {other}"),
        None => String::new(),
    };
    format!(
        "{}: {} {kind}s with the same {}{deep}, {} together, {} of it in the copies{also}",
        copies.subject.path,
        units::count(copies.count),
        units::items(copies.subject.length),
        units::bytes(copies.bytes),
        units::bytes(copies.copied_bytes),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    fn copies(bytes: u64, deep: bool) -> Copies {
        Copies {
            subject: Subject {
                path: "shop.ARTICLES".to_owned(),
                type_name: "builtins.list".into(),
                length: 60_000,
                ..Subject::default()
            },
            paths: vec!["shop.ARTICLES".to_owned(), "shop.REGIONS[0].articles".to_owned()],
            count: 4,
            deep,
            bytes,
            copied_bytes: bytes / 4 * 3,
            rows: Vec::new(),
        }
    }

    fn found(copies: Copies) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.copies = vec![copies])
    }

    #[test]
    fn all_but_one_are_the_saving() {
        let found = found(copies(4 << 20, false));
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (finding.saving_bytes, finding.confidence),
            (Some(3 << 20), Confidence::Likely)
        );
        assert_eq!(
            finding.summary,
            "shop.ARTICLES: 4 lists with the same 60 000 items, 4.0 MiB together, 3.0 MiB of it in the copies; also \
             shop.REGIONS[0].articles"
        );
    }

    #[test]
    fn little_is_not_worth_a_word() {
        assert_eq!(found(copies((1 << 20) - 4, false)), []);
    }

    #[test]
    fn deep_copies_are_likely() {
        let found = found(copies(4 << 20, true));
        assert_eq!(found[0].confidence, Confidence::Likely);
        assert!(
            found[0].summary.contains("all in copies of their own"),
            "{}",
            found[0].summary
        );
    }
}
