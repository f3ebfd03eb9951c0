//! Lines that take time, seen from outside: found with what they work on, with the share of time that they really take, in
//! whatever form they are written; and nothing is said where the source is not that of the program.

#[path = "patterns/examples.rs"]
mod examples;
mod interpreters;
mod profiler;
mod programs;

use std::fs;
use std::path::Path;
use std::process::Command;

use examples::{Expected, assert_silent, only_finding, start};
use interpreters::{Interpreter, for_each_interpreter};
use profiler::{findings, report};
use programs::Program;
use serde_json::Value;

/// Fewer looks in which the program ran do not tell shares with certainty.
const ENOUGH: u64 = 1000;
/// They tell of what takes most of the time.
const A_FEW: u64 = 100;

/// A report with so many looks in which the program ran, at least: a busy machine takes longer for them.
fn watched(program: &Program, enough: u64) -> Value {
    let looks = |report: &Value| report["capture"]["line_samples"].as_u64().unwrap_or_default();
    let mut durations = [1, 4, 16, 64].into_iter().filter(|seconds| 400 * seconds > enough);
    let found = durations.find_map(|seconds| {
        let report = report(&format!("attach {} -d {seconds} -r 400", program.pid()));
        Some(report).filter(|report| looks(report) >= enough)
    });
    found.expect("a program that runs")
}

/// Both programs of an example, watched as they work, for so many looks at least.
#[track_caller]
fn assert_found(enough: u64, expected: &Expected) {
    for_each_interpreter(|python| {
        let before = watched(&start(python, expected.rule, "before.py"), enough);
        only_finding(&before, expected);
        let after = watched(&start(python, expected.rule, "after.py"), enough);
        assert_silent(&after, expected.rule);
    });
}

#[test]
fn list_membership() {
    assert_found(
        A_FEW,
        &Expected {
            rule: "list-membership",
            path: "__main__.BLOCKED",
            type_name: "builtins.list",
            location: Some((11, "is_welcome")),
            confidence: "likely",
        },
    );
}

#[test]
fn list_as_queue() {
    assert_found(
        A_FEW,
        &Expected {
            rule: "list-as-queue",
            path: " > self.waiting",
            type_name: "builtins.list",
            location: Some((15, "next_label")),
            confidence: "likely",
        },
    );
}

#[test]
fn string_building() {
    assert_found(
        A_FEW,
        &Expected {
            rule: "string-building",
            path: " > page",
            type_name: "builtins.bytes",
            location: Some((15, "render")),
            confidence: "likely",
        },
    );
}

#[test]
fn counting_dict() {
    // Counting takes one look in 25, and ten of these are asked for.
    assert_found(
        ENOUGH,
        &Expected {
            rule: "counting-dict",
            path: " > counts",
            type_name: "builtins.dict",
            location: Some((16, "count")),
            confidence: "likely",
        },
    );
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

/// Runs a program from a file that may be changed afterwards.
fn program(python: &Interpreter, file: &Path, code: &str) -> Program {
    fs::write(file, code).unwrap();
    Program::start(python.command().arg(file))
}

/// The one finding of the rule on a program that does nothing but what `work` says, again and again.
#[track_caller]
fn found_in(python: &Interpreter, rule: &str, code: &str, operand: &str) {
    let folder = tempfile::tempdir().unwrap();
    let program = program(python, &folder.path().join("shop.py"), code);
    let report = watched(&program, A_FEW);
    let found = findings(&report, rule);
    let [finding] = found[..] else {
        panic!("{operand}: {:#} {:#}", report["findings"], report["capture"])
    };
    assert_eq!(finding["evidence"]["operand"], operand, "{finding:#}");
    assert!(finding["evidence"]["share"].as_f64().unwrap() > 0.5, "{finding:#}");
}

#[test]
fn what_is_searched_may_be_anything_that_names_lead_to() {
    let shapes = [
        ("def turn(names): return -1 in names\nargs = [ITEMS]", "names"),
        (
            "def turn(): return [n for n in (-1, -2) if n in ITEMS]\nargs = []",
            "ITEMS",
        ),
        (
            "class Shop:\n    items = ITEMS\n    def turn(self): return -1 in self.items\nturn = Shop().turn\nargs = []",
            "self.items",
        ),
        (
            "class Shop:\n    __slots__ = ['__items']\n    def __init__(self): self.__items = ITEMS\n    def turn(self): return \
             -1 not in self.__items\nturn = Shop().turn\nargs = []",
            "self._Shop__items",
        ),
        (
            "def make():\n    names = ITEMS\n    def turn(): return any(n in names for n in (-1, -2))\n    return turn\nturn = \
             make()\nargs = []",
            "names",
        ),
        (
            "config = {'shop': [{3: ITEMS}]}\nkey = 'shop'\ndef turn(): return -1 in config[key][0][3]\nargs = []",
            "config[key][0][3]",
        ),
        (
            "def turn(): return -1 in () or -1 in ITEMS or -1 in (1, 2)\nargs = []",
            "ITEMS",
        ),
    ];
    for_each_interpreter(|python| {
        for (turn, operand) in shapes {
            let code = format!(
                "import select, sys\n# -\nITEMS = tuple(range(50000))\n{turn}\nprint('ready', flush=True)\nwhile not \
                 select.select([sys.stdin], [], [], 0)[0]: turn(*args)\n"
            );
            found_in(python, "list-membership", &code, operand);
        }
    });
}

#[test]
fn time_in_comparisons_of_items_counts() {
    let code = "
import select, sys
class Name:
    def __eq__(self, other): return self is other
    __hash__ = object.__hash__
NAMES = [Name() for _ in range(5000)]
def turn(): return Name() in NAMES
print('ready', flush=True)
while not select.select([sys.stdin], [], [], 0)[0]: turn()
";
    for_each_interpreter(|python| found_in(python, "list-membership", code, "NAMES"));
}

#[test]
fn items_go_and_come_at_the_front_in_several_ways() {
    for_each_interpreter(|python| {
        for turn in [
            "ITEMS.insert(0, ITEMS.pop())",
            "x = ITEMS[0]; del ITEMS[0]; ITEMS.append(x)",
        ] {
            let code = format!(
                "import select, sys\nITEMS = list(range(200000))\ndef turn():\n    {turn}\nprint('ready', flush=True)\nwhile \
                 not select.select([sys.stdin], [], [], 0)[0]: turn()\n"
            );
            found_in(python, "list-as-queue", &code, "ITEMS");
        }
    });
}

const SEARCHING: &str = "
import select, sys
ITEMS = list(range(50000))
def turn(): return -1 in ITEMS
print('ready', flush=True)
while not select.select([sys.stdin], [], [], 0)[0]: turn()
";

/// What is warned of when the source is treated in this way once the program runs.
fn warned(python: &Interpreter, treat: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.py");
    let program = program(python, &file, SEARCHING);
    treat(&file);
    let report = watched(&program, A_FEW);
    assert_eq!(findings(&report, "list-membership"), [] as [&Value; 0]);
    report["capture"]["warnings"].to_string()
}

#[test]
fn source_that_is_not_that_of_the_program_is_not_believed() {
    for_each_interpreter(|python| {
        let gone = warned(python, |file| fs::remove_file(file).unwrap());
        assert!(gone.contains("is missing in the file system of the process"), "{gone}");
        // With the time that the file had before.
        let moved = warned(python, |file| {
            let other = file.with_file_name("other.py");
            fs::write(&other, SEARCHING.replace("-1 in ITEMS", "-1 in OTHER")).unwrap();
            let times = fs::metadata(file).unwrap().modified().unwrap();
            fs::File::open(&other).unwrap().set_modified(times).unwrap();
            fs::rename(other, file).unwrap();
        });
        let reasons = [
            "was changed since the process started",
            "is not what the code was compiled from",
        ];
        assert!(reasons.iter().any(|reason| moved.contains(reason)), "{moved}");
    });
}

#[test]
fn code_without_a_file_has_no_source() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", SEARCHING]));
        let report = watched(&program, A_FEW);
        assert_eq!(findings(&report, "list-membership"), [] as [&Value; 0]);
        let warnings = report["capture"]["warnings"].to_string();
        assert!(warnings.contains("was never in a file"), "{warnings}");
    });
}

#[test]
fn one_look_says_nothing_of_time_and_a_saved_capture_what_was_seen() {
    for_each_interpreter(|python| {
        let program = start(python, "list-membership", "before.py");
        let one_look = report(&format!("attach {} -d 0", program.pid()));
        assert_eq!(findings(&one_look, "list-membership"), [] as [&Value; 0]);
        let folder = tempfile::tempdir().unwrap();
        let saved = folder.path().join("mail.pms");
        let saved = saved.to_str().unwrap();
        let words = format!("attach {} -d 3 -r 400 -f json -o - -o {saved}", program.pid());
        let live = profiler::parse(&profiler::ask(&words).done());
        let again = report(&format!("report {saved}"));
        assert_eq!(findings(&live, "list-membership"), findings(&again, "list-membership"));
        assert_eq!(findings(&again, "list-membership").len(), 1);
    });
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
