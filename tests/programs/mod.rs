//! Programs that tests start, and the interpreters that there are to start them with.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod compiled;
pub mod elf32;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Says that it is ready, then lives until its standard input is closed: no orphan outlives a test that fails.
pub const WAITING: &str = "import sys; print('ready'); sys.stdout.flush(); sys.stdin.read()";

/// A running program; ends with the test.
pub struct Program {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Program {
    /// Starts a command and waits for its first line, which must be `ready`.
    pub fn start(command: &mut Command) -> Program {
        let mut program = Program::spawn(command);
        assert_eq!(program.line(), "ready", "from {command:?}");
        program
    }

    pub fn spawn(command: &mut Command) -> Program {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let output = BufReader::new(child.stdout.take().unwrap());
        Program { child, output }
    }

    /// A Python program that waits.
    pub fn python(interpreter: &Path) -> Program {
        Program::start(Command::new(interpreter).args(["-c", WAITING]))
    }

    /// Writes a line to its standard input.
    pub fn tell(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{line}").and_then(|()| input.flush()).unwrap();
    }

    /// Kills it and waits for its end.
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes its input and waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        self.child.wait().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until `condition` gives something, for at most ten seconds.
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what} did not come about in ten seconds");
        std::thread::yield_now();
    }
}

/// One interpreter and what it says of itself.
#[derive(Debug, Clone)]
pub struct Interpreter {
    /// What to start: links resolved, no shims.
    pub path: PathBuf,
    /// `3.12.1`.
    pub version: String,
}

impl Interpreter {
    pub fn minor(&self) -> (u32, u32) {
        let mut numbers = self.version.split('.').map(|part| part.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}

/// Every Python that is found on this machine, older ones than are supported too: on `PATH`, below pyenv's root, and
/// in `PYMEMSCOPE_PYTHONS`, where paths stand with colons between them. What was found is printed.
pub fn all_interpreters() -> Vec<Interpreter> {
    let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
    let listed = env::var_os("PYMEMSCOPE_PYTHONS").unwrap_or_default();
    let on_path = env::var_os("PATH").unwrap_or_default();
    let named = env::split_paths(&on_path).map(|directory| directory.join("python3"));
    let home = env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"));
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from).or(home);
    let versions = pyenv
        .and_then(|root| fs::read_dir(root.join("versions")).ok())
        .into_iter()
        .flatten()
        .flatten();
    let in_pyenv =
        versions.flat_map(|version| ["python3", "python2"].map(|name| version.path().join("bin").join(name)));
    for path in env::split_paths(&listed).chain(named).chain(in_pyenv) {
        // A shim is a script that starts some other interpreter, which is found by itself.
        if let Ok(path) = fs::canonicalize(path)
            && fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF"))
        {
            paths.insert(path);
        }
    }
    let interpreters: Vec<_> = paths.into_iter().filter_map(ask_version).collect();
    for interpreter in &interpreters {
        eprintln!("found Python {} at {}", interpreter.version, interpreter.path.display());
    }
    interpreters
}

/// Those of the supported versions; there must be one.
pub fn interpreters() -> Vec<Interpreter> {
    let mut all = all_interpreters();
    all.retain(|interpreter| interpreter.minor() >= (3, 8));
    assert!(
        !all.is_empty(),
        "no Python 3.8 or later on PATH, in pyenv or in PYMEMSCOPE_PYTHONS"
    );
    all
}

fn ask_version(path: PathBuf) -> Option<Interpreter> {
    let code = "import platform, sys; print(platform.python_implementation() + ' ' + sys.version.split()[0])";
    let output = Command::new(&path).args(["-c", code]).output().ok()?;
    let version = String::from_utf8(output.stdout)
        .ok()?
        .trim()
        .strip_prefix("CPython ")?
        .to_owned();
    Some(Interpreter { path, version })
}
