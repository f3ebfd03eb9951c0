//! Threads have the names that the program has for them.

mod interpreters;
mod profiler;
mod programs;

use interpreters::for_each_interpreter;
use profiler::report;
use programs::Program;
use serde_json::Value;

/// Threads of all kinds, each with something in a local variable.
const THREADS: &str = r#"
import _thread, sys, threading

NEVER = threading.Event()

def work(started):
    rows = [bytes(100_000)]
    started.set()
    NEVER.wait()

def start(begin):
    started = threading.Event()
    begin(started)
    started.wait()

for name in ["worker-a", "twin", "twin", "it's > new\nline"]:
    start(lambda started: threading.Thread(target=work, args=(started,), name=name, daemon=True).start())
start(lambda started: _thread.start_new_thread(work, (started,)))

def serve():
    rows = [bytes(100_000)]
    threading.current_thread().name = "renamed"
    print("ready", flush=True)
    sys.stdin.readline()

serve()
"#;

/// Where nothing has asked for `threading`.
const ALONE: &str = "
import sys

def serve():
    rows = [bytes(100_000)]
    print('ready', flush=True)
    sys.stdin.readline()

assert 'threading' not in sys.modules
serve()
";

fn rows(report: &Value) -> Vec<&str> {
    let owners = report["owners"].as_array().unwrap().iter();
    let paths = owners.map(|owner| owner["path"].as_str().unwrap());
    let mut rows: Vec<&str> = paths
        .filter(|path| path.starts_with("thread ") && path.ends_with(" > rows"))
        .collect();
    rows.sort_unstable();
    rows
}

#[test]
fn threads_are_told_by_their_names() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", THREADS]));
        let report = report(&format!("attach {} -d 0 --top 1000", program.pid()));
        let rows = rows(&report);
        let count = |start: &str| rows.iter().filter(|path| path.starts_with(start)).count();
        assert_eq!(rows.len(), 6, "{rows:#?}");
        for (start, expected) in [
            ("thread renamed > ", 1),
            ("thread worker-a > ", 1),
            ("thread it\\'s > new\\nline > ", 1),
            ("thread twin (", 2),
        ] {
            assert_eq!(count(start), expected, "{start}: {rows:#?}");
        }
        // The one that `threading` does not know is told by its number.
        let numbered = rows
            .iter()
            .filter(|path| path["thread ".len()..].starts_with(|first: char| first.is_ascii_digit()));
        assert_eq!(numbered.count(), 1, "{rows:#?}");
        let distinct: std::collections::BTreeSet<&&str> = rows.iter().collect();
        assert_eq!(distinct.len(), rows.len(), "{rows:#?}");
    });
}

#[test]
fn the_first_thread_is_the_main_one() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-S", "-c", ALONE]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        let rows = rows(&report);
        assert!(
            rows.len() == 1 && rows[0].starts_with("thread MainThread > serve()"),
            "{rows:?}"
        );
    });
}
