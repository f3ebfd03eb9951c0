//! What `attach` writes: files that are private, one thing on standard output, a flame graph that adds up, and a terminal
//! that is not overrun.

mod interpreters;
mod profiler;
mod programs;
#[path = "programs/shop.rs"]
mod shop;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use interpreters::for_each_interpreter;
use nix::sys::signal::Signal;
use profiler::terminal::shown_on_terminal;
use profiler::{Answer, answer, ask, owner, parse, parse_file, pymemscope, shell, type_row};
use programs::Program;
use shop::{SHOP, python};

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
fn a_limit_to_the_size_of_files_is_an_error_and_the_programs_own_affair() {
    let (program, folder) = (python(SHOP), tempfile::tempdir().unwrap());
    let (pid, executable) = (program.pid().to_string(), env!("CARGO_BIN_EXE_pymemscope"));
    for words in ["snapshot $2 -o $3.pms", "attach $2 -d 0 -o $3.json"] {
        let output = folder.path().join("heap");
        let script = format!("ulimit -f 4; exec $1 {words}");
        let Answer { code, err, .. } = shell(&script, &[executable, &pid, output.to_str().unwrap()]);
        assert_eq!((code, err.lines().count()), (Some(1), 2), "{err}");
        assert!(err.contains("File too large"), "{err}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{words}");
    }
    let ignores = |answer: Answer| {
        let mask = answer.out.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = u64::from_str_radix(mask.expect("a mask of signals").trim(), 16).unwrap();
        mask >> (Signal::SIGXFSZ as u64 - 1) & 1
    };
    let ignored = "grep SigIgn /proc/self/status";
    let (usual, under_run) = (
        shell(&format!("exec {ignored}"), &[]),
        shell(&format!("exec $1 run -- {ignored}"), &[executable]),
    );
    assert_eq!(ignores(usual), ignores(under_run));
}

#[test]
fn a_heap_that_is_larger_than_our_memory_is_an_error() {
    let program =
        python("import sys\nKEPT = [str(n) for n in range(2_000_000)]\nprint('ready', flush=True)\nsys.stdin.read()");
    let (pid, executable) = (program.pid().to_string(), env!("CARGO_BIN_EXE_pymemscope"));
    let limited = |words: &str| shell(&format!("ulimit -v 200000; exec $1 {words}"), &[executable, &pid]);
    limited("rules").done();
    let Answer { code, err, .. } = limited("attach $2 -d 0");
    assert_eq!(code, Some(1), "{err}");
    let said: Vec<&str> = err.lines().rev().take(2).collect();
    assert!(
        said[0].starts_with("hint: ") && said[1].starts_with("error: there is not enough memory"),
        "{err}"
    );
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

#[test]
fn a_report_that_nobody_can_get_is_an_error() {
    let program = python(SHOP);
    let profiler = env!("CARGO_BIN_EXE_pymemscope");
    let pid = program.pid().to_string();
    let attach = |script: &str, file: &str| shell(script, &[profiler, &pid, file]);
    for form in ["", "-j", "-f svg"] {
        let (error, hint) = attach(&format!("exec \"$1\" attach \"$2\" -d 0 {form} >&-"), "").refusal(1);
        assert!(
            error.contains("standard output is closed") && hint.contains("/dev/null"),
            "{error}"
        );
        let (error, _) = attach(&format!("exec \"$1\" attach \"$2\" -d 0 {form} >/dev/full"), "").refusal(1);
        assert!(error.contains("standard output cannot be written"), "{error}");
    }
    assert_eq!(attach("exec \"$1\" rules >&-", "").code, Some(1));
    // To be heard by nobody is another thing.
    attach("exec \"$1\" attach \"$2\" -d 0 1<>/dev/null", "").done();
    // What goes elsewhere gets there all the same.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.json");
    attach(
        "exec \"$1\" attach \"$2\" -d 0 -o \"$3\" >/dev/full",
        file.to_str().unwrap(),
    )
    .refusal(1);
    parse_file(&file);
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
        assert_eq!(owner(&report, "__main__.ORDERS")["retained_bytes"], orders[0].bytes);
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
