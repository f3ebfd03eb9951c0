//! The command line as a user meets it: what is refused, with which exit code and which words; help; the rules' pages.

use std::fs;
use std::io::Read;
use std::process::{Command, Output, Stdio};

const DONE: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 2;

fn pymemscope(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pymemscope"))
        .args(words)
        .output()
        .unwrap()
}

/// The exit code, and what was said on standard error.
fn refusal(words: &[&str]) -> (Option<i32>, String) {
    let output = pymemscope(words);
    assert!(
        output.stdout.is_empty(),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_makes_no_sense_is_a_usage_error_that_says_why() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage: pymemscope <COMMAND>"),
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'"),
        (&["attach"], "required"),
        (&["attach", "python"], "a process id is a number"),
        (&["attach", "0"], "a process id is a number"),
        (&["attach", "--", "-1"], "a process id is a number"),
        (&["attach", "99999999999999999999"], "a process id is a number"),
        (&["attach", "1", "-p", "2"], "cannot be used with"),
        (&["attach", "1", "-d", "-1"], "a time is a number of seconds"),
        (&["attach", "1", "-d", "NaN"], "a time is a number of seconds"),
        (&["attach", "1", "-d", "soon"], "a time is a number of seconds"),
        (&["attach", "1", "-d", "inf"], "a time is a number of seconds"),
        (&["attach", "1", "-d", "1e30"], "a time is a number of seconds"),
        (&["attach", "1", "--top", "many"], "invalid value 'many'"),
        (&["attach", "1", "--forced"], "'--force'"),
        (&["attach", "1", "--interval", "0"], "snapshots without end"),
        (
            &["attach", "1", "-d", "0", "--interval", "1"],
            "-d 0 takes one snapshot",
        ),
        (&["attach", "1", "-o", "heap"], "does not tell the format"),
        (&["attach", "1", "-o", "heap.html"], "html is not available yet"),
        (&["attach", "1", "-o", "-"], "needs a format"),
        (
            &["attach", "1", "-f", "html"],
            "is not available yet; there are json, sarif, svg",
        ),
        (&["attach", "1", "-f", "docx"], "is unknown; there are json, sarif, svg"),
        (
            &["attach", "1", "-o", "x.json", "-f", "svg"],
            "error: 'x.json' does not fit -f svg\nhint: let the name end in .svg",
        ),
        (
            &["attach", "1", "-o", "x.svg", "-o", "x.json", "-f", "svg"],
            "'x.json' does not fit -f svg",
        ),
        (
            &["attach", "1", "-o", "a.svg", "-o", "a.svg"],
            "two outputs have the same name",
        ),
        (
            &["attach", "1", "-j", "-f", "svg", "-o", "-"],
            "two outputs have the same name",
        ),
        (
            &["attach", "1", "--freeze", "ice"],
            "possible values: auto, fork, stop, none",
        ),
        (
            &["attach", "1", "--freeze", "stop", "--nonblocking"],
            "cannot be used with",
        ),
        (
            &["attach", "1", "--graph", "stars"],
            "the graph is unknown; there are ownership, types and allocation",
        ),
        (
            &["attach", "1", "--weight", "mass"],
            "the weight is unknown; there are bytes, count, growth, peak and total",
        ),
        (
            &["attach", "1", "--graph", "types", "--weight", "growth"],
            "--weight growth is for --graph allocation",
        ),
        (
            &["attach", "1", "--by", "age"],
            "possible values: module, size, owner, referrers",
        ),
        (
            &["attach", "1", "--fail-on", "panic"],
            "possible values: info, warning, error",
        ),
        (
            &["attach", "1", "--threshold", "large-list.length=5"],
            "it has items, bytes",
        ),
        (&["run"], "required"),
        (
            &["run", "--durration", "5", "app.py"],
            "there is no option '--durration'",
        ),
        (
            &["attach", "1", "--threshold", "large-list.items=many"],
            "hint: `pymemscope rules NAME` lists",
        ),
        (&["attach", "1", "--threshold", "no-such-rule.items=3"], "no-such-rule"),
        (&["rules", "growing-contaner"], "did you mean growing-container?"),
    ];
    for (words, expected) in cases {
        let (code, said) = refusal(words);
        assert_eq!(code, Some(USAGE), "{words:?}: {said}");
        assert!(said.contains(expected), "{words:?} is answered with: {said}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_anything_is_attached() {
    let folder = tempfile::tempdir().unwrap();
    let existing = folder.path().join("x.json");
    fs::write(&existing, "old").unwrap();
    // A process of this number cannot exist, so that a word about it would show that the order is wrong.
    let (code, said) = refusal(&["attach", "4194305", "-o", existing.to_str().unwrap()]);
    assert_eq!(code, Some(FAILED));
    assert!(
        said.contains("exists already\nhint: ") && said.contains("--force"),
        "{said}"
    );

    let absent = folder.path().join("absent/x.svg");
    let (code, said) = refusal(&["attach", "4194305", "-o", absent.to_str().unwrap()]);
    assert_eq!(code, Some(FAILED));
    assert!(said.contains("cannot be written"), "{said}");

    let (code, said) = refusal(&["attach", "4194305", "-o", existing.to_str().unwrap(), "--force"]);
    assert_eq!(code, Some(FAILED));
    assert!(said.starts_with("error: there is no process 4194305\nhint: "), "{said}");
    assert_eq!(fs::read_to_string(&existing).unwrap(), "old");
}

#[test]
fn help_and_version_are_answers_and_no_errors() {
    for (words, expected) in [
        (&["--help"][..], "attach  Look at a program that runs"),
        (&["attach", "--help"], "--fail-on"),
        (
            &["attach", "--help"],
            "What a flame graph or a profile shows. `allocation`: the calls that made the objects",
        ),
        (&["attach", "--help"], "half as many owners"),
        (&["run", "-h"], "pymemscope run -m http.server 8000"),
        (&["--version"], concat!("pymemscope ", env!("CARGO_PKG_VERSION"))),
    ] {
        let output = pymemscope(words);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(DONE), "{words:?}");
        let unwrapped = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unwrapped.contains(&expected), "{words:?} is answered with: {said}");
    }
}

#[test]
fn rules_are_listed_and_explained() {
    let list = String::from_utf8(pymemscope(&["rules"]).stdout).unwrap();
    for name in ["growing-container", "large-list", "unbounded-cache"] {
        assert!(list.contains(name), "{list}");
        let output = pymemscope(&["rules", name]);
        let page = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(DONE));
        for part in [
            "What it measures",
            "How to fix",
            "Before:",
            "After:",
            &format!("--threshold {name}."),
        ] {
            assert!(page.contains(part), "{name} lacks {part}: {page}");
        }
        assert!(page.lines().all(|line| line.chars().count() <= 120), "{page}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pymemscope"))
        .args(["rules", "growing-container"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(DONE), ""));
}
