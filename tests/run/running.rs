//! A program under `pymemscope run`: spoken to over its standard streams, its report in a file.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::interpreters::Interpreter;

/// Longer than anything here takes on a slow machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// `pymemscope run`, which has started a program.
pub struct Running {
    profiler: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
}

/// What is left at the end.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    /// What the program and the profiler printed and nobody read.
    pub out: String,
    pub err: String,
    pub report: Option<Value>,
}

impl Running {
    /// Runs `code` with an interpreter.
    pub fn python(python: &Interpreter, options: &[&str], code: &str) -> Running {
        let executable = python.executable.to_str().unwrap();
        Running::start(options, &[executable, "-B", "-c", code])
    }

    pub fn start(options: &[&str], program: &[&str]) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let mut profiler = Command::new(env!("CARGO_BIN_EXE_pymemscope"))
            .arg("run")
            .args(options)
            .arg("-o")
            .arg(folder.path().join("report.json"))
            .arg("--")
            .args(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running {
            input: profiler.stdin.take(),
            output: BufReader::new(profiler.stdout.take().unwrap()),
            profiler,
            folder,
        }
    }

    /// The next line that the program prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next line, which is a number: programs say their process id first.
    #[track_caller]
    pub fn pid(&mut self) -> i32 {
        let line = self.line();
        line.parse().unwrap_or_else(|_| panic!("no process id: {line:?}"))
    }

    pub fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").and_then(|()| input.flush()).unwrap();
    }

    pub fn signal_profiler(&self, signal: Signal) {
        kill(Pid::from_raw(self.profiler.id() as i32), signal).unwrap();
    }

    /// Kills the profiler, whose program runs on with its input open.
    pub fn kill_profiler(&mut self) {
        self.profiler.kill().and_then(|()| self.profiler.wait()).unwrap();
    }

    pub fn report_file(&self) -> PathBuf {
        self.folder.path().join("report.json")
    }

    /// Closes the program's input and waits for the profiler's end.
    pub fn end(mut self) -> Outcome {
        drop(self.input.take());
        self.wait()
    }

    /// Waits for the profiler's end with the program's input left open.
    pub fn wait(&mut self) -> Outcome {
        let (mut out, mut err) = (String::new(), String::new());
        self.output.read_to_string(&mut out).unwrap();
        self.profiler.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.profiler.wait().unwrap().code();
        let report = std::fs::read(self.report_file()).ok();
        Outcome {
            code,
            out,
            err,
            report: report.map(|bytes| serde_json::from_slice(&bytes).unwrap()),
        }
    }
}

impl Drop for Running {
    /// The program ends when its input does.
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.profiler.kill();
        let _ = self.profiler.wait();
    }
}

impl Outcome {
    #[track_caller]
    pub fn report(&self) -> &Value {
        self.report.as_ref().unwrap_or_else(|| panic!("no report: {self:?}"))
    }

    /// How many objects of a type there are in the report.
    #[track_caller]
    pub fn count(&self, name: &str) -> u64 {
        let types = self.report()["types"].as_array().unwrap();
        let found = types.iter().find(|each| each["type"] == name);
        found.map_or(0, |each| each["count"].as_u64().unwrap())
    }

    pub fn warnings(&self) -> String {
        self.report()["capture"]["warnings"].to_string()
    }

    /// Whether the report is of the moment when the interpreter shut down.
    pub fn is_whole(&self) -> bool {
        !self.warnings().contains("was not seen when its interpreter shut down")
    }
}

/// Asks until `condition` holds.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        std::thread::yield_now();
    }
}

/// Waits until a snapshot was made of a program that has no children, later than now: by a copy, which was its child for
/// a moment. The first one that is seen may have begun before.
#[track_caller]
pub fn until_snapshot(pid: i32) {
    let has_children = || {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        tasks.flatten().any(|task| {
            std::fs::read_to_string(task.path().join("children")).is_ok_and(|children| !children.trim().is_empty())
        })
    };
    for _ in 0..2 {
        until("a snapshot begins", has_children);
        until("a snapshot ends", || !has_children());
    }
}

/// A field of `/proc/PID/status`.
pub fn status(pid: i32, name: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    field.unwrap_or_default().trim().to_owned()
}
