//! What `diff` says of two saved heaps, against what the program did between them.

mod interpreters;
mod profiler;
mod programs;

use std::path::Path;

use interpreters::{for_each_interpreter, interpreters};
use profiler::ask;
use programs::Program;
use serde_json::Value;

/// Does what its input says, and says how large the objects of a class are.
const ORDERS: &str = r#"
import sys

class Order:
    def __init__(self, number):
        self.number = number

class Later:
    __slots__ = ()

KEPT = [Order(number) for number in range(1000)]
BY_NAME = {"name %d" % number: Order(number) for number in range(2000)}
BRIEF = [bytearray(300_000)]
BOXES = [[bytes(100) for _ in range(300)], [bytes(100) for _ in range(1000)]]
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"#;

fn save(program: &Program, folder: &Path, name: &str) -> String {
    let path = folder.join(name).display().to_string();
    ask(&format!("snapshot {} -o {path}", program.pid())).done();
    path
}

/// A comparison that conforms to its schema.
fn compared(words: &str) -> Value {
    let schema: Value = serde_json::from_str(pymemscope::report::difference::SCHEMA_TEXT).unwrap();
    let compared: Value = serde_json::from_str(&ask(&format!("diff {words} -j")).done()).unwrap();
    let faults: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&compared)
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "against the schema: {faults:?}");
    compared
}

#[track_caller]
fn row<'a>(compared: &'a Value, table: &str, column: &str, name: &str) -> &'a Value {
    let mut rows = compared[table].as_array().unwrap().iter();
    rows.find(|row| row[column] == name)
        .unwrap_or_else(|| panic!("no {name} in {}", compared[table]))
}

#[test]
fn objects_of_one_process_are_followed() {
    for_each_interpreter(|python| {
        let mut program = Program::start(python.command().args(["-c", ORDERS]));
        let folder = tempfile::tempdir().unwrap();
        let old = save(&program, folder.path(), "old.pms");
        program.tell("FRESH = [Order(number) for number in range(700)]; del KEPT[:300]; BRIEF.clear(); BOXES[0].extend([bytes(100) for _ in range(700)]); del BOXES[1][300:]; LATER = [Later() for _ in range(5)]");
        assert_eq!(program.line(), "done");
        let new = save(&program, folder.path(), "new.pms");

        let difference = compared(&format!("{old} {new}"));
        assert_eq!(difference["same_process"], true);
        let order = row(&difference, "types", "type", "__main__.Order");
        assert_eq!((&order["count"], &order["growth_count"]), (&3400.into(), &400.into()));
        // An order may have come to stand where another one stood.
        let (appeared, gone) = (order["appeared"].as_u64().unwrap(), order["gone"].as_u64().unwrap());
        assert!(appeared <= 700 && gone <= 300 && appeared - gone == 400, "{order}");
        let later = row(&difference, "types", "type", "__main__.Later");
        assert_eq!(
            (
                &later["count"],
                &later["growth_count"],
                &later["appeared"],
                &later["gone"]
            ),
            (&5.into(), &5.into(), &5.into(), &0.into())
        );
        assert_eq!(later["growth_bytes"], later["bytes"]);

        let owner = |path: &str| row(&difference, "owners", "path", path);
        assert_eq!(
            (&owner("__main__.FRESH")["change"], &owner("__main__.FRESH")["length"]),
            (&"appeared".into(), &700.into())
        );
        let kept = owner("__main__.KEPT");
        assert_eq!(
            (&kept["change"], &kept["growth_length"]),
            (&"changed".into(), &(-300).into())
        );
        let brief = owner("__main__.BRIEF");
        assert_eq!(
            (&brief["change"], &brief["growth_length"]),
            (&"changed".into(), &(-1).into())
        );
        assert!(brief["growth_bytes"].as_i64().unwrap() < -300_000, "{brief}");
        assert_eq!(owner("__main__.BRIEF[0]")["change"], "gone");
        // What is too small to be listed in one of them is in both all the same.
        for (path, items) in [("__main__.BOXES[0]", 700_i64), ("__main__.BOXES[1]", -700)] {
            let crossed = owner(path);
            assert_eq!(
                (&crossed["change"], &crossed["growth_length"]),
                (&"changed".into(), &items.into()),
                "{crossed}"
            );
            let bytes = crossed["growth_bytes"].as_i64().unwrap();
            assert!((90_000..130_000).contains(&(bytes * items.signum())), "{crossed}");
        }
        // What the program did not touch can only have come to be held by one where it was held by two.
        let owners = difference["owners"].as_array().unwrap();
        let steady = owners.iter().find(|row| row["path"] == "__main__.BY_NAME");
        assert!(
            steady.is_none_or(|row| row["growth_length"] == 0 && row["growth_retained_bytes"].as_i64() < Some(1000)),
            "{steady:?}"
        );

        let text = ask(&format!("diff {old} {new}")).done();
        for part in [
            "__main__.Order",
            "+400",
            "__main__.FRESH",
            "new",
            "gone",
            "objects became",
            "Count change",
            "Keeps change",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        // The other way round everything is turned.
        let back = compared(&format!("{new} {old}"));
        assert_eq!(row(&back, "types", "type", "__main__.Order")["growth_count"], -400);
        assert!(ask(&format!("diff {old} {old}")).done().contains("Nothing has changed"));
    });
}

#[test]
fn owners_of_different_processes_are_followed_by_their_paths() {
    let python = interpreters().last().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut first = Program::start(python.command().args(["-c", ORDERS]));
    let old = save(&first, folder.path(), "old.pms");
    first.end();
    let mut second = Program::start(python.command().args(["-c", ORDERS]));
    second.tell("KEPT.extend(Order(number) for number in range(50))");
    assert_eq!(second.line(), "done");
    let new = save(&second, folder.path(), "new.pms");
    let difference = compared(&format!("{old} {new}"));
    assert_eq!(difference["same_process"], false);
    let order = row(&difference, "types", "type", "__main__.Order");
    assert_eq!((&order["growth_count"], order.get("appeared")), (&50.into(), None));
    assert_eq!(row(&difference, "owners", "path", "__main__.KEPT")["growth_length"], 50);
    assert!(ask(&format!("diff {old} {new}")).done().contains("different processes"));
}

#[test]
fn what_is_renamed_made_anew_or_gone_with_its_program_is_told_as_that() {
    for_each_interpreter(|python| {
        let mut program = Program::start(python.command().args(["-c", ORDERS]));
        let folder = tempfile::tempdir().unwrap();
        let old = save(&program, folder.path(), "old.pms");
        program.tell("RENAMED = KEPT; del KEPT; BY_NAME = {name: Order(0) for name in [*BY_NAME, 'one more']}");
        assert_eq!(program.line(), "done");
        let new = save(&program, folder.path(), "new.pms");
        let difference = compared(&format!("{old} {new}"));
        let owners = difference["owners"].as_array().unwrap().iter();
        let of = |name: &str| owners.clone().filter(|row| row["path"] == name).collect::<Vec<_>>();
        // What it retains may have changed with other names for its items.
        assert!(of("__main__.KEPT").is_empty(), "{}: {difference}", python.version);
        for row in of("__main__.RENAMED") {
            assert_eq!((&row["growth_length"], &row["change"]), (&0.into(), &"changed".into()));
        }
        let anew = of("__main__.BY_NAME");
        assert_eq!(anew.len(), 1, "{}: {anew:?}", python.version);
        assert_eq!(
            (&anew[0]["growth_length"], &anew[0]["change"]),
            (&1.into(), &"changed".into())
        );

        program
            .tell("import os; os.execv(sys.executable, [sys.executable, '-c', \"import sys; print('other', flush=True); sys.stdin.read()\"])");
        assert_eq!(program.line(), "other");
        let other = save(&program, folder.path(), "other.pms");
        assert_eq!(
            compared(&format!("{old} {other}"))["same_process"],
            false,
            "{}",
            python.version
        );
    });
}

/// The lists of one dict by keys that are alike for longer than is shown of them.
const ADDRESSES: &str = r#"
import sys
BASE = "https://api.example.com/v1/customers/0000/orders/"
STATE = {BASE + str(number): [[item] for item in range(3000 + number * 1000)] for number in range(4)}
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"#;

#[test]
fn keys_that_begin_alike_stay_apart() {
    let python = interpreters().last().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut first = Program::start(python.command().args(["-c", ADDRESSES]));
    let old = save(&first, folder.path(), "old.pms");
    first.end();
    let mut second = Program::start(python.command().args(["-c", ADDRESSES]));
    second.tell("STATE[BASE + '3'].extend([[1] for _ in range(5000)]); STATE[BASE + '0'].clear()");
    assert_eq!(second.line(), "done");
    let new = save(&second, folder.path(), "new.pms");
    let difference = compared(&format!("{old} {new}"));
    let owners = difference["owners"].as_array().unwrap().iter();
    let of_state = owners.filter(|row| row["path"].as_str().unwrap().starts_with("__main__.STATE['"));
    let mut grown: Vec<i64> = of_state.map(|row| row["growth_length"].as_i64().unwrap()).collect();
    grown.sort_unstable();
    assert_eq!(grown, [-3000, 5000], "{difference}");
}
