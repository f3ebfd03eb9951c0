//! Cores and the files that their programs had mapped: an interpreter that is gone or was replaced is refused by name,
//! unless the core has a copy of it or another folder does; and the other commands that take cores.

mod cores;
mod interpreters;
mod profiler;
mod targets;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cores::{assert_same, by_gdb, has_gdb, look, report_of, start};
use interpreters::{Interpreter, for_each_interpreter, interpreters};
use profiler::{answer, parse, pymemscope};
use serde_json::Value;
use targets::{Target, attach};

/// A copy of an interpreter that can be done away with: a command that starts it, and the image with the interpreter.
fn copied(python: &Interpreter, folder: &Path) -> (Command, PathBuf) {
    const QUESTION: &str = "import os, sys
libraries = sorted({line.split()[-1] for line in open('/proc/self/maps') if '.so' in line})
print(os.path.realpath(sys.executable), ([path for path in libraries if 'libpython' in path] or [''])[0],
      sys.base_prefix + ':' + sys.base_exec_prefix, ':'.join(map(os.path.dirname, libraries)), sep='\\n')";
    let said = answer(python.command().args(["-c", QUESTION])).done();
    let [executable, library, home, libraries] = said.lines().collect::<Vec<_>>()[..] else {
        panic!("{said}")
    };
    let copy = |path: &str| {
        let copy = folder.join(Path::new(path).file_name().unwrap());
        fs::copy(path, &copy).unwrap();
        copy
    };
    let program = copy(executable);
    let image = if library.is_empty() {
        program.clone()
    } else {
        copy(library)
    };
    let mut command = Command::new(program);
    // The copy of the library comes first, the others are where they were.
    let libraries = format!("{}:{libraries}", folder.display());
    command
        .arg("-B")
        .env("PYTHONHOME", home)
        .env("LD_LIBRARY_PATH", libraries);
    (command, image)
}

/// Whether a process has mapped that file.
fn has_mapped(pid: u32, path: &Path) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    maps.lines().any(|line| line.ends_with(path.to_str().unwrap()))
}

#[test]
fn an_interpreter_that_is_gone_or_replaced_is_named_and_found_elsewhere() {
    if !has_gdb() {
        return;
    }
    for_each_interpreter(|python| {
        let temporary = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(temporary.path()).unwrap();
        let (mut command, image) = copied(python, &folder);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/empty.py");
        let target = Target::spawn(command.arg(script));
        target.line();
        target.rests();
        assert!(has_mapped(target.pid(), &image), "{}", image.display());
        let live = attach(target.pid(), &[]);
        let core = by_gdb(target.pid(), &folder);
        // Cores with copies of all that is mapped, and without even the headers of it.
        let filtered = |filter: &str| {
            fs::write(format!("/proc/{}/coredump_filter", target.pid()), filter).unwrap();
            let elsewhere = folder.join(filter);
            fs::create_dir(&elsewhere).unwrap();
            by_gdb(target.pid(), &elsewhere)
        };
        let (whole, bare) = (filtered("0x3f"), filtered("0x23"));
        let elsewhere = whole.parent().unwrap();
        assert!(target.finish().success());

        let kept = elsewhere.join(image.file_name().unwrap());
        fs::rename(&image, &kept).unwrap();
        let refused = |reason: &str| {
            let (error, hint) = look(&core, &[]).refusal(1);
            assert!(
                error.contains(&format!("{}, and that file {reason}", image.display())),
                "{error}"
            );
            assert!(hint.contains("--sysroot"), "{hint}");
        };
        refused("is gone");
        // Another build of it: the headers differ.
        let mut bytes = fs::read(&kept).unwrap();
        bytes[48] ^= 1;
        fs::write(&image, &bytes).unwrap();
        refused("was replaced");
        fs::write(&image, "#!/bin/sh\n").unwrap();
        refused("was replaced");

        for core in [&core, &bare] {
            assert_same(&report_of(core, &["--sysroot", elsewhere.to_str().unwrap()]), &live);
        }
        assert_same(&report_of(&whole, &[]), &live);
        fs::rename(&kept, &image).unwrap();
        assert_same(&report_of(&core, &[]), &live);
    });
}

/// The answer to these words as JSON.
fn said(words: &[&OsStr]) -> Value {
    serde_json::from_str(&answer(&mut pymemscope(words)).done()).unwrap()
}

#[test]
fn paths_and_snapshots_are_those_of_the_living_program() {
    if !has_gdb() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (target, _) = start(interpreters().last().unwrap(), "plain.py", folder.path());
    let pid = target.pid().to_string();
    let core = by_gdb(target.pid(), folder.path());
    let asked = |source: &OsStr| {
        let mut words = vec![OsStr::new("paths"), source];
        words.extend(["--type", "__main__.Price", "-j"].map(OsStr::new));
        said(&words)
    };
    let (live, dead) = (asked(pid.as_ref()), asked(core.as_os_str()));
    for part in ["question", "found", "referrers", "groups", "weak_references"] {
        assert_eq!(dead[part], live[part], "{part}");
    }
    assert!(dead["capture"].get("freeze").is_none() && live["capture"].get("freeze").is_some());

    let saved = |source: &OsStr, name: &str| {
        let path = folder.path().join(name);
        let words = [OsStr::new("snapshot"), source, OsStr::new("-o"), path.as_os_str()];
        answer(&mut pymemscope(words)).done();
        let report = answer(&mut pymemscope([
            OsStr::new("report"),
            path.as_os_str(),
            OsStr::new("-j"),
        ]));
        (path, parse(&report.done()))
    };
    let (living_folder, live) = saved(pid.as_ref(), "live.pms");
    let (dead_folder, dead) = saved(core.as_os_str(), "dead.pms");
    for part in ["heap", "types", "owners"] {
        assert_eq!(dead[part], live[part], "{part}");
    }
    let diff = said(&[
        OsStr::new("diff"),
        living_folder.as_os_str(),
        dead_folder.as_os_str(),
        OsStr::new("-j"),
    ]);
    assert_eq!(diff["types"].as_array().map(Vec::len), Some(0));
}

#[test]
fn arguments_are_told_in_full_or_as_hashes() {
    if !has_gdb() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(500);
    let mut command = interpreters()[0].command();
    let target = Target::spawn(command.args(["-c", "print(1, flush=True); input()", "", "two words", &long]));
    target.line();
    let core = by_gdb(target.pid(), folder.path());
    let told = report_of(&core, &[])["process"]["command"].clone();
    let told: Vec<&str> = told.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(told[told.len() - 3..], ["", "two words", long.as_str()]);
    let redacted = report_of(&core, &["--redact"])["process"]["command"].to_string();
    assert!(
        !redacted.contains("two words") && !redacted.contains(&long),
        "{redacted}"
    );
}
