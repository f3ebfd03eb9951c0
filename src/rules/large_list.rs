//! A list so large that another structure would hold its items for less.
//!
//! # What it measures
//!
//! Lists of 100 000 items or more, and lists of 1 000 items or more that keep 8 MiB or more: their items by type, the
//! slots that are allocated for items to come, and who holds them.
//!
//! # What it looks at
//!
//! The list itself and the types of all its items, so that what it says is certain. A saving is claimed for what the
//! list proves: slots that stand empty, and for lists of nothing but `float` what `array.array('d')` would save, which
//! counts the numbers that nothing else holds; it is `likely`, since code may need a list.
//!
//! # Why it matters
//!
//! A list takes eight bytes a slot for addresses alone; the items stand elsewhere with their own headers, a `float` in
//! 24 bytes or more. A list that grew by `append` has up to an eighth more slots than items, and shrinks only when it
//! is half empty.
//!
//! # How to fix
//!
//! Do not keep what is used once: iterate over a generator. Keep numbers in `array` or `numpy`. Build a list whose
//! length is known in one piece, or hand it on as a `tuple`.
//!
//! Before:
//!
//! ```python
//! samples = []
//! for line in log:
//!     samples.append(float(line))
//! ```
//!
//! After:
//!
//! ```python
//! samples = array.array("d", (float(line) for line in log))
//! ```

use std::rc::Rc;

use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::{Container, ContainerKind};
use crate::units;

pub const RULE: Rule = Rule {
    name: "large-list",
    source: include_str!("large_list.rs"),
    thresholds: &[&ITEMS, &BYTES, &FEW_ITEMS],
    find,
};

const ITEMS: Threshold = Threshold {
    rule: "large-list",
    name: "items",
    evidence_name: "threshold_items",
    default: 100_000,
    unit: Unit::Items,
    meaning: "speak from this length on, or from `bytes`",
};

const BYTES: Threshold = Threshold {
    rule: "large-list",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 8 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much kept on, or from `items`",
};

/// A list of a few large objects is no large list.
const FEW_ITEMS: Threshold = Threshold {
    rule: "large-list",
    name: "few-items",
    evidence_name: "threshold_few_items",
    default: 1_000,
    unit: Unit::Items,
    meaning: "below this length `bytes` does not count",
};

/// What an address takes, and a number in `array.array('d')` as well.
const SLOT: u64 = 8;
/// What saves less is not worth a claim, in bytes.
const LEAST_SAVING: u64 = 16 << 10;
/// More types than these are not worth the room.
const TYPES_SHOWN: usize = 5;

/// Whether the list of a finding of this rule is large by its items alone.
pub fn is_long(finding: &Finding) -> bool {
    let threshold = finding.evidence.iter().find(|(name, _)| *name == ITEMS.evidence_name);
    matches!(threshold, Some((_, Fact::Number(items))) if finding.object.length >= *items)
}

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let is_large = |container: &&Container| {
        let at_least = |value: u64, threshold| value >= evidence.thresholds.of(threshold);
        container.kind == ContainerKind::List
            && (at_least(container.length, &ITEMS)
                || at_least(container.kept_bytes, &BYTES) && at_least(container.length, &FEW_ITEMS))
    };
    evidence
        .heap
        .containers
        .iter()
        .filter(is_large)
        .map(|list| finding(list, evidence))
        .collect()
}

fn finding(list: &Container, evidence: &Evidence<'_>) -> Finding {
    let empty = empty_slot_bytes(list);
    let floats = holds_only(list, "builtins.float");
    let saving = if floats {
        list.retained_bytes.saturating_sub(SLOT.saturating_mul(list.length))
    } else {
        empty
    };
    let saving = if saving < LEAST_SAVING { 0 } else { saving };
    Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: if floats {
            Confidence::Likely
        } else {
            Confidence::Certain
        },
        summary: summary(list, empty),
        advice: advice(list, empty),
        location: None,
        object: Object::of(list),
        evidence: facts(list, empty, evidence),
        saving_bytes: (saving > 0).then_some(saving),
    }
}

/// The slots that are allocated and hold no item, in bytes.
fn empty_slot_bytes(list: &Container) -> u64 {
    SLOT.saturating_mul(list.allocated.unwrap_or(0).saturating_sub(list.length))
}

/// Whether every item is known to be of exactly this type.
fn holds_only(list: &Container, type_name: &str) -> bool {
    matches!(list.item_types.as_slice(), [(only, count)] if &**only == type_name && *count == list.length)
}

fn summary(list: &Container, empty: u64) -> String {
    let mut summary = format!("{}: list, {}", list.path, units::items(list.length));
    if let Some(items) = item_types_shown(list) {
        summary.push_str(&format!(" ({items})"));
    }
    summary.push_str(&format!(", {} kept", units::bytes(list.kept_bytes)));
    if empty > 0 {
        summary.push_str(&format!(", {} of empty slots", units::bytes(empty)));
    }
    summary
}

/// `float`; `97 % str, int, …`.
fn item_types_shown(list: &Container) -> Option<String> {
    let short = |name: &Rc<str>| name.strip_prefix("builtins.").unwrap_or(name).to_owned();
    match list.item_types.as_slice() {
        [] => None,
        [(only, _)] => Some(short(only)),
        [(most, count), (second, _), rest @ ..] => {
            let percent = (100.0 * *count as f64 / list.length.max(1) as f64).floor();
            let more = if rest.is_empty() { "" } else { ", …" };
            Some(format!("{percent:.0} % {}, {}{more}", short(most), short(second)))
        }
    }
}

fn advice(list: &Container, empty: u64) -> String {
    let structure = if holds_only(list, "builtins.float") {
        "Keep the numbers in array.array('d') or a numpy array: eight bytes each."
    } else if holds_only(list, "builtins.int") {
        "Keep the numbers in array.array('q') or a numpy array if they all fit 64 bits: eight bytes each."
    } else {
        "If it is read once, iterate over a generator; if items are taken from its front, use collections.deque; if it \
         is searched, use a set or a dict."
    };
    match empty {
        0 => structure.to_owned(),
        _ => format!("{structure} When it is complete, a tuple of it or a copy (items[:]) has no empty slots."),
    }
}

fn facts(list: &Container, empty: u64, evidence: &Evidence<'_>) -> Vec<(&'static str, Fact)> {
    let mut facts = vec![
        ("items", Fact::Number(list.length)),
        ("own_bytes", Fact::Number(list.own_bytes)),
        ("empty_slot_bytes", Fact::Number(empty)),
    ];
    if let Some(allocated) = list.allocated {
        facts.push(("allocated_slots", Fact::Number(allocated)));
    }
    if !list.item_types.is_empty() {
        facts.push((
            "item_types",
            Fact::Counts(list.item_types.iter().take(TYPES_SHOWN).cloned().collect()),
        ));
    }
    facts.extend(
        RULE.thresholds
            .iter()
            .map(|threshold| evidence.thresholds.fact(threshold)),
    );
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fake_heap::{container, findings};

    fn list(length: u64) -> Container {
        container("app.ROWS", ContainerKind::List, length)
    }

    fn found(list: Container) -> Vec<Finding> {
        findings(&RULE, &[(list, &[])], None)
    }

    #[test]
    fn lists_are_large_by_items_or_by_bytes() {
        assert_eq!(found(list(99_999 / 2)), []);
        assert_eq!(found(list(100_000)).len(), 1);
        assert_eq!(
            found(Container {
                kept_bytes: 8 << 20,
                ..list(1_000)
            })
            .len(),
            1
        );
        assert_eq!(
            found(Container {
                kept_bytes: 8 << 20,
                ..list(999)
            }),
            []
        );
        assert_eq!(found(container("app.ROWS", ContainerKind::Deque, 1_000_000)), []);
    }

    #[test]
    fn empty_slots_are_the_saving_of_mixed_lists() {
        let item_types = vec![
            ("builtins.str".into(), 150_000),
            ("app.Row".into(), 40_000),
            ("builtins.int".into(), 10_000),
        ];
        let finding = &found(Container {
            allocated: Some(225_000),
            item_types,
            ..list(200_000)
        })[0];
        assert_eq!(finding.saving_bytes, Some(25_000 * 8));
        assert_eq!(
            (finding.severity, finding.confidence),
            (Severity::Info, Confidence::Certain)
        );
        assert_eq!(
            finding.summary,
            "app.ROWS: list, 200 000 items (75 % str, app.Row, …), 20.6 MiB kept, 195 KiB of empty slots"
        );
    }

    #[test]
    fn only_a_list_of_nothing_but_floats_claims_what_an_array_would_save() {
        let of = |name: &str, count| Container {
            item_types: vec![(name.into(), count)],
            ..list(200_000)
        };
        let floats = &found(of("builtins.float", 200_000))[0];
        assert_eq!(floats.saving_bytes, Some(56 + 100 * 200_000));
        assert_eq!(
            (floats.severity, floats.confidence),
            (Severity::Warning, Confidence::Likely)
        );
        assert!(floats.advice.contains("array('d')"));

        assert_eq!(found(of("builtins.float", 199_999))[0].saving_bytes, None);
        let ints = &found(of("builtins.int", 200_000))[0];
        assert_eq!(ints.saving_bytes, None);
        assert!(ints.advice.contains("if they all fit 64 bits"));
    }
}
