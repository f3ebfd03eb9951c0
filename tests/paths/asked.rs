//! A program that holds objects in every way, and answers about it.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::interpreters::Interpreter;
use crate::profiler::ask;
use crate::programs::Program;

/// The program, and what it says of itself.
pub fn start(python: &Interpreter) -> (Program, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paths/held.py");
    let mut program = Program::spawn(python.command().arg(script));
    let truth = serde_json::from_str(&program.line()).unwrap();
    (program, truth)
}

/// The address of what an expression stands for.
pub fn id(target: &mut Program, expression: &str) -> u64 {
    target.tell(expression);
    let answer = target.line();
    answer.parse().unwrap_or_else(|_| panic!("{expression}: {answer}"))
}

/// The answer to `paths PID` with these words, which conforms to the project's schema.
#[track_caller]
pub fn explain(target: &Program, words: &str) -> Value {
    explain_heap(&target.pid().to_string(), words)
}

/// The same for a process or a folder.
#[track_caller]
pub fn explain_heap(whose: &str, words: &str) -> Value {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let text = pymemscope::report::explanation::model::SCHEMA_TEXT;
        jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
    });
    let answer = ask(&format!("paths {whose} {words} -j")).done();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let faults: Vec<String> = schema
        .iter_errors(&answer)
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "against the schema: {faults:?}");
    answer
}

pub fn groups(answer: &Value) -> &Vec<Value> {
    answer["groups"].as_array().unwrap()
}

pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

pub fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or_else(|| panic!("{field} in {value}"))
}

pub fn hex(number: &Value) -> String {
    format!("{:#x}", number.as_u64().unwrap())
}
