//! Django's `prefetch_related` keeps the related rows of all objects of a query.
//!
//! # What it measures
//!
//! Objects of a model that keep rows which were fetched for them in advance, 1 000 rows or more in one place: the rows, and
//! what would be freed with them.
//!
//! # What it looks at
//!
//! The query sets that objects keep under the names of their relations, so that what it says is certain.
//!
//! # Why it matters
//!
//! `prefetch_related` makes an instance of every related row before the first object is looked at, and each object keeps
//! its own for as long as it lives.
//!
//! # How to fix
//!
//! Go through the objects in pieces: `.iterator(chunk_size=...)`, which fetches the related rows of one piece at a time.
//! Fetch what is needed of them with `Prefetch(queryset=...)`, or let the database count and sum with `.annotate()`.
//!
//! Before:
//!
//! ```python
//! authors = list(Author.objects.prefetch_related("books"))
//! ```
//!
//! After:
//!
//! ```python
//! authors = Author.objects.annotate(book_count=Count("books"))
//! ```

use super::alike::{Alike, held_alike};
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::PrefetchedRows;
use crate::units;

pub const RULE: Rule = Rule {
    name: "django-prefetch",
    source: include_str!("django_prefetch.rs"),
    thresholds: &[&ROWS],
    find,
};

const ROWS: Threshold = Threshold {
    rule: "django-prefetch",
    name: "rows",
    evidence_name: "threshold_rows",
    default: 1_000,
    unit: Unit::Items,
    meaning: "speak from this many rows on; fewer are never looked at",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let prefetched = evidence.heap.patterns.prefetched_rows.iter();
    held_alike(prefetched, |each| &each.first, |each| each.model.clone())
        .iter()
        .filter_map(|alike| finding(alike, evidence))
        .collect()
}

fn finding(alike: &Alike<'_, PrefetchedRows>, evidence: &Evidence<'_>) -> Option<Finding> {
    let most = alike.heaviest(|each| each.rows)?;
    let (rows, objects) = (alike.sum(|each| each.rows), alike.sum(|each| each.objects));
    let saving = alike.sum(|each| each.retained_bytes);
    if rows < evidence.limit(&ROWS) {
        return None;
    }
    let facts = vec![
        ("rows", Fact::Number(rows)),
        ("objects", Fact::Number(objects)),
        ("model", Fact::Text(most.model.clone())),
        ("such_as", Fact::Text(most.first.clone())),
    ];
    Some(Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Certain,
        summary: format!(
            "{}: {} rows of {} that were fetched in advance for {} objects, {} retained",
            most.subject.path,
            units::count(rows),
            most.model,
            units::count(objects),
            units::bytes(saving),
        ),
        advice:
            "Go through the objects with .iterator(chunk_size=N), which fetches in advance for one piece at a time, or \
                 let the database count and sum with .annotate()."
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

    fn found(rows: u64) -> Vec<Finding> {
        let prefetched_rows = vec![PrefetchedRows {
            subject: Subject {
                path: "shop.AUTHORS".to_owned(),
                ..Subject::default()
            },
            model: "shop.models.Book".to_owned(),
            objects: 200,
            rows,
            retained_bytes: 500 * rows,
            ..PrefetchedRows::default()
        }];
        findings_of_patterns(&RULE, |facts| facts.prefetched_rows = prefetched_rows)
    }

    #[test]
    fn rows_are_counted_over_all_objects() {
        assert_eq!(
            found(4_000)[0].summary,
            "shop.AUTHORS: 4 000 rows of shop.models.Book that were fetched in advance for 200 objects, 1.9 MiB retained"
        );
        assert_eq!(found(999), []);
    }
}
