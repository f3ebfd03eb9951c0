//! A container grows and never shrinks.
//!
//! # What it measures
//!
//! Dicts, lists, sets, deques and OrderedDicts that have more items in every snapshot than in the one before, wherever
//! they are held: by a module, a class, an instance, a local variable of a running call or of a suspended task. It
//! reports how fast they grow, in items and in bytes, and when the process reaches its memory limit if that goes on.
//!
//! # What it looks at
//!
//! The same object in the first snapshot, in the last, and in all between, known by its address and its name; where it
//! has no name for good, by its address and its first item. Growth in two intervals or more that goes on as it began
//! makes the finding `likely` (three for what a call holds, which may make it anew in the same place); ask for them
//! with `--interval`. One interval alone may have fallen into the loading of data, and so may the one in which the
//! program started, which is left out: without a trend the finding is `possible`, for information, and makes no
//! forecast. Containers that hold each other are one cause and reported once, at the outermost; so are many that are
//! held alike, at the one that has grown most. A `deque` with a `maxlen` stops by itself. Contents of a
//! `functools.lru_cache` belong to `unbounded-cache`; `sys.modules` and its like are the interpreter's own.
//!
//! # Why it matters
//!
//! Nothing in the program ever takes these items out again, so memory grows until the process is killed or restarted.
//!
//! # How to fix
//!
//! Decide when an item is no longer needed, and let it go then: bound the container, drop entries by age, or remove
//! each when its work is done. The saving is what it has grown by while it was watched.
//!
//! Before:
//!
//! ```python
//! PRICES = {}
//!
//! def price(order_id):
//!     if order_id not in PRICES:
//!         PRICES[order_id] = compute(order_id)
//!     return PRICES[order_id]
//! ```
//!
//! After:
//!
//! ```python
//! @functools.lru_cache(maxsize=10_000)
//! def price(order_id):
//!     return compute(order_id)
//! ```

use std::time::Duration;

use super::causes::{Cause, causes};
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::whose::is_somebody_elses;
use super::{Evidence, Rule};
use crate::heap::{Container, ContainerKind};
use crate::sampling::growth::Series;
use crate::units;

pub const RULE: Rule = Rule {
    name: "growing-container",
    source: include_str!("growing_container.rs"),
    thresholds: &[&ITEMS, &BYTES, &GROWN_ITEMS, &GROWN_BYTES],
    find,
};

pub const ITEMS: Threshold = Threshold {
    rule: "growing-container",
    name: "items",
    evidence_name: "threshold_items",
    default: 10_000,
    unit: Unit::Items,
    meaning: "speak from this length on, or from `bytes`",
};

pub const BYTES: Threshold = Threshold {
    rule: "growing-container",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much kept on, or from `items`",
};

/// Keeps an idle program silent, in which a registry gets an entry now and then.
pub const GROWN_ITEMS: Threshold = Threshold {
    rule: "growing-container",
    name: "grown-items",
    evidence_name: "threshold_grown_items",
    default: 100,
    unit: Unit::Items,
    meaning: "speak from this many items more on, or from `grown-bytes`",
};

pub const GROWN_BYTES: Threshold = Threshold {
    rule: "growing-container",
    name: "grown-bytes",
    evidence_name: "threshold_grown_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this many bytes more on, or from `grown-items`",
};

/// Fewer items than these may be large and are still no trend.
const FEWEST_ITEMS: i64 = 10;
/// The memory limit is urgent when it is reached within this time.
const SOON: Duration = Duration::from_secs(3600);
/// A limit that lies further away than this is not worth a line: no growth is so even.
const FORESEEABLE: Duration = Duration::from_secs(30 * 86400);

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let growing: Vec<(&Container, &Series)> = evidence
        .heap
        .containers
        .iter()
        .filter_map(|container| Some((container, series_if_growing(container, evidence)?)))
        .filter(|(container, _)| !is_somebody_elses(container, evidence))
        .collect();
    causes(growing).iter().map(|cause| finding(cause, evidence)).collect()
}

fn series_if_growing<'a>(container: &Container, evidence: &Evidence<'a>) -> Option<&'a Series> {
    use ContainerKind::*;
    let has_bound = container.kind == Deque && container.allocated.is_some();
    if has_bound || !matches!(container.kind, Dict | List | Set | Deque | OrderedDict) {
        return None;
    }
    let at_least = |value: u64, threshold| value >= evidence.thresholds.of(threshold);
    let series = evidence.growth.of_container(container.identity(), container.kind)?;
    (series.grows_in_every_interval()
        && (at_least(container.length, &ITEMS) || at_least(container.kept_bytes, &BYTES))
        && has_grown_enough(series, evidence))
    .then_some(series)
}

fn has_grown_enough(series: &Series, evidence: &Evidence<'_>) -> bool {
    let grown =
        |value: i64, threshold| u64::try_from(value).is_ok_and(|value| value >= evidence.thresholds.of(threshold));
    grown(series.items_grown(), &GROWN_ITEMS)
        || series.items_grown() >= FEWEST_ITEMS && grown(series.bytes_grown(), &GROWN_BYTES)
}

fn finding(cause: &Cause<'_>, evidence: &Evidence<'_>) -> Finding {
    let Cause { container, series, .. } = *cause;
    let later = series.after_start(evidence.age);
    let is_trend = later.is_trend(cause.intervals_of_a_trend()) && has_grown_enough(&later, evidence);
    let series = if is_trend { &later } else { series };
    // What may have been loaded once allows no forecast.
    let time_left = time_to_limit(series, evidence).filter(|_| is_trend);
    let grown_bytes = match cause.others {
        0 => series.bytes_grown(),
        _ => cause.bytes_grown,
    };
    let grown_bytes = u64::try_from(grown_bytes).unwrap_or(0);
    Finding {
        rule: RULE.name,
        severity: match time_left {
            _ if !is_trend => Severity::Info,
            Some(left) if left < SOON => Severity::Error,
            _ => Severity::Warning,
        },
        confidence: if is_trend {
            Confidence::Likely
        } else {
            Confidence::Possible
        },
        summary: summary(cause, series, time_left),
        advice: if is_trend {
            advice(container.kind).to_owned()
        } else {
            NO_TREND.to_owned()
        },
        location: None,
        object: Object::of(container),
        evidence: facts(cause, series, time_left, evidence),
        saving_bytes: (grown_bytes > 0 && is_trend).then_some(grown_bytes),
    }
}

const NO_TREND: &str = "This may be data that is loaded once. Watch again over several intervals, as with -d 60 \
                        --interval 10, to see whether it goes on growing.";

fn summary(cause: &Cause<'_>, series: &Series, time_left: Option<Duration>) -> String {
    let container = cause.container;
    let short_type = container.type_name.rsplit('.').next().unwrap_or_default();
    let mut summary = format!(
        "{}: {short_type}, {}, {}, {} kept",
        container.path,
        units::items(container.length),
        units::rate(series.items_per_second()),
        units::bytes(container.kept_bytes),
    );
    if let Some(left) = time_left.filter(|left| *left < FORESEEABLE) {
        summary.push_str(&format!(", at the memory limit in {}", units::time(left)));
    }
    if cause.others > 0 {
        let grow = if cause.others == 1 {
            "other that is held alike grows"
        } else {
            "others that are held alike grow"
        };
        summary.push_str(&format!("; {} {grow} too", units::count(cause.others)));
    }
    summary
}

fn advice(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Dict | ContainerKind::OrderedDict => {
            "Give it a bound (functools.lru_cache(maxsize=N), or drop the oldest entries), or delete each entry when \
             its work is done."
        }
        ContainerKind::Deque => "Give it a bound: collections.deque(maxlen=N) drops the oldest item for every new one.",
        ContainerKind::Set => "Remove each member when its work is done, or keep only a recent window of them.",
        _ => {
            "Hand the items over and clear it, write them out in batches, or keep the last N: \
             collections.deque(maxlen=N)."
        }
    }
}

fn facts(
    cause: &Cause<'_>,
    series: &Series,
    time_left: Option<Duration>,
    evidence: &Evidence<'_>,
) -> Vec<(&'static str, Fact)> {
    let mut facts = vec![
        ("intervals", Fact::Number(series.intervals() as u64)),
        ("seconds", Fact::Real(series.period().as_secs_f64())),
        ("items_grown", Fact::Difference(series.items_grown())),
        ("bytes_grown", Fact::Difference(series.bytes_grown())),
        ("items_per_minute", Fact::Real(60.0 * series.items_per_second())),
        ("bytes_per_minute", Fact::Real(60.0 * series.bytes_per_second())),
    ];
    if cause.others > 0 {
        facts.push(("others_alike", Fact::Number(cause.others)));
    }
    if let Some(limit) = evidence.memory_limit {
        facts.push(("memory_limit", Fact::Number(limit)));
    }
    if let Some(left) = time_left {
        facts.push(("seconds_to_memory_limit", Fact::Real(left.as_secs_f64())));
    }
    facts.extend(
        RULE.thresholds
            .iter()
            .map(|threshold| evidence.thresholds.fact(threshold)),
    );
    facts
}

/// When the process reaches its memory limit, if only this container grows on as it did.
fn time_to_limit(series: &Series, evidence: &Evidence<'_>) -> Option<Duration> {
    let left = evidence.memory_limit?.saturating_sub(evidence.rss);
    let per_second = series.bytes_per_second();
    (per_second > 0.0).then(|| Duration::try_from_secs_f64(left as f64 / per_second).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Place;
    use crate::rules::fake_heap::{OLD, container, findings, findings_at_age};

    const GROWING: &[u64] = &[20_000, 21_000, 22_000];

    fn dict(path: &str) -> Container {
        container(path, ContainerKind::Dict, 22_000)
    }

    #[test]
    fn a_module_level_dict_that_grows_in_every_interval_is_found() {
        let found = findings(&RULE, &[(dict("shop.cache.PRICES"), GROWING)], None);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            finding.summary,
            "shop.cache.PRICES: dict, 22 000 items, +500/s, 2.3 MiB kept"
        );
        assert_eq!(
            (finding.severity, finding.confidence),
            (Severity::Warning, Confidence::Likely)
        );
        assert_eq!(finding.saving_bytes, Some(2_000 * 108));
        assert!(finding.evidence.contains(&("items_per_minute", Fact::Real(30_000.0))));
        assert!(finding.evidence.contains(&("threshold_items", Fact::Number(10_000))));
    }

    #[test]
    fn one_interval_or_a_start_or_a_load_that_fades_is_for_information() {
        let limit = Some((1 << 30) + 54_000);
        // Snapshots are two seconds apart, and the program was an hour old at the first one unless told.
        let cases: [(&[u64], Duration); 5] = [
            (&[20_000, 22_000], OLD),
            (&[1_000, 22_000], Duration::ZERO),
            (&[1_000, 21_000, 22_000], Duration::ZERO),
            (&[1_000, 21_980, 21_990, 22_000], Duration::ZERO),
            (&[1_000, 21_990, 21_995, 22_000], OLD),
        ];
        for (lengths, age) in cases {
            let found = findings_at_age(&RULE, &[(dict("shop.cache.PRICES"), lengths)], limit, age);
            let [finding] = found.as_slice() else {
                panic!("{found:?}")
            };
            assert_eq!(
                (finding.severity, finding.confidence),
                (Severity::Info, Confidence::Possible),
                "{lengths:?}"
            );
            assert!(!finding.summary.contains("memory limit"), "{}", finding.summary);
            assert!(
                finding
                    .evidence
                    .iter()
                    .all(|(name, _)| *name != "seconds_to_memory_limit")
            );
            assert_eq!(finding.saving_bytes, None);
        }
        let later = findings_at_age(
            &RULE,
            &[(dict("shop.cache.PRICES"), &[1_000, 8_000, 15_000, 22_000])],
            limit,
            Duration::ZERO,
        );
        assert_eq!(later[0].severity, Severity::Error);
    }

    #[test]
    fn what_stands_still_shrinks_once_or_is_small_is_not() {
        let small = container("a.SMALL", ContainerKind::Dict, 400);
        let watched: &[(Container, &[u64])] = &[
            (dict("a.STILL"), &[22_000, 22_000, 22_000]),
            (dict("a.PAUSED"), &[21_000, 22_000, 22_000]),
            (dict("a.EMPTIED"), &[30_000, 100, 22_000]),
            (dict("a.SLOW"), &[21_980, 21_990, 22_000]),
            (dict("a.ONCE"), &[22_000]),
            (small, &[200, 300, 400]),
            (dict("sys.modules"), GROWING),
            (dict("(interpreter).interned strings"), GROWING),
            (dict("shop.Base.__subclasses__"), GROWING),
        ];
        assert_eq!(findings(&RULE, watched, None), []);
    }

    #[test]
    fn what_a_call_holds_grows_for_longer_before_it_is_a_trend() {
        let local = || Container {
            place: Place::Frame,
            ..dict("thread 7 > main() > rows")
        };
        let found = findings(&RULE, &[(local(), GROWING)], None);
        assert_eq!(found[0].severity, Severity::Info);
        let longer: &[u64] = &[19_000, 20_000, 21_000, 22_000];
        let found = findings(&RULE, &[(local(), longer)], None);
        assert_eq!(
            (found[0].severity, found[0].confidence),
            (Severity::Warning, Confidence::Likely)
        );
        let deep = Container {
            place: Place::Elsewhere,
            ..dict("__main__.app.state[3].rows")
        };
        let found = findings(&RULE, &[(deep, GROWING)], None);
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn large_items_make_a_trend_of_fewer() {
        let files = |count| {
            let kept_bytes = 56 + count * 400_000;
            Container {
                kept_bytes,
                ..container("a.FILES", ContainerKind::Dict, count)
            }
        };
        assert_eq!(findings(&RULE, &[(files(39), &[30, 35, 39])], None), []);
        assert_eq!(findings(&RULE, &[(files(40), &[30, 35, 40])], None).len(), 1);
    }

    #[test]
    fn a_limit_that_is_near_makes_it_an_error() {
        let limit = |bytes_left: u64| Some((1 << 30) + bytes_left);
        let found = findings(&RULE, &[(dict("a.A"), GROWING)], limit(54_000 * 600));
        assert_eq!(found[0].severity, Severity::Error);
        assert!(
            found[0].summary.ends_with(", at the memory limit in 10 min"),
            "{}",
            found[0].summary
        );
        let found = findings(&RULE, &[(dict("a.A"), GROWING)], limit(1 << 50));
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(found[0].summary.ends_with("kept"), "{}", found[0].summary);
    }
}
