//! What running calls have left on their value stacks is not held by them; what they still work on is.

mod interpreters;
mod profiler;
mod programs;

use interpreters::for_each_interpreter;
use profiler::ask;
use programs::Program;
use serde_json::Value;

/// Calls one another until the innermost waits. Each has had something at the far end of its value stack that nothing holds
/// any more, but itself, or works on something that nothing else holds.
const CALLS: &str = r#"
import gc, sys

gc.disable()
ENDED = []

class Lost:
    def __init__(self):
        self.me = self

class Held:
    def __enter__(self):
        return None
    def __exit__(self, *what):
        return None
    def __iter__(self):
        return self
    def __next__(self):
        return 1
    def method(self, *arguments):
        return None

def push(*arguments):
    return None

def deleted(then):
    lost = Lost()
    push(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, lost)
    del lost
    then()

def in_loop(then):
    for each in [1, 2, 3]:
        push(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, Lost())
        if each == 3:
            then()

def in_try(then):
    try:
        with Held():
            push(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, Lost())
            raise ValueError
    except ValueError:
        push(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, [Lost()])
    finally:
        push(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, (Lost(),))
        then()

def generator(then):
    push(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, Lost())
    yield 1
    push(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, Lost())
    then()

def in_generator(then):
    for each in generator(then):
        pass

def again(then, first):
    if first:
        push(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, Lost())
    else:
        then()

def recycled(then):
    again(None, True)
    again(then, False)

def fails():
    push(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, Lost())
    raise ValueError

def ended(then):
    try:
        fails()
    except ValueError as error:
        ENDED.append(error)
    then()

def argument(then):
    push(1, Held(), then())

def item(then):
    return [1, (Held(), then())]

def iterated(then):
    for each in Held():
        then()

def managed(then):
    with Held():
        then()

def instance(then):
    Held().method(then())

def caught(then):
    try:
        with Held():
            raise ValueError
    except ValueError:
        push(Held(), then())

CALLS = [deleted, argument, in_loop, item, in_try, iterated, in_generator, managed, recycled, instance, ended, caught]

def call(number):
    if number < len(CALLS):
        CALLS[number](lambda: call(number + 1))
    else:
        print('ready', flush=True)
        sys.stdin.readline()

call(0)
"#;

/// The states of all objects of a type with their number, and their paths.
fn states(program: &Program, type_name: &str) -> (Vec<(String, u64)>, Vec<String>) {
    let answer = ask(&format!("paths {} --type {type_name} -j", program.pid())).done();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let groups = answer["groups"].as_array().unwrap();
    let text = |group: &Value, field: &str| group[field].as_str().unwrap().to_owned();
    let mut states: Vec<(String, u64)> = Vec::new();
    for group in groups {
        let (state, count) = (text(group, "state"), group["count"].as_u64().unwrap());
        match states.iter_mut().find(|(known, _)| *known == state) {
            Some((_, sum)) => *sum += count,
            None => states.push((state, count)),
        }
    }
    (states, groups.iter().map(|group| text(group, "path")).collect())
}

#[test]
fn calls_hold_what_they_work_on_and_nothing_that_they_have_left() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", CALLS]));
        let (lost, paths) = states(&program, "__main__.Lost");
        assert_eq!(lost, [("garbage".to_owned(), 11)], "{paths:#?}");
        let (held, paths) = states(&program, "__main__.Held");
        assert_eq!(held, [("held".to_owned(), 6)], "{paths:#?}");
    });
}
