//! `attach` on programs that go on, end, become others and hold much: what is reported, and that nobody noticed.

mod interpreters;
mod profiler;
mod programs;
#[path = "programs/shop.rs"]
mod shop;

use std::collections::BTreeSet;
use std::process::Command;

use interpreters::for_each_interpreter;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use profiler::terminal::OnTerminal;
use profiler::{Answer, ask, findings, owner, parse, pymemscope, report, type_row, warnings};
use programs::{Program, eventually};
use serde_json::Value;
use shop::{SHOP, python};

fn watching(program: &Program, words: &str) -> OnTerminal {
    let pid = program.pid().to_string();
    let mut profiler = OnTerminal::start(&mut pymemscope(
        ["attach", &pid, "-j"].into_iter().chain(words.split(' ')),
    ));
    profiler.watches();
    profiler
}

/// The report in an answer whose command showed nothing but its progress.
#[track_caller]
fn report_of(answer: &Answer) -> Value {
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(!answer.err.contains("error"), "{}", answer.err);
    assert!(answer.err.ends_with("\u{1b}[K"), "the progress stays: {:?}", answer.err);
    parse(&answer.out)
}

#[test]
fn growth_between_two_snapshots_is_exact() {
    for_each_interpreter(|python| {
        let mut program = Program::start(python.command().args(["-c", SHOP]));
        let profiler = watching(&program, "-d 600 --fail-on warning");
        program.tell("5000");
        assert_eq!(program.line(), "15000");
        profiler.interrupt();
        let report = report_of(&profiler.answer());

        assert_eq!(report["capture"]["samples"], 2);
        let order = type_row(&report, "__main__.Order");
        assert_eq!(
            (&order["count"], &order["growth_count"]),
            (&15_000.into(), &5_000.into()),
            "{order}"
        );
        let orders = owner(&report, "__main__.ORDERS");
        assert_eq!(
            (&orders["length"], &orders["growth_length"]),
            (&15_000.into(), &5_000.into()),
            "{orders}"
        );
        assert_eq!(owner(&report, "__main__.STEADY")["growth_length"], 0);
        let found = findings(&report, "growing-container");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["object"]["path"], "__main__.ORDERS");
        assert_eq!(
            (&found[0]["confidence"], &found[0]["object"]["length"]),
            (&"possible".into(), &15_000.into())
        );
        // One interval is no trend, and no failure.
        assert_eq!(found[0]["severity"], "info");
        assert_eq!(found[0]["evidence"].get("seconds_to_memory_limit"), None);
    });
}

#[test]
fn growth_at_a_rate_is_likely() {
    let mut program = python(SHOP);
    let mut profiler = OnTerminal::start(&mut pymemscope([
        "attach",
        &program.pid().to_string(),
        "-j",
        "-d",
        "2",
        "--interval",
        "0.5",
    ]));
    // As fast as it answers, until the report is there.
    let mut total = 10_000;
    while profiler.goes_on() {
        program.tell("1");
        total += 1;
        assert_eq!(program.line(), total.to_string());
    }
    let report = report_of(&profiler.answer());
    let timeline: Vec<f64> = report["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| at["time"].as_f64().unwrap())
        .collect();
    assert!(timeline.len() >= 3 && timeline.last() >= Some(&2.0), "{timeline:?}");
    let found = findings(&report, "growing-container");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["object"]["path"], &found[0]["confidence"]),
        (&"__main__.ORDERS".into(), &"likely".into())
    );
    let orders = owner(&report, "__main__.ORDERS");
    let grown = orders["growth_length"].as_u64().unwrap();
    assert!(
        orders["length"].as_u64() <= Some(total) && grown <= total - 10_000,
        "{orders} of {total}"
    );
    // An entry's key and value were made in one go, and no snapshot shows half of it.
    let order = type_row(&report, "__main__.Order");
    let difference = order["growth_count"].as_u64().unwrap().abs_diff(grown);
    assert!(difference <= 2, "{order} and {orders}");
}

#[test]
fn what_does_not_grow_is_not_reported() {
    let program = python(SHOP);
    let report = report(&format!("attach {} -d 0.4 --interval 0.1", program.pid()));
    assert_eq!(findings(&report, "growing-container"), [] as [&Value; 0]);
    assert_eq!(type_row(&report, "__main__.Order")["growth_count"], 0);
    assert!(report["timeline"].as_array().unwrap().len() >= 2);
}

#[test]
fn caches_and_lists_are_found_by_what_they_are() {
    let code = r#"
import functools, sys
@functools.lru_cache(maxsize=None)
def endless(number): return str(number)
@functools.lru_cache(maxsize=50_000)
def bounded(number): return str(number)
@functools.lru_cache(maxsize=None)
def small(number): return str(number)
for number in range(30_000): endless(number), bounded(number), small(number % 10)
LARGE = list(range(200_000))
USUAL = list(range(5_000))
print('ready', flush=True)
sys.stdin.read()
"#;
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", code]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        let caches = findings(&report, "unbounded-cache");
        assert_eq!(caches.len(), 1, "{}: {caches:?}", python.name());
        assert_eq!(caches[0]["object"]["path"], "__main__.endless");
        assert_eq!(caches[0]["object"]["length"], 30_000);
        assert_eq!(caches[0]["location"]["line"], 3);
        let lists = findings(&report, "large-list");
        assert_eq!(lists.len(), 1, "{}: {lists:?}", python.name());
        assert_eq!(lists[0]["object"]["path"], "__main__.LARGE");
        assert_eq!(lists[0]["object"]["length"], 200_000);

        let attach = |level: &str| ask(&format!("attach {} -d 0 --fail-on {level}", program.pid()));
        assert_eq!(attach("warning").code, Some(3), "{}", python.name());
        assert_eq!(attach("error").code, Some(0), "{}", python.name());
    });
}

#[test]
fn ctrl_c_ends_the_watching_and_reports() {
    let program = python(SHOP);
    let profiler = watching(&program, "-d 600 --interval 300");
    profiler.interrupt();
    let report = report_of(&profiler.answer());
    assert_eq!(report["capture"]["samples"], 2);
    assert_eq!(warnings(&report, ""), [] as [&str; 0]);
}

#[test]
fn a_termination_or_a_hangup_ends_the_watching_and_reports() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let mut program = python(SHOP);
        let profiler = watching(&program, "-d 600");
        profiler.signal(signal);
        let report = report_of(&profiler.answer());
        assert_eq!(report["capture"]["samples"], 2, "{signal}");
        program.tell("1");
        assert_eq!(program.line(), "10001", "the program goes on after {signal}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    // So large that the last snapshot takes far longer than a second signal.
    let code = "
import sys
KEPT = [[number] for number in range(1_000_000)]
print('ready', flush=True)
for line in sys.stdin:
    print('goes on', flush=True)
";
    let mut program = python(code);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let profiler = watching(&program, "-d 600");
        let status = format!("/proc/{}/status", profiler.pid());
        let is_caught = || {
            let status = std::fs::read_to_string(&status).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (signal as i32 - 1) != 0
        };
        assert!(is_caught());
        profiler.signal(signal);
        eventually("the first signal is taken", || (!is_caught()).then_some(()));
        profiler.signal(signal);
        let answer = profiler.answer();
        assert_eq!((answer.code, answer.out.as_str()), (None, ""), "{signal}");
        program.tell("");
        assert_eq!(program.line(), "goes on", "after {signal}");
    }
}

#[test]
fn a_hangup_that_is_ignored_stays_so() {
    let program = python(SHOP);
    let script = "trap '' HUP; exec \"$1\" attach \"$2\" -d 600 -j";
    let profiler = env!("CARGO_BIN_EXE_pymemscope");
    let mut command = Command::new("sh");
    let mut profiler = OnTerminal::start(command.args(["-c", script, "sh", profiler, &program.pid().to_string()]));
    profiler.watches();
    profiler.signal(Signal::SIGHUP);
    profiler.shows("watching: 1 s");
    profiler.interrupt();
    assert_eq!(report_of(&profiler.answer())["capture"]["samples"], 2);
}

#[test]
fn ctrl_c_before_the_first_snapshot_reports_it_all_the_same() {
    let program = python(SHOP);
    let mut profiler = OnTerminal::start(&mut pymemscope([
        "attach",
        &program.pid().to_string(),
        "-d",
        "600",
        "-j",
    ]));
    // Shown from the moment on from which Ctrl-C is caught.
    profiler.shows("looking for the interpreter");
    profiler.interrupt();
    let report = report_of(&profiler.answer());
    assert_eq!(type_row(&report, "__main__.Order")["count"], 10_000);
}

#[test]
fn a_program_that_ends_midway_is_reported() {
    let mut program = python(SHOP);
    let profiler = watching(&program, "-d 600");
    program.end();
    let report = report_of(&profiler.answer());
    assert_eq!(type_row(&report, "__main__.Order")["count"], 10_000);
    assert_eq!(warnings(&report, "ended").len(), 1, "{}", report["capture"]);
}

#[test]
fn a_program_that_becomes_another_midway_is_reported() {
    let mut program =
        python("import os, sys; print('ready', flush=True); sys.stdin.readline(); os.execvp('cat', ['cat'])");
    let profiler = watching(&program, "-d 600");
    program.tell("go on");
    let report = report_of(&profiler.answer());
    assert_eq!(warnings(&report, "another program").len(), 1, "{}", report["capture"]);
    program.tell("still there");
    assert_eq!(program.line(), "still there");
}

/// Traces the program, as a debugger does, for as long as `meanwhile` takes.
fn while_traced(program: &Program, meanwhile: impl FnOnce()) {
    let pid = Pid::from_raw(program.pid() as i32);
    // The profiler may hold it at this moment, for a few milliseconds.
    eventually("the program can be traced", || {
        ptrace::seize(pid, ptrace::Options::empty()).ok()
    });
    meanwhile();
    ptrace::interrupt(pid).unwrap();
    waitpid(pid, None).unwrap();
    ptrace::detach(pid, None).unwrap();
}

#[test]
fn a_snapshot_that_fails_costs_no_other() {
    let program = python(SHOP);
    let mut profiler = watching(&program, "-d 600 --interval 0.1");
    while_traced(&program, || profiler.shows("watching: 2 s"));
    profiler.shows("watching: 3 s");
    profiler.interrupt();
    let report = report_of(&profiler.answer());
    assert!(report["capture"]["samples"].as_u64() > Some(2), "{}", report["capture"]);
    assert_eq!(warnings(&report, "A snapshot failed").len(), 1, "{}", report["capture"]);
    assert_eq!(warnings(&report, "The last").len(), 0, "{}", report["capture"]);
}

#[test]
fn what_was_read_before_is_reported_when_the_last_snapshot_fails() {
    let program = python(SHOP);
    let profiler = watching(&program, "-d 600");
    let mut answer = None;
    while_traced(&program, || {
        profiler.interrupt();
        answer = Some(profiler.answer());
    });
    let report = report_of(&answer.unwrap());
    assert_eq!(report["capture"]["samples"], 1);
    assert_eq!(type_row(&report, "__main__.Order")["count"], 10_000);
    let told = warnings(&report, "The last snapshot failed");
    assert!(told.len() == 1 && told[0].contains("already traced"), "{told:?}");
}

#[test]
fn every_way_of_holding_it_still_sees_the_same() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", SHOP]));
        let mut seen = BTreeSet::new();
        for (words, used) in [
            ("--freeze fork", "fork"),
            ("--freeze stop", "stop"),
            ("--freeze none", "none"),
            ("--nonblocking", "none"),
            ("", "fork"),
        ] {
            let report = report(&format!("attach -p {} -d 0 {words}", program.pid()));
            assert_eq!(report["capture"]["freeze"], used);
            let pauses = report["capture"]["pauses"].as_array().unwrap().len();
            assert_eq!(
                pauses,
                ["none", "stop", "fork"].iter().position(|how| *how == used).unwrap()
            );
            assert_eq!(warnings(&report, "not stopped").len(), usize::from(used == "none"));
            seen.insert(report["types"].to_string());
        }
        assert_eq!(seen.len(), 1, "{}: {seen:?}", python.name());
    });
}
