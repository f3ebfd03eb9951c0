//! A capture made by hand: a small web shop, watched for ten seconds.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::time::Duration;

use pymemscope::capture::{Capture, ContainerSize, FreezeUsed, Hold, Mode, ProcessFacts, Snapshot};
use pymemscope::heap::facts::Nature;
use pymemscope::heap::{
    CacheStatistics, Container, ContainerKind, Heap, OwnerRank, Place, Totals, Tree, TreeNode, TypeTotals,
};
use pymemscope::report::model::Report;
use pymemscope::rules::threshold::Thresholds;
use pymemscope::rules::{Evidence, judge};
use pymemscope::sampling::growth::Growth;

const MIB: u64 = 1 << 20;

/// Ten seconds with two snapshots, in which a cache grew.
pub fn shop() -> Capture {
    let heap = heap();
    let mut before = snapshot(&heap, 0);
    for (name, count, bytes) in &mut before.types {
        if &**name == "builtins.dict" {
            *count -= 4_112;
            *bytes -= 1_258_291;
        }
    }
    before.containers[0].length -= 4_110;
    before.containers[0].kept_bytes -= 2 * MIB;
    Capture {
        process: ProcessFacts {
            pid: 4242,
            python: "3.12.1".to_owned(),
            build: "release",
            executable: "/usr/bin/python3.12".to_owned(),
            command: vec!["gunicorn: worker [shop]".to_owned()],
            working_directory: None,
            start_time: Some(1_700_000_000.25),
            rss: Some(412 * MIB),
        },
        mode: Mode::Attach,
        redacted: false,
        pauses: vec![Duration::from_micros(10_800), Duration::from_micros(11_200)],
        duration: Duration::from_secs(10),
        age: Duration::from_secs(86_400),
        snapshots: vec![before, snapshot(&heap, 10)],
        holds: vec![
            hold(FreezeUsed::Fork, None, 10_800),
            hold(FreezeUsed::Fork, None, 11_200),
        ],
        incomplete: false,
        heap,
        births: None,
        tracemalloc: None,
        allocations: None,
        unread: None,
        looks: None,
        warnings: vec!["numpy.ndarray has a __sizeof__ of its own: its objects are counted by formula.".to_owned()],
        memory_limit: Some(1 << 40),
    }
}

/// The same shop with one look at it.
pub fn one_look() -> Capture {
    let mut capture = shop();
    capture.snapshots = vec![snapshot(&capture.heap, 0)];
    capture.pauses.truncate(1);
    capture.holds.truncate(1);
    capture.duration = Duration::ZERO;
    capture
}

/// What the rules find in the capture, as a report.
pub fn report(capture: &Capture) -> Report<'_> {
    let growth = Growth::of(&capture.snapshots);
    let findings = judge(&Evidence {
        heap: &capture.heap,
        growth: &growth,
        rss: capture.process.rss.unwrap(),
        memory_limit: capture.memory_limit,
        age: capture.age,
        thresholds: &Thresholds::default(),
    });
    Report::new(capture, &growth, findings)
}

/// A snapshot for which the program stood still for so many microseconds.
pub fn hold(freeze: FreezeUsed, reason: Option<&str>, pause: u64) -> Hold {
    Hold {
        freeze: Some(freeze),
        reason: reason.map(str::to_owned),
        pauses: vec![Duration::from_micros(pause)],
    }
}

fn heap() -> Heap {
    let tree = tree();
    let bytes = tree.nodes.iter().map(|node| node.own_bytes).sum();
    Heap {
        types: vec![
            type_totals("builtins.dict", 310_422, 100_767_334),
            type_totals("shop.models.Order", 120_007, 7_680_448),
            type_totals("builtins.str", 17, 1_000),
        ],
        totals: Totals {
            objects: 2_184_302,
            bytes,
            getsizeof_bytes: bytes - 4096,
            tracked_objects: 430_429,
        },
        rejected: 0,
        tree,
        containers: vec![prices(), total_of(), rows(), first_of_a_linked_list()],
        warnings: Vec::new(),
        ..Heap::default()
    }
}

fn type_totals(name: &str, count: u64, bytes: u64) -> TypeTotals {
    TypeTotals {
        name: name.into(),
        nature: Nature::Other,
        count,
        bytes,
        retained_bytes: 2 * bytes,
        getsizeof_bytes: bytes - count,
        tracked_count: count,
        tracked_getsizeof_bytes: bytes - count,
    }
}

fn container(path: &str, kind: ContainerKind, type_name: &str, length: u64, kept_bytes: u64) -> Container {
    Container {
        address: 0x7f12_3450_0000 + length,
        type_name: type_name.into(),
        kind,
        length,
        first: 0,
        own_bytes: 8 * length,
        kept_bytes,
        retained_bytes: kept_bytes - kept_bytes / 4,
        path: path.to_owned(),
        place: Place::Module,
        rank: OwnerRank::Outermost,
        allocated: None,
        item_types: Vec::new(),
        cache: None,
    }
}

fn prices() -> Container {
    container(
        "shop.cache.PRICES",
        ContainerKind::Dict,
        "builtins.dict",
        96_204,
        61 * MIB,
    )
}

fn total_of() -> Container {
    let cache = CacheStatistics {
        function: "shop.models.Order.total".to_owned(),
        defined_at: Some(("/srv/shop/models.py".to_owned(), 31)),
        hits: 3_000,
        misses: 12_000,
        maxsize: None,
        instance_keys: 12_000,
    };
    Container {
        place: Place::Class,
        cache: Some(cache),
        ..container(
            "shop.models.Order.total",
            ContainerKind::LruCache,
            "functools._lru_cache_wrapper",
            12_000,
            9 * MIB,
        )
    }
}

fn rows() -> Container {
    Container {
        allocated: Some(131_072),
        item_types: vec![("builtins.float".into(), 120_000)],
        place: Place::Frame,
        ..container("main.rows", ContainerKind::List, "builtins.list", 120_000, 5 * MIB)
    }
}

/// An object without items, whose bytes the cache keeps too.
fn first_of_a_linked_list() -> Container {
    Container {
        address: 0x7f12_3460_0000,
        rank: OwnerRank::Inner,
        ..container(
            "shop.cache.PRICES.recent",
            ContainerKind::Object,
            "shop.cache.Node",
            0,
            MIB,
        )
    }
}

fn tree() -> Tree {
    let node = |parent, label: &str, own_objects, own_bytes| TreeNode {
        parent,
        label: label.into(),
        own_objects,
        own_bytes,
    };
    let mut nodes = vec![
        node(0, "", 0, 0),
        node(0, "shop.cache", 1, 4_096),
        node(1, "PRICES: dict", 1, 5 * MIB),
        node(2, "[…]: shop.models.Order", 96_204, 56 * MIB),
        node(0, "main()", 1, 512),
        node(4, "rows: list", 120_001, 5 * MIB),
        node(0, "names that need care", 0, 64 * 1024),
        node(6, "['<&\";\u{1}']: str", 1, 64 * 1024),
        node(6, "take 5", 1, 64 * 1024),
        node(0, "many", 0, 0),
    ];
    let many = nodes.len() as u32 - 1;
    nodes.extend((0..40_000).map(|number| node(many, &format!("attribute_{number}: int"), 1, 32)));
    Tree { nodes }
}

fn snapshot(heap: &Heap, second: u64) -> Snapshot {
    Snapshot {
        at: Duration::from_secs(second),
        rss: Some(412 * MIB),
        objects: heap.totals.objects,
        heap_bytes: heap.totals.bytes,
        types: heap
            .types
            .iter()
            .map(|each| (each.name.clone(), each.count, each.bytes))
            .collect(),
        containers: heap.containers.iter().map(ContainerSize::of).collect(),
    }
}
