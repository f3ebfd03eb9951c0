//! Recordings of programs that die before anybody has read their heap, that fork much, and that have more stacks than there is
//! room for: nothing of them is lost.

mod interpreters;
mod profiler;
#[path = "run/recorded.rs"]
mod recorded;
#[path = "run/running.rs"]
mod running;

use std::fs;

use interpreters::for_each_interpreter;
use recorded::{KEEPING, MILLION, assert_about, assert_keeps, number, python, recording, site, total};
use running::Running;

#[test]
fn what_was_recorded_is_reported_where_the_heap_was_never_read() {
    let ends = [
        ("os._exit(0)", 0, "it ended with exit code 0 before"),
        ("os._exit(3)", 3, "it ended with exit code 3 before"),
        ("os.kill(os.getpid(), 9)", 137, "it ended by signal 9 (SIGKILL) before"),
        (
            "os.kill(os.getpid(), 11)",
            139,
            "it ended by signal 11 (SIGSEGV) before",
        ),
    ];
    for_each_interpreter(|python| {
        for (end, code, why) in ends {
            // Only the interpreter's shutdown would be looked at.
            let outcome = Running::python(python, &["-d", "0"], &format!("{KEEPING}\n{end}")).end();
            assert_eq!((outcome.code, outcome.err.as_str()), (Some(code), ""));
            assert_keeps(recording(&outcome));
            assert_eq!(recording(&outcome)["alive_at"], "end");
            let report = outcome.report();
            let unread = report["capture"]["unread"].as_str().unwrap();
            assert!(unread.starts_with(why), "{unread}");
            assert_eq!(report["process"]["python"], python.version);
            assert_eq!(report["process"]["command"][1], "-B");
            assert!(
                outcome.out.contains("Its heap was never read: it ended"),
                "{}",
                outcome.out
            );
            assert!(!outcome.out.contains("No findings"), "{}", outcome.out);
        }
    });
}

#[test]
fn a_flame_graph_is_drawn_of_a_recording_alone() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("heap.svg");
    let code = format!("{KEEPING}\nos.kill(os.getpid(), 9)");
    let options = ["-d", "0", "-o", picture.to_str().unwrap()];
    let outcome = Running::python(python(), &options, &code).end();
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(137), ""));
    let picture = fs::read_to_string(picture).unwrap();
    assert!(picture.contains("keep"), "{picture}");
    // Who holds what nobody has read.
    let missing = folder.path().join("owners.svg");
    let options = ["-d", "0", "--graph", "ownership", "-o", missing.to_str().unwrap()];
    let outcome = Running::python(python(), &options, &code).end();
    assert_eq!(outcome.code, Some(1), "{}", outcome.err);
    assert!(outcome.err.contains("never read"), "{}", outcome.err);
    assert_keeps(recording(&outcome));
}

#[test]
fn who_has_findings_judged_is_told_that_there_was_nothing_to_judge() {
    let code = format!("{KEEPING}\nos._exit(0)");
    let outcome = Running::python(python(), &["-d", "0", "--fail-on", "warning"], &code).end();
    assert_eq!(outcome.code, Some(1), "{}", outcome.err);
    assert!(
        outcome.err.contains("nothing of the program was read"),
        "{}",
        outcome.err
    );
    assert_keeps(recording(&outcome));
}

#[test]
fn many_short_children_share_few_areas() {
    const FORKING: &str = "
import os
def child():
    blocks = [bytes(1_999_967) for _ in range(3)]
for number in range(300):
    pid = os.fork()
    if pid == 0:
        child()
        if number % 2: os.kill(os.getpid(), 9)
        os._exit(0)
    os.waitpid(pid, 0)
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["-d", "0"], FORKING).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let recording = recording(&outcome);
        assert_eq!(number(&recording["other_processes"]), 300);
        assert_about(
            number(&recording["other_processes_bytes"]),
            1800 * MILLION,
            60 * MILLION,
        );
        assert!(
            recording["others"].as_array().unwrap().len() < 20,
            "{}",
            recording["others"]
        );
        assert_about(total(recording, "requested_bytes"), 0, 40 * MILLION);
        assert!(site(&recording["allocated"], "child") == 0);
    });
}

#[test]
fn areas_that_are_used_again_begin_anew() {
    const FORKING: &str = "
import os, sys
def child(): return [bytes(1_999_967) for _ in range(3)]
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        KEPT = child()
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
LATER = 'def later(): return bytes(4_999_967)\\nKEPT = later()'
os.execv(sys.executable, [sys.executable, '-I', '-S', '-B', '-c', LATER])
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["-d", "0", "--every"], FORKING).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let recording = recording(&outcome);
        // The program that was executed later is the one that is looked at.
        assert_about(site(&recording["allocated"], "later"), 5 * MILLION - 33, 5_000);
        assert_eq!(site(&recording["allocated"], "child"), 0);
        let threads = recording["threads"].as_array().unwrap();
        let of_threads: u64 = threads.iter().map(|thread| total(thread, "requested_bytes")).sum();
        assert_eq!(of_threads, total(recording, "requested_bytes"));
        let pid = &outcome.report()["process"]["pid"];
        let others = recording["others"].as_array().unwrap();
        let children: Vec<_> = others.iter().filter(|other| other["pid"] != *pid).collect();
        assert!(!children.is_empty() && children.len() < 10, "{others:?}");
        for child in children {
            assert_about(number(&child["peak_bytes"]), 6 * MILLION - 99, MILLION);
        }
    });
}

#[test]
fn what_finds_no_room_is_named_and_counted() {
    // Stacks of about 30 calls each, no two alike.
    const DEEP: &str = "
source = ['def go(path, depth):', ' if depth == 0: return bytes(999_967)', ' turn = path >> depth - 1 & 3']
for turn in range(4):
    source.append(f' if turn == {turn}: return go(path, depth - 1)')
exec('\\n'.join(source))
for number in range(8_000):
    go(number * 2654435761 & 0xffffffff, 30)
KEPT = go(5, 30)
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["-d", "0"], DEEP).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let recording = recording(&outcome);
        let all = 8_001 * MILLION;
        let (full, known) = (
            site(&recording["allocated"], "(not recorded: table full)"),
            site(&recording["allocated"], "go"),
        );
        assert!(full > 1000 * MILLION && known > 500 * MILLION, "{full} {known}");
        // Each block is sampled by 0.85, and stands for so much more.
        assert!((full + known).abs_diff(all) < 300 * MILLION, "{full} + {known}");
        assert_about(total(recording, "requested_bytes"), all, 60 * MILLION);
        assert!(site(&recording["allocated"], "(no Python code)") < 30 * MILLION);
        let told = outcome.warnings();
        assert!(
            told.contains("The recording was full: ") && told.contains("samples are at"),
            "{told}"
        );
    });
}

#[test]
fn what_interpreters_keep_for_themselves_is_neither_given_nor_taken_back() {
    const STARTING: &str = "
import sys
try: import _interpreters
except ImportError: import _xxsubinterpreters as _interpreters
for _ in range(int(sys.argv[1])):
    each = _interpreters.create()
    _interpreters.run_string(each, 'x = [1] * 1000')
    _interpreters.destroy(each)
";
    for_each_interpreter(|python| {
        let executable = python.executable.to_str().unwrap();
        let raw = |count: &str| {
            let words = [executable, "-I", "-S", "-B", "-c", STARTING, count];
            let outcome = Running::start(&["-d", "0"], &words).end();
            assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
            let totals = recording(&outcome)["totals"].as_array().unwrap();
            let raw = totals.iter().find(|row| row["domain"] == "raw").unwrap();
            number(&raw["allocated_blocks"]) as i64 - number(&raw["freed_blocks"]) as i64
        };
        assert!(raw("10") >= raw("0"));
    });
}

#[test]
fn threads_without_python_leave_the_places_of_python_known() {
    // A thread of C allocates a block that is always a sample, and so does a line of Python behind it, in a call that has
    // let go of the lock.
    const CODE: &str = "
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.pthread_create.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
libc.pthread_join.argtypes = [ctypes.c_ulong, ctypes.c_void_p]
def in_c(size):
    thread = ctypes.c_ulong()
    function = ctypes.cast(libc.malloc, ctypes.c_void_p)
    assert libc.pthread_create(ctypes.byref(thread), None, function, size) == 0
    libc.pthread_join(thread, None)
def behind(): return libc.malloc(20_000_000)
in_c(30_000_000)
behind()
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &[], CODE).end();
        let recording = recording(&outcome);
        for table in ["alive", "allocated"] {
            assert_about(site(&recording[table], "behind"), 20_000_000, 3_000_000);
            assert!(site(&recording[table], "(no Python code)") >= 30_000_000, "{table}");
        }
    });
}

#[test]
fn threads_one_after_the_other_have_chances_of_their_own_where_a_seed_is_told() {
    const CODE: &str = "
import threading
def work(): return bytes(100_000)
for _ in range(600):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["--seed", "7"], CODE).end();
        // Five standard errors.
        assert_about(site(&recording(&outcome)["allocated"], "work"), 32_000_000, 56_000_000);
    });
}
