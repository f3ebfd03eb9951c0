//! What becomes of a recording: kept in a folder, shown from there, compared with another one.

mod duckdb;
mod go;
mod interpreters;
mod profiler;
#[path = "run/running.rs"]
mod running;

use std::path::{Path, PathBuf};

use go::{ask_go, go_pprof, total_of_go};
use interpreters::{Interpreter, for_each_interpreter, interpreters};
use profiler::{Answer, answer, ask, parse, parse_file};
use running::{Running, until_snapshot};
use serde_json::Value;

/// Keeps, and passes by, blocks that are so large that each is sampled.
const LARGE: &str = "
import sys
def keep(count): return [bytes(19_999_967) for _ in range(count)]
def pass_by(count):
    for _ in range(count):
        bytes(19_999_967)
KEPT = keep(int(sys.argv[1]))
pass_by(int(sys.argv[2]))
";

/// The newest one, for what does not depend on the version.
fn python() -> &'static Interpreter {
    interpreters().last().expect("a Python")
}

/// Runs `code` with these arguments under `run` with these options.
fn run(python: &Interpreter, options: &[&str], code: &str, arguments: &[&str]) -> Answer {
    let mut command = profiler::pymemscope(["run"]);
    command.args(options).arg("--").arg(&python.executable);
    answer(command.args(["-B", "-c", code]).args(arguments))
}

/// The folder of a run of `LARGE`.
fn kept(folder: &Path, name: &str, arguments: [&str; 2]) -> PathBuf {
    // Every block, so that no figure is left to chance.
    kept_with(&["--every"], folder, name, arguments)
}

fn kept_with(options: &[&str], folder: &Path, name: &str, arguments: [&str; 2]) -> PathBuf {
    let path = folder.join(name);
    let options = [options, &["-d", "0", "-o", path.to_str().unwrap()]].concat();
    run(python(), &options, LARGE, &arguments).done();
    path
}

#[test]
fn the_folder_says_what_the_run_said() {
    for_each_interpreter(|python| {
        let folder = tempfile::tempdir().unwrap();
        let [saved, told] = ["run.pms", "run.json"].map(|name| folder.path().join(name));
        let options = ["-o", saved.to_str().unwrap(), "-o", told.to_str().unwrap()];
        run(python, &options, LARGE, &["3", "2"]).done();
        let told = parse_file(&told);
        let shown = parse(&ask(&format!("report {} -j", saved.display())).done());
        assert!(told["heap"]["objects"].as_u64() > Some(1000), "{}", told["heap"]);
        assert!(shown["recording"] == told["recording"], "{shown}\n{told}");
        let text = ask(&format!("report {}", saved.display())).done();
        assert!(text.contains("Allocated at") && text.contains(" keep"), "{text}");
    });
}

#[test]
fn a_recording_is_kept_where_the_heap_was_never_read() {
    const KILLED: &str = "
import os
KEPT = [bytes(19_999_967) for _ in range(5)]
os.kill(os.getpid(), 9)
";
    for_each_interpreter(|python| {
        let folder = tempfile::tempdir().unwrap();
        let [saved, told] = ["run.pms", "run.json"].map(|name| folder.path().join(name));
        let options = ["-d", "0", "-o", saved.to_str().unwrap(), "-o", told.to_str().unwrap()];
        let said = run(python, &options, KILLED, &[]);
        assert_eq!((said.code, said.err.as_str()), (Some(137), ""));
        let (shown, told) = (
            parse(&ask(&format!("report {} -j", saved.display())).done()),
            parse_file(&told),
        );
        assert_eq!(shown["recording"], told["recording"]);
        let why = told["capture"]["unread"].as_str().unwrap();
        assert!(why.contains("signal 9") && shown["capture"]["unread"] == why, "{shown}");
        let bytes: u64 = sites(&told, "alive")
            .iter()
            .map(|site| site["bytes"].as_u64().unwrap())
            .sum();
        assert!(bytes > 99_000_000, "{bytes}");
        for text in [said.out, ask(&format!("report {}", saved.display())).done()] {
            assert!(
                text.contains("heap was never read") && text.contains("Allocated at"),
                "{text}"
            );
            assert!(!text.contains("No findings"), "{text}");
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("run.pms");
    run(python(), &["-d", "0", "-o", saved.to_str().unwrap()], KILLED, &[]);
    for words in [
        format!("paths {} --type builtins.dict", saved.display()),
        format!("export {} -f dot", saved.display()),
    ] {
        let (error, hint) = ask(&words).refusal(1);
        assert!(
            error.contains("has a recording alone") && hint.contains("report"),
            "{error} {hint}"
        );
    }
}

fn sites<'a>(report: &'a Value, moment: &str) -> &'a Vec<Value> {
    report["recording"][moment].as_array().unwrap()
}

#[test]
fn tables_are_read_by_others_and_refused_when_they_are_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let saved = kept(folder.path(), "run.pms", ["3", "2"]);
    let report = parse(&ask(&format!("report {} -j", saved.display())).done());
    if let Some(reader) = duckdb::reader() {
        let question = format!(
            "select moment, sum(bytes) from '{}/recorded_sites.parquet' group by 1 order by 1",
            saved.display()
        );
        let answers = duckdb::ask(reader, folder.path(), &[question]);
        let sum = |moment: &str| -> u64 {
            let bytes = sites(&report, moment)
                .iter()
                .map(|site| site["bytes"].as_u64().unwrap());
            bytes.sum()
        };
        for row in answers[0].as_array().unwrap() {
            let moment = row[0].as_str().unwrap();
            if moment != "peak" {
                assert_eq!(row[1].as_u64(), Some(sum(moment)), "{row}");
            }
        }
    }
    for table in ["recorded_calls", "recorded_sites", "recorded_totals"] {
        let file = saved.join(format!("{table}.parquet"));
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        let (error, _) = ask(&format!("report {}", saved.display())).refusal(1);
        assert!(
            error.contains(&format!("{table}.parquet is not what was written")),
            "{error}"
        );
        std::fs::remove_file(&file).unwrap();
        ask(&format!("report {}", saved.display())).refusal(1);
        std::fs::write(&file, &whole).unwrap();
    }
    ask(&format!("report {}", saved.display())).done();
}

/// A comparison that conforms to its schema.
fn compared(words: &str) -> Value {
    let schema: Value = serde_json::from_str(pymemscope::report::difference::SCHEMA_TEXT).unwrap();
    let compared: Value = serde_json::from_str(&ask(&format!("diff {words} -j")).done()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&compared)
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "against the schema: {faults:?}");
    compared
}

const MILLION: i64 = 1_000_000;

/// A figure of the sites with this function among the innermost two calls: comprehensions were calls once.
fn of_function(sites: &Value, function: &str, figure: &str) -> i64 {
    let of = |site: &&Value| {
        let calls = site["stack"].as_array().unwrap();
        calls.iter().rev().take(2).any(|call| call["function"] == function)
    };
    let found = sites.as_array().unwrap().iter().filter(of);
    found.map(|site| site[figure].as_i64().unwrap()).sum()
}

/// Blocks that are always sampled; a small one beside them may have been by chance, which then stands for half a million.
#[track_caller]
fn assert_near(found: i64, expected: i64) {
    assert!((found - expected).abs() < 3 * MILLION, "{found}, not {expected}");
}

#[test]
fn two_recordings_are_compared_site_by_site() {
    let folder = tempfile::tempdir().unwrap();
    let old = kept(folder.path(), "old.pms", ["3", "7"]);
    let new = kept(folder.path(), "new.pms", ["5", "4"]);
    let difference = compared(&format!("{} {}", old.display(), new.display()));
    let recording = &difference["recording"];
    let of = |function: &str, figure: &str| of_function(&recording["sites"], function, figure);
    for (function, figure, expected) in [
        ("keep", "bytes", 100),
        ("keep", "growth_bytes", 40),
        ("keep", "growth_allocated_bytes", 40),
        ("pass_by", "growth_bytes", 0),
        ("pass_by", "allocated_bytes", 80),
        ("pass_by", "growth_allocated_bytes", -60),
    ] {
        assert_near(of(function, figure), expected * MILLION);
    }
    let allocated = |side: &str| recording[side]["allocated_bytes"].as_i64().unwrap();
    assert_near(allocated("new") - allocated("old"), -20 * MILLION);
    let text = ask(&format!("diff {} {}", old.display(), new.display())).done();
    let line = |function: &str| text.lines().find(|line| line.contains(function)).unwrap().to_owned();
    assert!(line(":3 keep").contains("+38.1 MiB"), "{text}");
    assert!(line(":6 pass_by").contains("-57.2 MiB"), "{text}");
    let drawn = ask(&format!(
        "diff {} {} -f svg --weight total",
        old.display(),
        new.display()
    ))
    .done();
    assert!(drawn.contains("pass_by ") && drawn.contains("allocations ("), "{drawn}");
}

#[test]
fn a_side_without_a_sample_has_an_error_too() {
    let folder = tempfile::tempdir().unwrap();
    let sampled = |name, arguments| kept_with(&["--seed", "1"], folder.path(), name, arguments);
    let old = sampled("old.pms", ["0", "7"]);
    let new = sampled("new.pms", ["5", "7"]);
    let sites = compared(&format!("{} {}", old.display(), new.display()))["recording"]["sites"].clone();
    // Where nothing was sampled there can have been 3.7 times what one sample is taken in; the rest is sampled for sure.
    let is_kept = |site: &&Value| site["function"] == "keep" && site["bytes"].as_i64() > Some(90 * MILLION);
    let kept = sites.as_array().unwrap().iter().find(is_kept).unwrap();
    assert_near(kept["error_bytes"].as_i64().unwrap(), 2);
    assert!(kept["error_bytes"].as_i64() > Some(3 * (512 << 10)), "{kept}");

    // Samples do not tell the domain of what is gone.
    let words = format!("report {} -f collapsed --domain object", new.display());
    assert_near(folded(&ask(&words).done(), "keep"), 100 * MILLION);
    let (error, _) = ask(&format!("{words} --weight total")).refusal(1);
    assert!(error.contains("samples of what is gone do not tell"), "{error}");
}

/// What the lines of folded stacks with this in them add up to.
fn folded(text: &str, part: &str) -> i64 {
    let lines = text.lines().filter(|line| line.contains(part));
    lines
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap())
        .sum()
}

#[test]
fn pictures_of_a_recording_have_every_weight() {
    let folder = tempfile::tempdir().unwrap();
    let saved = kept(folder.path(), "run.pms", ["3", "7"]);
    let path = saved.display();
    for (weight, keep, pass_by) in [("bytes", 60, 0), ("peak", 60, 20), ("total", 60, 140)] {
        let text = ask(&format!("report {path} -f collapsed --weight {weight}")).done();
        assert_near(folded(&text, "keep "), keep * MILLION);
        assert_near(folded(&text, "pass_by "), pass_by * MILLION);
    }
    let svg = ask(&format!("report {path} -f svg")).done();
    assert!(
        svg.contains("alive, by the calls that allocated it") && svg.contains(" blocks"),
        "{svg}"
    );
    let holders = ask(&format!("report {path} -f collapsed --graph ownership")).done();
    assert!(holders.contains("__main__;"), "{holders}");
    let (error, _) = ask(&format!("report {path} -f svg --weight growth")).refusal(1);
    assert!(error.contains("a single look"), "{error}");

    let profile = folder.path().join("run.pb.gz");
    ask(&format!("export {path} -o {}", profile.display())).done();
    if let Some(go) = go_pprof() {
        let raw = ask_go(&go, &["-raw"], &profile);
        let types = "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes[dflt]";
        assert!(raw.contains(types), "{raw}");
        let told = parse(&ask(&format!("report {path} -j")).done());
        for (index, moment, figure) in [
            ("alloc_objects", "allocated", "count"),
            ("alloc_space", "allocated", "bytes"),
            ("inuse_objects", "alive", "count"),
            ("inuse_space", "alive", "bytes"),
        ] {
            let sum: u64 = sites(&told, moment)
                .iter()
                .map(|site| site[figure].as_u64().unwrap())
                .sum();
            let index = format!("-sample_index={index}");
            assert_eq!(total_of_go(&go, &index, &profile), sum, "{index}");
        }
    }
}

/// Does what it is told by lines.
const OBEDIENT: &str = "
import os, sys
def load(): return [bytes(19_999_967) for _ in range(5)]
def grow(): return [bytes(19_999_967) for _ in range(3)]
print(os.getpid(), flush=True)
for line in sys.stdin:
    exec(line)
";

#[test]
fn memory_over_time_names_the_functions_that_allocated() {
    for_each_interpreter(|python| {
        let place = tempfile::tempdir().unwrap();
        let [drawn, saved] = ["run.timeline.svg", "run.pms"].map(|name| place.path().join(name));
        let outputs = ["-o", drawn.to_str().unwrap(), "-o", saved.to_str().unwrap()];
        let options = [&["--interval", "0.05"][..], &outputs].concat();
        let mut running = Running::python(python, &options, OBEDIENT);
        let pid = running.pid();
        for told in ["KEPT = load()", "MORE = grow()"] {
            until_snapshot(pid);
            running.tell(told);
        }
        until_snapshot(pid);
        let outcome = running.end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let recording = &outcome.report()["recording"];
        let readings = recording["timeline"].as_array().unwrap();
        let active = |function: &str| -> Vec<(usize, i64)> {
            let of_reading = |reading: &Value| {
                let all = reading["active"].as_array().unwrap();
                let of_function = all.iter().filter(|active| active["function"] == function);
                of_function.map(|active| active["bytes"].as_i64().unwrap()).sum::<i64>()
            };
            let bytes = readings.iter().map(of_reading).enumerate();
            bytes.filter(|(_, bytes)| *bytes > 0).collect()
        };
        // A reading may have been made while one of them was running.
        let (load, grow) = (active("load"), active("grow"));
        let ends = |all: &[(usize, i64)]| (all.first().unwrap().0, all.last().unwrap().0);
        let sum = |all: &[(usize, i64)]| all.iter().map(|(_, bytes)| bytes).sum::<i64>();
        assert!(ends(&load).0 > 0 && ends(&load).1 <= ends(&grow).0, "{load:?} {grow:?}");
        assert_near(sum(&load), 100 * MILLION);
        assert_near(sum(&grow), 60 * MILLION);
        let alive = |reading: &Value| reading["bytes"].as_i64().unwrap();
        assert_near(
            alive(&readings[readings.len() - 1]) - alive(&readings[0]),
            160 * MILLION,
        );
        // What came since the first snapshot is all of it.
        assert_near(of_function(&recording["grown"], "load", "bytes"), 100 * MILLION);
        let growth = ask(&format!("report {} -f collapsed --weight growth", saved.display())).done();
        assert_near(folded(&growth, "load "), 100 * MILLION);

        let svg = std::fs::read_to_string(&drawn).unwrap();
        for part in [
            "resident",
            "Python objects",
            "allocated and not freed",
            "load ",
            "grow ",
            "at most ",
        ] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        let mut parser = python.command();
        parser.args(["-c", "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])"]);
        answer(parser.arg(&drawn)).done();
        let again = ask(&format!("report {} -f timeline", saved.display())).done();
        assert!(again == svg, "{again}\n{svg}");
    });
}
