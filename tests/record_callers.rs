//! The stacks that `run --every` writes down, of a program whose frames come back while their callers have gone on.

mod interpreters;
mod profiler;
#[path = "run/recorded.rs"]
mod recorded;
#[path = "run/running.rs"]
mod running;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use interpreters::{Interpreter, for_each_interpreter};
use recorded::{number, recording};
use running::Running;
use serde_json::Value;

/// Stacks, the innermost call first, and how often each was there.
type Stacks = BTreeMap<Vec<String>, u64>;

#[test]
fn stacks_are_those_that_the_program_had() {
    for_each_interpreter(|python| {
        let program = program();
        let words = [python.executable.to_str().unwrap(), "-B", program.to_str().unwrap()];
        let outcome = Running::start(&["--every", "-d", "0"], &words).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let (found, told) = (found(&recording(&outcome)["allocated"]), told(python));
        assert!(told.len() > 150, "{}", told.len());
        for (stack, count) in &told {
            assert_eq!(found.get(stack), Some(count), "{}: {stack:?}", python.name());
        }
        assert_eq!(found.len(), told.len(), "{}", python.name());
    });
}

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/targets/moving.py")
}

/// Of the blocks that the last line of `leaf` has made.
fn found(sites: &Value) -> Stacks {
    let mut stacks = Stacks::new();
    for site in sites.as_array().unwrap() {
        let calls = site["stack"].as_array().unwrap().iter().rev();
        let stack: Vec<String> = calls.map(place).collect();
        if site["function"] == "leaf" && site["line"] == leaf_line() + 2 {
            let caller = stack.iter().skip(1).cloned().collect();
            *stacks.entry(caller).or_default() += number(&site["count"]);
        }
    }
    stacks
}

fn place(call: &Value) -> String {
    format!("{}:{}", call["function"].as_str().unwrap(), call["line"])
}

/// Where `leaf` begins.
fn leaf_line() -> u64 {
    let text = std::fs::read_to_string(program()).unwrap();
    text.lines().take_while(|line| !line.starts_with("def leaf(")).count() as u64 + 1
}

/// As the program tells of itself. It allocates for that, so that its frames are looked at more often there.
fn told(python: &Interpreter) -> Stacks {
    let output = Command::new(&python.executable)
        .arg("-B")
        .arg(program())
        .arg("told")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let row = |line: &str| {
        let mut words = line.split(' ');
        let count: u64 = words.next().unwrap().parse().unwrap();
        // The innermost is `leaf` itself.
        (words.skip(1).map(str::to_owned).collect(), count)
    };
    lines.lines().map(row).collect()
}
