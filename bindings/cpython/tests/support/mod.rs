//! The interpreters of this machine, programs running on them, and their memory.

#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cpython::Symbols;
use cpython::memory::{Fault, ReadMemory};

/// Every supported interpreter that can be found: those listed in `PYMEMSCOPE_PYTHONS` (separated by colons), `python3.X`
/// on the path, and pyenv's. By full version and path; each real file once.
pub fn interpreters() -> BTreeMap<String, PathBuf> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Ok(listed) = std::env::var("PYMEMSCOPE_PYTHONS") {
        candidates.extend(listed.split(':').filter(|path| !path.is_empty()).map(PathBuf::from));
    }
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    if let Some(versions) = pyenv.and_then(|root| std::fs::read_dir(root.join("versions")).ok()) {
        candidates.extend(versions.flatten().map(|entry| entry.path().join("bin/python3")));
    }
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        candidates.extend((8..=15).map(|minor| folder.join(format!("python3.{minor}"))));
    }
    let mut found = BTreeMap::new();
    for path in candidates.iter().filter_map(|path| path.canonicalize().ok()) {
        if let Some((version, executable)) = version_and_executable(&path) {
            found.insert(format!("{version} {}", executable.display()), executable);
        }
    }
    found
}

/// What an interpreter of 3.8 or later with the global interpreter lock says of itself; `None` for anything else.
fn version_and_executable(path: &Path) -> Option<(String, PathBuf)> {
    let script = "import sys, sysconfig
assert sys.version_info >= (3, 8) and sys.implementation.name == 'cpython'
assert not sysconfig.get_config_var('Py_GIL_DISABLED')
print('%02d.%02d.%02d' % sys.version_info[:3], sys.executable)";
    let output = Command::new(path)
        .args(["-c", script])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (version, executable) = text.trim().split_once(' ')?;
    output
        .status
        .success()
        .then(|| (version.to_owned(), PathBuf::from(executable)))
}

/// A Python program that has said its lines and waits for its standard input to end.
pub struct Target {
    child: Child,
    /// Kept open: the program ends when it closes.
    _stdin: ChildStdin,
    /// What it said: pairs of name and value, one a line.
    pub facts: BTreeMap<String, String>,
}

impl Target {
    /// Starts `script`, which prints lines of a name and a value, then the line `ready`, and waits for input.
    pub fn start(python: &Path, script: &str) -> Target {
        let mut command = Command::new(python);
        command
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("the interpreter starts");
        let stdin = child.stdin.take().expect("standard input is a pipe");
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let lines = BufReader::new(stdout)
            .lines()
            .map(|line| line.expect("the program writes text"));
        let facts = lines.take_while(|line| line != "ready").filter_map(|line| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), value.to_owned()))
        });
        let facts = facts.collect();
        // What it had to do after its last word is done when it sleeps.
        let stat = format!("/proc/{}/stat", child.id());
        let deadline = Instant::now() + Duration::from_secs(180);
        while !fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") S ")) {
            assert!(Instant::now() < deadline, "the program does not wait for input");
            thread::yield_now();
        }
        Target {
            child,
            _stdin: stdin,
            facts,
        }
    }

    /// Where the program says that the symbols of its runtime stand.
    pub fn symbols(&self) -> Symbols {
        Symbols {
            runtime: self
                .number("_PyRuntime")
                .expect("the program says where its runtime is"),
            runtime_size: None,
            py_version: self.number("Py_Version"),
        }
    }

    /// A number that the program said; `None` when it did not.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.facts.get(name).map(|value| value.parse().expect("a number"))
    }

    pub fn memory(&self) -> LiveMemory {
        let path = format!("/proc/{}/mem", self.child.id());
        LiveMemory {
            file: File::open(path).expect("the memory of a child can be opened"),
            buffer: Vec::new(),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The memory of a running process, read without any care for speed.
pub struct LiveMemory {
    file: File,
    buffer: Vec<u8>,
}

impl ReadMemory for LiveMemory {
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        let fault = Fault { at: address, length };
        if length > 1 << 28 || address > i64::MAX as u64 {
            return Err(fault);
        }
        self.buffer.resize(length, 0);
        self.file.read_exact_at(&mut self.buffer, address).map_err(|_| fault)?;
        Ok(&self.buffer)
    }
}
