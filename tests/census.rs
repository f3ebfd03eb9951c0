//! The census against the target's own word: on every interpreter, for programs of many shapes, to the object and byte.

mod interpreters;
mod profiler;
mod targets;

use std::collections::{BTreeMap, BTreeSet};

use interpreters::{Interpreter, all_required, for_each_interpreter};
use serde_json::Value;
use targets::{Target, Truth, attach};

/// What the report says of the types of one name.
#[derive(Debug, Default, Clone, Copy)]
struct Row {
    count: u64,
    getsizeof_bytes: u64,
    tracked_count: u64,
    tracked_getsizeof_bytes: u64,
}

impl Row {
    fn untracked(&self) -> (u64, u64) {
        (
            self.count - self.tracked_count,
            self.getsizeof_bytes - self.tracked_getsizeof_bytes,
        )
    }
}

fn rows(report: &Value) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for found in report["types"].as_array().unwrap() {
        let number = |field: &str| found[field].as_u64().unwrap_or_else(|| panic!("{field} in {found}"));
        let row = rows.entry(found["type"].as_str().unwrap().to_owned()).or_default();
        row.count += number("count");
        row.getsizeof_bytes += number("getsizeof_bytes");
        row.tracked_count += number("tracked_count");
        row.tracked_getsizeof_bytes += number("tracked_getsizeof_bytes");
    }
    rows
}

/// Everything in which a report and the target's word differ, in words.
fn differences(truth: &Truth, report: &Value) -> Vec<String> {
    let rows = rows(report);
    let warnings = report["capture"]["warnings"].to_string();
    let mut found = Vec::new();
    let names: BTreeSet<&String> = rows
        .keys()
        .chain(truth.tracked.keys())
        .chain(truth.untracked.keys())
        .collect();
    let (mut reachable, mut missing) = (0, 0);
    let mut missed = Vec::new();
    for name in names {
        let row = rows.get(name).copied().unwrap_or_default();
        // What the report says to be counted by formula makes no claim on bytes.
        let own_sizeof = truth.own_sizeof.contains(name) && warnings.contains(name.as_str());
        if row.count > 0 && !truth.types.contains(name) {
            found.push(format!("{name}: no such type"));
        }

        let tracked = truth.tracked.get(name).copied().unwrap_or_default();
        if row.tracked_count != tracked.0 {
            found.push(format!(
                "{name}: {} tracked, should be {}",
                row.tracked_count, tracked.0
            ));
        } else if row.tracked_getsizeof_bytes != tracked.1 && !own_sizeof {
            found.push(format!(
                "{name}: {} bytes in tracked objects by getsizeof, should be {}",
                row.tracked_getsizeof_bytes, tracked.1
            ));
        }

        let untracked = truth.untracked.get(name).copied().unwrap_or_default();
        let (count, bytes) = row.untracked();
        reachable += untracked.0;
        if count < untracked.0 {
            missing += untracked.0 - count;
            missed.push(format!(
                "{name}: {count} untracked, at least {} are reachable",
                untracked.0
            ));
        }
        // Classes that only the target itself defines cannot have instances that it does not know.
        if name.starts_with("__main__.") && (count, bytes) != untracked && !own_sizeof {
            found.push(format!(
                "{name}: {:?} untracked, should be {untracked:?}",
                (count, bytes)
            ));
        }
    }
    if missing * 1000 > reachable {
        found.push(format!("{missing} of {reachable} untracked objects are missing"));
        found.append(&mut missed);
    }
    found
}

/// Objects that the report has and the target cannot reach: the interpreter's own, in numbers that are known.
fn inventions(truth: &Truth, report: &Value) -> Vec<String> {
    let rows = rows(report);
    // The names of local variables are a tuple, texts and bytes of each code object that Python code is not shown. What a
    // code object has made of them for somebody who asked (`co_varnames` and its like) it keeps as further tuples.
    let code = rows.get("builtins.code").map_or(0, |row| row.count);
    let mut found = Vec::new();
    for (name, row) in &rows {
        let (count, _) = row.untracked();
        let known = truth.untracked.get(name).map_or(0, |&(count, _)| count);
        let allowed = match name.as_str() {
            "builtins.str" | "builtins.bytes" => code + code / 5 + 300,
            "builtins.tuple" => 2 * code + 300,
            // 3.13 does not tell of an instance's dict whose values stand in the instance itself.
            "builtins.dict" => 750,
            _ if name.starts_with("numpy.") => 5000,
            _ => 250,
        };
        if count > known + allowed {
            found.push(format!("{name}: {count} untracked, only {known} are reachable"));
        }
    }
    found
}

/// One target on one interpreter, frozen in one way.
#[track_caller]
fn check(python: &Interpreter, name: &str, options: &[&str]) {
    let Some((target, said)) = Target::start(python, name) else {
        assert!(!all_required(), "{name} must run on {}", python.name());
        return;
    };
    let truth: Truth = serde_json::from_value(said).unwrap();
    let report = attach(target.pid(), options);
    let mut wrong = differences(&truth, &report);
    if name != "interpreters.py" {
        wrong.append(&mut inventions(&truth, &report));
    }
    if report["capture"]["objects_rejected"] != 0 {
        wrong.push(format!("{} objects rejected", report["capture"]["objects_rejected"]));
    }
    assert_eq!(report["process"]["python"], truth.python.as_str());
    let python = python.name();
    assert!(
        wrong.is_empty(),
        "{name} {options:?} on Python {python}:\n  {}",
        wrong.join("\n  ")
    );
    assert!(target.finish().success(), "{name} on Python {python} did not end well");
}

/// Programs that other tests start, and the module that all of them use.
const TESTED_ELSEWHERE: &[&str] = &[
    "truth.py",
    "busy.py",
    "busy_lines.py",
    "busy_shapes.py",
    "garbage.py",
    "moving.py",
    "retained.py",
    "saved.py",
    "temporaries.py",
    "traced.py",
    "values.py",
];

/// One test for each target program: `#[test] fn NAME` runs `NAME.py`.
macro_rules! census_of {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                for_each_interpreter(|python| check(python, concat!(stringify!($name), ".py"), &[]));
            }
        )*

        #[test]
        fn every_target_program_has_a_test() {
            let listed: BTreeSet<String> = [$(stringify!($name)),*].iter().map(|name| format!("{name}.py")).collect();
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets");
            let programs: BTreeSet<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.ends_with(".py") && !TESTED_ELSEWHERE.contains(&name.as_str()))
                .collect();
            assert_eq!(listed, programs);
        }
    };
}

census_of! {
    arrays classes deep empty frozen inherited interpreters own_sizes plain standard suspended tables tasks text threads
    weak
}

#[test]
fn every_way_of_freezing_sees_the_same() {
    for_each_interpreter(|python| {
        for freeze in ["fork", "stop", "none"] {
            check(python, "plain.py", &["--freeze", freeze]);
        }
    });
}

#[test]
fn types_with_their_own_sizeof_are_named_in_a_warning() {
    for_each_interpreter(|python| {
        let (target, _) = Target::start(python, "own_sizes.py").unwrap();
        let report = attach(target.pid(), &[]);
        let warnings = report["capture"]["warnings"].to_string();
        for name in ["__main__.Liar", "__main__.LiarChild", "__main__.LyingList"] {
            assert!(warnings.contains(name), "{name} is not named in {warnings}");
        }
        assert!(!warnings.contains("__main__.Honest"), "{warnings}");
    });
}

#[test]
fn the_target_does_not_notice() {
    for_each_interpreter(|python| {
        let (mut target, before) = Target::start(python, "classes.py").unwrap();
        for freeze in ["fork", "stop", "none"] {
            attach(target.pid(), &["--freeze", freeze]);
        }
        target.go_on();
        let after: Value = serde_json::from_str(&target.line()).unwrap();
        assert_eq!(before, after);
        assert!(target.finish().success());
    });
}

#[test]
fn instances_of_types_that_were_never_made_ready_are_read() {
    // sys.getsizeof makes their types ready, so that this program says nothing of itself.
    const CODE: &str = "import functools, sys, unicodedata
cached = functools.lru_cache(maxsize=10)(len)
cached('a')
print('ready', flush=True)
sys.stdin.read()";
    for_each_interpreter(|python| {
        let target = Target::spawn(python.command().args(["-c", CODE]));
        assert_eq!(target.line(), "ready\n");
        let report = attach(target.pid(), &[]);
        assert_eq!(report["capture"]["objects_rejected"], 0);
        let row = profiler::type_row(&report, "unicodedata.UCD");
        assert_eq!(row["count"], 1, "{row}");
    });
}
