//! Divisions of all objects, and the picture by type: nothing is lost, and what the program made is where it belongs.

mod interpreters;
mod profiler;
mod programs;

use interpreters::for_each_interpreter;
use profiler::{ask, report, type_row};
use programs::Program;
use serde_json::Value;

const LEAVES: &str = r#"
import sys

class Leaf:
    __slots__ = ()

class Order:
    pass

LEAVES = [Leaf() for _ in range(5_000)]
SHARED = tuple(LEAVES[:2_000])
ORDERS = {number: Order() for number in range(1_000)}
DICTS = [vars(order) for order in ORDERS.values()]
del DICTS
print("ready", flush=True)
sys.stdin.read()
"#;

const DIVISIONS: [&str; 4] = ["by_module", "by_size", "by_owner_class", "by_referrer_types"];

fn sum(parts: &Value, field: &str) -> u64 {
    let parts = parts.as_array().unwrap().iter();
    parts.map(|part| part[field].as_u64().unwrap()).sum()
}

#[track_caller]
fn part<'a>(report: &'a Value, division: &str, name: &str) -> &'a Value {
    let parts = report["partitions"][division].as_array().unwrap();
    let found: Vec<&Value> = parts.iter().filter(|part| part["name"] == name).collect();
    assert_eq!(found.len(), 1, "{name} in {parts:?}");
    found[0]
}

/// The names of an SVG's frames with their bytes.
fn frames(svg: &str) -> Vec<(&str, u64)> {
    let of = |part: &str| -> u64 {
        let after = part.split_once(" fg:w=\"").unwrap().1;
        after.split_once('"').unwrap().0.parse().unwrap()
    };
    let parts = svg.split("<g><title>").skip(1);
    parts.map(|part| (part.split_once(" (").unwrap().0, of(part))).collect()
}

#[track_caller]
fn check_divisions(report: &Value, orders: u64) {
    for division in DIVISIONS {
        let parts = &report["partitions"][division];
        assert_eq!(sum(parts, "count"), report["heap"]["objects"], "{division}");
        assert_eq!(sum(parts, "bytes"), report["heap"]["bytes"], "{division}");
    }
    let types = report["types"].as_array().unwrap().iter();
    let of_main = types.filter(|row| row["type"].as_str().unwrap().starts_with("__main__."));
    let count: u64 = of_main.map(|row| row["count"].as_u64().unwrap()).sum();
    assert_eq!(part(report, "by_module", "__main__")["count"], count);
    assert_eq!(
        part(report, "by_owner_class", "dict of __main__.Order")["count"],
        orders
    );
    let shared = part(report, "by_referrer_types", "list, tuple");
    assert!(shared["count"].as_u64() >= Some(2_000), "{shared}");
}

/// All types have their bytes, and the leaves are told apart by what refers to them.
#[track_caller]
fn check_types_graph(svg: &str, report: &Value) {
    let drawn = frames(svg);
    let has = |name: &str, bytes: u64| {
        assert!(drawn.contains(&(name, bytes)), "{name} {bytes} among {drawn:?}");
    };
    let leaf = type_row(report, "__main__.Leaf")["bytes"].as_u64().unwrap();
    has("__main__.Leaf", leaf);
    has("in list", leaf / 5 * 3);
    has("in list, tuple", leaf / 5 * 2);
    has(
        "dict of __main__.Order",
        part(report, "by_owner_class", "dict of __main__.Order")["bytes"]
            .as_u64()
            .unwrap(),
    );
    has("heap", report["heap"]["bytes"].as_u64().unwrap());
}

#[test]
fn nothing_is_lost_and_everything_is_where_it_belongs() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", LEAVES]));
        let attach = format!("attach {} -d 0", program.pid());
        let folder = tempfile::tempdir().unwrap();
        let (svg, saved) = (folder.path().join("types.svg"), folder.path().join("heap.pms"));

        let options = format!("--by owner --by referrers --graph types -o {}", svg.display());
        let live = report(&format!("{attach} {options}"));
        check_divisions(&live, 1_000);
        check_types_graph(&std::fs::read_to_string(&svg).unwrap(), &live);

        ask(&format!("snapshot {} -o {}", program.pid(), saved.display())).done();
        let read = report(&format!(
            "report {} --graph types --force -o {}",
            saved.display(),
            svg.display()
        ));
        check_divisions(&read, 1_000);
        check_types_graph(&std::fs::read_to_string(&svg).unwrap(), &read);

        // What costs is found out for those who ask.
        let plain = report(&attach);
        assert_eq!(plain["partitions"].get("by_referrer_types"), None);
        assert_eq!(plain["partitions"]["by_size"], live["partitions"]["by_size"]);
        let shown = ask(&format!("{attach} --by owner --by size --top 1000")).done();
        assert!(shown.contains("\nBy type, or class of the dict "), "{shown}");
        assert!(
            shown.contains("\ndict of __main__.Order ") && shown.contains("\n64-127 "),
            "{shown}"
        );
    });
}
