//! Lines that take time, seen from outside: found with what they work on, with the share of time that they really take, in
//! whatever form they are written; and nothing is said where the source is not that of the program.

#[path = "patterns/examples.rs"]
mod examples;
mod interpreters;
mod profiler;
mod programs;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use examples::{Expected, assert_silent, comes_true, only_finding, start};
use interpreters::{for_each_interpreter, with_package};
use profiler::{findings, report};
use programs::Program;
use serde_json::Value;

/// Fewer looks in which the program ran do not tell shares with certainty.
const ENOUGH: u64 = 1000;
/// They tell of what takes most of the time.
const A_FEW: u64 = 100;
/// Looks a second that there is time for where nothing else runs.
const RATE_OF_IDLE: f64 = 300.0;
/// Seconds that the profiler is given at a time.
const LONGEST: f64 = 60.0;

/// A report with so many looks in which the program ran, at least: a busy machine takes longer for them.
fn watched(program: &Program, enough: u64) -> Value {
    watched_with(program, enough, "")
}

/// The same with more words on the command line.
fn watched_with(program: &Program, enough: u64, words: &str) -> Value {
    // As long as an idle machine needs, and then as long as this one seems to.
    let mut seconds = enough as f64 / RATE_OF_IDLE;
    for _ in 0..10 {
        let words = format!("attach {} -d {seconds:.2} -r 1000 -f json -o - {words}", program.pid());
        let report = profiler::parse(&profiler::ask(&words).done());
        let looks = report["capture"]["line_samples"].as_u64().unwrap_or_default();
        if looks >= enough {
            return report;
        }
        // The first looks take longest, since they read source: their rate says little.
        let longer = 1.5 * seconds * enough as f64 / looks.max(1) as f64;
        seconds = longer.clamp(2.0 * seconds, 4.0 * seconds).min(LONGEST);
    }
    panic!("the program was not seen to run so often");
}

/// Both programs of an example, watched as they work.
#[track_caller]
fn assert_found(expected: &Expected) {
    for_each_interpreter(|python| {
        let before = watched(&start(python, expected.rule, "before.py"), A_FEW);
        only_finding(&before, expected);
        let after = watched(&start(python, expected.rule, "after.py"), A_FEW);
        assert_silent(&after, expected.rule);
    });
}

#[test]
fn list_membership() {
    assert_found(&Expected {
        rule: "list-membership",
        path: "__main__.BLOCKED",
        type_name: "builtins.list",
        location: Some((11, "is_welcome")),
        confidence: "likely",
    });
}

#[test]
fn list_as_queue() {
    assert_found(&Expected {
        rule: "list-as-queue",
        path: " > self.waiting",
        type_name: "builtins.list",
        location: Some((15, "next_label")),
        confidence: "likely",
    });
}

#[test]
fn string_building() {
    assert_found(&Expected {
        rule: "string-building",
        path: " > page",
        type_name: "builtins.bytes",
        location: Some((15, "render")),
        confidence: "likely",
    });
}

#[test]
fn counting_dict() {
    assert_found(&Expected {
        rule: "counting-dict",
        path: " > counts",
        type_name: "builtins.dict",
        location: Some((17, "count")),
        confidence: "likely",
    });
}

#[test]
fn django_values_list() {
    let expected = Expected {
        rule: "django-values-list",
        path: "__main__.SHOP.orders",
        type_name: "django.db.models.query.QuerySet",
        location: Some((34, "turnover")),
        confidence: "likely",
    };
    with_package("django", |python| {
        let before = watched(&start(python, expected.rule, "before.py"), A_FEW);
        let after = watched(&start(python, expected.rule, "after.py"), A_FEW);
        comes_true(&before, &after, &expected);
    });
}

#[test]
fn shares_of_time_are_those_that_the_program_measures() {
    for_each_interpreter(|python| {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/busy_lines.py");
        let mut program = Program::start(python.command().arg(target));
        let report = watched(&program, ENOUGH);
        program.tell("enough");
        let truth: Value = serde_json::from_str(&program.line()).unwrap();
        for rule in ["list-as-queue", "list-membership", "string-building"] {
            let found = findings(&report, rule);
            let [finding] = found[..] else {
                panic!("{rule}: {:#}", report["findings"])
            };
            let share = finding["evidence"]["share"].as_f64().unwrap();
            let real = truth[rule].as_f64().unwrap();
            assert!(
                (share - real).abs() <= real / 3.0,
                "{rule}: {share} for {real}: {finding:#}"
            );
        }
    });
}

/// What `tests/targets/busy_shapes.py` works on, by the rule that finds it.
const SHAPES: [(&str, &[&str]); 3] = [
    (
        "list-membership",
        &[
            "names",
            "GLOBAL",
            "self.offers",
            "self._Till__coins",
            "kept",
            "CONFIG[KEY][0][3]",
            "SEVERAL",
            "NAMES",
        ],
    ),
    ("list-as-queue", &["FILLED", "EMPTIED", "SLICED"]),
    ("counting-dict", &["GOT", "ASKED", "BEGUN", "TRIED"]),
];

#[test]
fn a_habit_may_be_written_in_many_ways_and_work_on_anything_that_names_lead_to() {
    let count = SHAPES.iter().map(|(_, operands)| operands.len()).sum::<usize>();
    for_each_interpreter(|python| {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/busy_shapes.py");
        let program = Program::start(python.command().arg(target));
        let thresholds = SHAPES.map(|(rule, _)| format!("--threshold {rule}.share=1"));
        let report = watched_with(&program, ENOUGH, &thresholds.join(" "));
        for (rule, operands) in SHAPES {
            let found = findings(&report, rule);
            let text = |finding: &&Value| finding["evidence"]["operand"].as_str().unwrap().to_owned();
            let named: BTreeSet<String> = found.iter().map(text).collect();
            let wanted: BTreeSet<String> = operands.iter().map(|&operand| operand.to_owned()).collect();
            assert_eq!(named, wanted, "{rule}: {:#}", report["capture"]);
            assert_eq!(found.len(), operands.len(), "{found:#?}");
            // Each has the same time, but for what its last turn takes too long.
            let shares = found
                .iter()
                .map(|finding| finding["evidence"]["share"].as_f64().unwrap());
            let part = operands.len() as f64 / count as f64;
            assert!(shares.sum::<f64>() > part / 4.0, "{rule}: {found:#?}");
        }
    });
}

/// Three that search a list: the program itself, which is in no file, and two modules of which one goes and one changes.
#[test]
fn source_that_is_not_that_of_the_program_is_not_believed() {
    const SEARCHING: &str = "ITEMS = list(range(50000))\ndef turn(): return -1 in ITEMS\n";
    const MAIN: &str = "
import select, sys, time
sys.path.insert(0, sys.argv[1])
import gone, moved
ITEMS = list(range(50000))
def turn(): return -1 in ITEMS
print('ready', flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for work in (turn, gone.turn, moved.turn): work()
";
    for_each_interpreter(|python| {
        let folder = tempfile::tempdir().unwrap();
        let (gone, moved) = (folder.path().join("gone.py"), folder.path().join("moved.py"));
        fs::write(&gone, SEARCHING).unwrap();
        fs::write(&moved, SEARCHING).unwrap();
        let program = Program::start(python.command().args(["-c", MAIN]).arg(folder.path()));
        fs::remove_file(gone).unwrap();
        // With the time that the file had before.
        let other = folder.path().join("other.py");
        fs::write(&other, SEARCHING.replace("-1 in ITEMS", "-1 in OTHER")).unwrap();
        let times = fs::metadata(&moved).unwrap().modified().unwrap();
        fs::File::open(&other).unwrap().set_modified(times).unwrap();
        fs::rename(other, &moved).unwrap();
        let report = watched(&program, A_FEW);
        assert_eq!(findings(&report, "list-membership"), [] as [&Value; 0]);
        let warnings = report["capture"]["warnings"].as_array().unwrap().iter();
        let warnings: Vec<&str> = warnings.map(|warning| warning.as_str().unwrap()).collect();
        let is_told = |file: &str, reasons: &[&str]| {
            let mut those = warnings.iter().filter(|warning| warning.contains(file));
            those.any(|warning| reasons.iter().any(|reason| warning.contains(reason)))
        };
        assert!(
            is_told("gone.py", &["is missing in the file system of the process"]),
            "{warnings:#?}"
        );
        let reasons = [
            "was changed since the process started",
            "is not what the code was compiled from",
        ];
        assert!(is_told("moved.py", &reasons), "{warnings:#?}");
        assert!(is_told("<string>", &["was never in a file"]), "{warnings:#?}");
    });
}

#[test]
fn one_look_says_nothing_of_time_and_a_saved_capture_what_was_seen() {
    for_each_interpreter(|python| {
        let program = start(python, "list-membership", "before.py");
        let one_look = report(&format!("attach {} -d 0", program.pid()));
        assert_eq!(findings(&one_look, "list-membership"), [] as [&Value; 0]);
        assert_eq!(not_judged(&one_look), UNSEEN);
        let folder = tempfile::tempdir().unwrap();
        let [seen, unseen] = ["seen.pms", "unseen.pms"].map(|name| folder.path().join(name));
        let [seen, unseen] = [&seen, &unseen].map(|path| path.to_str().unwrap());
        let live = watched_with(&program, A_FEW, &format!("--force -o {seen}"));
        let again = report(&format!("report {seen}"));
        assert_eq!(findings(&live, "list-membership"), findings(&again, "list-membership"));
        assert_eq!(findings(&again, "list-membership").len(), 1);
        assert_eq!(not_judged(&again), [] as [&str; 0]);
        profiler::ask(&format!("snapshot {} -o {unseen}", program.pid())).done();
        assert_eq!(not_judged(&report(&format!("report {unseen}"))), UNSEEN);
    });
}

/// The rules that one look says nothing of.
const UNSEEN: [&str; 6] = [
    "counting-dict",
    "django-values-list",
    "growing-container",
    "list-as-queue",
    "list-membership",
    "string-building",
];

fn not_judged(report: &Value) -> Vec<&str> {
    let all = report["not_judged"].as_array().into_iter().flatten();
    all.map(|each| each["rule"].as_str().unwrap()).collect()
}

#[test]
fn run_watches_lines_too() {
    for_each_interpreter(|python| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.py");
        fs::write(
            &file,
            "ITEMS = list(range(50000))\nfor number in range(3000):\n    -number - 1 in ITEMS\n",
        )
        .unwrap();
        let out = folder.path().join("report.json");
        let words = ["run", "-o", out.to_str().unwrap(), "--"];
        let mut command: Command = profiler::pymemscope(words);
        command.args([python.executable.as_os_str(), file.as_os_str()]);
        profiler::answer(&mut command).done();
        let report = profiler::parse_file(&out);
        assert_eq!(findings(&report, "list-membership").len(), 1, "{report:#}");
    });
}
