//! Leaks that many programs have had: one finding, which names the cause in its first words. And what looks like them and is
//! none.

mod interpreters;
mod profiler;
mod programs;

use interpreters::{Interpreter, for_each_interpreter};
use profiler::report;
use programs::Program;
use serde_json::Value;

/// What all of these programs do in the end.
const WAIT: &str = "
import sys
print('ready', flush=True)
sys.stdin.read()
";

/// All that is found in a program, with what it says first.
fn found(python: &Interpreter, code: &str) -> Value {
    let program = Program::start(python.command().args(["-c", code]));
    report(&format!("attach {} -d 0", program.pid()))["findings"].take()
}

/// There is one finding, of this rule; its first line begins and goes on like this.
#[track_caller]
fn assert_one(findings: &Value, rule: &str, begin: &str, further: &str) {
    let all = findings.as_array().unwrap();
    let [finding] = &all[..] else {
        panic!("not one finding: {findings:#}")
    };
    let summary = finding["summary"].as_str().unwrap();
    assert_eq!(finding["rule"], rule, "{finding:#}");
    assert!(summary.starts_with(begin) && summary.contains(further), "{summary}");
}

#[test]
fn exceptions_in_a_list_keep_what_their_calls_had() {
    let code = "
FAILED = []
def parse(number):
    document = [{'line': line, 'text': 'line %d of %d' % (line, number)} for line in range(3_000)]
    raise ValueError(len(document))
def handle(number):
    try:
        try:
            parse(number)
        except ValueError as error:
            raise RuntimeError(number) from error
    except RuntimeError as error:
        FAILED.append({'number': number, 'error': error})
for number in range(20):
    handle(number)
";
    for_each_interpreter(|python| {
        let findings = found(python, &format!("{code}{WAIT}"));
        let further = "20 exceptions, whose tracebacks keep the local variables of calls that have ended, such as document of parse()";
        assert_one(&findings, "captured-reference", "__main__.FAILED: ", further);
        let name = findings[0]["location"]["function"].as_str();
        assert_eq!(name, Some("parse"), "{findings:#}");
    });
}

#[test]
fn an_exception_that_is_handled_is_none() {
    let code = "
import sys
def load():
    rows = ['row %d, with some text' % number for number in range(30_000)]
    raise LookupError(len(rows))
def main():
    try:
        load()
    except LookupError as error:
        print('ready', flush=True)
        sys.stdin.read()
        print(error)
main()
";
    for_each_interpreter(|python| assert_eq!(found(python, code), serde_json::json!([])));
}

#[test]
fn a_context_variable_that_keeps_requests_is_named() {
    let code = "
import asyncio, contextvars, sys
REQUEST = contextvars.ContextVar('current_request')
class Request:
    def __init__(self, number):
        self.headers = {'h%d' % header: 'v%d' % (header + number) for header in range(8)}
        self.body = 'body %d ' % number * 50
HEARTS = set()
async def beat(end):
    await end.wait()
async def handle(number, end):
    REQUEST.set(Request(number))
    HEARTS.add(asyncio.ensure_future(beat(end)))
async def main():
    end = asyncio.Event()
    for number in range(2_000):
        await asyncio.ensure_future(handle(number, end))
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: print('ready', flush=True))
    await loop.run_in_executor(None, sys.stdin.read)
asyncio.run(main())
";
    for_each_interpreter(|python| {
        let begin =
            "ContextVar 'current_request': 2 000 __main__.Request that only the contexts of tasks in beat() keep";
        assert_one(
            &found(python, code),
            "context-variable",
            begin,
            "it is __main__.REQUEST",
        );
    });
}

#[test]
fn requests_that_are_served_are_none() {
    let code = "
import asyncio, contextvars, sys
REQUEST = contextvars.ContextVar('current_request')
class Request:
    def __init__(self, number):
        self.body = 'body %d ' % number * 500
async def handle(number, end):
    request = Request(number)
    REQUEST.set(request)
    await end.wait()
    return len(request.body)
async def main():
    end = asyncio.Event()
    serving = [asyncio.ensure_future(handle(number, end)) for number in range(1_000)]
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: print('ready', flush=True))
    await loop.run_in_executor(None, sys.stdin.read)
    end.set()
    await asyncio.gather(*serving)
asyncio.run(main())
";
    for_each_interpreter(|python| assert_eq!(found(python, code), serde_json::json!([])));
}

#[test]
fn what_tasks_and_threads_ask_their_context_for_is_in_use() {
    let code = "
import asyncio, contextvars, sys, threading
SESSION = contextvars.ContextVar('session')
SCRATCH = contextvars.ContextVar('scratch')
class Session:
    def __init__(self, number):
        self.body = 'body %d ' % number * 500
def enter(number):
    SESSION.set(Session(number))
async def reply(end):
    await end.wait()
    return len(SESSION.get().body)
async def handle(number, end):
    enter(number)
    return await reply(end)
def work(number, begun, end):
    SCRATCH.set(bytearray(20_000 + number))
    begun.release()
    end.wait()
async def main():
    begun, over, end = threading.Semaphore(0), threading.Event(), asyncio.Event()
    for number in range(100):
        threading.Thread(target=work, args=(number, begun, over), daemon=True).start()
        begun.acquire()
    serving = [asyncio.ensure_future(handle(number, end)) for number in range(1_000)]
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: print('ready', flush=True))
    await loop.run_in_executor(None, sys.stdin.read)
    over.set()
    end.set()
    await asyncio.gather(*serving)
asyncio.run(main())
";
    for_each_interpreter(|python| assert_eq!(found(python, code), serde_json::json!([])));
}

#[test]
fn contexts_that_are_kept_by_hand_are_told_with_their_holder() {
    let code = "
import contextvars
USER = contextvars.ContextVar('user')
SAVED = []
def handle(number):
    USER.set(b'user body %d ' % number * 300)
    SAVED.append(contextvars.copy_context())
for number in range(1_000):
    contextvars.Context().run(handle, number)
";
    for_each_interpreter(|python| {
        let begin = "ContextVar 'user': 1 000 builtins.bytes that only the contexts in __main__.SAVED keep";
        assert_one(
            &found(python, &format!("{code}{WAIT}")),
            "context-variable",
            begin,
            "it is __main__.USER",
        );
    });
}

#[test]
fn a_method_with_a_bounded_cache_keeps_its_instances() {
    let code = "
import functools
class Invoice:
    def __init__(self, number):
        self.lines = ['line %d of invoice %d' % (line, number) for line in range(300)]
    @functools.lru_cache(maxsize=100)
    def total(self, rate):
        return rate * len(self.lines)
for number in range(2_000):
    Invoice(number).total(3)
class Prices:
    def __init__(self):
        self.table = ['price %d' % number for number in range(40_000)]
    @functools.lru_cache(maxsize=1_000)
    def price(self, number):
        return self.table[number] * 100
PRICES = Prices()
for number in range(2_000):
    PRICES.price(number)
";
    for_each_interpreter(|python| {
        let begin = "__main__.Invoice.total: a cache on a method, whose keys keep 100 instances alive";
        assert_one(
            &found(python, &format!("{code}{WAIT}")),
            "unbounded-cache",
            begin,
            "100 entries of 100 at most",
        );
    });
}

#[test]
fn the_tasks_are_the_cause_and_not_who_has_them() {
    let code = "
import asyncio, sys
class App:
    def __init__(self):
        self.background = set()
async def notify(number):
    return {'number': number, 'text': 'notified %d' % number}
async def main():
    app = App()
    app.background.update(asyncio.ensure_future(notify(number)) for number in range(6_000))
    await asyncio.wait(app.background)
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: print('ready', flush=True))
    await loop.run_in_executor(None, sys.stdin.read)
asyncio.run(main())
";
    for_each_interpreter(|python| {
        assert_one(
            &found(python, code),
            "finished-tasks",
            "task '",
            "app.background: 6 000 tasks that are done",
        );
    });
}

/// Without the lines below the mark, nothing is.
#[test]
fn what_is_meant_to_live_is_not_captured() {
    let code = "
import functools
def memoize(function):
    cache = {}
    @functools.wraps(function)
    def remembered(*arguments):
        if arguments not in cache:
            cache[arguments] = function(*arguments)
        return cache[arguments]
    return remembered
def logged(function):
    return lambda *arguments: function(*arguments)
@logged
@memoize
def spelled(number):
    return 'the number %d, spelled' % number
class Words:
    def __init__(self):
        self.words = {'word %d' % number: number for number in range(15_000)}
    def number_of(self, word):
        return self.words.get(word)
number_of = Words().number_of
class Shop:
    name = property(memoize(lambda shop: ['name %d' % number for number in range(20_000)]))
Shop().name
for number in range(10_000):
    spelled(number)
#---
def streets():
    return ['street %d' % number for number in range(20_000)]
def make():
    table = streets()
    return lambda number: table[number]
LABEL = make()
SORTED = functools.partial(sorted, streets())
";
    let (meant, _) = code.split_once("#---").unwrap();
    for_each_interpreter(|python| {
        assert_eq!(found(python, &format!("{meant}{WAIT}")), serde_json::json!([]));
        let findings = found(python, &format!("{code}{WAIT}"));
        let findings = findings.as_array().unwrap().iter();
        let captured = findings.filter(|each| each["rule"] == "captured-reference");
        assert_eq!(captured.count(), 2, "{code}");
    });
}

/// Defaults of constants: those above the line are only looked at.
#[test]
fn a_default_that_is_only_looked_at_is_none() {
    let code = "
def square(number, table={number: number * number for number in range(300)}):
    total = 0
    for key in table:
        total += table[key]
    return table.get(number), len(table), number in table, total
def names(number, names=['name' for number in range(300)]):
    return names[number], sorted(names), [name for name in names]
square(1), names(2)
#---
def changed(number, seen={number: number for number in range(300)}):
    seen[number] = 1
def kept(number, rows=[number for number in range(300)]):
    kept.rows = rows
def handed(number, rows=[number for number in range(300)]):
    return rows
def extended(number, *, rows=['row' for number in range(300)]):
    rows += [number]
def captured(number, rows=['row' for number in range(300)]):
    return lambda: rows[number]
def passed(number, rows=['row' for number in range(300)]):
    return square(rows, number), len(rows)
";
    let (looked_at, _) = code.split_once("#---").unwrap();
    for_each_interpreter(|python| {
        assert_eq!(found(python, &format!("{looked_at}{WAIT}")), serde_json::json!([]));
        let findings = found(python, &format!("{code}{WAIT}"));
        let functions = findings.as_array().unwrap().iter();
        let mut functions: Vec<&str> = functions
            .map(|each| each["evidence"]["function"].as_str().unwrap())
            .collect();
        functions.sort_unstable();
        let expected = ["captured", "changed", "extended", "handed", "kept", "passed"];
        assert_eq!(
            functions,
            expected.map(|name| format!("__main__.{name}")),
            "{findings:#}"
        );
    });
}

#[test]
fn a_dataclass_says_where_it_is_defined() {
    let code = "
import dataclasses, sys
@dataclasses.dataclass
class Reading:
    station: int
    value: int
READINGS = [Reading(number % 7, number % 11) for number in range(15_000)]
print('ready', flush=True)
sys.stdin.read()
";
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("readings.py");
    std::fs::write(&script, code).unwrap();
    for_each_interpreter(|python| {
        let program = Program::start(python.command().arg(&script));
        let report = report(&format!("attach {} -d 0", program.pid()));
        let findings = profiler::findings(&report, "missing-slots");
        let location = &findings[0]["location"];
        let line = location["line"].as_u64();
        // Where the decorator stands or, in older versions, where the class does.
        assert!(matches!(line, Some(3 | 4)), "{:#}", findings[0]);
        assert_eq!(location["file"], script.to_str().unwrap());
    });
}
