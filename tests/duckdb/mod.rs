//! DuckDB as an independent reader of saved tables.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::interpreters::{Interpreter, all_required, interpreters};
use crate::profiler::answer;

/// Answers with JSON what DuckDB answers to each question of a list.
const ASK: &str = "
import duckdb, json, sys
print(json.dumps([duckdb.sql(question).fetchall() for question in json.load(sys.stdin)], default=int))";

/// An interpreter that has DuckDB; `None` where there is none, and need not be.
pub fn reader() -> Option<&'static Interpreter> {
    let has_it = |python: &&Interpreter| {
        let packages = python.packages.as_ref();
        packages.is_some_and(|folder| folder.join("duckdb").is_dir())
    };
    let found = interpreters().iter().find(has_it);
    assert!(
        found.is_some() || !all_required(),
        "DuckDB was provided for no interpreter"
    );
    found
}

/// The rows that answer each question. Questions are left in `folder` meanwhile.
pub fn ask(reader: &Interpreter, folder: &Path, questions: &[String]) -> Value {
    let asked = folder.join("questions.json");
    fs::write(&asked, Value::from(questions).to_string()).unwrap();
    let said = answer(
        Command::new("sh")
            .args(["-c", "exec \"$0\" -c \"$1\" < \"$2\""])
            .arg(&reader.executable)
            .arg(ASK)
            .arg(&asked)
            .env("PYTHONPATH", reader.packages.as_ref().unwrap()),
    );
    serde_json::from_str(&said.done()).unwrap()
}
