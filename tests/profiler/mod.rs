//! The command as a user starts it, and what it answered.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod terminal;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// Longer than any of these commands may take, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What a command left behind.
#[derive(Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// `pymemscope` with these words.
pub fn pymemscope<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pymemscope"));
    command.args(words);
    command
}

/// Starts `pymemscope` with these words, which stand with blanks between them, and waits for its end.
pub fn ask(words: &str) -> Answer {
    answer(&mut pymemscope(words.split_whitespace()))
}

/// Runs a line of shell, in which `$1` and so on are these words.
pub fn shell(script: &str, words: &[&str]) -> Answer {
    answer(Command::new("sh").args(["-c", script, "sh"]).args(words))
}

/// Waits for a command's end.
pub fn answer(command: &mut Command) -> Answer {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(PATIENCE) {
        Ok(output) => Answer::of(output.unwrap()),
        Err(_) => {
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL);
            panic!("{command:?} was not done after {PATIENCE:?}");
        }
    }
}

impl Answer {
    pub fn of(output: Output) -> Answer {
        let text = |bytes| String::from_utf8(bytes).expect("an answer in UTF-8");
        Answer {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// The text of a success.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// The one line that says what was wrong, and the one that says what to do.
    #[track_caller]
    pub fn refusal(self, code: i32) -> (String, String) {
        let lines: Vec<&str> = self.err.lines().collect();
        let [error, hint] = lines[..] else {
            panic!("not two lines: {self:?}")
        };
        eprintln!("{error}\n{hint}");
        let told = |line: &str, label: &str| {
            let text = line.strip_prefix(label).unwrap_or_else(|| panic!("{label}: {line}"));
            assert!(!text.trim().is_empty() && !text.contains("Error"), "{line}");
            text.to_owned()
        };
        let (error, hint) = (told(error, "error: "), told(hint, "hint: "));
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{error}");
        (error, hint)
    }

    /// A refusal by clap, whose form has more lines.
    #[track_caller]
    pub fn usage_error(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(2), ""), "{}", self.err);
        assert!(self.err.starts_with("error: "), "{}", self.err);
        self.err
    }
}

/// The report that `pymemscope` gives when asked with these words for JSON on standard output.
#[track_caller]
pub fn report(words: &str) -> Value {
    parse(&ask(&format!("{words} -j")).done())
}

/// A report that conforms to the project's schema.
#[track_caller]
pub fn parse(text: &str) -> Value {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let schema: Value = serde_json::from_str(pymemscope::report::json::SCHEMA_TEXT).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    let report: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON: {error}: {text}"));
    let faults: Vec<String> = schema
        .iter_errors(&report)
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "against the schema: {faults:?}");
    report
}

/// A file that holds a report.
#[track_caller]
pub fn parse_file(path: &Path) -> Value {
    parse(&std::fs::read_to_string(path).unwrap())
}

/// The row of this type.
#[track_caller]
pub fn type_row<'a>(report: &'a Value, name: &str) -> &'a Value {
    row(report, "types", "type", name)
}

/// The row of the owner with this path.
#[track_caller]
pub fn owner<'a>(report: &'a Value, path: &str) -> &'a Value {
    row(report, "owners", "path", path)
}

#[track_caller]
fn row<'a>(report: &'a Value, table: &str, column: &str, name: &str) -> &'a Value {
    let rows = report[table].as_array().unwrap();
    let found: Vec<&Value> = rows.iter().filter(|row| row[column] == name).collect();
    assert_eq!(found.len(), 1, "{name} among {table}");
    found[0]
}

/// The findings of this rule.
pub fn findings<'a>(report: &'a Value, rule: &str) -> Vec<&'a Value> {
    let all = report["findings"].as_array().unwrap();
    all.iter().filter(|finding| finding["rule"] == rule).collect()
}

/// The warnings that contain this text.
pub fn warnings<'a>(report: &'a Value, text: &str) -> Vec<&'a str> {
    let all = report["capture"]["warnings"].as_array().unwrap();
    all.iter()
        .filter_map(Value::as_str)
        .filter(|warning| warning.contains(text))
        .collect()
}
