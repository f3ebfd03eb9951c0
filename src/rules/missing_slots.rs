//! A class with many instances, each of which could have other attributes and has none.
//!
//! # What it measures
//!
//! Classes with 10 000 instances or more that all have the same attributes and keep them in a dict or in a table of
//! values: what they take on the interpreter that runs them, and what they would take with `__slots__`.
//!
//! # What it looks at
//!
//! The attributes of the instances (of very many, of a part that is spread evenly over all), their blocks, their tables of
//! values and the dicts behind them, byte by byte. Classes whose dict comes from a base class in a library are left out,
//! since slots of their own would not take it away. That no code adds an attribute later is `likely`.
//!
//! # Why it matters
//!
//! Room for attributes that may come costs every instance 16 to 100 bytes and more, according to the version of the
//! interpreter and to whether anything has ever asked for its `__dict__`.
//!
//! # How to fix
//!
//! Name the attributes in `__slots__`, in the class and in all its bases, or write `@dataclass(slots=True)`. Instances
//! that weak references must reach need a slot `__weakref__`.
//!
//! Before:
//!
//! ```python
//! class Point:
//!     def __init__(self, x, y):
//!         self.x, self.y = x, y
//! ```
//!
//! After:
//!
//! ```python
//! class Point:
//!     __slots__ = ("x", "y")
//!
//!     def __init__(self, x, y):
//!         self.x, self.y = x, y
//! ```

use super::finding::{Confidence, Fact, Finding, Location, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::whose::is_garbage;
use super::{Evidence, Rule};
use crate::heap::patterns::ClassInstances;
use crate::units;

pub const RULE: Rule = Rule {
    name: "missing-slots",
    source: include_str!("missing_slots.rs"),
    thresholds: &[&INSTANCES],
    find,
};

const INSTANCES: Threshold = Threshold {
    rule: "missing-slots",
    name: "instances",
    evidence_name: "threshold_instances",
    default: 10_000,
    unit: Unit::Items,
    meaning: "speak from this many instances on; fewer are never looked at",
};

/// So many attributes stand in the advice.
const NAMES_SHOWN: usize = 8;

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let classes = evidence.heap.patterns.classes.iter();
    let many = classes.filter(|class| class.count >= evidence.limit(&INSTANCES) && !is_garbage(&class.held));
    many.filter_map(|class| finding(class, evidence)).collect()
}

fn finding(class: &ClassInstances, evidence: &Evidence<'_>) -> Option<Finding> {
    let saving = class.bytes.saturating_sub(class.slotted_bytes);
    if saving == 0 {
        return None;
    }
    let each = |bytes: u64| Fact::Real(bytes as f64 / class.count.max(1) as f64);
    let facts = vec![
        ("instances", Fact::Number(class.count)),
        ("attributes", Fact::Text(class.attributes.join(", "))),
        ("bytes_each", each(class.bytes)),
        ("slotted_bytes_each", each(class.slotted_bytes)),
        ("held_as", Fact::Text(class.held.clone())),
    ];
    Some(Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Likely,
        summary: format!(
            "{}: {} instances of {} each, {} more than with slots; such as {}",
            class.subject.path,
            units::count(class.count),
            units::bytes(class.bytes / class.count.max(1)),
            units::bytes(saving),
            class.held,
        ),
        advice: advice(class),
        location: Location::of(&class.defined_at, &class.subject.path),
        object: Object::of_subject(&class.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(saving),
    })
}

fn advice(class: &ClassInstances) -> String {
    let shown: Vec<String> = class
        .attributes
        .iter()
        .take(NAMES_SHOWN)
        .map(|name| format!("'{name}'"))
        .collect();
    let (end, comma) = match (class.attribute_count as usize > shown.len(), shown.len()) {
        (true, _) => (", …", ""),
        (false, 1) => ("", ","),
        (false, _) => ("", ""),
    };
    format!(
        "Give the class, and all its bases, their attributes as slots: __slots__ = ({}{end}{comma}), or \
         @dataclass(slots=True).",
        shown.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    fn points(count: u64) -> ClassInstances {
        ClassInstances {
            subject: Subject {
                path: "map.Point".to_owned(),
                type_name: "map.Point".into(),
                length: count,
                ..Subject::default()
            },
            count,
            attributes: vec!["x".to_owned(), "y".to_owned()],
            attribute_count: 2,
            bytes: 152 * count,
            slotted_bytes: 48 * count,
            defined_at: Some(("/srv/map.py".to_owned(), 7)),
            held: "map.POINTS[0]".to_owned(),
        }
    }

    fn found(class: ClassInstances) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.classes = vec![class])
    }

    #[test]
    fn the_saving_is_what_slots_do_not_take() {
        let found = found(points(20_000));
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.saving_bytes, Some(104 * 20_000));
        assert_eq!(
            finding.summary,
            "map.Point: 20 000 instances of 152 B each, 2.0 MiB more than with slots; such as map.POINTS[0]"
        );
        assert!(finding.advice.contains("__slots__ = ('x', 'y')"), "{}", finding.advice);
        assert_eq!(finding.location.as_ref().map(|location| location.line), Some(7));
    }

    #[test]
    fn few_instances_or_nothing_to_save_is_no_finding() {
        assert_eq!(found(points(9_999)), []);
        let slotted = ClassInstances {
            bytes: 48 * 20_000,
            ..points(20_000)
        };
        assert_eq!(found(slotted), []);
    }
}
