//! A cache without a bound keeps every result that it was ever asked for.
//!
//! # What it measures
//!
//! `functools.cache` and `functools.lru_cache(maxsize=None)` that retain 1 MiB or hold 10 000 entries or more: their
//! size, their hits and misses, and the bytes that they retain, which nothing else holds. When the cached function is a
//! method, how many keys begin with an instance, which the cache then keeps alive with all it holds.
//!
//! # What it looks at
//!
//! The cache object itself, which knows its bound and counts its hits. A cache with a bound is reported, whether it was
//! reached or not, only when it is on a method and instances that nothing else holds retain 1 MiB or more. An entry that is not asked for again could as well have been dropped: as many entries as
//! there are more than hits were never used, and their share of the bytes is the saving that is claimed.
//!
//! # Why it matters
//!
//! Arguments that differ from call to call (ids, times, requests) fill such a cache for as long as the program runs,
//! and most entries are never read again.
//!
//! # How to fix
//!
//! Give the cache a bound near the number of arguments that are in use at the same time. Do not cache methods by
//! instance: use `functools.cached_property`, or cache a function of the values that the result depends on.
//!
//! Before:
//!
//! ```python
//! @functools.cache
//! def price(order_id):
//!     return compute(order_id)
//! ```
//!
//! After:
//!
//! ```python
//! @functools.lru_cache(maxsize=1024)
//! def price(order_id):
//!     return compute(order_id)
//! ```

use rustc_hash::FxHashMap;

use super::finding::{Confidence, Fact, Finding, Location, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::CachedInstances;
use crate::heap::{CacheStatistics, Container};
use crate::units;

pub const RULE: Rule = Rule {
    name: "unbounded-cache",
    source: include_str!("unbounded_cache.rs"),
    thresholds: &[&ENTRIES, &BYTES],
    find,
};

const ENTRIES: Threshold = Threshold {
    rule: "unbounded-cache",
    name: "entries",
    evidence_name: "threshold_entries",
    default: 10_000,
    unit: Unit::Items,
    meaning: "speak from this size on, or from `bytes`",
};

const BYTES: Threshold = Threshold {
    rule: "unbounded-cache",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on, or from `entries`",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let at_least = |value: u64, threshold| value >= evidence.thresholds.of(threshold);
    let kept = evidence.heap.patterns.cached_instances.iter();
    let kept: FxHashMap<u64, &CachedInstances> = kept.map(|kept| (kept.address, kept)).collect();
    let mut findings = Vec::new();
    for container in &evidence.heap.containers {
        let Some(statistics) = container.cache.as_ref() else {
            continue;
        };
        if let Some(maxsize) = statistics.maxsize {
            let kept = kept.get(&container.address).filter(|_| statistics.instance_keys > 0);
            if let Some(kept) = kept.filter(|kept| at_least(kept.retained_bytes, &BYTES)) {
                findings.push(of_instances(container, statistics, maxsize, kept, evidence));
            }
        } else if at_least(container.length, &ENTRIES) || at_least(container.retained_bytes, &BYTES) {
            findings.push(finding(container, statistics, evidence));
        }
    }
    findings
}

fn finding(cache: &Container, statistics: &CacheStatistics, evidence: &Evidence<'_>) -> Finding {
    let saving = bytes_never_used(cache, statistics);
    Finding {
        rule: RULE.name,
        severity: Severity::Warning,
        confidence: Confidence::Certain,
        summary: summary(cache, statistics),
        advice: advice(statistics),
        location: Location::of(&statistics.defined_at, &statistics.function),
        object: Object::of(cache),
        evidence: facts(cache, statistics, evidence),
        saving_bytes: (saving > 0).then_some(saving),
    }
}

/// A cache with a bound that keeps instances alive.
fn of_instances(
    cache: &Container,
    statistics: &CacheStatistics,
    maxsize: u64,
    kept: &CachedInstances,
    evidence: &Evidence<'_>,
) -> Finding {
    let mut evidence_of_cache = facts(cache, statistics, evidence);
    evidence_of_cache.push(("maxsize", Fact::Number(maxsize)));
    evidence_of_cache.push(("instances_kept", Fact::Number(kept.instances)));
    Finding {
        rule: RULE.name,
        severity: Severity::of_saving(kept.retained_bytes),
        confidence: Confidence::Certain,
        summary: format!(
            "{}: a cache on a method, whose keys keep {} instances alive that nothing else holds, {} retained by {} \
             entries of {} at most",
            cache.path,
            units::count(kept.instances),
            units::bytes(cache.retained_bytes),
            units::count(cache.length),
            units::count(maxsize),
        ),
        advice: advice(statistics),
        location: Location::of(&statistics.defined_at, &statistics.function),
        object: Object::of(cache),
        evidence: evidence_of_cache,
        saving_bytes: Some(cache.retained_bytes),
    }
}

/// The share of the entries that cannot have been used again, there being fewer hits than entries.
fn bytes_never_used(cache: &Container, statistics: &CacheStatistics) -> u64 {
    let never_used = cache.length.saturating_sub(statistics.hits);
    let share = u128::from(cache.retained_bytes) * u128::from(never_used) / u128::from(cache.length.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}

fn summary(cache: &Container, statistics: &CacheStatistics) -> String {
    let mut summary = format!(
        "{}: {} entries without a bound, {} hits, {} misses, {} retained",
        cache.path,
        units::count(cache.length),
        units::count(statistics.hits),
        units::count(statistics.misses),
        units::bytes(cache.retained_bytes),
    );
    // Only so many keys of a large cache are looked at, so that fewer than all means "at least".
    match statistics.instance_keys {
        0 => {}
        all if all >= cache.length => summary.push_str(", every key keeps an instance alive"),
        some => summary.push_str(&format!(
            ", at least {} keys keep an instance alive",
            units::count(some)
        )),
    }
    summary
}

fn advice(statistics: &CacheStatistics) -> String {
    if statistics.instance_keys > 0 {
        "A cache on a method keeps every instance that it was called on: use functools.cached_property, or cache a \
         function of the values that the result depends on."
            .to_owned()
    } else if statistics.hits == 0 {
        "No entry was ever asked for again: remove the cache, or bound it with functools.lru_cache(maxsize=N)."
            .to_owned()
    } else {
        "Bound it: functools.lru_cache(maxsize=N), with N near the number of arguments that are in use at the same \
         time."
            .to_owned()
    }
}

fn facts(cache: &Container, statistics: &CacheStatistics, evidence: &Evidence<'_>) -> Vec<(&'static str, Fact)> {
    let mut facts = vec![
        ("entries", Fact::Number(cache.length)),
        ("hits", Fact::Number(statistics.hits)),
        ("misses", Fact::Number(statistics.misses)),
        ("instance_keys", Fact::Number(statistics.instance_keys)),
    ];
    if let Some(series) = evidence
        .growth
        .of_container(cache.identity(), cache.kind)
        .filter(|known| known.intervals() > 0)
    {
        facts.push(("entries_grown", Fact::Difference(series.items_grown())));
        facts.push(("bytes_grown", Fact::Difference(series.bytes_grown())));
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
    use crate::heap::{ContainerKind, Heap};
    use crate::rules::fake_heap::{cache, container, findings, findings_of_heap};

    fn with_statistics(mut cache: Container, change: impl FnOnce(&mut CacheStatistics)) -> Container {
        change(cache.cache.as_mut().unwrap());
        cache
    }

    fn found(cache: Container) -> Vec<Finding> {
        findings(&RULE, &[(cache, &[])], None)
    }

    #[test]
    fn a_cache_without_a_bound_is_found_with_its_statistics_and_definition() {
        let finding = &found(cache("shop.pricing.price", 20_000, 5_000, 20_000))[0];
        assert_eq!(
            finding.summary,
            "shop.pricing.price: 20 000 entries without a bound, 5 000 hits, 20 000 misses, 2.1 MiB retained"
        );
        assert_eq!(
            (finding.severity, finding.confidence),
            (Severity::Warning, Confidence::Certain)
        );
        let location = finding.location.as_ref().unwrap();
        assert_eq!((location.file.as_str(), location.line), ("/srv/shop/pricing.py", 12));
        assert_eq!(finding.saving_bytes, Some((56 + 108 * 20_000) * 3 / 4));
    }

    #[test]
    fn a_bound_reached_or_not_and_a_small_cache_are_no_findings() {
        let bounded = |maxsize| with_statistics(cache("a.f", 20_000, 0, 20_000), |it| it.maxsize = Some(maxsize));
        assert_eq!(found(bounded(1_000_000)), []);
        assert_eq!(found(bounded(20_000)), []);
        assert_eq!(found(cache("a.f", 100, 0, 100)), []);
        assert_eq!(found(container("a.d", ContainerKind::Dict, 1_000_000)), []);
    }

    #[test]
    fn a_bound_does_not_excuse_what_a_method_keeps() {
        let bounded = with_statistics(cache("a.Report.total", 128, 0, 3_000), |it| {
            it.maxsize = Some(128);
            it.instance_keys = 128;
        });
        let found = |retained_bytes| {
            let mut heap = Heap {
                containers: vec![bounded.clone()],
                ..Heap::default()
            };
            heap.patterns.cached_instances.push(CachedInstances {
                address: bounded.address,
                instances: 128,
                retained_bytes,
                ..CachedInstances::default()
            });
            findings_of_heap(&RULE, &heap)
        };
        let finding = &found(2 << 20)[0];
        assert!(
            finding
                .summary
                .starts_with("a.Report.total: a cache on a method, whose keys keep 128 instances alive"),
            "{}",
            finding.summary
        );
        assert_eq!(found(1 << 19), []);
    }

    #[test]
    fn hits_for_every_entry_leave_no_proved_saving() {
        assert_eq!(found(cache("a.f", 20_000, 20_000, 20_000))[0].saving_bytes, None);
        let unused = &found(cache("a.f", 20_000, 0, 20_000))[0];
        assert_eq!(unused.saving_bytes, Some(unused.object.bytes));
        assert!(unused.advice.starts_with("No entry was ever asked for again"));
    }

    #[test]
    fn instances_kept_by_keys_are_named() {
        let finding = &found(with_statistics(cache("a.C.f", 20_000, 0, 20_000), |it| {
            it.instance_keys = 20_000
        }))[0];
        assert!(finding.summary.ends_with(", every key keeps an instance alive"));
        assert!(finding.advice.contains("cached_property"));
        let finding = &found(with_statistics(cache("a.C.f", 20_000, 0, 20_000), |it| {
            it.instance_keys = 10_000
        }))[0];
        assert!(
            finding
                .summary
                .ends_with(", at least 10 000 keys keep an instance alive")
        );
    }
}
