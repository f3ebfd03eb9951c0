//! Large objects that calls hold and never read again, in calls of many shapes: all that there are, and no others.

mod interpreters;
mod profiler;
mod programs;
mod targets;

use std::collections::BTreeSet;

use interpreters::for_each_interpreter;
use profiler::{findings, report};
use targets::Target;

#[test]
fn what_calls_never_read_again_is_found_and_nothing_else() {
    for_each_interpreter(|python| {
        let Some((target, said)) = Target::start(python, "temporaries.py") else {
            return;
        };
        let report = report(&format!("attach {} -d 0", target.pid()));
        let found = findings(&report, "large-temporary");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let functions: BTreeSet<String> = found
            .iter()
            .map(|finding| text(&finding["location"]["function"]))
            .collect();
        let expected: BTreeSet<String> = said["done"].as_array().unwrap().iter().map(text).collect();
        assert_eq!(functions, expected);
        for finding in found {
            let names = finding["evidence"]["variable"].as_str().unwrap();
            assert!(["data", "data, again"].contains(&names), "{finding:#}");
            let saving = finding["saving_bytes"].as_u64().unwrap();
            assert!((3 << 20..4 << 20).contains(&saving), "{finding:#}");
            assert_eq!(finding["confidence"], "certain", "{finding:#}");
            assert!(finding["location"]["line"].as_u64() > Some(1), "{finding:#}");
        }
    });
}
