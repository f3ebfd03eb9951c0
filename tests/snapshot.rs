//! Saved heaps: the references that a program states stand in them by name, a report from the folder says what `attach`
//! says, DuckDB reads the tables, and a folder that is damaged or none is refused.

mod duckdb;
mod interpreters;
mod profiler;
mod targets;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use interpreters::{for_each_interpreter, interpreters};
use profiler::{answer, ask, report};
use pymemscope::capture::folder;
use pymemscope::heap::detail::{By, Detail, Held};
use pymemscope::heap::saved::Kinds;
use serde_json::Value;
use targets::Target;

/// Saves the heap of a process as `FOLDER/heap.pms`.
fn save(pid: u32, folder: &Path, more: &str) -> String {
    ask(&format!("snapshot {pid} -o {}/heap.pms {more}", folder.display())).done()
}

/// The kind of a reference and its name or index, as the target states them.
fn how(detail: &Detail, kinds: &Kinds, holder: u32, held: Held) -> (&'static str, Value) {
    let name = kinds.name(holder, held);
    let name = name.map(|name| Value::from(&*detail.names[name as usize]));
    let kind = kinds.kind(holder, held).word();
    match held.by() {
        By::Index(index) => (kind, name.unwrap_or(Value::from(index))),
        _ => (kind, name.unwrap_or_default()),
    }
}

#[test]
fn every_reference_is_there_by_its_name() {
    for_each_interpreter(|python| {
        let (target, truth) = Target::start(python, "saved.py").unwrap();
        let folder = tempfile::tempdir().unwrap();
        save(target.pid(), folder.path(), "");
        let saved = folder.path().join("heap.pms");
        let capture = folder::load(&saved).unwrap();
        let detail = &folder::load_detail(&saved, &capture).unwrap();
        let kinds = Kinds::of(detail, &capture.heap.types);
        let number = |address: &Value| detail.at(address.as_u64().unwrap()).unwrap();
        for reference in truth["references"].as_array().unwrap() {
            let [holder, held, kind, name, index] = reference.as_array().unwrap().as_slice() else {
                panic!("{reference}");
            };
            let wanted = if name.is_null() { index } else { name };
            let found = detail.references(number(holder)).iter().any(|each| {
                let (found_kind, found_name) = how(detail, &kinds, number(holder), *each);
                each.target == number(held) && kind == found_kind && *wanted == found_name
            });
            assert!(
                found,
                "{reference} is not among {:?}",
                detail.references(number(holder))
            );
        }
        // A frame, which is an object in some releases, holds its local variable.
        let local = number(&truth["local"]);
        let frame = (0..detail.count() as u32).find(|&holder| {
            let is_local = |each: &&Held| each.target == local;
            let found = detail.references(holder).iter().find(is_local);
            found.is_some_and(|each| how(detail, &kinds, holder, *each) == ("local", Value::from("here")))
        });
        assert!(frame.is_some());
        // A weak reference holds nothing, and stands apart.
        let (weak, plain) = (number(&truth["weak"]), number(&truth["plain"]));
        assert!(
            detail
                .weak
                .iter()
                .any(|each| (each.holder, each.target) == (weak, plain))
        );
        assert!(!detail.references(weak).iter().any(|each| each.target == plain));
        let call = &detail.names[detail.calls[&number(&truth["generator"])] as usize];
        assert_eq!(**call, format!("generator() at saved.py:{}", truth["generator_line"]));
        // What dominates is never an object that somebody else's path goes around: here there is one way in.
        let (plain, lines) = (number(&truth["plain"]), number(&truth["lines"]));
        let above = |each: u32| detail.dominators[each as usize];
        assert!(above(lines) == plain || above(above(lines)) == plain);

        assert_eq!(detail.count() - detail.holders, capture.heap.totals.objects as usize);
        assert_eq!(detail.bytes.iter().sum::<u64>(), capture.heap.totals.bytes);
        assert_eq!(detail.retained_bytes[0], capture.heap.totals.bytes);
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for &type_of in &detail.types[detail.holders..] {
            *counts.entry(type_of).or_default() += 1;
        }
        let expected: BTreeMap<u32, u64> = (0..).zip(capture.heap.types.iter().map(|each| each.count)).collect();
        assert_eq!(counts, expected);
        assert!(target.finish().success());
    });
}

#[test]
fn a_report_from_a_folder_says_what_attach_says() {
    for_each_interpreter(|python| {
        let (target, _) = Target::start(python, "saved.py").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let saved = save(target.pid(), folder.path(), "");
        assert!(saved.contains("Saved ") && saved.contains(" references in "), "{saved}");
        let live = report(&format!("attach {} -d 0", target.pid()));
        assert!(target.finish().success());
        let from_folder = report(&format!("report {}/heap.pms", folder.path().display()));
        for part in ["heap", "types", "owners", "findings"] {
            assert_eq!(from_folder[part], live[part], "{part}");
        }
        assert_eq!(from_folder["capture"]["mode"], "snapshot");
        assert_eq!(from_folder["process"]["pid"], live["process"]["pid"]);
    });
}

#[test]
fn a_folder_is_private_and_replaced_only_by_force() {
    let python = &interpreters()[0];
    let (target, _) = Target::start(python, "saved.py").unwrap();
    let folder = tempfile::tempdir().unwrap();
    save(target.pid(), folder.path(), "");
    let saved = folder.path().join("heap.pms");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&saved), 0o700);
    for entry in fs::read_dir(&saved).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let words = format!("snapshot {} -o {}", target.pid(), saved.display());
    assert!(ask(&words).refusal(1).0.contains("exists"));
    ask(&format!("{words} --force")).done();
    // What is no snapshot is never replaced.
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("precious"), "data").unwrap();
    let words = format!("snapshot {} -o {} --force", target.pid(), other.display());
    assert!(ask(&words).refusal(1).0.contains("no snapshot"));
    assert_eq!(fs::read_to_string(other.join("precious")).unwrap(), "data");
    // Nor is one that has something else in it, nor a link.
    fs::write(saved.join("notes.txt"), "mine").unwrap();
    ask(&format!("snapshot {} -o {} --force", target.pid(), saved.display())).refusal(1);
    assert_eq!(fs::read_to_string(saved.join("notes.txt")).unwrap(), "mine");
    fs::remove_file(saved.join("notes.txt")).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&saved, &link).unwrap();
    ask(&format!("snapshot {} -o {} --force", target.pid(), link.display())).refusal(1);
    fs::remove_file(&link).unwrap();
    ask(&format!("snapshot {} -o -", target.pid())).refusal(2);
    // A capture that fails leaves nothing behind.
    let nowhere = folder.path().join("nowhere.pms");
    ask(&format!("snapshot 999999999 -o {}", nowhere.display())).refusal(1);
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|each| each.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["heap.pms", "other"]);
}

#[test]
fn a_damaged_or_foreign_folder_is_refused_in_one_line() {
    let python = &interpreters()[0];
    let (target, _) = Target::start(python, "saved.py").unwrap();
    let folder = tempfile::tempdir().unwrap();
    save(target.pid(), folder.path(), "");
    let saved = folder.path().join("heap.pms");
    let words = format!("report {}", saved.display());
    let refused = || ask(&words).refusal(1).0;
    for table in [
        "types",
        "containers",
        "item_types",
        "frames",
        "roots",
        "objects",
        "references",
    ] {
        let path = saved.join(format!("{table}.parquet"));
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        for bad in [&whole[..whole.len() - 5], &whole[..0], &changed] {
            fs::write(&path, bad).unwrap();
            assert!(refused().contains("damaged"), "{table}");
        }
        fs::remove_file(&path).unwrap();
        assert!(refused().contains("damaged"), "{table}");
        // What has no end is not read to it.
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(refused().contains("no regular file"), "{table}");
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(refused().contains("no regular file"), "{table}");
        fs::remove_file(&path).unwrap();
        fs::write(&path, whole).unwrap();
    }
    ask(&words).done();
    let header = saved.join("snapshot.json");
    let whole = fs::read_to_string(&header).unwrap();
    for (bad, why) in [
        (&whole[..whole.len() / 2], "no JSON"),
        ("{\"schema\": \"another/1\"}", "another/1"),
        ("{\"schema\": \"pymemscope/snapshot/2\"}", "damaged"),
        ("{\"schema\": \"pymemscope/snapshot/1\"}", "older pymemscope"),
        ("{\"schema\": \"pymemscope/snapshot/3\"}", "newer pymemscope"),
    ] {
        fs::write(&header, bad).unwrap();
        let said = refused();
        assert!(said.contains(why), "{said}");
    }
    assert!(ask("report /nonexistent").refusal(1).0.contains("no snapshot"));
    assert!(
        ask(&format!("report {}", header.display()))
            .refusal(1)
            .0
            .contains("no snapshot")
    );
    assert!(
        ask(&format!("report {}", folder.path().display()))
            .refusal(1)
            .0
            .contains("no snapshot")
    );
}

#[test]
fn duckdb_reads_the_tables() {
    let Some(reader) = duckdb::reader() else {
        return;
    };
    for_each_interpreter(|python| {
        let (target, truth) = Target::start(python, "saved.py").unwrap();
        let folder = tempfile::tempdir().unwrap();
        save(target.pid(), folder.path(), "");
        let table = |name: &str| format!("'{}/heap.pms/{name}.parquet'", folder.path().display());
        let questions = [
            format!(
                "select type, count(*), sum(bytes) from {} group by 1 order by 3 desc, 1 limit 10",
                table("objects")
            ),
            format!(
                "select r.name from {0} r join {1} h on r.holder = h.id join {1} o on r.held = o.id
                 where r.kind = 'attribute' and h.type = 'builtins.dict' and o.address = {2}",
                table("references"),
                table("objects"),
                truth["plain"]
            ),
        ];
        let answers = duckdb::ask(reader, folder.path(), &questions);
        let live = report(&format!("report {}/heap.pms", folder.path().display()));
        let expected: Vec<Value> = live["types"].as_array().unwrap()[..10]
            .iter()
            .map(|row| Value::from(vec![row["type"].clone(), row["count"].clone(), row["bytes"].clone()]))
            .collect();
        assert_eq!(answers[0], Value::from(expected));
        assert!(
            answers[1].as_array().unwrap().contains(&serde_json::json!(["PLAIN"])),
            "{}",
            answers[1]
        );
        assert!(target.finish().success());
    });
}

/// Has containers that grow, some that come and go, and a class of which instances are made all the time.
const GROWING: &str = "
import sys, threading
class Order:
    def __init__(self, number):
        self.lines = [number] * 10
JOURNAL, BY_NUMBER, LATEST = [], {}, None
def work(rounds):
    global LATEST
    for number in range(rounds):
        JOURNAL.append(Order(number))
        BY_NUMBER[number] = str(number)
        LATEST = list(range(2000))
work(3000)
print('ready', flush=True)
threading.Thread(target=sys.stdin.read).start()
while threading.active_count() > 1:
    work(10)
    threading.Event().wait(0.005)
";

/// The same report is read from the folder as was written beside it.
#[track_caller]
fn says_the_same(folder: &Path) -> Value {
    let mut told = profiler::parse_file(&folder.join("heap.json"));
    let mut saved = report(&format!("report {}", folder.join("heap.pms").display()));
    assert_eq!(saved["capture"]["mode"], "snapshot");
    for each in [&mut told, &mut saved] {
        each["capture"]["mode"] = Value::Null;
    }
    for (part, said) in told.as_object().unwrap() {
        assert_eq!(saved[part], *said, "{part}");
    }
    assert_eq!(saved, told);
    told
}

#[test]
fn attach_and_run_save_the_last_snapshot_beside_their_reports() {
    for_each_interpreter(|python| {
        let target = Target::spawn(python.command().args(["-c", GROWING]));
        assert_eq!(target.line(), "ready\n");
        let folder = tempfile::tempdir().unwrap();
        let outputs = format!("-o {0}/heap.pms -o {0}/heap.json", folder.path().display());
        let words = format!("attach {} -d 0.6 --interval 0.2 {outputs}", target.pid());
        let shown = ask(&words).done();
        assert!(
            shown.contains(&format!("Wrote {}/heap.pms\n", folder.path().display())),
            "{shown}"
        );
        let told = says_the_same(folder.path());
        assert!(told["timeline"].as_array().unwrap().len() > 1, "{}", told["timeline"]);
        let journal = profiler::owner(&told, "__main__.JOURNAL");
        assert!(journal["growth_length"].is_i64(), "{journal}");
        assert!(profiler::type_row(&told, "__main__.Order")["growth_count"].is_i64());
        // It is as good as any other snapshot.
        let why = ask(&format!(
            "paths {}/heap.pms --type __main__.Order",
            folder.path().display()
        ))
        .done();
        assert!(why.contains("__main__.JOURNAL[…]"), "{why}");
        // It is there already.
        assert!(ask(&words).refusal(1).0.contains("exists"));
        assert!(target.finish().success());

        let folder = tempfile::tempdir().unwrap();
        let outputs = ["heap.pms", "heap.json"].map(|name| folder.path().join(name));
        let mut command = profiler::pymemscope(["run", "-d", "0", "-o"]);
        command
            .arg(&outputs[0])
            .arg("-o")
            .arg(&outputs[1])
            .arg("--")
            .arg(&python.executable);
        answer(command.args(["-c", "KEPT = [[number] for number in range(5000)]"])).done();
        let told = says_the_same(folder.path());
        assert_eq!(profiler::owner(&told, "__main__.KEPT")["length"], 5000);
    });
}

#[test]
fn folders_that_make_no_sense_are_refused_beforehand() {
    for words in [
        "attach 999999999 -o a.pms -o a.pms",
        "report a.pms -o b.pms",
        "diff a.pms b.pms -o c.pms",
        "attach 999999999 -f pms",
    ] {
        let refused = ask(words);
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (Some(2), ""),
            "{words}: {}",
            refused.err
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("a.pms");
    fs::write(&precious, "data").unwrap();
    let words = format!("attach 999999999 --force -o {}", precious.display());
    assert!(ask(&words).refusal(1).0.contains("no snapshot"));
    assert_eq!(fs::read_to_string(&precious).unwrap(), "data");
}
