//! `attach` on programs that go on, end, become others and hold much: what is reported, and that nobody noticed.

mod interpreters;
mod profiler;
mod programs;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use interpreters::{for_each_interpreter, interpreters};
use profiler::terminal::{OnTerminal, shown_on_terminal};
use profiler::{Answer, answer, ask, findings, owner, parse, parse_file, pymemscope, report, type_row, warnings};
use programs::Program;
use serde_json::Value;

/// Puts as many new entries into a module's dict as each line of its input says, and answers how many there are then.
const SHOP: &str = r#"
import sys

class Order:
    def __init__(self, number):
        self.number = number

ORDERS = {}
STEADY = {number: str(number) for number in range(20_000)}

def fill(count):
    for number in range(len(ORDERS), len(ORDERS) + count):
        ORDERS[number] = Order(number)

fill(10_000)
print("ready", flush=True)
for line in sys.stdin:
    fill(int(line))
    print(len(ORDERS), flush=True)
"#;

fn python(code: &str) -> Program {
    let newest = interpreters().last().expect("a CPython");
    Program::start(newest.command().args(["-c", code]))
}

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
        let profiler = watching(&program, "-d 600");
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

#[test]
fn files_are_private_and_replaced_only_by_force() {
    let (program, folder) = (python(SHOP), tempfile::tempdir().unwrap());
    let (json, svg) = (folder.path().join("heap.json"), folder.path().join("heap.SVG"));
    let words = format!(
        "attach {} -d 0 -o {} -o {}",
        program.pid(),
        json.display(),
        svg.display()
    );
    let text = ask(&words).done();
    assert!(text.contains(&format!("Wrote {}", json.display())) && text.contains(&format!("Wrote {}", svg.display())));
    for path in [&json, &svg] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(type_row(&parse_file(&json), "__main__.Order")["count"], 10_000);
    assert!(fs::read_to_string(&svg).unwrap().contains("<svg"));

    fs::write(&json, "old").unwrap();
    fs::set_permissions(&json, fs::Permissions::from_mode(0o644)).unwrap();
    ask(&words).refusal(1);
    assert_eq!(fs::read_to_string(&json).unwrap(), "old");
    ask(&format!("{words} --force")).done();
    parse_file(&json);
    assert_eq!(fs::metadata(&json).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn standard_output_gets_one_thing_only() {
    let program = python(SHOP);
    let attach = |words: &str| ask(&format!("attach {} -d 0 {words}", program.pid())).done();
    parse(&attach("-o - -f json"));
    parse(&attach("-f json"));
    assert!(attach("-o - -f svg").starts_with("<?xml"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.svg");
    parse(&attach(&format!("-j -o {}", file.display())));
    assert!(fs::read_to_string(file).unwrap().contains("<svg"));
    // A pipe is written into; there is nothing to replace.
    assert!(
        answer(
            pymemscope([
                "attach",
                &program.pid().to_string(),
                "-d",
                "0",
                "-o",
                "/dev/null",
                "-f",
                "json"
            ])
            .env("NO_COLOR", "1")
        )
        .done()
        .contains("Wrote /dev/null")
    );
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let program = python(SHOP);
    for words in ["-j", "-f svg", ""] {
        let words = format!("attach {} -d 0 {words}", program.pid());
        let mut command = pymemscope(words.split_whitespace());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        Answer::of(child.wait_with_output().unwrap()).done();
    }
}

/// A frame of a flame graph: its name, the row it stands in, where it begins and how wide it is, in bytes.
#[derive(Debug)]
struct Frame {
    name: String,
    row: u64,
    start: u64,
    bytes: u64,
}

fn frames(svg: &str) -> Vec<Frame> {
    let attribute = |part: &str, name: &str| -> u64 {
        let value = part.split_once(&format!(" {name}=\"")).unwrap().1;
        value.split_once('"').unwrap().0.parse().unwrap()
    };
    let frame = |part: &str| Frame {
        name: part.split_once(" (").unwrap().0.to_owned(),
        row: attribute(part, "y"),
        start: attribute(part, "fg:x"),
        bytes: attribute(part, "fg:w"),
    };
    svg.split("<g><title>").skip(1).map(frame).collect()
}

#[test]
fn a_flame_graph_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", SHOP]));
        let place = |extension: &str| folder.path().join(format!("{}.{extension}", python.name()));
        let (svg, json) = (place("svg"), place("json"));
        let outputs = format!("-o {} -o {}", svg.display(), json.display());
        ask(&format!("attach {} -d 0 {outputs}", program.pid())).done();
        let frames = frames(&fs::read_to_string(svg).unwrap());
        assert!(frames.len() < 3_000, "{}", frames.len());
        let top = frames.iter().map(|frame| frame.row).min().unwrap();
        let whole: Vec<&Frame> = frames.iter().filter(|frame| frame.row == top).collect();
        assert_eq!(whole.len(), 1);
        assert_eq!(parse_file(&json)["heap"]["bytes"], whole[0].bytes);
        // A row is never wider than the one that it stands on, and the first has every byte.
        let height = frames
            .iter()
            .map(|frame| frame.row)
            .filter(|&row| row > top)
            .min()
            .unwrap()
            - top;
        let under = |frame: &Frame| -> u64 {
            let inside = |other: &&Frame| {
                other.row == frame.row + height && other.start >= frame.start && other.start < frame.start + frame.bytes
            };
            frames.iter().filter(inside).map(|other| other.bytes).sum()
        };
        assert_eq!(under(whole[0]), whole[0].bytes);
        for frame in &frames {
            assert!(under(frame) <= frame.bytes, "{frame:?}");
        }
        let orders: Vec<&Frame> = frames.iter().filter(|frame| frame.name == "ORDERS: dict").collect();
        assert_eq!(orders.len(), 1);
        let report = parse_file(&json);
        assert_eq!(owner(&report, "__main__.ORDERS")["bytes"], orders[0].bytes);
    });
}

#[test]
fn a_terminal_is_never_written_beyond_its_width() {
    let program = python(SHOP);
    for columns in [60, 80, 160] {
        let words = format!("attach {} -d 0", program.pid());
        let shown = shown_on_terminal(pymemscope(words.split(' ')).env("TERM", "xterm"), columns);
        assert!(shown.contains("\u{1b}[1mPython "), "colours: {shown:?}");
        let shown = shown_on_terminal(pymemscope(words.split(' ')).env("NO_COLOR", "1"), columns);
        let report = shown.rsplit_once("\r\u{1b}[K").unwrap().1;
        assert!(
            report.starts_with("Python ") && !report.contains('\u{1b}'),
            "{report:?}"
        );
        let widest = report.lines().map(|line| line.trim_end().chars().count()).max();
        assert!(widest <= Some(columns.into()), "{widest:?} of {columns}: {report}");
    }
}
