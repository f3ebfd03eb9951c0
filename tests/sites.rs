//! Where objects are made, as `attach` observes it: against what the program itself knows.

mod interpreters;
mod profiler;
mod programs;

use interpreters::for_each_interpreter;
use profiler::report;
use programs::Program;
use serde_json::Value;

/// Makes lists of lists without end, on one long line, and keeps them.
const MAKER: &str = r"
import threading
KEPT = []
stop = False
def make():
    while not stop:
        KEPT.append([[n] for n in range(2000)])
        if len(KEPT) > 400:
            KEPT.clear()
threading.Thread(target=make).start()
print('ready', flush=True)
input()
stop = True
";
/// Where the lists are made in it.
const LINE: u64 = 7;
/// Looks at the program, of which one at least must meet it at work: a busy machine may not let both run at a time.
const ATTEMPTS: usize = 20;

fn sum(rows: &Value, of: &str) -> u64 {
    let rows = rows.as_array().unwrap();
    rows.iter().map(|row| row[of].as_u64().unwrap()).sum()
}

/// The sites that the report is sure of, for lists.
fn likely(report: &Value) -> Vec<&Value> {
    let has_lists = |site: &&Value| {
        let types = site["types"].as_array().unwrap();
        site["confidence"] == "likely" && types.iter().any(|row| row["type"] == "builtins.list")
    };
    report["sites"].as_array().unwrap().iter().filter(has_lists).collect()
}

#[test]
fn lists_are_seen_being_made_on_their_line() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", MAKER]));
        let mut lists = 0;
        for _ in 0..ATTEMPTS {
            let report = report(&format!("attach {} -d 1 --rate 1000 -j", program.pid()));
            for of in ["sites", "sites_unseen"] {
                assert!(report[of].is_array(), "{of}: {report}");
            }
            // Everything has its place.
            for (total, of) in [("objects", "count"), ("bytes", "bytes")] {
                let all = sum(&report["sites"], of) + sum(&report["sites_unseen"], of);
                assert_eq!(report["heap"][total], all, "{of}");
            }
            let sites = likely(&report);
            let on_line = |site: &&&Value| site["file"] == "<string>" && site["line"] == LINE;
            let count = |sites: &[&Value]| sites.iter().map(|site| site["count"].as_u64().unwrap()).sum::<u64>();
            let right: Vec<&Value> = sites.iter().filter(on_line).copied().collect();
            assert!(count(&right) * 100 >= count(&sites) * 97, "{sites:?}");
            lists += count(&right);
            if let Some(site) = right.first() {
                let stack = site["stack"].as_array().unwrap();
                assert!(stack.iter().any(|call| call["function"] == "make"), "{stack:?}");
                break;
            }
        }
        assert!(lists > 0, "no list was seen being made");
    });
}

#[test]
fn a_rate_of_nothing_takes_no_looks() {
    for_each_interpreter(|python| {
        let program = Program::python(&python.executable);
        let report = report(&format!("attach {} -d 0.1 --rate 0 -j", program.pid()));
        assert_eq!(report["sites"], Value::Null);
        assert_eq!(report["capture"]["stack_samples"], Value::Null);
    });
}
