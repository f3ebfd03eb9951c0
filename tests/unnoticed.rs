//! Many attaches to programs that are at work: they compute what they would have computed, nothing stays behind, and of a
//! heap that changes while it is read nothing is made up.

mod profiler;
mod programs;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use profiler::{answer, report, warnings};
use programs::{Program, eventually, interpreters};
use serde_json::Value;

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
            "maps": [line.split()[0] for line in open("/proc/self/maps")],
            "signals": [line for line in open("/proc/self/status") if line.startswith(("Sig", "Shd", "Tracer"))],
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
    // A program file of our own, so that what runs it is ours.
    let command = folder.path().join("pymemscope");
    fs::copy(env!("CARGO_BIN_EXE_pymemscope"), &command).unwrap();
    let interpreters = interpreters();
    let each = times().div_ceil(interpreters.len());
    for interpreter in interpreters {
        let mut program = Program::start(Command::new(&interpreter.path).args(["-c", WORKER]));
        let mut ask = |word: &str| -> Value {
            program.tell(word);
            serde_json::from_str(&program.line()).unwrap()
        };
        // The first answer makes what later ones find made.
        ask("go on");
        let before = ask("go on");
        let pid = before_attaching(&interpreter.version, &before, program.pid());
        for round in 0..each {
            let how = ["fork", "stop", "auto"][round % 3];
            let words = ["attach", &pid, "-d", "0", "--freeze", how, "-j"];
            profiler::parse(&answer(Command::new(&command).args(words)).done());
            assert_eq!(children(program.pid()), "", "after {how} of {}", interpreter.version);
        }
        let mut ask = |word: &str| -> Value {
            program.tell(word);
            serde_json::from_str(&program.line()).unwrap()
        };
        let after = ask("end");
        assert_eq!(after["wrong"], 0, "{after}");
        assert!(after["rounds"].as_u64() > before["rounds"].as_u64());
        for same in ["descriptors", "threads", "signals"] {
            assert_eq!(after[same], before[same], "{same} of {}", interpreter.version);
        }
        let blocks = |told: &Value| told["blocks"].as_i64().unwrap();
        let grown = blocks(&after) - blocks(&before);
        assert!(grown.abs() < 200, "{grown} blocks more in {}", interpreter.version);
        assert_eq!(program.wait().code(), Some(0), "{}", interpreter.version);
        eventually("no process of ours", || running(&command).is_empty().then_some(()));
    }
}
