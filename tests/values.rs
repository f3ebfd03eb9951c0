//! `snapshot --values`: the values of texts, bytes and numbers are in the saved heap, and nowhere without it.

mod duckdb;
mod interpreters;
mod profiler;
mod targets;

use std::collections::BTreeMap;

use interpreters::for_each_interpreter;
use profiler::ask;
use serde_json::Value;
use targets::Target;

#[test]
fn values_are_saved_as_python_writes_them() {
    let Some(reader) = duckdb::reader() else {
        return;
    };
    for_each_interpreter(|python| {
        let (target, truth) = Target::start(python, "values.py").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let saved = folder.path().join("heap.pms");
        let (pid, shown) = (target.pid(), saved.display());
        ask(&format!("snapshot {pid} -o {shown} --values")).done();
        let question = format!("select address, value from '{shown}/objects.parquet'");
        let answers = duckdb::ask(reader, folder.path(), &[question]);
        let values: BTreeMap<String, &Value> = answers[0]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row[0].to_string(), &row[1]))
            .collect();
        for (address, value) in truth["values"].as_object().unwrap() {
            assert_eq!(values[address], value);
        }
        let long = values[&truth["long"].to_string()].as_str().unwrap();
        let begins = format!("{}…#", "x".repeat(200));
        assert!(long.starts_with(&begins) && long.len() < begins.len() + 10, "{long}");
        for address in truth["without"].as_array().unwrap() {
            assert_eq!(values[&address.to_string()], &Value::Null);
        }
        // It is read like any other.
        ask(&format!("report {shown} -j")).done();
        ask(&format!("snapshot {pid} -o {shown} --force")).done();
        let question = format!("select * from '{shown}/objects.parquet' limit 1");
        let answers = duckdb::ask(reader, folder.path(), &[question]);
        assert_eq!(answers[0][0].as_array().unwrap().len(), 7, "{answers}");
        assert!(target.finish().success());
    });
}

#[test]
fn values_are_not_saved_and_hidden_at_once() {
    let said = ask("snapshot 1 -o heap.pms --values --redact");
    assert_eq!(said.code, Some(2));
    let begins = "error: the argument '--values' cannot be used with '--redact'";
    assert!(said.err.starts_with(begins), "{}", said.err);
}
