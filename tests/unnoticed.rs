//! Many attaches to programs that are at work: they compute what they would have computed, nothing stays behind, and of a
//! heap that changes while it is read nothing is made up.

mod interpreters;
mod profiler;
mod programs;
mod targets;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use interpreters::{for_each_interpreter, interpreters};
use profiler::{answer, parse, warnings};
use programs::{Program, eventually};
use serde_json::Value;
use targets::{Target, attach};

/// Works in three ways in rounds that must all give the same, and tells of itself when it is asked.
const WORKER: &str = r#"
import hashlib, json, os, queue, select, sys, threading, time

def digest(seed):
    table = {str(number): [number * seed, (number, str(number))] for number in range(300)}
    text = repr(sorted(table.items())).encode()
    return hashlib.sha256(text).hexdigest()

QUEUE, RESULTS, ENDS = queue.Queue(), queue.Queue(), os.pipe()

def serve():
    while True:
        seed = QUEUE.get()
        if seed is None:
            return
        RESULTS.put(digest(seed))

def echo():
    while True:
        data = os.read(ENDS[0], 8)
        if data == b"end.....":
            return
        RESULTS.put(data)

def round_of_work():
    QUEUE.put(7)
    served = RESULTS.get(timeout=60)
    os.write(ENDS[1], b"12345678")
    echoed = RESULTS.get(timeout=60)
    before = time.monotonic()
    time.sleep(0.001)
    slept = time.monotonic() - before >= 0.001
    return served, echoed, slept, digest(11)

for work in (serve, echo):
    threading.Thread(target=work).start()
EXPECTED = round_of_work()
ROUNDS, WRONG, WORD = 0, 0, ""
print("ready", flush=True)
while WORD != "end":
    if select.select([0], [], [], 0)[0]:
        WORD = sys.stdin.readline().strip() or "end"
        told = {
            "rounds": ROUNDS,
            "wrong": WRONG,
            "blocks": sys.getallocatedblocks(),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "threads": len(os.listdir("/proc/self/task")),
            "mapped": sum(1 for line in open("/proc/self/maps")),
            "status": [line for line in open("/proc/self/status") if line.startswith(("SigP", "SigB", "SigI", "SigC", "Shd", "Tracer"))],
        }
        print(json.dumps(told), flush=True)
        del told
    ROUNDS += 1
    WRONG += round_of_work() != EXPECTED
QUEUE.put(None)
os.write(ENDS[1], b"end.....")
"#;

/// How many attaches; a thousand to be sure, a hundred to be done.
fn times() -> usize {
    env::var("PYMEMSCOPE_TEST_ATTACHES").map_or(100, |times| times.parse().unwrap())
}

#[test]
fn a_busy_program_notices_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A program file of its own, by which its processes can be told from those of other tests.
    let command = folder.path().join("pymemscope");
    fs::copy(env!("CARGO_BIN_EXE_pymemscope"), &command).unwrap();
    let each = times().div_ceil(interpreters().len().max(1));
    for_each_interpreter(|python| {
        let mut program = Program::start(python.command().args(["-c", WORKER]));
        // The first answer makes what later ones find made.
        told(&mut program, "go on");
        let before = told(&mut program, "go on");
        for round in 0..each {
            let how = ["fork", "stop", "auto"][round % 3];
            let words = format!("attach {} -d 0 --freeze {how} -j", program.pid());
            parse(&answer(Command::new(&command).args(words.split(' '))).done());
            assert_eq!(children(program.pid()), "", "after {how}");
        }
        let after = told(&mut program, "end");
        assert_eq!(after["wrong"], 0);
        assert!(after["rounds"].as_u64() > before["rounds"].as_u64());
        for same in ["descriptors", "threads", "status"] {
            assert_eq!(after[same], before[same], "{same}");
        }
        for (what, most) in [("blocks", 200), ("mapped", 0)] {
            let grown = after[what].as_i64().unwrap() - before[what].as_i64().unwrap();
            assert!(grown.abs() <= most, "{grown} {what} more: {before} {after}");
        }
        assert_eq!(program.wait().code(), Some(0));
        eventually("no process of ours", || running(&command).is_empty().then_some(()));
    });
}

/// What the worker says of itself.
fn told(program: &mut Program, word: &str) -> Value {
    program.tell(word);
    serde_json::from_str(&program.line()).unwrap()
}

/// The pids of the children of all threads of a process, zombies among them.
fn children(pid: u32) -> String {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of_thread = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    threads.map(|thread| of_thread(thread.unwrap())).collect()
}

/// The pids of the processes that execute this file.
fn running(file: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| fs::read_link(process.path().join("exe")).is_ok_and(|executable| executable == file))
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn of_a_heap_that_changes_while_it_is_read_nothing_is_made_up() {
    for_each_interpreter(|python| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/busy.py");
        let target = Target::spawn(python.command().arg(script));
        let said: Value = serde_json::from_str(&target.line()).unwrap();
        let types = said["types"].as_array().unwrap();
        let known: BTreeSet<&str> = types.iter().filter_map(Value::as_str).collect();
        let mut parts_seen = 0;
        for _ in 0..20 {
            let report = attach(target.pid(), &["--freeze", "none"]);
            assert_eq!(warnings(&report, "not stopped").len(), 1, "{}", report["capture"]);
            let rows = report["types"].as_array().unwrap();
            let found: BTreeSet<&str> = rows.iter().filter_map(|row| row["type"].as_str()).collect();
            let made_up: Vec<_> = found.difference(&known).collect();
            assert!(made_up.is_empty(), "{made_up:?}");
            for certain in ["builtins.dict", "builtins.str", "builtins.type"] {
                assert!(found.contains(certain), "{certain} is not among {found:?}");
            }
            // Emptied now and then, its store is mostly full.
            parts_seen += usize::from(found.contains("__main__.Part"));
        }
        assert!(parts_seen > 5, "{parts_seen}");
        assert!(target.finish().success());
    });
}
