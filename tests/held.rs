//! How the program was held still is said of each snapshot, on the terminal and in JSON.

#[path = "report/captured.rs"]
mod captured;
mod profiler;

use captured::{hold, report, shop};
use profiler::parse;
use pymemscope::capture::{Capture, FreezeUsed};
use pymemscope::report::screen::Screen;
use pymemscope::report::{json, terminal};
use serde_json::Value;

fn on_terminal(capture: &Capture) -> String {
    let mut written = Vec::new();
    terminal::write(&report(capture), 15, Screen::plain(), &mut written).unwrap();
    String::from_utf8(written).unwrap()
}

/// The report, which conforms to its schema.
fn as_json(capture: &Capture) -> Value {
    let mut written = Vec::new();
    json::write(&report(capture), &mut written).unwrap();
    parse(&String::from_utf8(written).unwrap())
}

#[test]
fn how_the_program_was_held_is_said_of_each_snapshot() {
    let mut capture = shop();
    capture.holds[1] = hold(FreezeUsed::Stop, Some("there is too little memory"), 90_000);
    let shown = on_terminal(&capture);
    assert!(shown.contains("in all (1 fork, 1 stop)"), "{shown}");
    assert!(
        shown.contains("snapshot 2 of 2 held by stop: there is too little memory"),
        "{shown}"
    );
    let report = as_json(&capture);
    assert_eq!(
        (&report["capture"]["freeze"], &report["capture"]["freeze_reason"]),
        (&"stop".into(), &"there is too little memory".into())
    );
    assert_eq!(
        (
            &report["timeline"][0]["freeze"],
            report["timeline"][0].get("freeze_reason")
        ),
        (&"fork".into(), None)
    );
    assert_eq!(report["timeline"][1]["pauses"], serde_json::json!([0.09]));
    assert_eq!(report["capture"].get("partial"), None);

    capture.holds[0] = hold(FreezeUsed::None, None, 0);
    let report = as_json(&capture);
    assert_eq!(report["capture"]["partial"], true);

    for moment in &mut capture.holds {
        *moment = hold(FreezeUsed::Stop, Some("a filter"), 90_000);
    }
    let shown = on_terminal(&capture);
    assert!(
        shown.contains("\nheld by stop: a filter\n") && shown.contains("in all (stop)"),
        "{shown}"
    );
}
