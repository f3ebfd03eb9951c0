//! Recordings of programs that others start, and what those see of the recorder: nothing, be it there or not.

mod interpreters;
mod profiler;
#[path = "run/recorded.rs"]
mod recorded;
#[path = "run/running.rs"]
mod running;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use interpreters::for_each_interpreter;
use recorded::{KEEPING, MILLION, assert_about, assert_keeps, executable, number, recording};
use running::Running;

#[test]
fn the_program_that_another_one_starts_is_the_one_that_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("app.py");
    let code = format!("{KEEPING}\nclass A: pass\nOBJECTS = [A() for _ in range(77)]\n");
    fs::write(&script, code).unwrap();
    let launcher = folder.path().join("launch");
    fs::write(&launcher, "#!/bin/sh\n\"$@\"\nexit $?\n").unwrap();
    fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).unwrap();
    let (script, launcher) = (script.to_str().unwrap(), launcher.to_str().unwrap());
    let starts_it = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)";
    for_each_interpreter(|python| {
        let executable = python.executable.to_str().unwrap();
        let shell = format!("'{executable}' '{script}'; true");
        for program in [
            &["sh", "-c", &shell][..],
            &["timeout", "60", executable, script],
            &["env", "-i", executable, script],
            &[launcher, launcher, executable, script],
        ] {
            let outcome = Running::start(&["-d", "0"], program).end();
            assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""), "{program:?}");
            assert_keeps(recording(&outcome));
            assert_eq!(outcome.count("__main__.A"), 77, "{program:?}");
            assert!(outcome.is_whole(), "{program:?}: {}", outcome.warnings());
            assert_eq!(outcome.report()["process"]["command"][1], script, "{program:?}");
            assert_eq!(recording(&outcome)["alive_at"], "shutdown");
        }
    });
    // The first that is a Python is the program, even when it only starts another one.
    let outcome = Running::start(
        &["-d", "0"],
        &[executable(), "-B", "-c", starts_it, executable(), script],
    )
    .end();
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
    let other = &recording(&outcome)["others"][0];
    assert_eq!(other["command"][1], script);
    assert_about(number(&other["allocated_bytes"]), 100 * MILLION, 30 * MILLION);
}

#[test]
fn several_programs_one_after_the_other() {
    let shell = format!(
        "for n in 1 2 3; do '{}' -B -c '{}'; done",
        executable(),
        KEEPING.replace('\'', "\"")
    );
    let outcome = Running::start(&["-d", "0"], &["sh", "-c", &shell]).end();
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
    assert_keeps(recording(&outcome));
    assert_eq!(number(&recording(&outcome)["other_processes"]), 2);
    assert_about(
        number(&recording(&outcome)["other_processes_bytes"]),
        200 * MILLION,
        60 * MILLION,
    );
}

/// Says what it sees of its environment, in its order.
const SEEING: &str = "import os; print(list(os.environ.items()))";

#[test]
fn the_program_sees_its_own_environment_in_its_own_order() {
    for_each_interpreter(|python| {
        let executable = python.executable.to_str().unwrap();
        let library = format!(
            "LD_LIBRARY_PATH={}",
            std::env::var("LD_LIBRARY_PATH").unwrap_or_default()
        );
        let words = ["env", "-i", "Z=1", "B=2", &library, "A=3", "LC_ALL=C.UTF-8", "M="];
        let plain = Command::new(words[0])
            .args(&words[1..])
            .args([executable, "-B", "-c", SEEING])
            .output()
            .unwrap();
        let outcome = Running::start(&["-d", "0"], &[&words[..], &[executable, "-B", "-c", SEEING]].concat()).end();
        let said = outcome.out.lines().next().unwrap_or_default();
        assert_eq!(said, String::from_utf8_lossy(&plain.stdout).trim_end());
        recording(&outcome);
        let mut others = Command::new(env!("CARGO_BIN_EXE_pymemscope"));
        let others = others
            .env_clear()
            .env("LD_PRELOAD", "libc.so.6")
            .env("LC_ALL", "C.UTF-8")
            .arg("run");
        let said = others
            .args(["-d", "0", "--", executable, "-B", "-c", SEEING])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(
            said.contains("('LD_PRELOAD', 'libc.so.6')") && !said.contains("PYMEMSCOPE"),
            "{said}"
        );
    });
}

#[test]
fn children_are_recorded_however_they_are_started() {
    const STARTING: &str = "
import os, subprocess, sys
child = [sys.executable, '-B', '-c', 'blocks = [bytes(19_999_967) for _ in range(3)]']
own = {name: os.environ[name] for name in ('LD_LIBRARY_PATH', 'PATH') if name in os.environ}
subprocess.run(child)
subprocess.run(child, env=own)
os.waitpid(os.posix_spawn(sys.executable, child, own), 0)
os.spawnve(os.P_WAIT, sys.executable, child, own)
os.system(f'{child[0]} -B -c \"{child[3]}\"')
os.popen(f'{child[0]} -B -c \"{child[3]}\"').read()
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["-d", "0"], STARTING).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let recording = recording(&outcome);
        // `os.spawnve` forks before it executes, as `subprocess` may.
        assert!((6..=10).contains(&number(&recording["other_processes"])), "{recording}");
        assert_about(
            number(&recording["other_processes_bytes"]),
            360 * MILLION,
            150 * MILLION,
        );
    });
}

#[test]
fn programs_that_cannot_read_the_recorder_start_without_a_word() {
    if !may(&["setpriv", "--reuid=65534", "--clear-groups"]) {
        return;
    }
    let child = "import sys; print(\"there\", file=sys.stderr)";
    let own = format!("'/usr/bin/env' true && exec '{}' -c '{child}'", executable());
    for_each_interpreter(|python| {
        // As another user, by a program of C and by Python itself.
        let becoming = "import os, subprocess
os.setgid(65534); os.setuid(65534)
os.system('true')
os.popen('true').read()
os.spawnv(os.P_WAIT, '/bin/true', ['true'])
os.posix_spawn('/bin/true', ['true'], os.environ)
os.wait()
os.execv('/bin/echo', ['echo', 'done'])";
        let outcome = Running::python(python, &["-d", "0"], becoming).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        assert!(outcome.out.contains("done"), "{}", outcome.out);
    });
    let outcome = Running::start(
        &["-d", "0"],
        &["setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", "true; env"],
    )
    .end();
    assert!(!outcome.err.contains("cannot be preloaded"), "{}", outcome.err);
    assert!(
        !outcome.out.contains("LD_PRELOAD") && !outcome.out.contains("PYMEMSCOPE_RECORDING"),
        "{}",
        outcome.out
    );
    // In another namespace of processes, with a `/proc` of its own.
    let apart = ["unshare", "--fork", "--pid", "--mount-proc"];
    if may(&apart) {
        let outcome = Running::start(&["-d", "0"], &[&apart[..], &["sh", "-c", &own]].concat()).end();
        assert_eq!(outcome.err.lines().next(), Some("there"), "{}", outcome.err);
    }
}

#[test]
fn what_outlives_the_profiler_starts_programs_without_a_word() {
    const OUTLIVING: &str = "
import os, subprocess, sys
print(os.getpid(), flush=True)
for line in sys.stdin: pass
# The profiler is gone: whoever waits for it has seen that.
path = sys.argv[1]
with open(path + '.new', 'w') as out:
    subprocess.run([sys.executable, '-c', 'print(1)'], stdout=out, stderr=out)
    out.flush()
    subprocess.run('/bin/echo 2', shell=True, stdout=out, stderr=out)
    os.dup2(out.fileno(), 1); os.dup2(out.fileno(), 2)
    os.system('/bin/echo 3')
os.rename(path + '.new', path)
";
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said");
    let mut running = Running::start(
        &["-d", "0"],
        &[executable(), "-B", "-c", OUTLIVING, said.to_str().unwrap()],
    );
    running.pid();
    running.kill_profiler();
    drop(running);
    running::until("the program has said all", || said.exists());
    assert_eq!(fs::read_to_string(said).unwrap(), "1\n2\n3\n");
}

#[test]
fn what_cannot_be_looked_at_runs_all_the_same() {
    let profiler = env!("CARGO_BIN_EXE_pymemscope");
    // It needs no `/proc` itself.
    let run = format!("'{profiler}' run -d 0 -- sh -c 'echo ran; exit 5'");
    let said = |words: &[&str]| {
        let said = Command::new(words[0]).args(&words[1..]).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (said.status.code(), text(&said.stdout), text(&said.stderr))
    };
    let mut ways = vec![(vec!["sh", "-c"], "ulimit -n 7;", "Too many open files")];
    if may(&["unshare", "--mount", "--fork", "--pid"]) {
        let unmounting = "umount -l /proc;";
        ways.push((
            vec!["unshare", "--mount", "sh", "-c"],
            unmounting,
            "/proc is not mounted",
        ));
        ways.push((
            vec!["unshare", "--fork", "--pid", "sh", "-c"],
            "",
            "/proc belongs to another namespace",
        ));
    }
    for (mut words, first, why) in ways {
        let line = format!("{first} {run}");
        words.push(&line);
        let (code, out, err) = said(&words);
        assert_eq!((code, out.as_str()), (Some(5), "ran\n"), "{words:?}: {err}");
        assert!(
            err.contains(&format!("it ran unseen: {why}")) && err.lines().count() == 2,
            "{err}"
        );
    }
}

/// Whether this user can start programs in this way.
fn may(words: &[&str]) -> bool {
    let started = Command::new(words[0]).args(&words[1..]).arg("true").output();
    started.is_ok_and(|said| said.status.success())
}
