//! Every output of what is known of where objects were made: of a capture made by hand, so that it is known to the byte.

#[path = "report/births.rs"]
mod births;
#[path = "report/captured.rs"]
mod captured;
mod profiler;

use births::{sums, watched_shop};
use captured::{report, shop};
use profiler::parse;
use pymemscope::capture::Capture;
use pymemscope::capture::plan::Graph;
use pymemscope::report::picture::format::PictureFormat;
use pymemscope::report::picture::{Asked, NoPicture, Picture, Weight};
use pymemscope::report::screen::Screen;
use pymemscope::report::{json, terminal};
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
    assert_eq!(bytes, [26_265_824, 8 << 20, 2 << 20]);
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
                {"type": "builtins.list", "count": 100, "bytes": 1_100_000},
            ],
            "count": 30_100, "bytes": 26_265_824, "source": "observed", "confidence": "possible",
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

// ---- the terminal ----

fn on_terminal(capture: &Capture, top: usize, width: Option<usize>) -> String {
    let mut written = Vec::new();
    let screen = Screen { width, colors: false };
    terminal::write(&report(capture), top, screen, &mut written).unwrap();
    String::from_utf8(written).unwrap()
}

#[test]
fn the_terminal_shows_the_largest_sites_and_what_nobody_saw() {
    let mut capture = watched_shop();
    // Other calls that led to the same line.
    let sites = &mut capture.births.as_mut().unwrap().sites;
    let mut other = sites[0].clone();
    other.stack = other.stack[1..].into();
    sites.push(other);
    let shown = on_terminal(&capture, 3, None);
    let expected = "
Made at                                  What        Known         Count     Bytes
…/current/shop/models.py:88 Order.total  dict, list  possible     30 100  25.0 MiB
…/current/shop/models.py:88 Order.total  Order       likely      120 000  16.0 MiB
1 more place                                                      40 000   2.0 MiB
(not observed)                           float                     1 000  31.2 KiB
(before attach)                          dict                  2 053 202  32.3 MiB
Made at: the line that ran when these objects were made. likely: two samples in a row stood on this
line; possible: one did. inherited: the line that made their only holder.
";
    assert!(shown.contains(expected), "{shown}");
    assert!(!on_terminal(&shop(), 3, None).contains("Made at"));
}

#[test]
fn sites_give_way_on_a_narrow_terminal() {
    let shown = on_terminal(&watched_shop(), 15, Some(60));
    assert!(shown.contains("models.py:88 Order.total"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
}

// ---- pictures ----

fn picture(capture: &Capture, graph: Option<Graph>, weight: Weight) -> Picture {
    Picture::of(capture, Asked { graph, weight }).unwrap()
}

fn written(picture: &Picture, format: PictureFormat) -> String {
    let mut written = Vec::new();
    format.write(picture, &mut written).unwrap();
    String::from_utf8(written).unwrap()
}

/// The lines of folded stacks, each with its number.
fn collapsed(picture: &Picture) -> Vec<(String, u64)> {
    let text = written(picture, PictureFormat::Collapsed);
    text.lines()
        .map(|line| {
            let (path, number) = line.rsplit_once(' ').unwrap();
            (path.to_owned(), number.parse().unwrap())
        })
        .collect()
}

fn total(lines: &[(String, u64)]) -> u64 {
    lines.iter().map(|(_, number)| number).sum()
}

#[test]
fn allocations_are_calls_with_types_on_top() {
    let capture = watched_shop();
    let lines = collapsed(&picture(&capture, None, Weight::Bytes));
    let make = "<module> …/current/shop/__main__.py:7;Checkout.place …/current/shop/checkout.py";
    let total_of = "Order.total …/current/shop/models.py:88";
    let expected = [
        (format!("{make}:31;{total_of};json.loads;builtins.dict"), 24 << 20),
        (format!("{make}:31;{total_of};json.loads;builtins.list"), 1_100_000),
        (format!("{make}:31;{total_of};shop.models.Order"), 8 << 20),
        // The calls that came again and again stand once.
        (format!("{make}:32;{total_of};builtins.str"), 2 << 20),
        ("(not observed);builtins.float".to_owned(), 32_000),
    ];
    for line in &expected {
        assert!(lines.contains(line), "{line:?} in {lines:#?}");
    }
    let before = lines.iter().find(|(path, _)| path == "(before attach);builtins.dict");
    assert_eq!(before.unwrap().1, capture.heap.totals.bytes - total(&expected));
    assert_eq!(lines.len(), 6);
}

#[test]
fn widths_are_bytes_objects_or_what_came_since() {
    let capture = watched_shop();
    let (objects, bytes) = sums(capture.births.as_ref().unwrap());
    let of = |weight| collapsed(&picture(&capture, None, weight));
    assert_eq!(total(&of(Weight::Bytes)), bytes);
    assert_eq!(total(&of(Weight::Count)), objects);
    let grown = of(Weight::Growth);
    assert_eq!(total(&grown), (8 << 20) + 1_258_291 + 32_000);
    assert_eq!(grown.len(), 3, "{grown:?}");
}

#[test]
fn objects_that_no_site_accounts_for_are_drawn_too() {
    let mut capture = watched_shop();
    capture.births.as_mut().unwrap().unseen.clear();
    let lines = collapsed(&picture(&capture, None, Weight::Bytes));
    assert_eq!(total(&lines), capture.heap.totals.bytes);
    assert!(lines.iter().any(|(path, _)| path == "(not in the tree)"), "{lines:?}");
}

#[test]
fn the_usual_picture_is_of_what_is_known() {
    let graph = |capture: &Capture| Picture::of(capture, Asked::default()).unwrap().graph;
    assert_eq!(graph(&watched_shop()), Graph::Allocation);
    assert_eq!(graph(&shop()), Graph::Ownership);
    let mut unlucky = watched_shop();
    unlucky.births.as_mut().unwrap().sites.clear();
    assert_eq!(graph(&unlucky), Graph::Ownership);
    let asked = |graph, weight| Picture::of(&shop(), Asked { graph, weight }).map(drop);
    assert_eq!(asked(Some(Graph::Allocation), Weight::Bytes), Err(NoPicture::NoSites));
    assert_eq!(asked(None, Weight::Growth), Err(NoPicture::NoGrowth));
}

#[test]
fn a_flame_graph_of_allocations_has_every_byte() {
    let capture = watched_shop();
    let svg = written(&picture(&capture, None, Weight::Bytes), PictureFormat::Svg);
    let bytes = capture.heap.totals.bytes;
    assert!(svg.contains(&format!("total_samples=\"{bytes}\"")), "{svg}");
    assert!(
        svg.contains("<title>Order.total …/current/shop/models.py:88 ("),
        "{svg}"
    );
    assert!(svg.contains("by the calls that made them") && svg.contains("(before attach)"));
    // Nothing is drawn of nothing, and it is no failure.
    let mut still = capture.clone();
    for share in still
        .births
        .as_mut()
        .unwrap()
        .sites
        .iter_mut()
        .flat_map(|site| &mut site.types)
    {
        (share.grown_count, share.grown_bytes) = (0, 0);
    }
    still.births.as_mut().unwrap().unseen.clear();
    let svg = written(&picture(&still, None, Weight::Growth), PictureFormat::Svg);
    assert!(svg.contains("(nothing)"), "{svg}");
}

// ---- speedscope ----

/// What speedscope reads; `report/speedscope` has its authors' schema and licence.
fn speedscope(picture: &Picture) -> Value {
    let schema: Value = serde_json::from_str(include_str!("report/speedscope/file-format-schema.json")).unwrap();
    let file: Value = serde_json::from_str(&written(picture, PictureFormat::Speedscope)).unwrap();
    let faults: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&file)
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "against the schema: {faults:?}");
    file
}

#[test]
fn speedscope_gets_places_and_both_weights() {
    let capture = watched_shop();
    let file = speedscope(&picture(&capture, None, Weight::Count));
    assert_eq!(file["activeProfileIndex"], 1);
    let frames = file["shared"]["frames"].as_array().unwrap();
    let names = |stack: &Value| -> Vec<String> {
        let stack = stack
            .as_array()
            .unwrap()
            .iter()
            .map(|frame| frame.as_u64().unwrap() as usize);
        stack
            .map(|frame| frames[frame]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let profiles = file["profiles"].as_array().unwrap();
    let (objects, bytes) = sums(capture.births.as_ref().unwrap());
    for (profile, (name, unit, total)) in profiles
        .iter()
        .zip([("bytes", "bytes", bytes), ("objects", "none", objects)])
    {
        assert_eq!((&profile["name"], &profile["unit"]), (&json!(name), &json!(unit)));
        assert_eq!(
            (&profile["startValue"], &profile["endValue"]),
            (&json!(0), &json!(total))
        );
        let weights = profile["weights"].as_array().unwrap();
        assert_eq!(
            weights.iter().map(|weight| weight.as_u64().unwrap()).sum::<u64>(),
            total
        );
        let stacks: Vec<Vec<String>> = profile["samples"].as_array().unwrap().iter().map(names).collect();
        assert_eq!(stacks.len(), weights.len());
        let stack = [
            "<module>",
            "Checkout.place",
            "Order.total",
            "json.loads",
            "builtins.dict",
        ];
        assert!(stacks.iter().any(|each| each == &stack), "{stacks:?}");
    }
    assert!(frames.contains(&json!({
        "name": "Order.total", "file": "/srv/shop/releases/current/shop/models.py", "line": 88
    })));
    speedscope(&picture(&shop(), None, Weight::Bytes));
}
