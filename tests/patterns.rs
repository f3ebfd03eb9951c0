//! Each documented pattern on a program that has it and on the same program without it: found on the right object, with a
//! saving that comes true, and not found where it was taken out.

mod interpreters;
mod profiler;
mod programs;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use interpreters::{Interpreter, for_each_interpreter, with_package};
use profiler::terminal::OnTerminal;
use profiler::{findings, parse, pymemscope, report};
use programs::Program;
use serde_json::Value;

fn example(rule: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(rule)
        .join(file)
}

fn start(python: &Interpreter, rule: &str, file: &str) -> Program {
    Program::start(python.command().arg(example(rule, file)))
}

/// What one look at an example says.
fn looked_at(python: &Interpreter, rule: &str, file: &str) -> Value {
    let program = start(python, rule, file);
    report(&format!("attach {} -d 0", program.pid()))
}

/// What is expected of the one finding on the program that has the pattern.
struct Expected<'a> {
    rule: &'a str,
    /// The end of the path of the object, behind the file and the line of the call that holds it.
    path: &'a str,
    /// The end of the object's type.
    type_name: &'a str,
    /// The line where what it is about is defined, and its function or class, where it has one.
    location: Option<(u64, &'a str)>,
    confidence: &'a str,
}

/// Runs both programs on every interpreter. What the first is said to waste is what the second does not take.
#[track_caller]
fn assert_comes_true(expected: &Expected) {
    for_each_interpreter(|python| assert_comes_true_on(python, expected));
}

#[track_caller]
fn assert_comes_true_on(python: &Interpreter, expected: &Expected) {
    let before = looked_at(python, expected.rule, "before.py");
    let after = looked_at(python, expected.rule, "after.py");
    let finding = only_finding(&before, expected);
    let bytes = |report: &Value| report["heap"]["bytes"].as_i64().unwrap();
    let less = bytes(&before) - bytes(&after);
    let saving = finding["saving_bytes"].as_i64();
    let saving = saving.unwrap_or_else(|| panic!("no saving: {finding:#}"));
    let off = (saving - less).abs() as f64 / less.max(1) as f64;
    assert!(off <= 0.15, "said to save {saving}, and {less} were: {finding:#}");
    assert_silent(&after, expected.rule);
}

#[track_caller]
fn only_finding<'a>(report: &'a Value, expected: &Expected) -> &'a Value {
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
fn assert_silent(report: &Value, rule: &str) {
    assert_eq!(findings(report, rule), [] as [&Value; 0]);
    let all = report["findings"].as_array().unwrap().iter();
    let grave: Vec<&Value> = all.filter(|finding| finding["severity"] != "info").collect();
    assert!(grave.is_empty(), "on a program without a pattern: {grave:#?}");
}

#[test]
fn every_rule_has_its_example() {
    for rule in pymemscope::rules::catalogue::RULES {
        for file in ["before.py", "after.py"] {
            let code = fs::read_to_string(example(rule.name, file)).unwrap_or_default();
            assert!(code.contains("\"ready\""), "{file} of {}", rule.name);
        }
    }
}

#[test]
fn large_temporary() {
    assert_comes_true(&Expected {
        rule: "large-temporary",
        path: " > sales",
        type_name: "builtins.list",
        location: Some((28, "main")),
        confidence: "certain",
    });
}

#[test]
fn buffered_response() {
    let expected = Expected {
        rule: "buffered-response",
        path: " > response",
        type_name: "flask.wrappers.Response",
        location: None,
        confidence: "certain",
    };
    with_package("flask", |python| assert_comes_true_on(python, &expected));
}

#[test]
fn captured_reference() {
    assert_comes_true(&Expected {
        rule: "captured-reference",
        path: "__main__.BUTTONS[0].__closure__[1].cell_contents",
        type_name: "builtins.list",
        location: Some((15, "add_button.<locals>.label")),
        confidence: "certain",
    });
}

#[test]
fn context_variable() {
    assert_comes_true(&Expected {
        rule: "context-variable",
        path: "__main__.CURRENT",
        type_name: "ContextVar",
        location: None,
        confidence: "certain",
    });
}

#[test]
fn cycle_with_finalizer() {
    assert_comes_true(&Expected {
        rule: "cycle-with-finalizer",
        path: "(garbage)",
        type_name: "__main__.Page",
        location: None,
        confidence: "certain",
    });
}

#[test]
fn django_prefetch() {
    let expected = Expected {
        rule: "django-prefetch",
        path: " > authors",
        type_name: "builtins.list",
        location: None,
        confidence: "certain",
    };
    with_package("django", |python| assert_comes_true_on(python, &expected));
}

#[test]
fn django_queryset_cache() {
    let expected = Expected {
        rule: "django-queryset-cache",
        path: "__main__.Report.orders",
        type_name: "django.db.models.query.QuerySet",
        location: None,
        confidence: "certain",
    };
    with_package("django", |python| assert_comes_true_on(python, &expected));
}

#[test]
fn duplicate_strings() {
    assert_comes_true(&Expected {
        rule: "duplicate-strings",
        path: " > parcels",
        type_name: "builtins.list",
        location: None,
        confidence: "certain",
    });
}

#[test]
fn finished_tasks() {
    assert_comes_true(&Expected {
        rule: "finished-tasks",
        path: "__main__.BACKGROUND",
        type_name: "builtins.set",
        location: None,
        confidence: "certain",
    });
}

#[test]
fn missing_slots() {
    assert_comes_true(&Expected {
        rule: "missing-slots",
        path: "__main__.Stop",
        type_name: "__main__.Stop",
        location: None,
        confidence: "likely",
    });
}

#[test]
fn mutable_default() {
    assert_comes_true(&Expected {
        rule: "mutable-default",
        path: "__main__.check.__defaults__[0]",
        type_name: "builtins.list",
        location: Some((14, "__main__.check")),
        confidence: "certain",
    });
}

#[test]
fn numeric_list() {
    assert_comes_true(&Expected {
        rule: "numeric-list",
        path: "__main__.SAMPLES",
        type_name: "builtins.list",
        location: None,
        confidence: "certain",
    });
}

#[test]
fn record_dicts() {
    assert_comes_true(&Expected {
        rule: "record-dicts",
        path: " > deliveries",
        type_name: "builtins.list",
        location: None,
        confidence: "likely",
    });
}

#[test]
fn request_in_module() {
    let expected = Expected {
        rule: "request-in-module",
        path: "__main__.RECENT",
        type_name: "builtins.list",
        location: None,
        confidence: "certain",
    };
    with_package("flask", |python| assert_comes_true_on(python, &expected));
}

#[test]
fn sparse_container() {
    assert_comes_true(&Expected {
        rule: "sparse-container",
        path: "__main__.SESSIONS",
        type_name: "builtins.dict",
        location: None,
        confidence: "certain",
    });
}

#[test]
fn unbounded_cache() {
    assert_comes_true(&Expected {
        rule: "unbounded-cache",
        path: "__main__.greeting",
        type_name: "functools._lru_cache_wrapper",
        location: Some((7, "__main__.greeting")),
        confidence: "certain",
    });
}

/// What its items are needed for no rule can know: it claims the empty slots alone.
#[test]
fn large_list() {
    for_each_interpreter(|python| {
        let before = looked_at(python, "large-list", "before.py");
        let finding = only_finding(
            &before,
            &Expected {
                rule: "large-list",
                path: " > lines",
                type_name: "builtins.list",
                location: None,
                confidence: "certain",
            },
        );
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let evidence = &finding["evidence"];
        let empty = 8 * (number(&evidence["allocated_slots"]) - number(&evidence["items"]));
        assert_eq!(number(&finding["saving_bytes"]), empty, "{finding:#}");
        assert_silent(&looked_at(python, "large-list", "after.py"), "large-list");
    });
}

/// Ends what goes on beside a test when the test ends, however it does.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Watches an example to which one batch after the other is given, until it has taken so many snapshots.
fn watched(python: &Interpreter, file: &str, snapshots: usize) -> Value {
    let mut program = start(python, "growing-container", file);
    let pid = program.pid().to_string();
    let words = ["attach", &pid, "-j", "-d", "600", "--interval", "1"];
    let mut profiler = OnTerminal::start(&mut pymemscope(words));
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                program.tell("1");
                program.line();
            }
        });
        let _ended = Ended(&ended);
        profiler.shows(&format!("snapshot {}: freezing", snapshots + 1));
        profiler.interrupt();
        parse(&profiler.answer().out)
    })
}

#[test]
fn growing_container() {
    for_each_interpreter(|python| {
        let before = watched(python, "before.py", 4);
        let finding = only_finding(
            &before,
            &Expected {
                rule: "growing-container",
                path: "__main__.QUOTES",
                type_name: "builtins.dict",
                location: None,
                confidence: "likely",
            },
        );
        let evidence = &finding["evidence"];
        let real = |name: &str| evidence[name].as_f64().unwrap_or_default();
        let per_minute = 60.0 * real("items_grown") / real("seconds");
        assert!(
            (real("items_per_minute") - per_minute).abs() < per_minute / 100.0,
            "{finding:#}"
        );
        assert_silent(&watched(python, "after.py", 2), "growing-container");
    });
}
