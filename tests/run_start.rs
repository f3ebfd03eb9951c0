//! The snapshots of a program that `run` starts: the first when it has done its imports, the last where it stands.

mod interpreters;
#[path = "run/running.rs"]
mod running;

use std::fs;

use interpreters::{for_each_interpreter, interpreters};
use running::{Running, until_snapshot};

#[test]
fn what_is_imported_at_the_start_is_no_growth() {
    let folder = tempfile::tempdir().unwrap();
    let module = "
import time
class Loaded: pass
KEPT = []
for _ in range(40):
    KEPT.extend(Loaded() for _ in range(500))
    time.sleep(0.01)
";
    let script = "
import os, sys
sys.dont_write_bytecode = True
import heavy
class Made: pass
print(os.getpid(), flush=True)
sys.stdin.readline()
LATER = [Made() for _ in range(3000)]
";
    fs::write(folder.path().join("heavy.py"), module).unwrap();
    let path = folder.path().join("main.py");
    fs::write(&path, script).unwrap();
    for_each_interpreter(|python| {
        let executable = python.executable.to_str().unwrap();
        let mut running = Running::start(&["--interval", "0.3"], &[executable, path.to_str().unwrap()]);
        until_snapshot(running.pid());
        running.tell("go on");
        let outcome = running.end();
        assert_eq!(outcome.code, Some(0), "{}", outcome.err);
        let report = outcome.report();
        let growth = |name: &str| {
            let types = report["types"].as_array().unwrap();
            let row = types.iter().find(|row| row["type"] == name).unwrap();
            row["growth_count"].as_i64()
        };
        assert_eq!((growth("heavy.Loaded"), growth("__main__.Made")), (Some(0), Some(3000)));
    });
}

#[test]
fn nobody_is_stopped_on_the_way_with_freeze_none() {
    let outcome = Running::python(
        interpreters().last().unwrap(),
        &["--freeze", "none"],
        "class A: pass\nKEPT = [A() for _ in range(99)]",
    )
    .end();
    assert_eq!(
        (outcome.code, outcome.count("__main__.A")),
        (Some(0), 99),
        "{}",
        outcome.err
    );
    assert!(outcome.is_whole(), "{}", outcome.warnings());
    // But at its end, where it stands anyway.
    let report = outcome.report();
    let moments = report["timeline"].as_array().unwrap();
    let (last, before) = moments.split_last().unwrap();
    assert_eq!(last["freeze"], "stop");
    assert!(last["freeze_reason"].as_str().unwrap().contains("shut down"), "{last}");
    assert!(
        before
            .iter()
            .all(|moment| moment["freeze"] == "none" && moment["pauses"] == serde_json::json!([]))
    );
    assert_eq!(report["capture"].get("partial").is_some(), !before.is_empty());
}
