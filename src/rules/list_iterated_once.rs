//! A list is made as a whole only to be gone over once.
//!
//! # What it measures
//!
//! Lists that nothing holds but the loop that goes over them, and that retain 1 MiB or more with their items.
//!
//! # What it looks at
//!
//! All references to lists that a call under way goes over, be it with `for`, `enumerate` or `zip`: there are none but that
//! of the iterator and that of the call's value stack. A function that speaks of `sorted`, `reversed`, `remove` or the like
//! is not looked at, since it may need the list as a whole. It is `likely`: where the items are made from something that
//! changes meanwhile, a list is right.
//!
//! # Why it matters
//!
//! The list and all of its items are there from before the first turn of the loop until after the last, though each turn
//! needs one.
//!
//! # How to fix
//!
//! Iterate over a generator expression, or make the function that returns the list one that yields the items. Of a file,
//! the file itself is such an iterator.
//!
//! Before:
//!
//! ```python
//! for order in [parse(line) for line in file.readlines()]:
//!     book(order)
//! ```
//!
//! After:
//!
//! ```python
//! for order in (parse(line) for line in file):
//!     book(order)
//! ```

use super::finding::{Confidence, Fact, Finding, Location, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::IteratedList;
use crate::units;

pub const RULE: Rule = Rule {
    name: "list-iterated-once",
    source: include_str!("list_iterated_once.rs"),
    thresholds: &[&BYTES],
    find,
};

const BYTES: Threshold = Threshold {
    rule: "list-iterated-once",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let large = |list: &&IteratedList| list.subject.retained_bytes >= evidence.limit(&BYTES);
    let lists = evidence.heap.patterns.iterated.iter().filter(large);
    lists.map(|list| finding(list, evidence)).collect()
}

fn finding(list: &IteratedList, evidence: &Evidence<'_>) -> Finding {
    let subject = &list.subject;
    Finding {
        rule: RULE.name,
        severity: Severity::of_saving(subject.retained_bytes),
        confidence: Confidence::Likely,
        summary: format!(
            "{}: list, {}, {} retained, that only the loop in {}() holds",
            subject.path,
            units::items(subject.length),
            units::bytes(subject.retained_bytes),
            list.function,
        ),
        advice: "Iterate over a generator: an expression in parentheses in place of brackets, a function that yields \
                 the items, the file itself in place of readlines()."
            .to_owned(),
        location: Some(Location {
            file: list.file.clone(),
            line: list.line,
            function: list.function.clone(),
        }),
        object: Object::of_subject(subject),
        evidence: evidence.beside_thresholds(&RULE, vec![("items", Fact::Number(subject.length))]),
        saving_bytes: Some(subject.retained_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    fn found(retained_bytes: u64) -> Vec<Finding> {
        let list = IteratedList {
            subject: Subject {
                path: "thread a > main() at app.py:5 > list_iterator > list".to_owned(),
                length: 30_000,
                retained_bytes,
                ..Subject::default()
            },
            function: "main".to_owned(),
            file: "/srv/app.py".to_owned(),
            line: 5,
        };
        findings_of_patterns(&RULE, |facts| facts.iterated = vec![list])
    }

    #[test]
    fn the_list_goes_with_all_of_its_items() {
        let found = found(3 << 20);
        assert_eq!(found[0].saving_bytes, Some(3 << 20));
        assert!(
            found[0]
                .summary
                .ends_with("list, 30 000 items, 3.0 MiB retained, that only the loop in main() holds"),
            "{}",
            found[0].summary
        );
        assert_eq!(found[0].location.as_ref().map(|place| place.line), Some(5));
    }

    #[test]
    fn little_is_not_worth_a_word() {
        assert_eq!(found((1 << 20) - 1), []);
    }
}
