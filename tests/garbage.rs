//! What no root reaches, and the state of the collector: what the program planted and what its `gc` says.

mod interpreters;
mod profiler;
mod targets;

use interpreters::for_each_interpreter;
use profiler::{ask, owner, report, type_row};
use serde_json::Value;
use targets::{Target, attach};

fn said(target: &Target) -> Value {
    serde_json::from_str(&target.line()).unwrap()
}

/// The row of the cycles that consist of these types.
#[track_caller]
fn cycles<'a>(report: &'a Value, types: &Value) -> &'a Value {
    let rows = report["garbage"]["cycles"].as_array().unwrap();
    let found: Vec<&Value> = rows.iter().filter(|row| row["types"] == *types).collect();
    assert_eq!(found.len(), 1, "{types} among {rows:?}");
    found[0]
}

#[test]
fn garbage_is_told_from_what_c_code_holds() {
    for_each_interpreter(|python| {
        let (mut target, planted) = Target::start(python, "garbage.py").unwrap();
        let report = attach(target.pid(), &[]);
        let garbage = &report["garbage"];

        let pairs = cycles(&report, &serde_json::json!([{"type": "__main__.Node", "count": 2}]));
        assert_eq!((&pairs["count"], &pairs["objects"]), (&planted["pairs"], &2000.into()));
        assert_eq!(pairs["bytes"], type_row(&report, "__main__.Node")["bytes"]);
        assert_eq!(pairs["retained_bytes"], pairs["bytes"]);
        assert_eq!(pairs["finalizers"], serde_json::json!([]));

        let closing = cycles(&report, &serde_json::json!([{"type": "__main__.Closing", "count": 1}]));
        assert_eq!(
            (&closing["count"], &closing["objects"]),
            (&planted["closing"], &10.into())
        );
        assert_eq!(closing["finalizers"], serde_json::json!(["__main__.Closing"]));
        let payloads = closing["retained_bytes"].as_u64().unwrap() - closing["bytes"].as_u64().unwrap();
        assert!((50_000..60_000).contains(&payloads), "{closing}");

        let leaked = planted["leaked"].as_u64().unwrap();
        assert!(garbage["c_held_bytes"].as_u64() >= Some(leaked), "{garbage}");
        let row = owner(&report, "(held by C code) > __main__.Leaked.kept");
        assert!(row["retained_bytes"].as_u64() >= Some(leaked), "{row}");
        let sum = |field: &str| garbage[field].as_u64().unwrap() + garbage[format!("c_held_{field}")].as_u64().unwrap();
        assert_eq!(report["heap"]["unreachable_objects"], sum("objects"));
        assert_eq!(report["heap"]["unreachable_bytes"], sum("bytes"));

        let shown = ask(&format!("attach {} -d 0", target.pid())).done();
        assert!(shown.contains("\n__main__.Node × 2 "), "{shown}");
        assert!(
            shown.contains("\n__main__.Closing × 1; __del__ of __main__.Closing "),
            "{shown}"
        );
        assert!(shown.contains("collector: it is disabled"), "{shown}");

        let folder = tempfile::tempdir().unwrap();
        let saved = folder.path().join("heap.pms");
        ask(&format!("snapshot {} -o {}", target.pid(), saved.display())).done();
        let read = profiler::report(&format!("report {}", saved.display()));
        assert_eq!((&read["garbage"], &read["collector"]), (garbage, &report["collector"]));

        target.go_on();
        assert_eq!(garbage["objects"], said(&target)["garbage"]);
        assert!(target.finish().success());
    });
}

#[test]
fn the_collector_says_the_same_of_itself() {
    for_each_interpreter(|python| {
        let (mut target, _) = Target::start(python, "garbage.py").unwrap();
        let collector = |target: &Target| report(&format!("attach {} -d 0", target.pid()))["collector"].clone();
        assert_eq!(collector(&target)["enabled"], false);
        target.go_on();
        said(&target);
        assert_eq!(attach(target.pid(), &[])["garbage"]["objects"], 0);

        target.go_on();
        let truth = said(&target);
        let counted = collector(&target);
        let count = |generation: usize| counted["generations"][generation]["count"].as_i64().unwrap();
        let said_count = |generation: usize| truth["count"][generation].as_i64().unwrap();
        for generation in 1..3 {
            assert_eq!(count(generation), said_count(generation), "{counted} {truth}");
        }
        assert!(said_count(0) >= 5000, "{truth}");
        // To say the count, a few objects more were needed.
        assert!((count(0) - said_count(0)).abs() < 100, "{counted} {truth}");

        target.go_on();
        let truth = said(&target);
        let frozen = collector(&target);
        assert_eq!(
            (&frozen["enabled"], &frozen["frozen_objects"]),
            (&true.into(), &truth["frozen"])
        );
        assert!(truth["frozen"].as_u64() > Some(1000), "{truth}");
        for generation in 0..3 {
            let threshold = &frozen["generations"][generation]["threshold"];
            assert_eq!(*threshold, truth["threshold"][generation], "{frozen}");
        }
        let shown = ask(&format!("attach {} -d 0", target.pid())).done();
        assert!(shown.contains(" objects are frozen (gc.freeze)"), "{shown}");

        target.go_on();
        let truth = said(&target);
        let saved = collector(&target);
        assert_eq!(saved["garbage_objects"], truth["saved"]);
        assert!(truth["saved"].as_u64() >= Some(2010), "{truth}");
        assert!(target.finish().success());
    });
}

/// Loses cycles that are alike: pairs of instances, and functions that know themselves.
const LOST: &str = "
import gc, sys
gc.disable()
class Node:
    pass
class Payload:
    pass
def lose():
    one, two = Node(), Node()
    one.other, two.other = two, one
    payload = Payload()
    def itself():
        return itself, payload
for _ in range(500):
    lose()
print('ready', flush=True)
sys.stdin.read()";

#[test]
fn cycles_that_are_alike_begin_alike() {
    for_each_interpreter(|python| {
        let target = Target::spawn(python.command().args(["-c", LOST]));
        assert_eq!(target.line(), "ready\n");
        for (name, paths) in [
            (
                "__main__.Node",
                &["(garbage) > __main__.Node", "(garbage) > __main__.Node.other"][..],
            ),
            ("__main__.Payload", &["(garbage) > function > payload"]),
        ] {
            let words = format!("paths {} --type {name} -j", target.pid());
            let answer: Value = serde_json::from_str(&ask(&words).done()).unwrap();
            let groups = answer["groups"].as_array().unwrap();
            let found: Vec<&str> = groups.iter().map(|group| group["path"].as_str().unwrap()).collect();
            assert_eq!(found, paths, "{answer:#}");
            assert!(groups.iter().all(|group| group["count"] == 500), "{answer:#}");
        }
        assert!(target.finish().success());
    });
}

#[test]
fn every_interpreter_has_a_collector_of_its_own() {
    for_each_interpreter(|python| {
        let (target, _) = Target::start(python, "interpreters.py").unwrap();
        let report = attach(target.pid(), &[]);
        let thresholds = |collector: &Value| -> Vec<i64> {
            let generations = collector["generations"].as_array().unwrap().iter();
            generations.map(|each| each["threshold"].as_i64().unwrap()).collect()
        };
        let of_subs = report["subinterpreter_collectors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        // What each of the three has set; one collector for all has what was set last.
        let set = [10, 1000, 3000].map(|count| vec![count + 7, 5, 3]);
        if python.minor == (3, 8) {
            assert_eq!(of_subs, [] as [Value; 0]);
            assert_eq!(thresholds(&report["collector"]), set[2]);
        } else {
            let found: Vec<Vec<i64>> = of_subs.iter().map(thresholds).collect();
            assert_eq!(found, set, "{of_subs:?}");
            assert!(of_subs.iter().all(|each| each["enabled"] == false), "{of_subs:?}");
            let ids: Vec<i64> = of_subs
                .iter()
                .map(|each| each["interpreter"].as_i64().unwrap())
                .collect();
            assert!(
                ids.windows(2).all(|pair| pair[0] < pair[1]) && !ids.contains(&0),
                "{ids:?}"
            );
            assert!(
                !set.contains(&thresholds(&report["collector"])),
                "{}",
                report["collector"]
            );
        }
    });
}
