//! Who keeps the memory: containers, instances, locals and large texts by their paths, each structure once.

mod interpreters;
mod profiler;
mod programs;

use interpreters::for_each_interpreter;
use profiler::terminal::OnTerminal;
use profiler::{owner, parse, pymemscope, report};
use programs::Program;
use serde_json::Value;

/// What keeps much, in each of the ways in which programs keep much.
const HOLDERS: &str = r#"
import functools, sys

class Node:
    def __init__(self, value, next):
        self.value, self.next = value, next

class Tree:
    def __init__(self, depth):
        self.children = [Tree(depth - 1) for _ in range(3)] if depth else []

class Session:
    __slots__ = ('images', 'title')
    def __init__(self):
        self.images = [bytes(100_000) for _ in range(5)]
        self.title = 'title'

class Application:
    def __init__(self):
        self.session = Session()

@functools.lru_cache(maxsize=None)
def cached(number):
    return [number] * 20_000

HEAD = None
for number in range(20_000):
    HEAD = Node([number], HEAD)
ROOT = Tree(7)
MATRIX = [[float(i * j) for i in range(1500)] for j in range(50)]
STATE = {'orders': {number: str(number) for number in range(5000)}, 'none': {}}
BLOB = b'x' * 300_000
SESSIONS = {number: Session() for number in range(100)}
app = Application()
for number in range(5):
    cached(number)

def generate():
    buffered = [bytes(90_000) for _ in range(3)]
    yield len(buffered)
    yield len(buffered)

GENERATOR = generate()
next(GENERATOR)

def serve():
    pending = [bytes(100_000) for _ in range(4)]
    session = Session()
    print('ready', flush=True)
    for line in sys.stdin:
        exec(line, globals())
        print('done', flush=True)

serve()
"#;

fn paths(report: &Value) -> Vec<&str> {
    let owners = report["owners"].as_array().unwrap().iter();
    owners.map(|owner| owner["path"].as_str().unwrap()).collect()
}

#[test]
fn owners_are_all_that_keeps_much() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", HOLDERS]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        let expected = [
            ("__main__.HEAD", "module", "__main__.Node", None, 2_000_000..6_000_000),
            (
                "__main__.ROOT.children",
                "singleton",
                "builtins.list",
                Some(3),
                300_000..1_000_000,
            ),
            (
                "__main__.MATRIX",
                "module",
                "builtins.list",
                Some(50),
                2_000_000..4_000_000,
            ),
            ("__main__.STATE", "module", "builtins.dict", Some(2), 400_000..900_000),
            (
                "__main__.STATE['orders']",
                "other",
                "builtins.dict",
                Some(5000),
                400_000..900_000,
            ),
            ("__main__.BLOB", "module", "builtins.bytes", None, 300_000..310_000),
            (
                "__main__.SESSIONS",
                "module",
                "builtins.dict",
                Some(100),
                50_000_000..52_000_000,
            ),
            (
                "__main__.app.session.images",
                "other",
                "builtins.list",
                Some(5),
                500_000..510_000,
            ),
            (
                "__main__.cached",
                "module",
                "functools._lru_cache_wrapper",
                Some(5),
                800_000..900_000,
            ),
            (
                "__main__.GENERATOR > generate() at <string>:40 > buffered",
                "frame",
                "builtins.list",
                Some(3),
                270_000..280_000,
            ),
        ];
        for (path, kind, type_name, length, bytes) in expected {
            let found = owner(&report, path);
            assert_eq!(
                (&found["kind"], &found["type"]),
                (&kind.into(), &type_name.into()),
                "{found}"
            );
            assert_eq!(found.get("length").and_then(Value::as_u64), length, "{found}");
            assert!(bytes.contains(&found["bytes"].as_u64().unwrap()), "{found}");
        }
        for local in [" > pending", " > session.images"] {
            let named: Vec<&str> = paths(&report)
                .into_iter()
                .filter(|path| path.ends_with(local))
                .collect();
            assert!(
                named.len() == 1 && named[0].starts_with("thread MainThread > serve() at "),
                "{local}: {named:?}"
            );
        }
        // The parts of a structure, the many of a kind and the inside of a cache have no rows.
        for path in paths(&report) {
            for whole in ["HEAD.next", "ROOT.children", "MATRIX", "SESSIONS", "cached", "BLOB"] {
                let part = path.strip_prefix(&format!("__main__.{whole}"));
                assert!(
                    part.is_none_or(|part| part.is_empty() && whole != "HEAD.next"),
                    "{path} on {}",
                    python.name()
                );
            }
        }
    });
}

#[test]
fn owners_of_any_kind_grow() {
    for_each_interpreter(|python| {
        let mut program = Program::start(python.command().args(["-c", HOLDERS]));
        let pid = program.pid().to_string();
        let mut profiler = OnTerminal::start(&mut pymemscope(["attach", &pid, "-d", "600", "-j"]));
        profiler.watches();
        program.tell("for number in range(1000): HEAD = Node([number], HEAD)");
        assert_eq!(program.line(), "done");
        program.tell("app.session.images.append(bytes(100_000)); LATER = [bytes(100_000)]; STEADY = app");
        assert_eq!(program.line(), "done");
        profiler.interrupt();
        let report = parse(&profiler.answer().out);
        let growth = |path: &str| {
            let owner = owner(&report, path);
            let number = |name: &str| owner.get(name).and_then(Value::as_i64);
            (
                number("growth_length"),
                number("growth_bytes"),
                owner.get("new").is_some(),
            )
        };
        assert_eq!(growth("__main__.BLOB"), (None, Some(0), false));
        assert_eq!(growth("__main__.MATRIX"), (Some(0), Some(0), false));
        assert_eq!(growth("__main__.LATER"), (None, None, true));
        let (items, bytes, new) = growth("__main__.app.session.images");
        assert_eq!((items, new), (Some(1), false));
        assert!((100_000..110_000).contains(&bytes.unwrap()), "{bytes:?}");
        // A linked list that grows at its head has another first member, and is the same list.
        let (items, bytes, new) = growth("__main__.HEAD");
        assert_eq!((items, new), (None, false));
        assert!((100_000..300_000).contains(&bytes.unwrap()), "{bytes:?}");
    });
}

/// A call within a call, each with little of its own.
const DEEP: &str = "
import sys
sys.setrecursionlimit(5000)
def descend(depth):
    little = [depth] * 20
    if depth:
        return descend(depth - 1)
    print('ready', flush=True)
    sys.stdin.readline()
descend(2000)
";

#[test]
fn many_calls_are_what_their_thread_keeps() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", DEEP]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        let threads: Vec<&Value> = report["owners"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|owner| owner["path"].as_str().unwrap().starts_with("thread "))
            // The innermost call is in another line than all others, and its variables have a path of their own.
            .filter(|owner| owner["bytes"].as_u64() > Some(1 << 16))
            .collect();
        let [thread] = threads[..] else {
            panic!("{threads:?} on {}", python.name())
        };
        assert!(thread["bytes"].as_u64() > Some(2000 * 160), "{thread}");
        assert_eq!(
            (thread.get("length"), &thread["kind"]),
            (None, &"other".into()),
            "{thread}"
        );
    });
}

#[test]
fn the_terminal_adds_up_the_owners_that_have_no_row() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", HOLDERS]));
        let shown = profiler::ask(&format!("attach {} -d 0 --top 6", program.pid())).done();
        let owners = shown.split_once("\nOwner").unwrap().1.split_once("\nKeeps").unwrap().0;
        let rows: Vec<&str> = owners.lines().skip(1).collect();
        assert_eq!(rows.len(), 4, "{shown}");
        assert!(rows[0].starts_with("__main__.SESSIONS"), "{shown}");
        assert!(
            rows[3].contains(" more owners ") && rows[3].ends_with(" MiB"),
            "{shown}"
        );
    });
}

/// Has a list under a weak key, and a module of the standard library with data that it has no name for.
const UNNAMED: &str = "
import ssl, sys, weakref
class Order:
    pass
order = Order()
EXTRA = weakref.WeakKeyDictionary({order: [bytes(90_000)]})
print('ready', flush=True)
print(id(EXTRA[order]), flush=True)
sys.stdin.read()";

#[test]
fn what_has_no_name_is_told_by_what_it_belongs_to() {
    for_each_interpreter(|python| {
        let mut program = Program::start(python.command().args(["-c", UNNAMED]));
        let words = format!("paths {} --address {} -j", program.pid(), program.line());
        let why: Value = serde_json::from_str(&profiler::ask(&words).done()).unwrap();
        assert_eq!(why["groups"][0]["path"], "__main__.EXTRA.data[<weakref to Order>]");

        let report = report(&format!("attach {} -d 0", program.pid()));
        let owners = report["owners"].as_array().unwrap().iter();
        let of_ssl = owners.filter_map(|owner| owner["path"].as_str().unwrap().strip_prefix("_ssl"));
        let of_ssl: Vec<&str> = of_ssl.collect();
        // Its tables of errors: in older releases it has them as attributes alone.
        let state = if python.minor >= (3, 10) {
            " > (state) dict"
        } else {
            ".err_codes_to_names"
        };
        assert!(of_ssl.contains(&state), "{of_ssl:?}");
        assert!(!of_ssl.contains(&" > dict"), "{of_ssl:?}");
    });
}
