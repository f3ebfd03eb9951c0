//! What is drawn, as other programs read it: Go's `pprof`, speedscope by its schema, folded stacks; of live programs and of
//! saved heaps. Their sums are the report's.

#[path = "report/births.rs"]
mod births;
#[path = "report/captured.rs"]
mod captured;
mod go;
mod interpreters;
mod profiler;
mod programs;
#[path = "programs/shop.rs"]
mod shop;

use std::path::Path;

use births::{sums, watched_shop};
use go::{ask_go, go_pprof, total_of_go};
use interpreters::for_each_interpreter;
use profiler::{ask, parse_file};
use programs::Program;
use pymemscope::capture::Capture;
use pymemscope::capture::folder::{self, NewFolder};
use pymemscope::heap::TreeNode;
use serde_json::Value;
use shop::{SHOP, python};

/// Both forms have both weights.
#[track_caller]
fn check_totals(speedscope: &Path, pprof: &Path, objects: u64, bytes: u64) {
    let speedscope: Value = serde_json::from_str(&read(speedscope)).unwrap();
    let ends = [0, 1].map(|profile: usize| speedscope["profiles"][profile]["endValue"].as_u64().unwrap());
    assert_eq!(ends, [bytes, objects]);
    if let Some(go) = go_pprof() {
        assert_eq!(total_of_go(&go, "-sample_index=inuse_space", pprof), bytes);
        assert_eq!(total_of_go(&go, "-sample_index=inuse_objects", pprof), objects);
    }
}

fn total_of_collapsed(text: &str) -> u64 {
    text.lines()
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
        .sum()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_form_adds_up_to_the_report() {
    let place = tempfile::tempdir().unwrap();
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", SHOP]));
        for graph in ["ownership", "types"] {
            let path = |extension: &str| place.path().join(format!("{}-{graph}.{extension}", python.name()));
            let files = ["json", "collapsed", "speedscope.json", "pb.gz"].map(path);
            let outputs: Vec<String> = files.iter().map(|file| format!("-o {}", file.display())).collect();
            let outputs = outputs.join(" ");
            ask(&format!("attach {} -d 0 --graph {graph} {outputs}", program.pid())).done();
            let [json, collapsed, speedscope, pprof] = &files;
            let heap = parse_file(json)["heap"].clone();
            let (objects, bytes) = (heap["objects"].as_u64().unwrap(), heap["bytes"].as_u64().unwrap());
            assert_eq!(total_of_collapsed(&read(collapsed)), bytes);
            check_totals(speedscope, pprof, objects, bytes);
            if let Some(go) = go_pprof() {
                let raw = ask_go(&go, &["-raw"], pprof);
                assert!(raw.contains("inuse_objects/count inuse_space/bytes[dflt]"), "{raw}");
                let name = if graph == "ownership" {
                    "ORDERS: dict"
                } else {
                    "__main__.Order"
                };
                assert!(raw.contains(name), "{name} in {raw}");
            }
        }
    });
}

#[test]
fn objects_are_a_weight_too() {
    let program = python(SHOP);
    let place = tempfile::tempdir().unwrap();
    let (json, collapsed) = (place.path().join("a.json"), place.path().join("a.collapsed"));
    let words = format!("--weight count -o {} -o {}", json.display(), collapsed.display());
    ask(&format!("attach {} -d 0 {words}", program.pid())).done();
    assert_eq!(
        parse_file(&json)["heap"]["objects"],
        total_of_collapsed(&read(&collapsed))
    );
}

#[test]
fn allocations_that_nobody_saw_are_no_picture_but_the_rest_is_written() {
    let program = python(SHOP);
    let place = tempfile::tempdir().unwrap();
    let (json, svg) = (place.path().join("a.json"), place.path().join("a.svg"));
    let words = format!("--graph allocation -o {} -o {}", json.display(), svg.display());
    let said = ask(&format!("attach {} -d 0 {words}", program.pid()));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.starts_with("error: there is no picture of allocations") && said.err.contains("hint: watch"));
    assert!(!svg.exists());
    parse_file(&json);
    // Who waits for a picture gets no text.
    let (error, _) = ask(&format!("attach {} -d 0 --weight growth -f pprof", program.pid())).refusal(1);
    assert!(error.contains("no picture of what has grown"), "{error}");
}

/// Knows itself where its objects are made.
const TRACED: &str = r#"
import sys

class Order:
    def __init__(self, number):
        self.lines = [(number, 1.5)]

def take(count):
    return [Order(number) for number in range(count)]

def down(depth, count):
    return down(depth - 1, count) if depth else take(count)

KEPT = [take(1000), down(40, 2000)]
print("ready", flush=True)
sys.stdin.readline()
"#;

#[test]
fn allocations_of_a_live_program_add_up_in_every_form() {
    let place = tempfile::tempdir().unwrap();
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-X", "tracemalloc=60", "-c", TRACED]));
        let path = |extension: &str| place.path().join(format!("{}.{extension}", python.name()));
        let files = ["json", "svg", "collapsed", "speedscope.json", "pb.gz"].map(path);
        let outputs: Vec<String> = files.iter().map(|file| format!("-o {}", file.display())).collect();
        let shown = ask(&format!("attach {} -d 0 {}", program.pid(), outputs.join(" "))).done();
        assert!(shown.contains("Made at") && shown.contains("(not traced)"), "{shown}");
        let [json, svg, collapsed, speedscope, pprof] = &files;
        let heap = parse_file(json)["heap"].clone();
        let (objects, bytes) = (heap["objects"].as_u64().unwrap(), heap["bytes"].as_u64().unwrap());
        assert!(read(svg).contains(&format!("total_samples=\"{bytes}\"")));

        let folded = read(collapsed);
        assert_eq!(total_of_collapsed(&folded), bytes);
        let orders = |path: &str| -> u64 {
            let lines = folded.lines().filter(|line| line.contains(";__main__.Order "));
            lines.filter(|line| line.contains(path)).map(total_of_collapsed).sum()
        };
        assert!(orders("<string>:9") > 0 && orders("(not traced)") == 0, "{folded}");
        // Of 41 calls of one function in each other one is drawn, and the two lines of it that were called.
        let deepest = folded.lines().map(|line| line.matches("<string>:12;").count()).max();
        assert_eq!(deepest, Some(1), "{folded}");

        check_totals(speedscope, pprof, objects, bytes);
    });
}

// ---- saved heaps ----

/// Saves a capture that nobody took.
fn save(mut capture: Capture, path: &Path) {
    capture.heap.type_tree.nodes.push(TreeNode {
        parent: 0,
        label: "".into(),
        own_objects: 0,
        own_bytes: 0,
    });
    let folder = NewFolder::create(path, false).unwrap();
    folder.write(&capture, &Default::default()).unwrap();
}

#[test]
fn a_saved_heap_knows_where_its_objects_were_made() {
    let place = tempfile::tempdir().unwrap();
    let saved = place.path().join("heap.pms");
    let mut capture = watched_shop();
    let births = capture.births.as_mut().unwrap();
    let mut odd = births.sites[0].stack.to_vec();
    odd[0].line = None;
    odd[1].function = "".into();
    births.sites[2].stack = odd.into();
    save(capture.clone(), &saved);
    assert_eq!(folder::load(&saved).unwrap().births, capture.births);

    let (objects, bytes) = sums(capture.births.as_ref().unwrap());
    let collapsed = ask(&format!("report {} -f collapsed", saved.display())).done();
    assert_eq!(total_of_collapsed(&collapsed), bytes);
    assert!(
        collapsed.contains("Order.total …/current/shop/models.py:88;shop.models.Order 8388608\n"),
        "{collapsed}"
    );
    let ownership = ask(&format!("report {} -f collapsed --graph ownership", saved.display())).done();
    assert!(
        total_of_collapsed(&ownership) == bytes && ownership.contains("PRICES: dict"),
        "{ownership}"
    );

    let profile = place.path().join("heap.pb.gz");
    ask(&format!("export {} -o {}", saved.display(), profile.display())).done();
    if let Some(go) = go_pprof() {
        assert_eq!(total_of_go(&go, "-sample_index=inuse_space", &profile), bytes);
        assert_eq!(total_of_go(&go, "-sample_index=inuse_objects", &profile), objects);
        let lines = ask_go(&go, &["-top", "-lines", "-cum"], &profile);
        assert!(
            lines.contains("Order.total /srv/shop/releases/current/shop/models.py:88"),
            "{lines}"
        );
        assert!(lines.contains("Time: Nov 15, 2023"), "{lines}");
    }

    let tables = ["calls", "sites", "site_types"].map(|name| saved.join(format!("{name}.parquet")));
    std::fs::write(&tables[1], "other").unwrap();
    let (error, _) = ask(&format!("report {}", saved.display())).refusal(1);
    assert!(error.contains("sites.parquet is not what was written"), "{error}");
}

#[test]
fn what_changed_between_two_heaps_is_drawn() {
    let place = tempfile::tempdir().unwrap();
    let (old, new) = (place.path().join("old.pms"), place.path().join("new.pms"));
    let mut before = watched_shop();
    before.process.start_time = Some(1.0);
    let site = &mut before.births.as_mut().unwrap().sites[0];
    site.types[0].bytes -= 1000;
    site.types[0].type_name = "shop.models.Order".into();
    before.births.as_mut().unwrap().sites[1].types[1].type_name = "builtins.set".into();
    before.heap.totals.bytes -= 1000;
    save(before.clone(), &old);
    save(watched_shop(), &new);
    let diff = |words: &str| ask(&format!("diff {} {} {words}", old.display(), new.display())).done();

    let text = diff("-f collapsed");
    let mut totals = [0; 2];
    for line in text.lines() {
        let mut parts = line.rsplitn(3, ' ');
        for total in totals.iter_mut().rev() {
            *total += parts.next().unwrap().parse::<u64>().unwrap();
        }
    }
    assert_eq!(totals, [before.heap.totals.bytes, watched_shop().heap.totals.bytes]);
    for end in [
        ";shop.models.Order 8387608 8388608",
        ";builtins.set 1100000 0",
        ";builtins.list 0 1100000",
    ] {
        assert!(text.lines().any(|line| line.ends_with(end)), "{end} in {text}");
    }

    let svg = diff("-f svg");
    assert!(svg.contains(&format!("total_samples=\"{}\"", totals[1])), "{svg}");
    assert!(svg.contains("builtins.list (1,100,000 bytes, 1.56%; +1.56%)"), "{svg}");
    assert!(!svg.contains("builtins.set ("), "what is gone has no width");
    let ownership = diff("-f svg --graph ownership");
    assert!(
        ownership.contains("PRICES: dict") && !ownership.contains("models.py"),
        "{ownership}"
    );
    let said = ask(&format!(
        "diff {} {} --weight growth -f svg",
        old.display(),
        new.display()
    ));
    assert_eq!(said.code, Some(2), "{said:?}");
}
