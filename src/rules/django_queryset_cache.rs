//! A Django query set keeps all the rows that it was iterated over.
//!
//! # What it measures
//!
//! Query sets whose result cache holds 1 000 rows or more, or retains 1 MiB: the model, the rows, and what would be freed
//! with them.
//!
//! # What it looks at
//!
//! The list that the query set itself keeps, so that what it says is certain. Rows that something else holds too do not
//! count.
//!
//! # Why it matters
//!
//! Iterating over a query set fetches all rows, makes an instance of each, and keeps them for as long as the query set
//! lives: on a class, in a module, in a form or a view, that is as long as the program.
//!
//! # How to fix
//!
//! Iterate with `.iterator()`, which keeps a few rows at a time, and ask the database for what it can answer: `.count()`,
//! `.exists()`, `.aggregate()`. Keep `Order.objects.all` as a function, or call `.all()` on a kept query set, which makes a
//! new one.
//!
//! Before:
//!
//! ```python
//! orders = Order.objects.filter(paid=True)
//! total = sum(order.total for order in orders)
//! ```
//!
//! After:
//!
//! ```python
//! orders = Order.objects.filter(paid=True)
//! total = sum(order.total for order in orders.iterator())
//! ```

use super::alike::{Alike, held_alike};
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::CachedRows;
use crate::units;

pub const RULE: Rule = Rule {
    name: "django-queryset-cache",
    source: include_str!("django_queryset_cache.rs"),
    thresholds: &[&ROWS, &BYTES],
    find,
};

const ROWS: Threshold = Threshold {
    rule: "django-queryset-cache",
    name: "rows",
    evidence_name: "threshold_rows",
    default: 1_000,
    unit: Unit::Items,
    meaning: "speak from this many rows on, or from `bytes`",
};

const BYTES: Threshold = Threshold {
    rule: "django-queryset-cache",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on, or from `rows`",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let cached = evidence.heap.patterns.cached_rows.iter();
    let many =
        cached.filter(|each| each.rows >= evidence.limit(&ROWS) || each.retained_bytes >= evidence.limit(&BYTES));
    held_alike(many, |each| &each.subject.path, |each| each.model.clone())
        .iter()
        .filter_map(|alike| finding(alike, evidence))
        .collect()
}

fn finding(alike: &Alike<'_, CachedRows>, evidence: &Evidence<'_>) -> Option<Finding> {
    let most = alike.heaviest(|each| each.rows)?;
    let saving = alike.sum(|each| each.retained_bytes);
    let count = alike.all.len() as u64;
    let others = match count {
        1 => String::new(),
        _ => format!("; {} such are held alike", units::count(count)),
    };
    let facts = vec![
        ("rows", Fact::Number(alike.sum(|each| each.rows))),
        ("model", Fact::Text(most.model.clone())),
        ("query_sets", Fact::Number(count)),
    ];
    Some(Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Certain,
        summary: format!(
            "{}: query set that keeps {} rows of {}, {} retained{others}",
            most.subject.path,
            units::count(most.rows),
            most.model,
            units::bytes(saving),
        ),
        advice:
            "Iterate over it with .iterator(), which keeps a few rows at a time, and do not keep a query set that was \
                 iterated over: .all() makes a new one."
                .to_owned(),
        location: None,
        object: Object::of_subject(&most.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(saving),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    fn found(rows: u64, retained_bytes: u64) -> Vec<Finding> {
        let cached_rows = vec![CachedRows {
            subject: Subject {
                path: "shop.views.Report.orders".to_owned(),
                ..Subject::default()
            },
            model: "shop.models.Order".to_owned(),
            rows,
            retained_bytes,
            ..CachedRows::default()
        }];
        findings_of_patterns(&RULE, |facts| facts.cached_rows = cached_rows)
    }

    #[test]
    fn many_or_large_rows_are_found() {
        assert_eq!(
            found(5_000, 4 << 20)[0].summary,
            "shop.views.Report.orders: query set that keeps 5 000 rows of shop.models.Order, 4.0 MiB retained"
        );
        assert_eq!(found(10, 1 << 20).len(), 1);
        assert_eq!(found(999, 1 << 19), []);
    }
}
