//! The two programs of a pattern, `before.py` and `after.py`: what is found on the first must come true on the second.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::interpreters::{Interpreter, for_each_interpreter};
use crate::profiler::{findings, report};
use crate::programs::Program;

pub fn example(rule: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(rule)
        .join(file)
}

pub fn start(python: &Interpreter, rule: &str, file: &str) -> Program {
    Program::start(python.command().arg(example(rule, file)))
}

/// What one look at an example says.
pub fn looked_at(python: &Interpreter, rule: &str, file: &str) -> Value {
    let program = start(python, rule, file);
    report(&format!("attach {} -d 0", program.pid()))
}

/// What is expected of the one finding on the program that has the pattern.
pub struct Expected<'a> {
    pub rule: &'a str,
    /// The end of the path of the object, behind the file and the line of the call that holds it.
    pub path: &'a str,
    /// The end of the object's type.
    pub type_name: &'a str,
    /// The line where what it is about is defined, and its function or class, where it has one.
    pub location: Option<(u64, &'a str)>,
    pub confidence: &'a str,
}

/// Runs both programs on every interpreter. What the first is said to waste is what the second does not take.
#[track_caller]
pub fn assert_comes_true(expected: &Expected) {
    for_each_interpreter(|python| assert_comes_true_on(python, expected));
}

#[track_caller]
pub fn assert_comes_true_on(python: &Interpreter, expected: &Expected) {
    let before = looked_at(python, expected.rule, "before.py");
    let after = looked_at(python, expected.rule, "after.py");
    comes_true(&before, &after, expected);
}

/// Whether what the report of the one program is said to waste is what that of the other lacks.
#[track_caller]
pub fn comes_true(before: &Value, after: &Value, expected: &Expected) {
    let finding = only_finding(before, expected);
    let bytes = |report: &Value| report["heap"]["bytes"].as_i64().unwrap();
    let less = bytes(before) - bytes(after);
    let saving = finding["saving_bytes"].as_i64();
    let saving = saving.unwrap_or_else(|| panic!("no saving: {finding:#}"));
    let off = (saving - less).abs() as f64 / less.max(1) as f64;
    assert!(off <= 0.15, "said to save {saving}, and {less} were: {finding:#}");
    assert_silent(after, expected.rule);
}

#[track_caller]
pub fn only_finding<'a>(report: &'a Value, expected: &Expected) -> &'a Value {
    let found = findings(report, expected.rule);
    let [finding] = found[..] else {
        panic!("not one finding: {:#}", report["findings"])
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (path, type_name) = (text(&finding["object"]["path"]), text(&finding["object"]["type"]));
    assert!(path.ends_with(expected.path), "{finding:#}");
    assert!(type_name.ends_with(expected.type_name), "{finding:#}");
    assert_eq!(finding["confidence"], expected.confidence, "{finding:#}");
    if let Some((line, function)) = expected.location {
        let location = &finding["location"];
        assert!(text(&location["file"]).ends_with("before.py"), "{finding:#}");
        assert!(text(&location["function"]).ends_with(function), "{finding:#}");
        assert_eq!(location["line"], line, "{finding:#}");
    }
    finding
}

/// Of a program without a pattern no rule says anything but what it may say for information of data that is needed.
#[track_caller]
pub fn assert_silent(report: &Value, rule: &str) {
    assert_eq!(findings(report, rule), [] as [&Value; 0]);
    let all = report["findings"].as_array().unwrap().iter();
    let grave: Vec<&Value> = all.filter(|finding| finding["severity"] != "info").collect();
    assert!(grave.is_empty(), "on a program without a pattern: {grave:#?}");
}
