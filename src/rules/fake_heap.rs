//! Heaps and snapshots made by hand, for the tests of rules.

use std::time::Duration;

use super::threshold::Thresholds;
use super::{Evidence, Finding, Rule, judge};
use crate::heap::patterns::{BusyLine, Habit, PatternFacts, WorkedOn};
use crate::heap::{CacheStatistics, Container, ContainerKind, Heap, OwnerRank, Place};
use crate::sampling::growth::Growth;
use crate::sampling::snapshot::{ContainerSize, Snapshot};

/// A container that a module's global holds; its items take 100 bytes each.
pub fn container(path: &str, kind: ContainerKind, length: u64) -> Container {
    let type_name = match kind {
        ContainerKind::Dict => "builtins.dict",
        ContainerKind::List => "builtins.list",
        ContainerKind::Set => "builtins.set",
        ContainerKind::Deque => "collections.deque",
        ContainerKind::OrderedDict => "collections.OrderedDict",
        ContainerKind::LruCache => "functools._lru_cache_wrapper",
        ContainerKind::ByteArray => "builtins.bytearray",
        ContainerKind::Array => "array.array",
        ContainerKind::Object => "shop.Order",
        ContainerKind::Holder => "(thread)",
    };
    Container {
        address: address_of(path),
        type_name: type_name.into(),
        kind,
        length,
        first: 0,
        own_bytes: 56 + 8 * length,
        kept_bytes: 56 + 108 * length,
        retained_bytes: 56 + 108 * length,
        path: path.to_owned(),
        place: Place::Module,
        rank: OwnerRank::Outermost,
        allocated: (kind == ContainerKind::List).then_some(length),
        item_types: Vec::new(),
        cache: None,
    }
}

/// An unbounded cache that was asked `hits + misses` times.
pub fn cache(path: &str, length: u64, hits: u64, misses: u64) -> Container {
    let statistics = CacheStatistics {
        function: path.to_owned(),
        defined_at: Some(("/srv/shop/pricing.py".to_owned(), 12)),
        hits,
        misses,
        maxsize: None,
        instance_keys: 0,
    };
    Container {
        cache: Some(statistics),
        ..container(path, ContainerKind::LruCache, length)
    }
}

/// The age of a program that has long started.
pub const OLD: Duration = Duration::from_secs(3600);

/// What `rule` finds in a heap of these containers, each of which had one of `lengths` at every snapshot, two seconds
/// apart. The last length should be the container's own.
pub fn findings(rule: &Rule, watched: &[(Container, &[u64])], memory_limit: Option<u64>) -> Vec<Finding> {
    findings_at_age(rule, watched, memory_limit, OLD)
}

/// The same for a program that was `age` old at the first snapshot.
pub fn findings_at_age(
    rule: &Rule,
    watched: &[(Container, &[u64])],
    memory_limit: Option<u64>,
    age: Duration,
) -> Vec<Finding> {
    with_evidence(watched, memory_limit, age, |evidence| (rule.find)(evidence))
}

/// What `rule` finds in a heap of which only this is known.
pub fn findings_of_patterns(rule: &Rule, add: impl FnOnce(&mut PatternFacts)) -> Vec<Finding> {
    let mut heap = Heap::default();
    add(&mut heap.patterns);
    findings_of_heap(rule, &heap)
}

/// What `rule` finds in one look at this heap.
pub fn findings_of_heap(rule: &Rule, heap: &Heap) -> Vec<Finding> {
    (rule.find)(&Evidence {
        heap,
        growth: &Growth::default(),
        rss: 1 << 30,
        memory_limit: None,
        age: OLD,
        thresholds: &Thresholds::default(),
    })
}

/// What all rules find in such a heap.
pub fn judged(watched: &[(Container, &[u64])]) -> Vec<Finding> {
    with_evidence(watched, None, OLD, judge)
}

fn with_evidence(
    watched: &[(Container, &[u64])],
    memory_limit: Option<u64>,
    age: Duration,
    find: impl FnOnce(&Evidence<'_>) -> Vec<Finding>,
) -> Vec<Finding> {
    let count = watched.iter().map(|(_, lengths)| lengths.len()).max().unwrap_or(0);
    let snapshots: Vec<Snapshot> = (0..count).map(|index| snapshot(watched, index)).collect();
    let heap = Heap {
        containers: watched.iter().map(|(container, _)| container.clone()).collect(),
        ..Heap::default()
    };
    find(&Evidence {
        heap: &heap,
        growth: &Growth::of(&snapshots),
        rss: 1 << 30,
        memory_limit,
        age,
        thresholds: &Thresholds::default(),
    })
}

fn snapshot(watched: &[(Container, &[u64])], index: usize) -> Snapshot {
    let size = |(container, lengths): &(Container, &[u64])| {
        let length = *lengths.get(index)?;
        let (identity, kind) = (container.identity(), container.kind);
        let item_bytes = (container.kept_bytes - 56) / container.length.max(1);
        let kept_bytes = 56 + item_bytes * length;
        Some(ContainerSize {
            identity,
            name: container.name(),
            kind,
            length,
            first: container.first,
            kept_bytes,
        })
    };
    Snapshot {
        at: Duration::from_secs(2 * index as u64),
        rss: Some(1 << 30),
        objects: 0,
        heap_bytes: 0,
        types: Vec::new(),
        containers: watched.iter().filter_map(size).collect(),
    }
}

/// The same path has the same address, different paths have different ones.
fn address_of(path: &str) -> u64 {
    path.bytes().fold(0x7f00_0000, |hash: u64, byte| {
        hash.wrapping_mul(31).wrapping_add(u64::from(byte)) & 0xffff_ffff_fff0
    })
}

/// A line of that habit in which so many looks found the program, and which works on nothing that anybody knows.
pub fn busy_line(habit: Habit, samples: u64) -> BusyLine {
    BusyLine {
        habit,
        operand: "BLOCKED".to_owned(),
        attribute: None,
        path: "shop.BLOCKED".to_owned(),
        function: "accept".to_owned(),
        file: "/srv/shop.py".to_owned(),
        line: 7,
        text: "return name in BLOCKED".to_owned(),
        samples,
        rises: 0,
        worked_on: Vec::new(),
    }
}

/// What such a line was seen to work on, so often.
pub fn worked_on(type_name: &str, longest: u64, times: u64) -> WorkedOn {
    WorkedOn {
        type_name: type_name.into(),
        address: 0x7f00_1000,
        longest,
        times,
    }
}
