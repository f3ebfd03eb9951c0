//! Findings as SARIF: by the standard's own schema, as code-scanning services read them, and the same from run to run.

#[path = "report/captured.rs"]
mod captured;
mod interpreters;
mod profiler;
mod programs;

use std::fs;
use std::path::Path;

use captured::{one_look, report};
use interpreters::{for_each_interpreter, interpreters};
use profiler::ask;
use programs::Program;
use pymemscope::capture::Capture;
use pymemscope::report::sarif;
use serde_json::{Value, json};

/// What is said of a capture by somebody who stands in `/srv/shop`; `report/sarif` has the standard's schema.
fn log_of(capture: &Capture) -> Value {
    let mut written = Vec::new();
    sarif::write(&report(capture), Some(Path::new("/srv/shop")), &mut written).unwrap();
    valid(serde_json::from_slice(&written).unwrap())
}

#[track_caller]
fn valid(log: Value) -> Value {
    let mut schema: Value = serde_json::from_str(include_str!("report/sarif/sarif-schema-2.1.0.json")).unwrap();
    // These two patterns have a bracket too many, which only lenient readers take. No language is named here.
    for part in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][part]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern").unwrap();
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&log)
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "against the schema: {faults:?}");
    log
}

#[track_caller]
fn valid_text(written: &str) -> Value {
    valid(serde_json::from_str(written).unwrap())
}

/// The result of a rule.
#[track_caller]
fn result<'a>(log: &'a Value, rule: &str) -> &'a Value {
    let results = log["runs"][0]["results"].as_array().unwrap();
    let mut all = results.iter().filter(|result| result["ruleId"] == rule);
    let found = all.next().unwrap_or_else(|| panic!("nothing of {rule}: {results:#?}"));
    assert!(all.next().is_none(), "{rule} twice: {results:#?}");
    found
}

#[test]
fn a_finding_has_its_place_its_object_and_its_numbers() {
    let log = log_of(&one_look());
    let run = &log["runs"][0];
    assert_eq!(run["originalUriBaseIds"]["%SRCROOT%"]["uri"], "file:///srv/shop/");
    let cache = result(&log, "unbounded-cache");
    assert_eq!(
        cache["locations"][0],
        json!({
            "physicalLocation": {
                "artifactLocation": {"uri": "models.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 31},
            },
            "logicalLocations": [
                {"fullyQualifiedName": "shop.models.Order.total", "kind": "variable"},
                {"fullyQualifiedName": "shop.models.Order.total", "kind": "function"},
            ],
        })
    );
    let as_json = serde_json::to_value(&report(&one_look()).findings).unwrap();
    let mut findings = as_json.as_array().unwrap().iter();
    let finding = findings.find(|finding| finding["rule"] == "unbounded-cache").unwrap();
    for part in ["confidence", "object", "evidence"] {
        assert_eq!(cache["properties"][part], finding[part]);
    }
    assert_eq!(cache["properties"].get("saving_bytes"), finding.get("saving_bytes"));
    let said = cache["message"]["text"].as_str().unwrap();
    assert!(said.starts_with(finding["summary"].as_str().unwrap()), "{said}");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let index = cache["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(rules[index]["id"], "unbounded-cache");
}

#[test]
fn what_has_no_line_stands_in_the_program() {
    let mut capture = one_look();
    let physical = |capture: &Capture| {
        let log = log_of(capture);
        result(&log, "large-list")["locations"][0]["physicalLocation"].clone()
    };
    let in_executable = json!({"artifactLocation": {"uri": "file:///usr/bin/python3.12"}});
    assert_eq!(physical(&capture), in_executable);
    capture.process.command = ["python3", "/srv/shop/app.py"].map(str::to_owned).to_vec();
    let in_script = json!({"artifactLocation": {"uri": "app.py", "uriBaseId": "%SRCROOT%"}});
    assert_eq!(physical(&capture), in_script);
}

#[test]
fn warnings_are_notifications() {
    let log = log_of(&one_look());
    let told = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(told[0]["message"]["text"], one_look().warnings[0]);
}

#[test]
fn nothing_found_is_a_log_without_results() {
    let mut capture = one_look();
    capture.heap.containers.clear();
    assert_eq!(log_of(&capture)["runs"][0]["results"], json!([]));
}

/// Fingerprints by rule, none of them twice.
fn fingerprints(log: &Value) -> Vec<(String, String)> {
    let results = log["runs"][0]["results"].as_array().unwrap();
    let of = |result: &Value| {
        let prints = &result["partialFingerprints"];
        assert_eq!(prints["pymemscope/v1"], prints["primaryLocationLineHash"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&result["ruleId"]), text(&prints["pymemscope/v1"]))
    };
    let mut all: Vec<_> = results.iter().map(of).collect();
    all.sort();
    let mut different: Vec<_> = all.iter().map(|(_, print)| print).collect();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), all.len(), "{all:?}");
    all
}

#[test]
fn fingerprints_are_made_of_what_stays() {
    let capture = one_look();
    let mut later = capture.clone();
    for container in &mut later.heap.containers {
        container.address += 0x1000;
        container.length += 1;
        container.kept_bytes += 64;
    }
    assert_eq!(fingerprints(&log_of(&capture)), fingerprints(&log_of(&later)));
    // Two that are held alike are still two.
    let list = capture
        .heap
        .containers
        .iter()
        .find(|each| each.path == "main.rows")
        .unwrap();
    let mut twice = capture.clone();
    twice.heap.containers = [1, 2]
        .map(|number| {
            let mut list = list.clone();
            list.path = format!("main.all[{number}]");
            list
        })
        .to_vec();
    assert!(!fingerprints(&log_of(&twice)).is_empty());
}

/// A list of numbers, and a default that is filled; both are wasteful.
const WASTEFUL: &str = "
import sys
READINGS = [number * 0.5 for number in range(300_000)]

def note(text, notes=[]):
    notes.append(text)

for number in range(5_000):
    note(str(number))
print('ready', flush=True)
sys.stdin.readline()
";

fn wasteful() -> Program {
    let newest = interpreters().last().expect("a CPython");
    Program::start(newest.command().args(["-c", WASTEFUL]))
}

/// Two runs of one program, of which the addresses differ.
#[test]
fn live_findings_are_valid_and_known_again() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str| {
        let program = wasteful();
        let file = folder.path().join(name);
        ask(&format!("attach {} -d 0 -o {}", program.pid(), file.display())).done();
        valid_text(&fs::read_to_string(file).unwrap())
    };
    let (one, other) = (written("one.sarif"), written("other.SARIF"));
    for rule in ["numeric-list", "mutable-default"] {
        result(&one, rule);
    }
    assert_eq!(fingerprints(&one), fingerprints(&other));
    let program = wasteful();
    valid_text(&ask(&format!("attach {} -d 0 -f sarif", program.pid())).done());
    let saved = folder.path().join("heap.pms");
    ask(&format!("snapshot {} -o {}", program.pid(), saved.display())).done();
    valid_text(&ask(&format!("report {} -f sarif", saved.display())).done());
}

/// A program of two files, started by relative names, as a script and as a package.
#[test]
fn files_are_found_from_where_the_program_stands() {
    let folder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap();
    let package = root.join("shop");
    fs::create_dir(&package).unwrap();
    fs::write(package.join("__init__.py"), "").unwrap();
    let store = "ITEMS = list(range(1000, 251_000))\n";
    fs::write(package.join("store.py"), store).unwrap();
    let main = "import sys, shop.store\nMINE = list(range(300_000, 500_000))\n\
                print('ready', flush=True)\nsys.stdin.read()\n";
    fs::write(package.join("__main__.py"), main).unwrap();
    fs::write(root.join("app.py"), main).unwrap();
    let starts: [(&[&str], &str); 2] = [(&["app.py"], "app.py"), (&["-m", "shop"], "shop/__main__.py")];
    for_each_interpreter(|python| {
        for (words, file) in starts {
            let mut command = python.command();
            command.args(words).current_dir(&root).env("PYTHONPATH", ".");
            let program = Program::start(&mut command);
            let log = valid_text(&ask(&format!("attach {} -d 0 -f sarif", program.pid())).done());
            let results = log["runs"][0]["results"].as_array().unwrap();
            let mut places: Vec<(&str, &str)> = Vec::new();
            for each in results.iter().filter(|each| each["ruleId"] == "numeric-list") {
                let text = |place: &str| each.pointer(place).and_then(Value::as_str).unwrap_or_default();
                let uri = text("/locations/0/physicalLocation/artifactLocation/uri");
                places.push((text("/locations/0/logicalLocations/0/fullyQualifiedName"), uri));
            }
            places.sort_unstable();
            let [mine, of_store] = [file, "shop/store.py"].map(|file| format!("file://{}/{file}", root.display()));
            let expected = [("__main__.MINE", &*mine), ("shop.store.ITEMS", &*of_store)];
            assert_eq!(places, expected, "{words:?}: {results:#?}");
        }
    });
}
