//! Growth between snapshots: of every type, and of every container that was there the whole time.

use std::rc::Rc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::snapshot::{ContainerSize, Snapshot};
use crate::heap::{ContainerKind, may_be_same};

/// What changed from the first snapshot to the last.
#[derive(Debug, Default)]
pub struct Growth {
    /// From the first snapshot to the last; zero when there is one only.
    pub period: Duration,
    /// How many pairs of neighbouring snapshots there are.
    pub intervals: usize,
    types: FxHashMap<Rc<str>, Change>,
    series: FxHashMap<(u64, ContainerKind), Series>,
}

/// A difference, negative for what shrank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    pub count: i64,
    pub bytes: i64,
}

/// One container over time: the same identity and kind in every snapshot from its first to the last.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// At least one, in order of time.
    pub points: Vec<Point>,
    name: Option<u64>,
    /// The first item at the earliest point so far, where it is known.
    first: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub at: Duration,
    pub length: u64,
    pub kept_bytes: u64,
}

impl Growth {
    pub fn of(snapshots: &[Snapshot]) -> Growth {
        let (Some(first), Some(last)) = (snapshots.first(), snapshots.last()) else {
            return Growth::default();
        };
        Growth {
            period: last.at.saturating_sub(first.at),
            intervals: snapshots.len() - 1,
            types: if snapshots.len() > 1 {
                type_changes(first, last)
            } else {
                FxHashMap::default()
            },
            series: container_series(snapshots),
        }
    }

    /// How a type's objects became more or fewer; `None` with a single snapshot, which has nothing to compare with.
    pub fn of_type(&self, name: &str) -> Option<Change> {
        (self.intervals > 0).then(|| self.types.get(name).copied().unwrap_or_default())
    }

    /// What is known of a container over time; `None` when the last snapshot did not watch it.
    pub fn of_container(&self, identity: u64, kind: ContainerKind) -> Option<&Series> {
        self.series.get(&(identity, kind))
    }
}

fn type_changes(first: &Snapshot, last: &Snapshot) -> FxHashMap<Rc<str>, Change> {
    let mut changes: FxHashMap<Rc<str>, Change> = FxHashMap::default();
    for (name, count, bytes) in &last.types {
        let change = changes.entry(Rc::clone(name)).or_default();
        change.count += *count as i64;
        change.bytes += *bytes as i64;
    }
    for (name, count, bytes) in &first.types {
        let change = changes.entry(Rc::clone(name)).or_default();
        change.count -= *count as i64;
        change.bytes -= *bytes as i64;
    }
    changes
}

/// Follows each container of the last snapshot back in time, up to the first snapshot without it: what stood at the
/// same address before a gap, under another name, or without one and with another first item, was another object.
fn container_series(snapshots: &[Snapshot]) -> FxHashMap<(u64, ContainerKind), Series> {
    let mut series: FxHashMap<(u64, ContainerKind), Series> = FxHashMap::default();
    for (age, snapshot) in snapshots.iter().rev().enumerate() {
        for container in &snapshot.containers {
            let point = Point {
                at: snapshot.at,
                length: container.length,
                kept_bytes: container.kept_bytes,
            };
            let key = (container.identity, container.kind);
            if age == 0 {
                series.entry(key).or_insert_with(|| Series {
                    points: Vec::new(),
                    name: container.name,
                    first: container.first,
                });
            }
            if let Some(known) = series.get_mut(&key)
                && known.points.len() == age
                && known.is_of(container)
            {
                known.points.push(point);
                known.name = known.name.or(container.name);
                known.first = container.first;
            }
        }
    }
    for known in series.values_mut() {
        known.points.reverse();
    }
    series
}

impl Series {
    /// Whether a container that stood at the same address in the snapshot before may be the same one.
    fn is_of(&self, container: &ContainerSize) -> bool {
        match (self.name, container.name) {
            (Some(later), Some(earlier)) => later == earlier,
            _ => may_be_same(container.kind, container.first, self.first),
        }
    }

    pub fn intervals(&self) -> usize {
        self.points.len().saturating_sub(1)
    }

    /// Whether every snapshot shows more items than the one before it. A single snapshot shows nothing of the kind.
    ///
    /// An interval that was cut short, by Ctrl-C or the program's end, may show as many: it left no time to grow.
    pub fn grows_in_every_interval(&self) -> bool {
        let interval = |pair: &[Point]| pair[1].at.saturating_sub(pair[0].at);
        let longest = self.points.windows(2).map(interval).max().unwrap_or_default();
        let grows = |pair: &[Point]| pair[1].length > pair[0].length;
        let cut_short = |pair: &[Point]| interval(pair) * 2 < longest && pair[1].length == pair[0].length;
        self.intervals() > 0 && self.points.windows(2).all(|pair| grows(pair) || cut_short(pair))
    }

    /// The part of it without the interval in which the program started, which was `age` old at the first snapshot: it
    /// had not been running for half as long as that interval takes.
    pub fn after_start(&self, age: Duration) -> Series {
        let is_start = |pair: &&[Point]| age + pair[0].at < pair[1].at.saturating_sub(pair[0].at) / 2;
        let start = self.points.windows(2).take_while(is_start).count();
        Series {
            points: self.points.get(start..).unwrap_or_default().to_vec(),
            ..*self
        }
    }

    /// Whether it grows in `several` intervals or more, and goes on as it began: the later half of the time brought its
    /// share, or a good part of it.
    pub fn is_trend(&self, several: usize) -> bool {
        const GOOD_PART: f64 = 0.1;
        let growing = self.points.windows(2).filter(|pair| pair[1].length > pair[0].length);
        let later = Series {
            points: self.points.get(self.points.len() / 2..).unwrap_or_default().to_vec(),
            ..*self
        };
        growing.count() >= several && later.items_per_second() >= GOOD_PART * self.items_per_second()
    }

    /// Items more than at the first point; negative when there are fewer.
    pub fn items_grown(&self) -> i64 {
        self.between_ends(|point| point.length)
    }

    /// Kept bytes more than at the first point; negative when there are fewer.
    pub fn bytes_grown(&self) -> i64 {
        self.between_ends(|point| point.kept_bytes)
    }

    pub fn items_per_second(&self) -> f64 {
        per_second(self.items_grown(), self.period())
    }

    pub fn bytes_per_second(&self) -> f64 {
        per_second(self.bytes_grown(), self.period())
    }

    /// From its first point to its last.
    pub fn period(&self) -> Duration {
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) => last.at.saturating_sub(first.at),
            _ => Duration::ZERO,
        }
    }

    fn between_ends(&self, of: impl Fn(&Point) -> u64) -> i64 {
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) => of(last) as i64 - of(first) as i64,
            _ => 0,
        }
    }
}

fn per_second(change: i64, period: Duration) -> f64 {
    if period.is_zero() {
        0.0
    } else {
        change as f64 / period.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(second: u64, types: &[(&str, u64, u64)], lengths: &[(u64, u64)]) -> Snapshot {
        Snapshot {
            at: Duration::from_secs(second),
            rss: None,
            objects: 0,
            heap_bytes: 0,
            types: types
                .iter()
                .map(|&(name, count, bytes)| (name.into(), count, bytes))
                .collect(),
            containers: lengths
                .iter()
                .map(|&(identity, length)| ContainerSize {
                    identity,
                    name: None,
                    kind: ContainerKind::Dict,
                    length,
                    first: 0,
                    kept_bytes: 100 * length,
                })
                .collect(),
        }
    }

    #[test]
    fn one_snapshot_shows_no_growth() {
        let growth = Growth::of(&[snapshot(0, &[("builtins.dict", 3, 300)], &[(1, 10)])]);
        assert_eq!(growth.of_type("builtins.dict"), None);
        assert!(
            !growth
                .of_container(1, ContainerKind::Dict)
                .unwrap()
                .grows_in_every_interval()
        );
    }

    #[test]
    fn types_are_compared_first_with_last() {
        let growth = Growth::of(&[
            snapshot(0, &[("a", 3, 300), ("gone", 1, 10)], &[]),
            snapshot(1, &[("a", 99, 9900)], &[]),
            snapshot(2, &[("a", 5, 250), ("new", 2, 20)], &[]),
        ]);
        assert_eq!(growth.of_type("a"), Some(Change { count: 2, bytes: -50 }));
        assert_eq!(growth.of_type("new"), Some(Change { count: 2, bytes: 20 }));
        assert_eq!(growth.of_type("gone"), Some(Change { count: -1, bytes: -10 }));
        assert_eq!(growth.of_type("never there"), Some(Change::default()));
    }

    #[test]
    fn a_container_grows_only_when_every_interval_shows_it() {
        let growth = Growth::of(&[
            snapshot(0, &[], &[(1, 10), (2, 10), (3, 10)]),
            snapshot(2, &[], &[(1, 20), (2, 5), (3, 10)]),
            snapshot(4, &[], &[(1, 30), (2, 50), (3, 40)]),
        ]);
        let of = |address| growth.of_container(address, ContainerKind::Dict).unwrap();
        assert!(of(1).grows_in_every_interval());
        assert!(!of(2).grows_in_every_interval());
        assert!(!of(3).grows_in_every_interval());
        assert_eq!(
            (of(1).items_grown(), of(1).items_per_second(), of(1).bytes_per_second()),
            (20, 5.0, 500.0)
        );
        assert!(growth.of_container(1, ContainerKind::List).is_none());
    }

    #[test]
    fn an_interval_that_was_cut_short_need_not_show_growth() {
        let grows = |last: (u64, u64)| {
            let snapshots = [(0, 10), (10, 20), last].map(|(second, length)| snapshot(second, &[], &[(1, length)]));
            Growth::of(&snapshots)
                .of_container(1, ContainerKind::Dict)
                .unwrap()
                .grows_in_every_interval()
        };
        assert!(grows((11, 20)));
        assert!(!grows((11, 19)));
        assert!(!grows((18, 20)));
    }

    fn series(lengths: &[(u64, u64)]) -> Series {
        let point = |&(second, length): &(u64, u64)| Point {
            at: Duration::from_secs(second),
            length,
            kept_bytes: 0,
        };
        Series {
            points: lengths.iter().map(point).collect(),
            name: None,
            first: 0,
        }
    }

    #[test]
    fn the_interval_in_which_the_program_started_is_left_out() {
        let watched = series(&[(0, 10), (10, 20), (20, 30)]);
        let first = |age| watched.after_start(Duration::from_secs(age)).points[0].length;
        assert_eq!((first(0), first(4), first(5)), (20, 20, 10));
        assert_eq!(series(&[]).after_start(Duration::ZERO).points, []);
    }

    #[test]
    fn a_trend_has_several_intervals_and_does_not_fade() {
        assert!(series(&[(0, 0), (1, 10), (2, 20), (3, 30)]).is_trend(2));
        assert!(series(&[(0, 0), (1, 10), (2, 13)]).is_trend(2));
        assert!(!series(&[(0, 0), (1, 1000), (2, 1001), (3, 1002)]).is_trend(2));
        assert!(!series(&[(0, 0), (10, 10), (11, 10)]).is_trend(2));
        assert!(!series(&[(0, 0), (1, 10)]).is_trend(2));
        assert!(!series(&[]).is_trend(2));
    }

    #[test]
    fn what_stood_at_an_address_before_a_gap_was_another_object() {
        let growth = Growth::of(&[
            snapshot(0, &[], &[(1, 10)]),
            snapshot(2, &[], &[]),
            snapshot(4, &[], &[(1, 30)]),
            snapshot(6, &[], &[(1, 40)]),
        ]);
        let series = growth.of_container(1, ContainerKind::Dict).unwrap();
        assert_eq!(
            series.points.iter().map(|point| point.length).collect::<Vec<_>>(),
            [30, 40]
        );
        assert_eq!(series.period(), Duration::from_secs(2));
    }

    #[test]
    fn what_had_another_name_at_an_address_was_another_object() {
        let named = |second, length, name| {
            let mut snapshot = snapshot(second, &[], &[(1, length)]);
            snapshot.containers[0].name = name;
            snapshot
        };
        let points = |names: [Option<u64>; 3]| {
            let snapshots = [named(0, 3, names[0]), named(2, 20, names[1]), named(4, 30, names[2])];
            let growth = Growth::of(&snapshots);
            growth.of_container(1, ContainerKind::Dict).unwrap().points.len()
        };
        assert_eq!(points([Some(8), Some(7), Some(7)]), 2);
        assert_eq!(points([Some(7), Some(7), Some(7)]), 3);
        assert_eq!(points([Some(7), None, Some(7)]), 3);
        assert_eq!(points([Some(8), None, Some(7)]), 2);
    }

    #[test]
    fn what_had_another_first_item_and_no_name_was_another_object() {
        let starting = |second, length, first, kind| {
            let mut snapshot = snapshot(second, &[], &[(1, length)]);
            (snapshot.containers[0].first, snapshot.containers[0].kind) = (first, kind);
            snapshot
        };
        let points = |firsts: [u64; 3], kind| {
            let lengths = [(0, 3), (2, 20), (4, 30)].into_iter();
            let snapshots: Vec<Snapshot> = lengths
                .zip(firsts)
                .map(|((second, length), first)| starting(second, length, first, kind))
                .collect();
            Growth::of(&snapshots).of_container(1, kind).unwrap().points.len()
        };
        assert_eq!(points([7, 7, 7], ContainerKind::List), 3);
        assert_eq!(points([8, 7, 7], ContainerKind::List), 2);
        assert_eq!(points([8, 7, 6], ContainerKind::Dict), 1);
        assert_eq!(points([0, 7, 7], ContainerKind::Dict), 3);
        assert_eq!(points([8, 7, 6], ContainerKind::Deque), 3);
    }
}
