//! Where objects are made, as `attach` observes it: against what the program itself knows.

mod interpreters;
mod profiler;
mod programs;

use interpreters::for_each_interpreter;
use profiler::report;
use programs::Program;
use serde_json::Value;

/// Makes lists of lists without end, on one long line, and keeps so few of them that reading them leaves time to look.
const MAKER: &str = r"
import threading
KEPT = []
stop = False
def make():
    while not stop:
        KEPT.append([[n] for n in range(2000)])
        if len(KEPT) > 20:
            KEPT.clear()
threading.Thread(target=make).start()
print('ready', flush=True)
input()
stop = True
";
/// Where the lists are made in it.
const LINE: u64 = 7;
/// Looks at the program, of which one at least must meet it at work: a busy machine may not let both run at a time.
const ATTEMPTS: usize = 120;

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
            let report = report(&format!("attach {} -d 1 --rate 1000", program.pid()));
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

/// Threads come and go, and each runs code of its own that is freed with it.
const RESTLESS: &str = r"
import threading
KEPT = []
stop = False
SOURCE = '''
def passing(kept):
    kept.append([[n] for n in range(50)])
    return {n: [n] for n in range(50)}
'''
def work(number):
    names = {}
    exec(compile(SOURCE, '<passing %d>' % number, 'exec'), names)
    names['passing'](KEPT)
def go_on():
    number = 0
    while not stop:
        number += 1
        thread = threading.Thread(target=work, args=(number,))
        thread.start()
        thread.join()
        if len(KEPT) > 2000:
            KEPT.clear()
threading.Thread(target=go_on).start()
print('ready', flush=True)
input()
stop = True
";

/// Whether the restless program has such a call: its code runs from line to line, and so does what it calls of the library.
fn exists(call: &Value) -> bool {
    let line = call["line"].as_u64().unwrap_or(1);
    let function = call["function"].as_str().unwrap();
    match call["file"].as_str().unwrap() {
        "<string>" => (1..=27).contains(&line),
        file if file.starts_with("<passing ") => {
            (1..=4).contains(&line) && (function == "<module>" || function.starts_with("passing"))
        }
        file => file.ends_with(".py") && !function.starts_with("passing"),
    }
}

#[test]
fn threads_and_code_that_come_and_go_show_no_place_that_is_not_there() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", RESTLESS]));
        let mut samples = 0;
        for _ in 0..ATTEMPTS {
            let report = report(&format!("attach {} -d 1 --rate 1000", program.pid()));
            for site in report["sites"].as_array().unwrap() {
                for call in site["stack"].as_array().unwrap() {
                    assert!(exists(call), "{call}");
                }
            }
            let all = sum(&report["sites"], "count") + sum(&report["sites_unseen"], "count");
            assert_eq!(report["heap"]["objects"], all);
            samples += report["capture"]["stack_samples"].as_u64().unwrap();
            if samples > 0 {
                break;
            }
        }
        assert!(samples > 0, "the program was never met at work");
    });
}

#[test]
fn where_tracemalloc_tells_more_a_rate_is_left_aside_and_said_so() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-X", "tracemalloc", "-c", MAKER]));
        let report = report(&format!("attach {} -d 0.1 --rate 400", program.pid()));
        assert_eq!(report["capture"]["stack_samples"], Value::Null);
        let warnings = report["capture"]["warnings"].as_array().unwrap();
        let says = |warning: &&Value| warning.as_str().unwrap().contains("--rate was left aside");
        assert_eq!(warnings.iter().filter(says).count(), 1, "{warnings:?}");
    });
}
