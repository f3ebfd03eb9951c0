//! A container keeps a large table for the few items that are left in it.
//!
//! # What it measures
//!
//! Dicts and sets with less than an eighth of the items that they have room for, and lists with less than three quarters,
//! when their empty slots take 1 MiB or more.
//!
//! # What it looks at
//!
//! The table itself: its slots, its items, and what a copy of the container would take, so that all of it is certain.
//! No container becomes so empty while it only grows; items were taken out of it. Those that are held alike are reported
//! once.
//!
//! # Why it matters
//!
//! A dict or a set never gives memory back when items are deleted, only when it has to grow again; a list does when it is
//! half empty. Iterating over such a dict passes all the empty slots as well.
//!
//! # How to fix
//!
//! Make a new container of what is left, once most is gone: `items = dict(items)`, `seen = set(seen)`, `rows = rows[:]`.
//! `clear()` gives everything back. What comes and goes in great numbers may be better off in a `deque` or in several
//! containers, one for each time span, that are dropped as a whole.
//!
//! Before:
//!
//! ```python
//! for key in expired(SESSIONS):
//!     del SESSIONS[key]
//! ```
//!
//! After:
//!
//! ```python
//! SESSIONS = {key: session for key, session in SESSIONS.items() if not session.expired}
//! ```

use super::alike::{Alike, held_alike};
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::whose::is_interpreters_own;
use super::{Evidence, Rule};
use crate::heap::patterns::SparseTable;
use crate::units;

pub const RULE: Rule = Rule {
    name: "sparse-container",
    source: include_str!("sparse_container.rs"),
    thresholds: &[&BYTES],
    find,
};

const BYTES: Threshold = Threshold {
    rule: "sparse-container",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this many bytes of empty slots on",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let tables = evidence.heap.patterns.sparse.iter();
    let own = tables.filter(|each| !is_interpreters_own(&each.subject.path));
    held_alike(own, |each| &each.subject.path, |each| each.subject.type_name.clone())
        .iter()
        .filter_map(|alike| finding(alike, evidence))
        .collect()
}

fn waste(table: &SparseTable) -> u64 {
    table.bytes.saturating_sub(table.copy_bytes)
}

fn finding(alike: &Alike<'_, SparseTable>, evidence: &Evidence<'_>) -> Option<Finding> {
    let first = alike.heaviest(waste)?;
    let saving = alike.sum(waste);
    if saving < evidence.limit(&BYTES) {
        return None;
    }
    let facts = vec![
        ("items", Fact::Number(first.subject.length)),
        ("room", Fact::Number(first.room)),
        ("table_bytes", Fact::Number(first.bytes)),
        ("copy_bytes", Fact::Number(first.copy_bytes)),
        ("containers", Fact::Number(alike.all.len() as u64)),
    ];
    Some(Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Certain,
        summary: summary(first, alike.all.len() as u64, saving),
        advice: advice(first),
        location: None,
        object: Object::of_subject(&first.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(saving),
    })
}

fn kind(table: &SparseTable) -> &str {
    table.subject.type_name.rsplit('.').next().unwrap_or_default()
}

fn summary(first: &SparseTable, count: u64, saving: u64) -> String {
    let others = match count {
        1 => String::new(),
        _ => format!("; {} such are held alike", units::count(count)),
    };
    format!(
        "{}: {}, {} in a table for {}, {} of empty slots{others}",
        first.subject.path,
        kind(first),
        units::items(first.subject.length),
        units::count(first.room),
        units::bytes(saving),
    )
}

fn advice(table: &SparseTable) -> String {
    let copy = match kind(table) {
        "list" => "items = items[:]".to_owned(),
        kind => format!("items = {kind}(items)"),
    };
    format!(
        "When most has been taken out of it, make a new one of what is left: {copy}; or clear() it when nothing is."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    fn dict(path: &str, bytes: u64) -> SparseTable {
        SparseTable {
            subject: Subject {
                path: path.to_owned(),
                length: 10,
                type_name: "builtins.dict".into(),
                ..Subject::default()
            },
            room: bytes / 24,
            bytes,
            copy_bytes: 400,
        }
    }

    fn found(sparse: Vec<SparseTable>) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.sparse = sparse)
    }

    #[test]
    fn empty_slots_are_the_saving() {
        let found = found(vec![dict("shop.SESSIONS", 5 << 20)]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.saving_bytes, Some((5 << 20) - 400));
        assert_eq!(
            finding.summary,
            "shop.SESSIONS: dict, 10 items in a table for 218 453, 5.0 MiB of empty slots"
        );
        assert!(finding.advice.contains("items = dict(items)"), "{}", finding.advice);
    }

    #[test]
    fn many_that_are_held_alike_add_up() {
        let users = |name: &str| dict(&format!("shop.USERS['{name}'].history"), 400 << 10);
        let found = found(vec![users("a"), users("b"), users("c"), dict("shop.SMALL", 400 << 10)]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.saving_bytes, Some(3 * ((400 << 10) - 400)));
        assert!(
            finding.summary.ends_with("; 3 such are held alike"),
            "{}",
            finding.summary
        );
    }

    #[test]
    fn what_the_interpreter_keeps_is_its_own() {
        assert_eq!(found(vec![dict("(interpreter).interned strings", 5 << 20)]), []);
    }
}
