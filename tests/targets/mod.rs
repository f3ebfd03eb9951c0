//! Running target programs, the truth that they state, and the profiler's report of them.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::interpreters::Interpreter;
use crate::profiler::report;

/// Far longer than anything here takes on a slow machine: what is not done by then hangs.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// What a target says of its own heap: for each type, how many objects and the sum of `sys.getsizeof`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Truth {
    pub python: String,
    pub pid: u32,
    pub tracked: BTreeMap<String, (u64, u64)>,
    pub untracked: BTreeMap<String, (u64, u64)>,
    /// Types whose `__sizeof__` is not CPython's own.
    pub own_sizeof: BTreeSet<String>,
    /// All types that there are.
    pub types: BTreeSet<String>,
}

/// A program that was started, with its output line by line. Dropping it kills it, and it alone.
pub struct Target {
    child: Child,
    lines: Receiver<String>,
}

impl Target {
    /// Starts a command that reads standard input until its end and says lines on standard output.
    pub fn spawn(command: &mut Command) -> Target {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (said, lines) = channel();
        thread::spawn(move || {
            let mut line = String::new();
            while output.read_line(&mut line).is_ok_and(|length| length > 0) {
                if said.send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        });
        Target { child, lines }
    }

    /// Starts one of the programs in `tests/targets` and waits until it rests; `None` when it says that it cannot run on this interpreter.
    pub fn start(python: &Interpreter, name: &str) -> Option<(Target, Value)> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets").join(name);
        let target = Target::spawn(python.command().arg(&script));
        let said: Value = serde_json::from_str(&target.line()).unwrap();
        if let Some(reason) = said.get("skip") {
            eprintln!("{name} is skipped on {}: {reason}", python.name());
            return None;
        }
        target.rests();
        Some((target, said))
    }

    /// Returns when all its threads sleep: what it had to do after its last word is done.
    #[track_caller]
    pub fn rests(&self) {
        let tasks = format!("/proc/{}/task", self.pid());
        let sleeps = |thread: fs::DirEntry| {
            // One that has just ended does nothing any more.
            let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_none_or(|(_, fields)| fields.starts_with('S'))
        };
        let deadline = Instant::now() + DEADLINE;
        while !fs::read_dir(&tasks).unwrap().all(|thread| sleeps(thread.unwrap())) {
            assert!(Instant::now() < deadline, "the target is at work for {DEADLINE:?}");
            thread::yield_now();
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it says.
    #[track_caller]
    pub fn line(&self) -> String {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("the target said nothing for {DEADLINE:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the target ended without a word; see above"),
        }
    }

    /// Lets it do one round more.
    pub fn go_on(&mut self) {
        self.tell("");
    }

    /// Writes a line to its standard input.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Closes its input and waits for its end.
    pub fn finish(mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        self.child.wait().unwrap()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `attach PID -d 0 -j` with further options: the report of one snapshot.
#[track_caller]
pub fn attach(pid: u32, options: &[&str]) -> Value {
    report(&format!("attach {pid} -d 0 {}", options.join(" ")))
}
