//! A mutable default argument that is filled from call to call.
//!
//! # What it measures
//!
//! Lists, dicts, sets, deques and bytearrays that are the default of a parameter, are held by that alone, and have 10
//! items or keep 1 KiB or more: the function, the parameter, and what the default retains.
//!
//! # What it looks at
//!
//! The defaults of all functions whose code may change them or hands them on, and those that grow between snapshots, which
//! makes the finding `likely`. A list with room for items to come was appended to, and an item that cannot be written as a
//! constant was put in, which makes it `certain`. A default of nothing but constants may be a table that stands in the code:
//! it is reported from 50 items on, as `possible`, and for information. A `def` that was run many times has made as many
//! defaults; they are one finding.
//!
//! # Why it matters
//!
//! A default is made once, when `def` is run, and shared by all calls. What one call puts into it the next one finds there,
//! and it lives as long as the function.
//!
//! # How to fix
//!
//! Make the default `None` and the container in the function. A cache that is meant to live that long is better a
//! `functools.lru_cache` with a bound.
//!
//! Before:
//!
//! ```python
//! def collect(event, seen=[]):
//!     seen.append(event)
//!     return seen
//! ```
//!
//! After:
//!
//! ```python
//! def collect(event, seen=None):
//!     seen = [] if seen is None else seen
//!     seen.append(event)
//!     return seen
//! ```

use rustc_hash::FxHashMap;

use super::finding::{Confidence, Fact, Finding, Location, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::MutableDefault;
use crate::units;

pub const RULE: Rule = Rule {
    name: "mutable-default",
    source: include_str!("mutable_default.rs"),
    thresholds: &[&ITEMS, &BYTES],
    find,
};

const ITEMS: Threshold = Threshold {
    rule: "mutable-default",
    name: "items",
    evidence_name: "threshold_items",
    default: 10,
    unit: Unit::Items,
    meaning: "speak from this length on, or from `bytes`",
};

const BYTES: Threshold = Threshold {
    rule: "mutable-default",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 10,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on, or from `items`",
};

/// Nobody writes a table of so many entries into the line of a `def`.
const MORE_THAN_WRITTEN: u64 = 50;

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let defaults = evidence.heap.patterns.defaults.iter();
    let own = defaults.filter(|each| !each.held.subject.in_library);
    let mut findings: Vec<(Finding, u64)> = Vec::new();
    let mut places: FxHashMap<(&str, u32, &str), usize> = FxHashMap::default();
    for default in own {
        let Some(finding) = finding(default, evidence) else {
            continue;
        };
        let keeper = &default.keeper;
        // Where nobody knows the place of `def`, nothing says that it is the same one.
        let defined_at = keeper.defined_at.as_ref();
        let place = defined_at.map(|(file, line)| (file.as_str(), *line, keeper.name.as_str()));
        let known = place.and_then(|place| places.get(&place).copied());
        if let Some((first, count)) = known.and_then(|known| findings.get_mut(known)) {
            *count += 1;
            add(first, finding);
            continue;
        }
        places.extend(place.map(|place| (place, findings.len())));
        findings.push((finding, 1));
    }
    let one_each = findings.into_iter().map(|(finding, count)| with_count(finding, count));
    one_each.collect()
}

/// Adds what was found of a function that the same `def` made. The larger default stands for both.
fn add(first: &mut Finding, mut other: Finding) {
    let saving = first
        .saving_bytes
        .zip(other.saving_bytes)
        .map(|(a, b)| a.saturating_add(b));
    let weight = |finding: &Finding| (finding.severity, finding.confidence, finding.object.retained_bytes);
    if weight(&other) > weight(first) {
        std::mem::swap(first, &mut other);
    }
    first.saving_bytes = saving;
}

fn with_count(mut finding: Finding, count: u64) -> Finding {
    if count > 1 {
        let all = units::bytes(finding.saving_bytes.unwrap_or(0));
        finding.summary += &format!("; {} more functions of this def, {all} in all", units::count(count - 1));
    }
    finding.evidence.insert(0, ("functions", Fact::Number(count)));
    finding
}

fn finding(default: &MutableDefault, evidence: &Evidence<'_>) -> Option<Finding> {
    let subject = &default.held.subject;
    let is_little = subject.length < evidence.limit(&ITEMS) && subject.retained_bytes < evidence.limit(&BYTES);
    // Without a graph it is not known what is retained, nor whether anything else holds it.
    if is_little || subject.retained_bytes == 0 {
        return None;
    }
    let series = evidence.growth.of_container(subject.address, default.kind);
    let grown = series.map_or(0, |series| series.items_grown());
    // A comprehension leaves room in a list, too, and a table may have items of any kind.
    if grown == 0 && !default.may_be_changed {
        return None;
    }
    let (severity, confidence) = match (default.was_filled, grown > 0) {
        (true, _) => (Severity::Warning, Confidence::Certain),
        (false, true) => (Severity::Warning, Confidence::Likely),
        (false, false) if subject.length < MORE_THAN_WRITTEN => return None,
        (false, false) => (Severity::Info, Confidence::Possible),
    };
    let keeper = &default.keeper;
    let kind = subject.type_name.rsplit('.').next().unwrap_or_default();
    let facts = vec![
        ("function", Fact::Text(keeper.function.clone())),
        ("parameter", Fact::Text(keeper.name.clone())),
        ("items", Fact::Number(subject.length)),
        ("items_grown", Fact::Difference(grown)),
    ];
    Some(Finding {
        rule: RULE.name,
        severity,
        confidence,
        summary: format!(
            "{}({}={kind}): the default holds {}, {} retained",
            keeper.function,
            keeper.name,
            units::items(subject.length),
            units::bytes(subject.retained_bytes),
        ),
        advice: format!(
            "Make the default None, and the {kind} in the function: a default is made once and shared by all calls."
        ),
        location: Location::of(&keeper.defined_at, &keeper.function),
        object: Object::of_subject(subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(subject.retained_bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::ContainerKind;
    use crate::heap::patterns::{HeldAlone, Keeper, Subject};
    use crate::rules::fake_heap::findings_of_patterns;

    fn default(length: u64, was_filled: bool) -> MutableDefault {
        let subject = Subject {
            path: "shop.collect.__defaults__[0]".to_owned(),
            type_name: "builtins.list".into(),
            length,
            retained_bytes: 56 + 8 * length,
            ..Subject::default()
        };
        MutableDefault {
            held: HeldAlone { subject, holder: 0 },
            keeper: Keeper {
                function: "shop.collect".to_owned(),
                defined_at: Some(("/srv/shop.py".to_owned(), 3)),
                name: "seen".to_owned(),
            },
            kind: ContainerKind::List,
            was_filled,
            may_be_changed: true,
        }
    }

    fn found(default: MutableDefault) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.defaults = vec![default])
    }

    #[test]
    fn what_was_filled_is_certain() {
        let found = found(default(5_000, true));
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (finding.severity, finding.confidence),
            (Severity::Warning, Confidence::Certain)
        );
        assert_eq!(
            finding.summary,
            "shop.collect(seen=list): the default holds 5 000 items, 39.1 KiB retained"
        );
        assert_eq!(finding.saving_bytes, Some(56 + 8 * 5_000));
    }

    #[test]
    fn what_may_stand_in_the_code_is_silent_or_for_information() {
        assert_eq!(found(default(49, false)), []);
        let found = found(default(50, false));
        assert_eq!(
            (found[0].severity, found[0].confidence),
            (Severity::Info, Confidence::Possible)
        );
        let table = MutableDefault {
            may_be_changed: false,
            ..default(3_000, false)
        };
        assert_eq!(self::found(table), []);
    }

    #[test]
    fn a_def_that_was_run_many_times_is_one_finding() {
        let all = vec![default(2_000, true), default(5_000, true), default(2_000, true)];
        let found = findings_of_patterns(&RULE, |facts| facts.defaults = all);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            finding.summary,
            "shop.collect(seen=list): the default holds 5 000 items, 39.1 KiB retained; 2 more functions of this def, \
             70.5 KiB in all"
        );
        assert_eq!(finding.saving_bytes, Some(3 * 56 + 8 * 9_000));
        assert_eq!(finding.evidence.first(), Some(&("functions", Fact::Number(3))));
    }

    #[test]
    fn an_empty_default_is_none_of_it() {
        assert_eq!(found(default(0, false)), []);
    }
}
