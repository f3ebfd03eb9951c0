//! The commands on live programs: what they print, what they write, and how they end.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pymemscope::report::json;
use serde_json::Value;

mod programs;

use programs::{Program, eventually, interpreters};

/// Has a module-level cache without a bound, a large list, and a dict that grows once it is told to.
const SHOP: &str = "
import functools, sys, threading

@functools.lru_cache(maxsize=None)
def price(order):
    return 'price of %d' % order

for order in range(20_000):
    price(order)

SAMPLES = [float(number) for number in range(150_000)]
SEEN = dict.fromkeys(range(20_000))
print('ready', flush=True)

def grow(pause):
    while not pause.wait(0.001):
        for _ in range(10):
            SEEN[len(SEEN)] = 'seen'

for line in sys.stdin:
    threading.Thread(target=grow, args=[threading.Event()], daemon=True).start()
    print('growing', flush=True)
";

fn shop() -> Program {
    let newest = interpreters()
        .into_iter()
        .max_by_key(|interpreter| interpreter.minor())
        .unwrap();
    Program::start(Command::new(newest.path).args(["-c", SHOP]))
}

fn attach(program: &Program, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pymemscope"));
    command.args(["attach", &program.pid().to_string()]).args(words);
    command
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// The report in `text`, which must conform to the schema.
fn report(text: &str) -> Value {
    let report: Value = serde_json::from_str(text).unwrap();
    let schema: Value = serde_json::from_str(json::SCHEMA_TEXT).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let violations: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(violations, [] as [String; 0]);
    report
}

fn rules_at(report: &Value) -> Vec<(&str, &str)> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| {
            (
                finding["rule"].as_str().unwrap(),
                finding["object"]["path"].as_str().unwrap(),
            )
        })
        .collect()
}

/// Started, and past the point from which on Ctrl-C is caught.
fn start_catching(mut command: Command) -> Child {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("SIGINT caught", || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        let caught = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))?
            .trim()
            .to_owned();
        let bit = 1 << (Signal::SIGINT as u32 - 1);
        (u64::from_str_radix(&caught, 16).ok()? & bit != 0).then_some(())
    });
    child
}

#[test]
fn one_look_prints_the_report_and_writes_the_files_that_it_names() {
    let program = shop();
    let folder = tempfile::tempdir().unwrap();
    let (svg, json) = (folder.path().join("heap.svg"), folder.path().join("heap.json"));
    let outputs = ["-d", "0", "-o", svg.to_str().unwrap(), "-o", json.to_str().unwrap()];
    let output = attach(&program, &outputs).output().unwrap();
    let (stdout, stderr) = said(&output);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
    assert!(stdout.starts_with("Python 3."), "{stdout}");
    assert!(
        stdout.contains("builtins.float") && stdout.contains("unbounded-cache"),
        "{stdout}"
    );
    assert!(!stdout.contains('\u{1b}'), "{stdout}");
    assert!(
        stdout.ends_with(&format!("Wrote {}\nWrote {}\n", svg.display(), json.display())),
        "{stdout}"
    );

    let report = report(&fs::read_to_string(&json).unwrap());
    assert_eq!(report["process"]["pid"], program.pid());
    assert_eq!(
        rules_at(&report),
        [
            ("large-list", "__main__.SAMPLES"),
            ("unbounded-cache", "__main__.price")
        ]
    );
    let cache = &report["findings"][1];
    assert_eq!(
        (&cache["evidence"]["hits"], &cache["evidence"]["misses"]),
        (&0.into(), &20_000.into())
    );
    assert_eq!(report["timeline"].as_array().unwrap().len(), 1);
    assert_eq!(width_of_everything(&svg), report["heap"]["bytes"].as_u64().unwrap());
}

fn width_of_everything(svg: &Path) -> u64 {
    let svg = fs::read_to_string(svg).unwrap();
    let (_, after) = svg.split_once("total_samples=\"").unwrap();
    after.split_once('"').unwrap().0.parse().unwrap()
}

#[test]
fn growth_is_found_and_decides_the_exit_code_where_asked() {
    let mut program = shop();
    program.tell("grow");
    assert_eq!(program.line(), "growing");
    let words = ["-d", "3", "--interval", "1", "-j", "--fail-on", "warning"];
    let output = attach(&program, &words).output().unwrap();
    let (stdout, stderr) = said(&output);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(3), ""));
    let report = report(&stdout);
    let findings = report["findings"].as_array().unwrap();
    let growing = findings
        .iter()
        .find(|finding| finding["rule"] == "growing-container")
        .unwrap();
    assert_eq!(
        (&growing["object"]["path"], &growing["confidence"]),
        (&"__main__.SEEN".into(), &"likely".into())
    );
    assert!(report["capture"]["samples"].as_u64().unwrap() >= 3);
    let dict = report["types"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["type"] == "builtins.dict")
        .unwrap();
    assert!(dict["growth_bytes"].as_i64().unwrap() > 0, "{dict}");
}

#[test]
fn ctrl_c_ends_the_watching_and_still_reports() {
    let program = shop();
    let child = start_catching(attach(&program, &["-d", "600"]));
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) = said(&output);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("unbounded-cache"), "{stdout}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let program = shop();
    let mut child = attach(&program, &["-d", "0", "-j"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::with_capacity(16, child.stdout.take().unwrap());
    assert!(!stdout.fill_buf().unwrap().is_empty());
    drop(stdout);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}
