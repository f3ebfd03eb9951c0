//! What `run --every` writes down, held to the block to what the program did.

mod interpreters;
mod profiler;
#[path = "run/running.rs"]
mod running;

use std::process::Command;

use interpreters::{Interpreter, for_each_interpreter, interpreters};
use running::{Outcome, Running};
use serde_json::Value;

/// Makes objects that no list of free ones is kept of, one kind at a line. With an argument it is `tracemalloc` that follows
/// it, and prints the blocks of each line.
const KNOWN: &str = r#"
import sys
TRACED = len(sys.argv) > 1
if TRACED:
    import tracemalloc
class Node:
    __slots__ = ('name',)
class Plain:
    pass
def texts(into):
    for index in range(1000):
        into[index] = bytes(447)
def nodes(into):
    for index in range(700):
        into[index] = Node()
def sets(into):
    for index in range(300):
        into[index] = {index}
def blocks(into):
    for index in range(500):
        into[index] = bytearray(1000)
def dropped(into):
    for index in range(500):
        into[0] = bytes(300)
KEPT = [[None] * 1000 for _ in range(5)]
if TRACED:
    tracemalloc.start()
for work, into in zip((texts, nodes, sets, blocks, dropped), KEPT):
    work(into)
if TRACED:
    for line in tracemalloc.take_snapshot().statistics('lineno'):
        place = line.traceback[0]
        if place.filename == '<string>':
            print(place.lineno, line.count)
"#;

/// The functions of [`KNOWN`], and how many blocks the last line of each allocates.
const LINES: [(&str, u64); 5] = [
    ("texts", 1000),
    ("nodes", 700),
    ("sets", 300),
    ("blocks", 1000),
    ("dropped", 500),
];

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[track_caller]
fn recording(outcome: &Outcome) -> &Value {
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
    profiler::parse(&outcome.report().to_string());
    let recording = &outcome.report()["recording"];
    assert_eq!(recording["sample_bytes"], 0, "{}", outcome.warnings());
    assert_eq!(recording["peak"]["lag_bytes"], 0);
    recording
}

/// The sum of a figure over all sites that `wanted` takes.
fn sum(sites: &Value, figure: &str, wanted: impl Fn(&Value) -> bool) -> u64 {
    let sites = sites.as_array().unwrap().iter().filter(|site| wanted(site));
    sites.map(|site| number(&site[figure])).sum()
}

fn total(recording: &Value, figure: &str) -> u64 {
    let rows = recording["totals"].as_array().unwrap();
    rows.iter().map(|row| number(&row[figure])).sum()
}

/// Whether a function is the innermost call, or the one that the innermost comprehension stands in.
fn is_in<'a>(function: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |site: &Value| {
        let calls = site["stack"].as_array().unwrap();
        calls.iter().rev().take(2).any(|call| call["function"] == function)
    }
}

#[test]
fn sites_are_equal_to_what_the_program_did() {
    for_each_interpreter(|python| {
        let traced = traced(python);
        let outcome = Running::python(python, &["--every", "-d", "0"], KNOWN).end();
        let recording = recording(&outcome);
        for (function, count) in LINES {
            let line = line_of(function);
            let at = |site: &Value| site["function"] == function && site["line"] == line;
            let made = sum(&recording["allocated"], "count", at);
            assert!(
                (count..count + 3).contains(&made),
                "{}: {function} allocated {made} blocks, not {count}",
                python.name()
            );
            let alive = sum(&recording["alive"], "count", at);
            let by_tracemalloc = traced.iter().find(|(at, _)| *at == line).map_or(0, |(_, count)| *count);
            assert!(
                alive.abs_diff(by_tracemalloc) < 3 && by_tracemalloc > 0,
                "{}: {alive} blocks alive in {function}, {by_tracemalloc} by tracemalloc",
                python.name()
            );
        }
        // What is not attributed to a line is attributed to none: nothing is missing and nothing counts twice.
        let all = |figure: &str| sum(&recording["allocated"], figure, |_| true);
        assert_eq!(all("count"), total(recording, "allocated_blocks"));
        assert_eq!(all("bytes"), total(recording, "allocated_bytes"));
        let at_peak = sum(&recording["peak"]["sites"], "bytes", |_| true);
        assert_eq!(at_peak, number(&recording["peak"]["bytes"]));
        assert_eq!(sum(&recording["alive"], "error_bytes", |_| true), 0);
    });
}

/// The last line of a function of [`KNOWN`], which has three.
fn line_of(function: &str) -> u64 {
    let definition = format!("def {function}(");
    let before = KNOWN.lines().take_while(|line| !line.starts_with(&definition)).count();
    before as u64 + 3
}

/// The lines of [`KNOWN`] and how many of their blocks are alive, as `tracemalloc` has it.
fn traced(python: &Interpreter) -> Vec<(u64, u64)> {
    let output = Command::new(&python.executable)
        .args(["-B", "-c", KNOWN, "traced"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let pair = |line: &str| {
        let (line, count) = line.split_once(' ').unwrap();
        (line.parse().unwrap(), count.parse().unwrap())
    };
    lines.lines().map(pair).collect()
}

/// A peak between others: three steps up, with blocks that go and come.
const PEAKS: &str = "
def first(): return [bytes(99_967) for _ in range(30)]
def second(): return [bytes(99_967) for _ in range(20)]
def third(): return [bytes(99_967) for _ in range(40)]
KEPT = [first(), second()]
KEPT[0] = None
KEPT.append(third())
KEPT[1] = None
KEPT.append(second())
del KEPT[:]
first()
";

#[test]
fn the_peak_has_its_composition_to_the_block() {
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["--every", "-d", "0"], PEAKS).end();
        let recording = recording(&outcome);
        let large = |sites: &Value, function: &str| {
            let is_large = |site: &Value| number(&site["bytes"]) >= 100_000 && is_in(function)(site);
            sum(sites, "bytes", is_large) / 100_000
        };
        let composition = ["first", "second", "third"].map(|function| large(&recording["peak"]["sites"], function));
        assert_eq!(composition, [0, 20, 40], "{}", python.name());
        let all = ["first", "second", "third"].map(|function| large(&recording["allocated"], function));
        assert_eq!(all, [60, 40, 40], "{}", python.name());
    });
}

#[test]
fn with_any_allocator_of_the_interpreters() {
    for setting in ["PYTHONMALLOC=malloc", "PYTHONDEVMODE=1"] {
        for_each_interpreter(|python| {
            let executable = python.executable.to_str().unwrap();
            let program = ["env", setting, executable, "-B", "-c", PEAKS];
            let outcome = Running::start(&["--every", "-d", "0"], &program).end();
            let recording = recording(&outcome);
            let at_peak = &recording["peak"]["sites"];
            assert_eq!(sum(at_peak, "bytes", |_| true), number(&recording["peak"]["bytes"]));
            let third = sum(at_peak, "bytes", is_in("third"));
            assert!((4_000_000..4_100_000).contains(&third), "{setting}: {third}");
        });
    }
}

/// The totals of a domain.
fn of_domain<'a>(recording: &'a Value, domain: &str) -> &'a Value {
    let rows = recording["totals"].as_array().unwrap();
    rows.iter().find(|row| row["domain"] == domain).unwrap()
}

#[test]
fn no_more_comes_back_than_was_given_out() {
    for setting in ["PYTHONMALLOC=pymalloc", "PYTHONMALLOC=malloc", "PYTHONMALLOC=debug"] {
        for_each_interpreter(|python| {
            let executable = python.executable.to_str().unwrap();
            let outcome = Running::start(&["-d", "0"], &["env", setting, executable, "-B", "-c", "pass"]).end();
            assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
            for domain in ["raw", "mem", "malloc"] {
                let row = of_domain(&outcome.report()["recording"], domain);
                for (given, back) in [("allocated_bytes", "freed_bytes"), ("allocated_blocks", "freed_blocks")] {
                    assert!(
                        number(&row[back]) <= number(&row[given]),
                        "{} {setting}: {row}",
                        python.name()
                    );
                }
            }
        });
    }
}

#[test]
fn guards_of_a_debug_allocator_count() {
    // Blocks of 300 and 3033 bytes: with the guards 324 and 3057 or, where two of them stand around each other, 3081.
    const KNOWN: &str = "
def small(): return [bytes(267) for _ in range(1000)]
def large(): return [bytes(3000) for _ in range(1000)]
KEPT = small(), large()
";
    for (setting, small, large) in [
        ("PYTHONMALLOC=debug", 324_000, 3_081_000),
        ("PYTHONMALLOC=malloc_debug", 324_000, 3_057_000),
    ] {
        for_each_interpreter(|python| {
            let executable = python.executable.to_str().unwrap();
            let program = ["env", setting, executable, "-B", "-c", KNOWN];
            let outcome = Running::start(&["--every", "-d", "0"], &program).end();
            for (function, bytes) in [("small", small), ("large", large)] {
                let found = sum(&recording(&outcome)["alive"], "bytes", is_in(function));
                // The allocators round up, and there is the list.
                assert!(
                    (bytes..bytes + 32_000).contains(&found),
                    "{} {setting}: {found} bytes in {function}, not {bytes}",
                    python.name()
                );
            }
        });
    }
}

/// The newest one, for what does not depend on the version.
fn python() -> &'static Interpreter {
    interpreters().last().expect("a Python")
}

#[test]
fn code_that_goes_is_not_taken_for_other_code_in_its_place() {
    const GOING: &str = "
KEPT = []
for index in range(300):
    source = f'def made_{index}(): return bytes(1_000 + {index})'
    names = {}
    exec(source, names)
    KEPT.append(names.popitem()[1]())
    names = source = None
";
    let outcome = Running::python(python(), &["--every", "-d", "0"], GOING).end();
    let recording = recording(&outcome);
    for index in 0..300 {
        let function = format!("made_{index}");
        assert_eq!(
            sum(&recording["allocated"], "count", |site| site["function"] == *function),
            1,
            "{function}"
        );
    }
}

#[test]
fn threads_and_children_count_to_the_block() {
    const MANY: &str = "
import os, threading
def work():
    for _ in (None,) * 20_000:
        bytes(2000)
pid = os.fork()
if pid == 0:
    work()
    os._exit(0)
os.waitpid(pid, 0)
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
";
    let outcome = Running::python(python(), &["--every", "-d", "0"], MANY).end();
    let recording = recording(&outcome);
    let made = sum(&recording["allocated"], "count", |site| site["line"] == 5);
    assert!((120_000..120_100).contains(&made), "{made}");
    assert_eq!(
        sum(&recording["allocated"], "bytes", |_| true),
        total(recording, "allocated_bytes")
    );
    assert_eq!(number(&recording["other_processes"]), 1);
}

#[test]
fn samples_are_as_far_apart_as_they_are_told_to_be() {
    const MANY: &str = "
def keep(): return [bytes(267) for _ in range(100_000)]
KEPT = keep()
";
    let error = |options: &[&str]| {
        let outcome = Running::python(python(), options, MANY).end();
        let alive = &outcome.report()["recording"]["alive"];
        (
            number(&outcome.report()["recording"]["sample_bytes"]),
            sum(alive, "error_bytes", is_in("keep")),
        )
    };
    let (fine, coarse) = (
        error(&["-d", "0", "--sample-bytes", "16K"]),
        error(&["-d", "0", "--sample-bytes", "4MiB"]),
    );
    assert_eq!((fine.0, coarse.0), (16 << 10, 4 << 20));
    assert!(fine.1 < coarse.1, "{fine:?} {coarse:?}");
    let refused = Command::new(env!("CARGO_BIN_EXE_pymemscope"))
        .args(["run", "--sample-bytes", "5", "--", "true"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("1 KiB to 1 GiB"));
}

/// Sites of about 16, 18, 12 and 1 samples of 64 KiB.
const SAMPLED: &str = "
def many(): return [bytes(267) for _ in range(2_000)]
def small(): return [bytes(67) for _ in range(10_000)]
def large(): return [bytes(4_000) for _ in range(200)]
def few(): return [bytes(267) for _ in range(150)]
KEPT = many(), small(), large(), few()
";

/// Twenty seeds that stay the same, with bounds that no chance passes: five standard errors, and 17 of 20 intervals.
#[test]
fn twenty_seeds_are_unbiased_and_within_their_errors() {
    let executable = python().executable.to_str().unwrap();
    let alive = |options: &[&str]| {
        let program = ["env", "PYTHONHASHSEED=0", executable, "-B", "-c", SAMPLED];
        let options = [&["-d", "0"], options].concat();
        Running::start(&options, &program).end().report()["recording"]["alive"].clone()
    };
    let truth = alive(&["--every"]);
    let runs: Vec<Value> = (1..=20)
        .map(|seed: u32| alive(&["--sample-bytes", "64K", "--seed", &seed.to_string()]))
        .collect();
    let (mut shown, mut held) = (0, 0);
    for function in ["many", "small", "large", "few"] {
        let of_function = |sites: &Value| sum(sites, "bytes", is_in(function)) as f64;
        let expected = of_function(&truth);
        let mean = runs.iter().map(of_function).sum::<f64>() / 20.0;
        let error = (expected * 65_536.0 / 20.0).sqrt();
        assert!(
            (mean - expected).abs() < 5.0 * error,
            "{function}: {mean} ± {error}, not {expected}"
        );
        for site in runs
            .iter()
            .flat_map(|run| run.as_array().unwrap())
            .filter(|site| is_in(function)(site))
        {
            let is_same = |other: &Value| other["stack"] == site["stack"] && other["domain"] == site["domain"];
            let expected = sum(&truth, "bytes", is_same);
            shown += 1;
            held += u32::from(number(&site["bytes"]).abs_diff(expected) <= number(&site["error_bytes"]));
        }
    }
    assert!(shown >= 60 && held * 20 >= shown * 17, "{held} of {shown}");
}
