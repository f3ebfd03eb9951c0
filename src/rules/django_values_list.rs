//! Whole model instances are kept of which a single field is read.
//!
//! # What it measures
//!
//! Query sets whose result cache holds 1 000 rows or more, or retains 1 MiB, while loops over them read one field of each
//! row: what the rows take beyond the values of that field.
//!
//! # What it looks at
//!
//! The rows and their attributes, as the query set keeps them; and which lines run, some hundred times a second between the
//! snapshots, from outside and without a stop: so it needs a duration, and is silent with `-d 0` and on heaps that were saved
//! without one. Loops and comprehensions are parsed, and what they go over is looked up in the call that runs. Where one of
//! them was seen to do anything else with a row than to read that field, nothing is said. Where the source is missing or was
//! changed since the program started, nothing is guessed. It is `likely`: code that did not run meanwhile may need more.
//!
//! # Why it matters
//!
//! Each row becomes an instance of the model, with a dict, a state and all columns that the table has. For one value of each
//! that is ten times as much as the values take, and most of the time of the query.
//!
//! # How to fix
//!
//! Ask for the field: `.values_list("total", flat=True)`. Where the values are needed once, add `.iterator()`, which keeps none;
//! where the database can answer itself, ask it: `.aggregate(Sum("total"))`.
//!
//! Before:
//!
//! ```python
//! orders = Order.objects.filter(paid=True)
//! totals = [order.total for order in orders]
//! ```
//!
//! After:
//!
//! ```python
//! totals = list(Order.objects.filter(paid=True).values_list("total", flat=True))
//! ```

use super::alike::{Alike, held_alike};
use super::finding::{Confidence, Fact, Finding, Location, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::{BusyLine, CachedRows, Habit, Subject};
use crate::units;

pub const RULE: Rule = Rule {
    name: "django-values-list",
    source: include_str!("django_values_list.rs"),
    thresholds: &[&ROWS, &BYTES],
    find,
};

const ROWS: Threshold = Threshold {
    rule: "django-values-list",
    name: "rows",
    evidence_name: "threshold_rows",
    default: 1_000,
    unit: Unit::Items,
    meaning: "speak from this many rows on, or from `bytes`",
};

const BYTES: Threshold = Threshold {
    rule: "django-values-list",
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

/// The loops that were seen to go over one of these query sets.
fn loops<'a>(alike: &Alike<'_, CachedRows>, evidence: &Evidence<'a>) -> Vec<&'a BusyLine> {
    let lines = evidence.heap.patterns.busy.lines.iter();
    let is_over = |line: &&BusyLine| alike.all.iter().any(|each| goes_over(line, &each.subject));
    lines
        .filter(|line| line.habit == Habit::Reads)
        .filter(is_over)
        .collect()
}

/// Whether it was that query set, or what the same call had under the same name before.
fn goes_over(line: &BusyLine, query_set: &Subject) -> bool {
    let is_it = line.worked_on.iter().any(|each| each.address == query_set.address);
    is_it || in_call(&line.path).is_some_and(|place| in_call(&query_set.path) == Some(place))
}

/// Call, file and expression of a path such as `report() at shop.py:7 > self.orders`, without what stands before and the line.
fn in_call(path: &str) -> Option<(&str, &str, &str)> {
    let at = path.rfind("() at ")?;
    let call = path[..at].rsplit(' ').next()?;
    let (file, rest) = path[at + "() at ".len()..].split_once(':')?;
    let (_, name) = rest.split_once(" > ")?;
    Some((call, file, name))
}

/// What the only field that is read takes in all rows; `None` when rows have no such field.
fn field_bytes(alike: &Alike<'_, CachedRows>, name: &str) -> Option<u64> {
    // `pk` is another name for what is called `id` unless somebody said otherwise.
    let is_it = |known: &str| known == name || name == "pk" && known == "id";
    let of = |each: &CachedRows| Some(each.fields.iter().find(|field| is_it(&field.name))?.bytes);
    alike.all.iter().map(|each| of(each)).sum()
}

fn finding(alike: &Alike<'_, CachedRows>, evidence: &Evidence<'_>) -> Option<Finding> {
    let most = alike.heaviest(|each| each.rows)?;
    let loops = loops(alike, evidence);
    let line = *loops.first()?;
    let field = line.attribute.as_deref()?;
    if loops.iter().any(|other| other.attribute.as_deref() != Some(field)) {
        return None;
    }
    let values = field_bytes(alike, field)?.saturating_add(alike.sum(|each| each.list_bytes));
    let saving = alike.sum(|each| each.retained_bytes).checked_sub(values)?;
    let facts = vec![
        ("rows", Fact::Number(alike.sum(|each| each.rows))),
        ("model", Fact::Text(most.model.clone())),
        ("field", Fact::Text(field.to_owned())),
        ("fields", Fact::Number(most.fields.len() as u64)),
        ("samples", Fact::Number(loops.iter().map(|line| line.samples).sum())),
        ("of_samples", Fact::Number(evidence.heap.patterns.busy.samples)),
        ("source", Fact::Text(line.text.clone())),
    ];
    Some(Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Likely,
        summary: format!(
            "{}: query set that keeps {} rows of {}, of which only {field} is read; all else takes {}; in {}(), line {}: {}",
            most.subject.path,
            units::count(most.rows),
            most.model,
            units::bytes(saving),
            line.function,
            line.line,
            line.text,
        ),
        advice: format!(
            "Ask for that field alone: .values_list(\"{field}\", flat=True) gives its values and makes no instances; with \
             .iterator() it keeps none of them."
        ),
        location: Some(Location {
            file: line.file.clone(),
            line: line.line,
            function: line.function.clone(),
        }),
        object: Object::of_subject(&most.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(saving),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::{BusyLines, CachedField};
    use crate::rules::fake_heap::{busy_line, findings_of_patterns, worked_on};

    fn reading(attribute: Option<&str>) -> BusyLine {
        BusyLine {
            attribute: attribute.map(str::to_owned),
            text: "for order in self.orders:".to_owned(),
            worked_on: vec![worked_on("QuerySet", 0, 20)],
            ..busy_line(Habit::Reads, 40)
        }
    }

    fn orders(path: &str, address: u64, rows: u64) -> CachedRows {
        let field = |name: &str, bytes: u64| CachedField {
            name: name.to_owned(),
            bytes,
        };
        CachedRows {
            subject: Subject {
                address,
                path: path.to_owned(),
                ..Subject::default()
            },
            model: "shop.models.Order".to_owned(),
            rows,
            retained_bytes: 600 * rows,
            list_bytes: 8 * rows,
            fields: vec![
                field("_state", 48 * rows),
                field("id", 32 * rows),
                field("total", 24 * rows),
            ],
            ..CachedRows::default()
        }
    }

    fn found(cached_rows: Vec<CachedRows>, lines: Vec<BusyLine>) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| {
            facts.cached_rows = cached_rows;
            facts.busy = BusyLines {
                looks: 1000,
                samples: 1000,
                lines,
                unknown: Vec::new(),
            };
        })
    }

    const ADDRESS: u64 = 0x7f00_1000;

    #[test]
    fn all_but_the_field_that_is_read_could_be_saved() {
        let found = found(
            vec![orders("shop.Report.orders", ADDRESS, 5_000)],
            vec![reading(Some("total"))],
        );
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            finding.summary,
            "shop.Report.orders: query set that keeps 5 000 rows of shop.models.Order, of which only total is read; all else \
             takes 2.7 MiB; in accept(), line 7: for order in self.orders:"
        );
        assert_eq!(finding.saving_bytes, Some(5_000 * (600 - 8 - 24)));
        assert_eq!(finding.location.as_ref().map(|at| at.line), Some(7));
    }

    #[test]
    fn nothing_is_said_where_more_is_read_or_another_query_set() {
        let all = || vec![orders("shop.Report.orders", ADDRESS, 5_000)];
        assert_eq!(found(all(), vec![]), []);
        assert_eq!(found(all(), vec![reading(None)]), []);
        assert_eq!(found(all(), vec![reading(Some("total")), reading(None)]), []);
        assert_eq!(found(all(), vec![reading(Some("total")), reading(Some("id"))]), []);
        assert_eq!(found(all(), vec![reading(Some("customer"))]), []);
        let other = vec![orders("shop.Report.orders", ADDRESS + 16, 5_000)];
        assert_eq!(found(other, vec![reading(Some("total"))]), []);
        let few = vec![orders("shop.Report.orders", ADDRESS, 999)];
        assert_eq!(found(few, vec![reading(Some("total"))]), []);
    }

    #[test]
    fn a_query_set_that_each_call_makes_is_known_by_its_name() {
        let line = || BusyLine {
            path: "report() at shop.py:9 > orders".to_owned(),
            ..reading(Some("pk"))
        };
        let of_call = |path: &str| vec![orders(path, ADDRESS + 16, 5_000)];
        let same = of_call("thread MainThread > report() at shop.py:12 > orders");
        assert_eq!(found(same, vec![line()]).len(), 1);
        for other in [
            "report() at shop.py:12 > paid",
            "sums() at shop.py:12 > orders",
            "shop.orders",
        ] {
            assert_eq!(found(of_call(other), vec![line()]), []);
        }
    }
}
