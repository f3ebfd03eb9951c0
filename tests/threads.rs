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

/// Calls of many shapes, each with something in a local variable, far from each other and over many lines. The innermost says
/// in which line each call is, in the line in which it then waits.
const LINES: &str = r#"
import json, sys

SOURCE = """
def in_one_line(then): held = [bytes(100_000)]; then(); return held
%(far)s
def in_a_loop(then):
    held = [bytes(100_000)]
    for number in [1, 2]:
        if number == 2:
            then()
%(near)s
def over_lines(then):
    held = [bytes(100_000)]
    return (
        len(held),
        [
            then(
                # Nothing is given.
            )
        ],
        held,
    )
%(far)s
def with_a_gap(then):
    held = [bytes(100_000)]
%(far)s
    then()
    return held
%(near)s
def with_a_way_back(then):
    held = [bytes(100_000)]
    return given(held,
%(near)s
        then(), *[
            1,
        ],
    )
def given(*values):
    return values
def in_handlers(then):
    held = [bytes(100_000)]
    try:
        with open("/dev/null") as file:
            raise ValueError
    except ValueError:
        try:
            pass
        finally:
            then()
def with_inner(then):
    def inner():
        held = [bytes(100_000)]
        return [
            then()
            for each in [1]
        ], held
    inner()
def generating(then):
    held = [bytes(100_000)]
    yield 1
    then()
def over_a_generator(then):
    held = [bytes(100_000)]
    for each in generating(
        then
    ):
        pass
def long_line(then):
    held = [bytes(100_000)]
    return [%(many)s, then(), held]
def far_down(then):
    held = [bytes(100_000)]
%(very_far)s
    then()
def waits(then):
    held = [bytes(100_000)]
    say(), sys.stdin.readline()
""" % {"near": "\n" * 20, "far": "\n" * 300, "very_far": "\n" * 70_000, "many": ", ".join(["held"] * 400)}

def say():
    lines, frame = {}, sys._getframe(1)
    while frame is not None:
        if "held" in frame.f_locals and frame.f_code.co_filename == "shapes.py":
            name = getattr(frame.f_code, "co_qualname", frame.f_code.co_name)
            lines[name] = frame.f_lineno
        frame = frame.f_back
    del frame
    print(json.dumps(lines), flush=True)

exec(compile(SOURCE, "dir/shapes.py".split("/")[1], "exec"))
CALLS = [in_one_line, in_a_loop, over_lines, with_a_gap, with_a_way_back, in_handlers, with_inner, over_a_generator,
    long_line, far_down, waits]

def call(number):
    CALLS[number](lambda: call(number + 1))

call(0)
"#;

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

#[test]
fn calls_are_in_the_lines_that_they_say() {
    for_each_interpreter(|python| {
        let mut program = Program::spawn(python.command().args(["-c", LINES]));
        let said: Value = serde_json::from_str(&program.line()).unwrap();
        let said = said.as_object().unwrap();
        // The generator that is under way is a call of its own.
        assert_eq!(said.len(), 12, "{said:?}");
        let report = report(&format!("attach {} -d 0 --top 1000", program.pid()));
        let owners = report["owners"].as_array().unwrap().iter();
        let paths: Vec<&str> = owners.map(|owner| owner["path"].as_str().unwrap()).collect();
        for (name, line) in said {
            let call = format!(" > {name}() at shapes.py:{line} > held");
            let named = paths.iter().filter(|path| path.contains(&call));
            assert!(named.count() >= 1, "{call} in {paths:#?}");
        }
    });
}
