//! Each documented pattern on a program that has it and on the same program without it: found on the right object, with a
//! saving that comes true, and not found where it was taken out.

#[path = "patterns/examples.rs"]
mod examples;
mod interpreters;
mod profiler;
mod programs;

use std::fs;

use examples::{
    Expected, assert_comes_true, assert_comes_true_on, assert_silent, example, looked_at, only_finding, start,
};
use interpreters::{Interpreter, for_each_interpreter, with_package};
use profiler::terminal::OnTerminal;
use profiler::{parse, pymemscope};
use serde_json::Value;

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
fn list_iterated_once() {
    assert_comes_true(&Expected {
        rule: "list-iterated-once",
        // The iterator's part in it is not the same in all versions.
        path: "",
        type_name: "builtins.list",
        location: Some((24, "main")),
        confidence: "likely",
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
        confidence: "likely",
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

/// Watches an example to which a batch is given between any two snapshots, until so many intervals are over.
fn watched(python: &Interpreter, file: &str, intervals: usize) -> Value {
    let mut program = start(python, "growing-container", file);
    let pid = program.pid().to_string();
    let words = ["attach", &pid, "-j", "-d", "600", "--interval", "1"];
    let mut profiler = OnTerminal::start(&mut pymemscope(words));
    for snapshot in 1..=intervals {
        profiler.shows(&format!("snapshot {snapshot}: read "));
        program.tell("5000");
        program.line();
    }
    profiler.shows(&format!("snapshot {}: read ", intervals + 1));
    profiler.interrupt();
    parse(&profiler.answer().out)
}

/// Whether each of so many intervals had its batch: a busy machine may be late with one, and early with the next.
fn is_in_step(report: &Value, intervals: usize) -> bool {
    let snapshots = report["timeline"].as_array().unwrap();
    let objects = snapshots.iter().map(|each| each["objects"].as_u64().unwrap());
    let objects: Vec<u64> = objects.take(intervals + 1).collect();
    objects.windows(2).all(|pair| pair[1] >= pair[0] + 5000)
}

#[test]
fn growing_container() {
    const ATTEMPTS: usize = 10;
    const INTERVALS: usize = 4;
    for_each_interpreter(|python| {
        let mut attempts = (0..ATTEMPTS).map(|_| watched(python, "before.py", INTERVALS));
        let in_step = attempts.find(|report| is_in_step(report, INTERVALS));
        let before = in_step.expect("a batch in every interval");
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
