//! What the recorder has written, in the reports of programs under `run`.
#![allow(dead_code, reason = "each test binary uses a part")]

use serde_json::Value;

use crate::interpreters::{Interpreter, interpreters};
use crate::profiler;
use crate::running::Outcome;

pub const MILLION: u64 = 1_000_000;

/// Blocks that are so large that each is sampled.
pub const KEEPING: &str = "
import os
def keep(): return [bytes(19_999_967) for _ in range(5)]
KEPT = keep()
";

pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// The report, which conforms to the schema, and what was recorded.
#[track_caller]
pub fn recording(outcome: &Outcome) -> &Value {
    profiler::parse(&outcome.report().to_string());
    let recording = &outcome.report()["recording"];
    assert!(recording.is_object(), "{:?} {}", outcome.err, outcome.warnings());
    recording
}

/// Bytes of the sites with this function among the innermost two calls: comprehensions were calls once.
pub fn site(sites: &Value, function: &str) -> u64 {
    let of = |site: &&Value| {
        let calls = site["stack"].as_array().unwrap();
        calls.iter().rev().take(2).any(|call| call["function"] == function)
    };
    let found = sites.as_array().unwrap().iter().filter(of);
    found.map(|site| number(&site["bytes"])).sum()
}

#[track_caller]
pub fn assert_about(found: u64, expected: u64, more: u64) {
    assert!(
        (expected..expected + more).contains(&found),
        "{found}, not {expected} to {more} more"
    );
}

/// That `keep` has 100 MB alive.
#[track_caller]
pub fn assert_keeps(recording: &Value) {
    assert_about(site(&recording["alive"], "keep"), 100 * MILLION, 2 * MILLION);
}

pub fn total(recording: &Value, figure: &str) -> u64 {
    let rows = recording["totals"].as_array().unwrap();
    rows.iter().map(|row| number(&row[figure])).sum()
}

/// The newest one, for what does not depend on the version.
pub fn python() -> &'static Interpreter {
    interpreters().last().expect("a Python")
}

pub fn executable() -> &'static str {
    python().executable.to_str().unwrap()
}
