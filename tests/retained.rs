//! What owners and types retain: what a program reckons out for objects that it made, the report says, to the byte.

mod interpreters;
mod profiler;
mod targets;

use interpreters::for_each_interpreter;
use profiler::{owner, type_row};
use serde_json::Value;
use targets::{Target, attach};

fn bytes(row: &Value, field: &str) -> u64 {
    row[field].as_u64().unwrap_or_else(|| panic!("{field} in {row}"))
}

#[test]
fn owners_and_types_retain_what_the_program_reckons_out() {
    for_each_interpreter(|python| {
        let (target, truth) = Target::start(python, "retained.py").unwrap();
        let report = attach(target.pid(), &[]);
        let retained = |path: &str| bytes(owner(&report, path), "retained_bytes");

        for (path, expected) in truth["owners"].as_object().unwrap() {
            assert_eq!(retained(path), expected.as_u64().unwrap(), "{path}");
        }
        // What two hold is neither's, though it is counted for one of them.
        assert_eq!(retained("__main__.VALUES"), bytes(&truth["values"], "own"));
        let shared = bytes(&truth["values"], "shared");
        let kept = |path: &str| bytes(owner(&report, path), "bytes") - retained(path);
        assert_eq!(kept("__main__.VALUES") + kept("__main__.OUTER"), shared);

        let of_type = |name: &str, field: &str| bytes(type_row(&report, name), field);
        let holder = of_type("__main__.Holder", "bytes") + truth["holder"].as_u64().unwrap();
        assert_eq!(of_type("__main__.Holder", "retained_bytes"), holder);
        for (name, expected) in truth["types"].as_object().unwrap() {
            assert_eq!(of_type(name, "retained_bytes"), expected.as_u64().unwrap(), "{name}");
        }

        for row in report["owners"].as_array().unwrap() {
            let (own, retained) = (row["bytes"].as_u64(), row["retained_bytes"].as_u64());
            assert!(retained > Some(0) && retained <= own, "{row}");
        }
        for row in report["types"].as_array().unwrap() {
            let least = bytes(row, "bytes");
            assert!(bytes(row, "retained_bytes") >= least, "{row}");
        }
        assert!(target.finish().success());
    });
}
