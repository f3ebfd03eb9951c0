//! What the recorder within a program under `run` writes down, held to what the program did.

mod interpreters;
mod profiler;
#[path = "run/running.rs"]
mod running;

use interpreters::{Interpreter, for_each_interpreter, interpreters};
use running::{Outcome, Running, until_snapshot};
use serde_json::Value;

const MILLION: u64 = 1_000_000;

/// Keeps, passes by and frees blocks of known sizes, each at a line of its own. Those of 20 MB are so large that each is
/// sampled; of those of 500 bytes hardly one in a thousand is.
const KNOWN: &str = "
def keep(): return [bytes(19_999_967) for _ in range(5)]
def keep_small(): return [bytes(467) for _ in range(100_000)]
def pass_by():
    for _ in range(30):
        bytes(19_999_967)
def spike():
    blocks = [bytes(19_999_967) for _ in range(15)]
KEPT = keep(), keep_small()
pass_by()
spike()
";

/// Does what it is told by lines.
const OBEDIENT: &str = "
import os, sys
def keep(): return [bytes(19_999_967) for _ in range(5)]
print(os.getpid(), flush=True)
for line in sys.stdin:
    exec(line)
";

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// Bytes and their error of the site with this function among the innermost two calls: comprehensions were calls once.
#[track_caller]
fn site(sites: &Value, function: &str) -> (u64, u64) {
    let of = |site: &&Value| {
        let calls = site["stack"].as_array().unwrap();
        calls.iter().rev().take(2).any(|call| call["function"] == function)
    };
    let found: Vec<&Value> = sites.as_array().unwrap().iter().filter(of).collect();
    let sum = |field: &str| found.iter().map(|site| number(&site[field])).sum();
    (sum("bytes"), sum("error_bytes"))
}

/// Blocks that are always sampled; a small one beside them may have been by chance, which then stands for half a million.
#[track_caller]
fn assert_site(sites: &Value, function: &str, expected: u64) {
    let (bytes, error) = site(sites, function);
    assert!(
        bytes.abs_diff(expected) < 3 * MILLION,
        "{function}: {bytes} ± {error}, not {expected}"
    );
    assert!(error < 5 * MILLION, "{function}: {bytes} ± {error}");
}

#[track_caller]
fn recording(outcome: &Outcome) -> &Value {
    profiler::parse(&outcome.report().to_string());
    let recording = &outcome.report()["recording"];
    assert!(recording.is_object(), "{:?} {}", outcome.err, outcome.warnings());
    // The recorder's own memory is none of the program's.
    assert!(
        !outcome.warnings().contains("shared mappings"),
        "{}",
        outcome.warnings()
    );
    recording
}

/// The sum of a figure over domains.
fn total(recording: &Value, figure: &str) -> u64 {
    let rows = recording["totals"].as_array().unwrap();
    rows.iter().map(|row| number(&row[figure])).sum()
}

#[track_caller]
fn assert_about(found: u64, expected: u64, more: u64) {
    assert!(
        (expected..expected + more).contains(&found),
        "{found}, not {expected} to {more} more"
    );
}

/// What `KNOWN` must have been recorded as.
#[track_caller]
fn check_known(outcome: &Outcome) {
    let recording = recording(outcome);
    // With the 33 bytes that a `bytes` has besides its content.
    let large = |count: u64| count * 20_000_000;
    assert_site(&recording["alive"], "keep", large(5));
    assert_site(&recording["alive"], "pass_by", 0);
    assert_site(&recording["alive"], "spike", 0);
    assert_site(&recording["allocated"], "pass_by", large(30));
    assert_site(&recording["peak"]["sites"], "spike", large(15));
    assert_site(&recording["peak"]["sites"], "keep", large(5));
    let (small, error) = site(&recording["alive"], "keep_small");
    // The error is passed in 1 of 20 cases, three times that never. The list itself has up to a million bytes more.
    assert!(
        small.abs_diff(51_200_000) < 3 * error + 2 * MILLION,
        "{small} ± {error}"
    );
    assert!(error < 20 * MILLION, "{error}");
    let all = large(50) + 50 * MILLION;
    // Starting an interpreter takes some megabytes, and up to a hundred thousand blocks.
    assert_about(total(recording, "requested_bytes"), all, 60 * MILLION);
    assert_about(total(recording, "allocated_bytes"), all, 60 * MILLION);
    assert_about(total(recording, "allocated_blocks"), 100_050, 700_000);
    assert_about(
        number(&recording["peak"]["bytes"]),
        large(20) + 50 * MILLION,
        40 * MILLION,
    );
    // At the end all is given back but what interpreters leave behind.
    let left = total(recording, "allocated_bytes").abs_diff(total(recording, "freed_bytes"));
    assert!(left < 8 * MILLION, "{left}");
}

#[test]
fn what_is_kept_freed_and_there_at_the_peak_is_recorded() {
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &[], KNOWN).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        check_known(&outcome);
    });
}

#[test]
fn with_any_allocator_of_the_interpreters() {
    for setting in ["PYTHONMALLOC=malloc", "PYTHONMALLOC=debug", "PYTHONDEVMODE=1"] {
        for_each_interpreter(|python| {
            let executable = python.executable.to_str().unwrap();
            let outcome = Running::start(&[], &["env", setting, executable, "-B", "-c", KNOWN]).end();
            assert_eq!(outcome.code, Some(0), "{setting}: {}", outcome.err);
            check_known(&outcome);
        });
    }
}

/// The newest one, for what does not depend on the version.
fn python() -> &'static Interpreter {
    interpreters().last().expect("a Python")
}

#[test]
fn nothing_is_lost_however_the_program_ends() {
    for end in ["os._exit(0)", "os.kill(os.getpid(), 9)"] {
        for_each_interpreter(|python| {
            let mut running = Running::python(python, &["--interval", "0.05"], OBEDIENT);
            let pid = running.pid();
            until_snapshot(pid);
            running.tell(&format!("KEPT = keep(); {end}"));
            let outcome = running.end();
            let recording = recording(&outcome);
            assert_site(&recording["alive"], "keep", 5 * 20_000_000);
        });
    }
}

#[test]
fn children_record_for_themselves() {
    const FORKING: &str = "
import os
KEPT = bytes(19_999_967)
def child():
    blocks = [bytes(19_999_967) for _ in range(3)]
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        child()
        os._exit(0)
    os.waitpid(pid, 0)
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &[], FORKING).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let recording = recording(&outcome);
        assert_eq!(number(&recording["other_processes"]), 4);
        assert_about(number(&recording["other_processes_bytes"]), 240 * MILLION, 10 * MILLION);
        assert_site(&recording["allocated"], "child", 0);
        assert_about(total(recording, "requested_bytes"), 20 * MILLION, 40 * MILLION);
    });
}

/// Makes texts that are shortened where they stand, as many ways of formatting do.
const SHORTENING: &str = "
import os
def keep(): return [bytes(19_999_967) for _ in range(5)]
for number in range(200_000):
    '%s-%s-%d' % ('x' * 40, 'y' * 30, number)
with open(os.devnull) as empty, open('/proc/self/status', 'rb') as some:
    for _ in range(50_000):
        os.pread(some.fileno(), 430, 4000)
KEPT = keep()
";

#[test]
fn what_shrinks_where_it_stands_is_as_large_as_it_was() {
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["-d", "0"], SHORTENING).end();
        let recording = recording(&outcome);
        assert_about(number(&recording["peak"]["bytes"]), 100 * MILLION, 40 * MILLION);
        assert_site(&recording["peak"]["sites"], "keep", 100 * MILLION);
    });
}

/// More threads at a time than have counters of their own.
const MANY_THREADS: &str = "
import threading
def hold(): return bytes(199_967)
def work():
    held = hold()
    everybody.wait()
everybody = threading.Barrier(1001)
threads = [threading.Thread(target=work) for _ in range(1000)]
for thread in threads: thread.start()
everybody.wait()
for thread in threads: thread.join()
";

#[test]
fn threads_that_share_counters_are_sampled_as_others() {
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["-d", "0"], MANY_THREADS).end();
        let (bytes, error) = site(&recording(&outcome)["peak"]["sites"], "hold");
        // The error is passed in 1 of 20 cases, three times that never.
        assert!(
            bytes.abs_diff(200 * MILLION) < 3 * error && error < 30 * MILLION,
            "{bytes} ± {error}"
        );
    });
}

#[test]
fn threads_at_full_speed_lose_no_count() {
    const THREADS: &str = "
import threading
def work():
    for _ in range(50_000):
        bytes(2000)
    for _ in range(5):
        bytes(19_999_967)
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &[], THREADS).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let recording = recording(&outcome);
        let all = 8 * (50_000 * 2033 + 5 * 20 * MILLION);
        assert_about(total(recording, "requested_bytes"), all, 60 * MILLION);
        let of_threads: u64 = recording["threads"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| total(row, "requested_bytes"))
            .sum();
        assert_eq!(of_threads, total(recording, "requested_bytes"));
        let left = total(recording, "allocated_bytes").abs_diff(total(recording, "freed_bytes"));
        assert!(left < 8 * MILLION, "{left}");
    });
}

#[test]
fn a_program_that_executes_another_is_recorded_as_that() {
    let again = "import os, sys; x = bytes(90_000_000); os.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])";
    let executable = python().executable.to_str().unwrap();
    let outcome = Running::start(&[], &[executable, "-B", "-c", again, KNOWN]).end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.err);
    check_known(&outcome);
    assert_eq!(number(&recording(&outcome)["other_processes"]), 1);
}

#[test]
fn what_c_asks_for_counts_with_the_line_that_called_it() {
    const FROM_C: &str = "
import ctypes, mmap
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.realloc.restype = ctypes.c_void_p
libc.realloc.argtypes = ctypes.c_void_p, ctypes.c_size_t
libc.malloc.argtypes = ctypes.c_size_t,
def from_c(): return libc.realloc(libc.malloc(30_000_000), 40_000_000)
def mapped(): return mmap.mmap(-1, 8192 * 4096)
KEPT = from_c(), mapped()
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &[], FROM_C).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let recording = recording(&outcome);
        assert_site(&recording["alive"], "from_c", 40 * MILLION);
        assert_site(&recording["allocated"], "from_c", 70 * MILLION);
        assert_site(&recording["alive"], "mapped", 8192 * 4096);
    });
}

#[test]
fn a_program_that_takes_no_recorder_runs_as_ever() {
    // Somebody who executes it without the C library gives it no environment (`execve` has number 59).
    const EXECUTING: &str = r#"syscall(59, $ARGV[0], pack("p*", @ARGV, undef), pack("p*", @own, undef))"#;
    let own = format!(
        "@own = ('LD_LIBRARY_PATH={}');",
        std::env::var("LD_LIBRARY_PATH").unwrap_or_default()
    );
    let executable = python().executable.to_str().unwrap();
    let code = format!("{own} {EXECUTING}");
    let words = ["perl", "-e", &code, executable, "-B", "-c", "KEPT = [1, 2]"];
    let outcome = Running::start(&[], &words).end();
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
    assert!(outcome.report()["recording"].is_null());
    assert!(
        outcome.warnings().contains("Nothing was recorded of the program"),
        "{}",
        outcome.warnings()
    );
}
