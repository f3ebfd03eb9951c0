//! Attaching again and again, to a program at work and to one that changes its heap as fast as it can.

mod interpreters;
mod profiler;
mod targets;

use std::collections::BTreeSet;
use std::env;
use std::fs;

use interpreters::{for_each_interpreter, on_those};
use profiler::{ask, parse};
use serde_json::Value;
use targets::{Target, attach};

/// A few times, or a thousand where `PYMEMSCOPE_LONG` is set.
fn rounds(few: usize) -> usize {
    if env::var_os("PYMEMSCOPE_LONG").is_some() {
        1000
    } else {
        few
    }
}

/// The resident set in bytes.
fn resident(pid: u32) -> u64 {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// The children of a process, living or dead.
fn children(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap()
}

/// A program that works on a heap of its own and says, when asked, what came of it: always the same, however often.
const AT_WORK: &str = "
import gc, hashlib, os, signal, sys, threading
def work():
    table = {}
    for number in range(20000):
        table['key %d' % (number % 997)] = [number, str(number), {number}]
    text = repr(sorted((key, value[0], value[1], sorted(value[2])) for key, value in table.items()))
    return hashlib.sha256(text.encode()).hexdigest()
signals = []
signal.signal(signal.SIGCHLD, lambda *what: signals.append(what))
digests, interrupted, stop = set(), [], threading.Event()
def worker():
    while not stop.is_set():
        digests.add(work())
thread = threading.Thread(target=worker)
thread.start()
print('ready')
while True:
    try:
        if not os.read(0, 1):
            break
    except InterruptedError:
        interrupted.append(1)
    before = len(digests)
    print(len(digests), len(interrupted), len(signals), threading.active_count())
stop.set()
thread.join()
";

#[test]
fn a_busy_program_does_not_notice_a_thousand_attaches() {
    let rounds = rounds(12);
    for_each_interpreter(|python| {
        let mut target = Target::spawn(python.command().args(["-u", "-c", AT_WORK]));
        assert_eq!(target.line(), "ready\n");
        attach(target.pid(), &[]);
        target.go_on();
        assert_eq!(target.line(), "1 0 0 2\n");
        let before = resident(target.pid());
        for round in 0..rounds {
            let freeze = ["fork", "fork", "stop"][round % 3];
            let report = attach(target.pid(), &["--freeze", freeze]);
            assert_eq!(report["capture"]["freeze"], freeze);
            assert_eq!(children(target.pid()), "", "in round {round}");
        }
        target.go_on();
        assert_eq!(
            target.line(),
            "1 0 0 2\n",
            "one result, nothing interrupted, no signal, two threads"
        );
        let after = resident(target.pid());
        assert!(
            after < before + (8 << 20),
            "grew from {before} to {after} bytes in {rounds} attaches"
        );
        assert!(target.finish().success());
    });
}

/// Every type in a report is one that the target knows.
fn assert_known_types(report: &Value, said: &Value) {
    let known: BTreeSet<&str> = said["types"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for row in report["types"].as_array().unwrap() {
        let name = row["type"].as_str().unwrap();
        assert!(known.contains(name), "there is no type {name}: {row}");
    }
}

#[test]
fn a_heap_that_changes_all_the_time_is_read_without_harm() {
    let rounds = rounds(6);
    for_each_interpreter(|python| {
        let (target, said) = Target::start(python, "busy.py").unwrap();
        let pid = target.pid();
        let mut read = 0;
        for round in 0..rounds {
            // Every other time twice in one go, so that snapshots are compared too.
            let duration = ["0", "0.2"][round % 2];
            let answer = ask(&format!("attach {pid} -d {duration} -j --freeze none"));
            // It may say in a line that nothing could be made of it; it may not crash.
            assert!(matches!(answer.code, Some(0 | 1)), "{answer:?}");
            assert!(!answer.err.contains("panicked"), "{}", answer.err);
            if answer.code == Some(0) {
                assert_known_types(&parse(&answer.out), &said);
                read += 1;
            } else {
                answer.refusal(1);
            }
        }
        assert!(read * 2 > rounds, "only {read} of {rounds} could be read");
        assert!(target.finish().success());
    });
}

#[test]
fn a_changing_heap_is_exact_in_a_frozen_copy() {
    on_those(
        |_| true,
        |python| {
            let (target, said) = Target::start(python, "busy.py").unwrap();
            for freeze in ["fork", "stop"] {
                let report = attach(target.pid(), &["--freeze", freeze]);
                assert_known_types(&report, &said);
            }
            assert!(target.finish().success());
        },
    );
}
