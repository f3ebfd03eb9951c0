//! Cores of target programs: made by gdb of those that live, and by the kernel of those that die.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::interpreters::{Interpreter, all_required};
use crate::profiler::{Answer, answer, parse, pymemscope};
use crate::targets::Target;

/// Starts one of the programs in `tests/targets` in a folder, which its core would go to, and waits until it rests.
pub fn start(python: &Interpreter, name: &str, folder: &Path) -> (Target, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets").join(name);
    let target = Target::spawn(python.command().arg(script).current_dir(folder));
    let said = serde_json::from_str(&target.line()).unwrap();
    target.rests();
    (target, said)
}

/// Whether gdb is here; it must be where everything must.
pub fn has_gdb() -> bool {
    let found = Command::new("gdb").arg("--version").stdout(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    assert!(found || !all_required(), "gdb is needed to make cores");
    if !found {
        eprintln!("skipped: there is no gdb to make a core with");
    }
    found
}

/// Has gdb make a core of a living process, which goes on.
pub fn by_gdb(pid: u32, folder: &Path) -> PathBuf {
    let path = folder.join(format!("gdb.{pid}"));
    let output = Command::new("gdb")
        .args(["--batch", "--nx", "-p", &pid.to_string()])
        .args(["-ex", &format!("gcore {}", path.display())])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(path.is_file(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

/// Whether the kernel writes cores into the folder in which a program runs; if not, nobody asks it to.
pub fn has_kernel() -> bool {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let is_plain = !pattern.trim().is_empty() && !pattern.contains(['|', '/']);
    let has_prlimit = Command::new("prlimit").arg("--version").stdout(Stdio::null()).status();
    let found = is_plain && has_prlimit.is_ok_and(|status| status.success());
    if !found {
        eprintln!("skipped: the kernel writes no cores into the folder of a program here");
    }
    found
}

/// Lets the kernel write a core of this size when the process dies.
pub fn allow(pid: u32) {
    let status = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), "--core=unlimited:unlimited"])
        .status();
    assert!(status.unwrap().success());
}

/// Kills the program with a signal that leaves a core in `folder`, where there was none before.
pub fn by_kernel(target: Target, folder: &Path) -> PathBuf {
    allow(target.pid());
    kill(Pid::from_raw(target.pid() as i32), Signal::SIGABRT).unwrap();
    assert!(!target.finish().success());
    left_behind(folder)
}

/// The core that a dead program has left in `folder`.
pub fn left_behind(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder).unwrap();
    let is_core = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("core");
    let mut cores = entries.map(|entry| entry.unwrap().path()).filter(is_core);
    cores.next().expect("a core of the kernel")
}

/// The report of a core with further words.
#[track_caller]
pub fn report_of(core: &Path, more: &[&str]) -> Value {
    parse(&look(core, more).done())
}

/// The answer to `attach CORE -j` with further words.
pub fn look(core: &Path, more: &[&str]) -> Answer {
    let words = [OsStr::new("attach"), core.as_os_str(), OsStr::new("-j")];
    answer(&mut pymemscope(words.into_iter().chain(more.iter().map(OsStr::new))))
}

/// A report from a core says all that the living program's report says of its heap.
#[track_caller]
pub fn assert_same(core: &Value, live: &Value) {
    for part in ["types", "owners", "findings"] {
        let rows = |report: &Value| report[part].as_array().unwrap().clone();
        let (core, live) = (rows(core), rows(live));
        let mut pairs = core.iter().zip(&live);
        let first = pairs.find(|(core, live)| core != live);
        assert!(first.is_none() && core.len() == live.len(), "{part}: {first:?}");
    }
    assert_eq!(core["heap"], live["heap"]);
    for part in ["pid", "python", "build", "executable", "command"] {
        assert_eq!(core["process"][part], live["process"][part], "{part}");
    }
    let capture = &core["capture"];
    assert_eq!(capture["mode"], "core");
    assert_eq!(
        (&capture["objects_rejected"], &capture["warnings"]),
        (&live["capture"]["objects_rejected"], &live["capture"]["warnings"])
    );
    assert!(
        capture.get("freeze").is_none() && capture.get("partial").is_none(),
        "{capture}"
    );
    assert!(capture["pauses"].as_array().unwrap().is_empty() && core["timeline"][0].get("rss").is_none());
}
