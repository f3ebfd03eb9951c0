//! Every output of what is known of where objects were made: of a capture made by hand, so that it is known to the byte.

#[path = "report/births.rs"]
mod births;
#[path = "report/captured.rs"]
mod captured;
mod profiler;

use births::{sums, watched_shop};
use captured::report;
use profiler::parse;
use pymemscope::capture::Capture;
use pymemscope::report::json;
use serde_json::{Value, json};

/// The report as JSON, which conforms to its schema.
fn as_json(capture: &Capture) -> Value {
    let mut written = Vec::new();
    json::write(&report(capture), &mut written).unwrap();
    parse(std::str::from_utf8(&written).unwrap())
}

#[test]
fn json_has_every_site_the_largest_first() {
    let mut capture = watched_shop();
    // In whatever order they were found.
    capture.births.as_mut().unwrap().sites.reverse();
    let report = as_json(&capture);
    let sites = report["sites"].as_array().unwrap();
    let bytes: Vec<u64> = sites.iter().map(|site| site["bytes"].as_u64().unwrap()).collect();
    assert_eq!(bytes, [25_176_824, 8 << 20, 2 << 20]);
    let file = "/srv/shop/releases/current/shop/models.py";
    // The place is the line of Python that called what is written in C.
    assert_eq!(
        sites[0],
        json!({
            "function": "Order.total", "file": file, "line": 88,
            "stack": [
                {"function": "<module>", "file": "/srv/shop/releases/current/shop/__main__.py", "line": 7},
                {"function": "Checkout.place", "file": "/srv/shop/releases/current/shop/checkout.py", "line": 31},
                {"function": "Order.total", "file": file, "line": 88},
                {"function": "json.loads"},
            ],
            "types": [
                {"type": "builtins.dict", "count": 30_000, "bytes": 24 << 20},
                {"type": "builtins.list", "count": 100, "bytes": 11_000},
            ],
            "count": 30_100, "bytes": 25_176_824, "source": "observed", "confidence": "possible",
        })
    );
    assert_eq!(
        (&sites[2]["source"], &sites[2]["confidence"]),
        (&json!("inherited"), &json!("likely"))
    );
}

#[test]
fn json_has_what_nobody_saw_and_adds_up() {
    let capture = watched_shop();
    let report = as_json(&capture);
    let why: Vec<&Value> = report["sites_unseen"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unseen| &unseen["why"])
        .collect();
    assert_eq!(why, ["not observed", "before attach"]);
    let rows = ["sites", "sites_unseen"].map(|name| report[name].as_array().unwrap());
    let sum = |field: &str| -> u64 {
        let types = rows
            .iter()
            .flat_map(|rows| rows.iter())
            .flat_map(|row| row["types"].as_array().unwrap());
        types.map(|share| share[field].as_u64().unwrap()).sum()
    };
    assert_eq!((sum("count"), sum("bytes")), sums(capture.births.as_ref().unwrap()));
    assert_eq!(report["heap"]["bytes"], sum("bytes"));
    assert_eq!(report["heap"]["objects"], sum("count"));
}

#[test]
fn what_is_not_known_of_a_call_is_absent() {
    let mut capture = watched_shop();
    let site = &mut capture.births.as_mut().unwrap().sites[0];
    let mut stack = site.stack.to_vec();
    stack[2].function = "".into();
    stack[2].line = None;
    site.stack = stack.into();
    let report = as_json(&capture);
    let site = &report["sites"][1];
    assert_eq!((site.get("function"), site.get("line")), (None, None));
    assert!(site["file"].as_str().unwrap().ends_with("models.py"));
    assert!(!report.to_string().contains("null"));
}
