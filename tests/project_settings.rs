//! What a project says in its `pyproject.toml` counts for those who stand in its directory, below what they type.

mod interpreters;
mod profiler;
mod programs;

use std::fs;
use std::path::Path;

use interpreters::interpreters;
use profiler::{Answer, answer, findings, parse, pymemscope};
use programs::Program;
use serde_json::Value;

const USAGE: i32 = 2;
const FINDINGS: i32 = 3;

const READINGS: &str = "
import sys
READINGS = [number * 0.5 for number in range(300_000)]
print('ready', flush=True)
sys.stdin.readline()
";

/// `pymemscope` as somebody starts it in this directory.
fn ask_in(directory: &Path, words: &str) -> Answer {
    answer(pymemscope(words.split_whitespace()).current_dir(directory))
}

/// A directory with such a file.
fn project(settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pyproject.toml"), settings).unwrap();
    folder
}

fn has(report: &Value, rule: &str) -> bool {
    !findings(report, rule).is_empty()
}

#[test]
fn a_slip_is_told_before_anything_is_attached() {
    // A process of this number cannot exist, so that a word about it would show that the order is wrong.
    let said = |settings: &str, words: &str| ask_in(project(settings).path(), words).refusal(USAGE);
    let (error, hint) = said("[tool.pymemscope]\nfail_on = 'error'\n", "attach 4194305");
    assert!(
        error.ends_with("pyproject.toml: tool.pymemscope.fail_on: there is no such setting; did you mean fail-on?"),
        "{error}"
    );
    assert!(hint.contains("pyproject.toml"), "{hint}");
    let (error, _) = said("[tool.pymemscope\n", "run -- true");
    assert!(error.contains("pyproject.toml: line 1 is no TOML"), "{error}");
    // Who asks for no findings is not kept from anything.
    let listed = ask_in(project("[tool.pymemscope]\nx = 1\n").path(), "rules");
    assert_eq!(listed.code, Some(0));
}

#[test]
fn flags_win_over_the_project() {
    let newest = interpreters().last().expect("a CPython");
    // The program's own directory is never asked, whatever it says.
    let programs = project("[tool.pymemscope]\nselect = 'what it likes'\n");
    let mut command = newest.command();
    let program = Program::start(command.args(["-c", READINGS]).current_dir(programs.path()));
    let ask = |settings: &str, flags: &str| {
        let words = format!("attach {} -d 0 -j {flags}", program.pid());
        ask_in(project(settings).path(), &words)
    };
    let report = |settings: &str, flags: &str| parse(&ask(settings, flags).done());

    assert!(has(&report("", ""), "numeric-list"));
    let ignored = "[tool.pymemscope]\nignore = ['numeric-list']\n";
    assert!(!has(&report(ignored, ""), "numeric-list"));
    assert!(has(&report(ignored, "--select numeric-list"), "numeric-list"));
    assert!(!has(&report("", "--ignore large-list,numeric-list"), "numeric-list"));

    let high = "[tool.pymemscope.threshold]\nnumeric-list.items = 1_000_000\n";
    assert!(!has(&report(high, ""), "numeric-list"));
    assert!(has(
        &report(high, "--threshold numeric-list.items=1000"),
        "numeric-list"
    ));

    let strict = "[tool.pymemscope]\nfail-on = 'info'\n";
    assert_eq!(ask(strict, "").code, Some(FINDINGS));
    assert_eq!(ask(strict, "--fail-on error").code, Some(0));

    let refused = ask_in(programs.path(), &format!("attach {} -d 0", program.pid()));
    assert!(refused.refusal(USAGE).0.contains("tool.pymemscope.select is an array"));
}

#[test]
fn an_unknown_rule_is_a_slip() {
    let nowhere = tempfile::tempdir().unwrap();
    for flag in ["--select", "--ignore"] {
        let refused = ask_in(nowhere.path(), &format!("attach 4194305 {flag} numeric-lst"));
        let (error, hint) = refused.refusal(USAGE);
        assert!(
            error.contains("there is no rule 'numeric-lst'; did you mean numeric-list?"),
            "{error}"
        );
        assert!(hint.contains("pymemscope rules"), "{hint}");
    }
}
