//! What the patterns say of objects that calls are using while they are looked at.

mod interpreters;
mod profiler;
mod programs;

use interpreters::{for_each_interpreter, with_package};
use profiler::{findings, report};
use programs::Program;

/// A body that whoever sends it holds as well.
const BEING_SENT: &str = r#"
from flask import Response

def send(body):
    print("ready", flush=True)
    input()
    return len(body)

def main():
    response = Response("some text, " * 300_000)
    send(response.response[0])
    return response

main()
"#;

#[test]
fn a_body_is_buffered_while_it_is_sent() {
    with_package("flask", |python| {
        let program = Program::start(python.command().args(["-c", BEING_SENT]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        let found = findings(&report, "buffered-response");
        assert_eq!(found.len(), 1, "{:#}", report["findings"]);
        assert_eq!(found[0]["object"]["type"], "flask.wrappers.Response");
    });
}

/// Calls that go on and read the variable: the one that has it, one inside it, and a generator that waits.
const STILL_USED: &str = r#"
import contextlib

def rows(name):
    return ["%s row %d, with some text" % (name, number) for number in range(20_000)]

@contextlib.contextmanager
def opened():
    table = rows("waiting")
    yield lambda number: table[number]

def serve(number):
    table = rows("inner")
    def answer():
        print("ready", flush=True)
        input()
        return table[number]
    return answer

def main():
    table = rows("outer")
    look = lambda number: table[number]
    with opened() as get:
        serve(1)()
        return look(1), get(2)

main()
"#;

#[test]
fn what_calls_still_use_is_not_captured() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", STILL_USED]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        assert!(
            findings(&report, "captured-reference").is_empty(),
            "{:#}",
            report["findings"]
        );
    });
}
