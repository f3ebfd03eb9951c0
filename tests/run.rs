//! `pymemscope run`: programs are reported whole, and run as if nobody watched them.

mod interpreters;
#[path = "run/running.rs"]
mod running;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use interpreters::{Interpreter, for_each_interpreter, interpreters};
use nix::sys::signal::{SigHandler, Signal, kill, signal as dispose};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use running::{Running, status, until, until_snapshot};

/// Snapshots all the time, so that whatever they could disturb is disturbed.
const OFTEN: &[&str] = &["--interval", "0.02"];

/// Holds 1234 objects, says its process id, and does what it is told by lines.
const OBEDIENT: &str = "
import os, sys
class Order: pass
ORDERS = [Order() for _ in range(1234)]
print(os.getpid(), flush=True)
for line in sys.stdin:
    exec(line)
";

/// The newest one, for what does not depend on the version.
fn python() -> &'static Interpreter {
    interpreters().last().expect("a Python")
}

#[test]
fn a_program_that_ends_is_reported_whole() {
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &[], "class A: pass\nKEPT = [A() for _ in range(1234)]").end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        assert_eq!(outcome.count("__main__.A"), 1234);
        assert!(outcome.is_whole(), "{}", outcome.warnings());
        assert_eq!(outcome.report()["capture"]["mode"], "run");
    });
}

#[test]
fn its_exit_code_is_passed_on() {
    for_each_interpreter(|python| {
        let ends = [
            ("raise SystemExit(7)", 7),
            ("raise ValueError", 1),
            ("import sys; sys.exit()", 0),
        ];
        for (code, expected) in ends {
            let outcome = Running::python(python, &[], code).end();
            assert_eq!(outcome.code, Some(expected), "{code}: {}", outcome.err);
            assert!(outcome.is_whole(), "{code}: {}", outcome.warnings());
        }
    });
}

#[test]
fn one_that_ends_otherwise_is_reported_from_the_last_snapshot() {
    for (end, code) in [("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", 137)] {
        for_each_interpreter(|python| {
            let mut running = Running::python(python, &["--interval", "0.05"], OBEDIENT);
            let pid = running.pid();
            until_snapshot(pid);
            running.tell(end);
            let outcome = running.end();
            assert_eq!(outcome.code, Some(code), "{}", outcome.err);
            assert_eq!(outcome.count("__main__.Order"), 1234);
            assert!(!outcome.is_whole(), "{}", outcome.warnings());
        });
    }
}

#[test]
fn with_no_snapshot_there_is_what_was_recorded_and_the_programs_own_code() {
    let ends = [
        ("os._exit(3)", 3, "with exit code 3"),
        ("os._exit(0)", 0, "with exit code 0"),
        ("os.kill(os.getpid(), 9)", 137, "by signal 9 (SIGKILL)"),
    ];
    for (end, code, manner) in ends {
        // With and without a look at it while it starts.
        for options in [&["-d", "0"][..], &[]] {
            for_each_interpreter(|python| {
                // Without `site`, which takes longer than the first look.
                let executable = python.executable.to_str().unwrap();
                let program = [executable, "-S", "-E", "-c", &format!("import os; {end}")];
                let outcome = Running::start(options, &program).end();
                assert_eq!((outcome.code, outcome.err.as_str()), (Some(code), ""));
                assert!(outcome.report()["recording"].is_object());
                // Without options there may have been time for a look.
                match outcome.report()["capture"]["unread"].as_str() {
                    Some(why) => assert!(why.starts_with(&format!("it ended {manner} before")), "{why}"),
                    None => assert!(options.is_empty() && outcome.warnings().contains(manner)),
                }
            });
        }
    }
}

#[test]
fn scripts_modules_and_launchers_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let executable = python().executable.to_str().unwrap();
    let script = folder.path().join("app.py");
    fs::write(&script, "class A: pass\nKEPT = [A() for _ in range(55)]\n").unwrap();
    let launcher = folder.path().join("launch");
    fs::write(&launcher, format!("#!/bin/sh\nexec \"{executable}\" \"$@\"\n")).unwrap();
    fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).unwrap();
    let tool = folder.path().join("tool.py");
    fs::write(
        &tool,
        format!("#!{executable}\n{}", fs::read_to_string(&script).unwrap()),
    )
    .unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let [script, launcher, tool] = [&script, &launcher, &tool].map(|path| path.to_str().unwrap());
    for program in [&[executable, script][..], &[launcher, script], &[tool]] {
        let outcome = Running::start(&[], program).end();
        assert_eq!(outcome.code, Some(0), "{program:?}: {}", outcome.err);
        assert_eq!(outcome.count("__main__.A"), 55, "{program:?}");
        assert!(outcome.is_whole(), "{program:?}: {}", outcome.warnings());
    }
    let module = Running::start(&[], &[executable, "-m", "json.tool", "--help"]).end();
    assert_eq!(module.code, Some(0), "{}", module.err);
    assert!(module.is_whole() && module.out.contains("usage"), "{}", module.out);
}

#[test]
fn another_program_in_the_same_process_is_the_one_that_is_reported() {
    let code = "import os, sys
class Old: pass
KEPT = [Old() for _ in range(10)]
print(os.getpid(), flush=True)
sys.stdin.readline()
os.execv(sys.executable, [sys.executable, '-c', 'class New: pass\\nKEPT = [New() for _ in range(77)]'])";
    let mut running = Running::python(python(), OFTEN, code);
    let pid = running.pid();
    until_snapshot(pid);
    running.tell("go");
    let outcome = running.end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.err);
    assert_eq!((outcome.count("__main__.New"), outcome.count("__main__.Old")), (77, 0));
    assert!(outcome.is_whole(), "{}", outcome.warnings());
}

#[test]
fn what_cannot_be_started_is_told_as_env_does() {
    let outcome = Running::start(&[], &["there-is-no-such-program"]).end();
    assert_eq!(outcome.code, Some(127), "{}", outcome.err);
    let folder = tempfile::tempdir().unwrap();
    let outcome = Running::start(&[], &[folder.path().to_str().unwrap()]).end();
    assert_eq!(outcome.code, Some(126), "{}", outcome.err);
}

#[test]
fn a_program_that_is_no_python_keeps_its_code_unless_it_is_0() {
    for (own, code) in [("5", 5), ("0", 1)] {
        let outcome = Running::start(&[], &["sh", "-c", "exit $0", own]).end();
        assert_eq!(
            (outcome.code, outcome.report.is_none()),
            (Some(code), true),
            "{}",
            outcome.err
        );
    }
}

#[test]
fn its_children_end_as_they_would() {
    let code = "
import multiprocessing, os, subprocess, sys
def work(number):
    return number + 1
if __name__ == '__main__':
    for _ in range(5):
        child = os.fork()
        if child == 0:
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert subprocess.run([sys.executable, '-c', 'pass']).returncode == 0
    for way in 'fork', 'spawn':
        with multiprocessing.get_context(way).Pool(2) as pool:
            assert pool.map(work, range(10)) == list(range(1, 11))
            pool.close()
            pool.join()
    print('fine')
";
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("forks.py");
    fs::write(&script, code).unwrap();
    for_each_interpreter(|python| {
        let executable = python.executable.to_str().unwrap();
        let outcome = Running::start(OFTEN, &[executable, script.to_str().unwrap()]).end();
        assert_eq!(outcome.code, Some(0), "{}", outcome.err);
        assert!(outcome.out.starts_with("fine\n"), "{}", outcome.out);
        assert!(outcome.is_whole(), "{}", outcome.warnings());
    });
}

#[test]
fn threads_may_still_run_at_the_end() {
    let code = "
import threading
class A: pass
KEPT = [A() for _ in range(100)]
started = threading.Barrier(4)
def spin():
    started.wait()
    while True:
        pass
for _ in range(3):
    threading.Thread(target=spin, daemon=True).start()
started.wait()
";
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &[], code).end();
        assert_eq!(
            (outcome.code, outcome.count("__main__.A")),
            (Some(0), 100),
            "{}",
            outcome.err
        );
        assert!(outcome.is_whole(), "{}", outcome.warnings());
    });
}

#[test]
fn every_signal_arrives_once() {
    let code = "
import os, signal, subprocess, sys, time
counts = {}
def count(number, frame):
    counts[number] = counts.get(number, 0) + 1
for number in signal.SIGUSR1, signal.SIGALRM, signal.SIGCHLD, signal.SIGTRAP:
    signal.signal(number, count)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for number in range(300):
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGTRAP)
    while counts.get(signal.SIGUSR1, 0) <= number or counts.get(signal.SIGALRM, 0) <= number:
        signal.pause()
signal.setitimer(signal.ITIMER_REAL, 0)
for _ in range(5):
    subprocess.run([sys.executable, '-S', '-c', 'pass'])
print(counts[signal.SIGUSR1], counts[signal.SIGTRAP], counts[signal.SIGCHLD])
";
    let outcome = Running::python(python(), OFTEN, code).end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.err);
    assert!(outcome.out.starts_with("300 300 5\n"), "{}", outcome.out);
    assert!(outcome.is_whole(), "{}", outcome.warnings());
}

#[test]
fn a_stopped_program_stays_stopped_until_it_is_continued() {
    let mut running = Running::python(python(), OFTEN, OBEDIENT);
    let pid = running.pid();
    let stands = || status(pid, "State").to_lowercase().starts_with('t');
    for _ in 0..5 {
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
        until("the program stops", stands);
        // It is stopped in snapshots and between them, and answers nothing.
        running.tell("print('again', flush=True)");
        until_snapshot(pid);
        until("the program stands", stands);
        kill(Pid::from_raw(pid), Signal::SIGCONT).unwrap();
        assert_eq!(running.line(), "again");
    }
    let outcome = running.end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.err);
    assert!(outcome.is_whole(), "{}", outcome.warnings());
}

#[test]
fn calls_that_a_stop_would_end_are_not_ended() {
    // A select without a time limit, by a program that does not make it again.
    let code = "
import ctypes, os, select, sys
libc = ctypes.CDLL(None, use_errno=True)
waiting = select.epoll()
waiting.register(0, select.EPOLLIN)
print(os.getpid(), flush=True)
events = (ctypes.c_char * 64)()
print(libc.epoll_wait(waiting.fileno(), events, 1, -1), flush=True)
";
    let mut running = Running::python(python(), OFTEN, code);
    let pid = running.pid();
    for _ in 0..10 {
        until_snapshot(pid);
        // Ignored, so that it would not wake the program.
        kill(Pid::from_raw(pid), Signal::SIGWINCH).unwrap();
    }
    running.tell("");
    assert_eq!(running.line(), "1");
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn a_killed_profiler_leaves_the_program_to_end_by_itself() {
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    for_each_interpreter(|python| {
        let mut running = Running::python(python, OFTEN, OBEDIENT);
        let pid = running.pid();
        until_snapshot(pid);
        running.signal_profiler(Signal::SIGKILL);
        until("nobody traces the program", || status(pid, "TracerPid") == "0");
        let ours = std::process::id().to_string();
        until("the program has become a child of the test", || {
            status(pid, "PPid") == ours
        });
        running.tell("sys.exit(5)");
        let end = waitpid(Pid::from_raw(pid), None).unwrap();
        assert_eq!(end, WaitStatus::Exited(Pid::from_raw(pid), 5));
    });
}

#[test]
fn a_duration_ends_the_watching_but_not_the_program() {
    let mut running = Running::python(python(), &["-d", "0.1"], OBEDIENT);
    let pid = running.pid();
    until("the report is written", || running.report_file().exists());
    until("nobody traces the program", || status(pid, "TracerPid") == "0");
    running.tell("sys.exit(4)");
    let outcome = running.end();
    assert_eq!((outcome.code, outcome.count("__main__.Order")), (Some(4), 1234));
    assert_eq!(outcome.report()["capture"]["samples"], 2);
}

#[test]
fn an_interrupt_is_passed_on_and_a_second_one_is_ours() {
    let mut running = Running::python(python(), &["-d", "0"], OBEDIENT);
    let pid = running.pid();
    running.tell("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); print('ignored', flush=True)");
    assert_eq!(running.line(), "ignored");
    // Two that come at once count as one.
    until("the report is written", || {
        running.signal_profiler(Signal::SIGINT);
        running.report_file().exists()
    });
    until("nobody traces the program", || status(pid, "TracerPid") == "0");
    running.tell("sys.exit(6)");
    let outcome = running.end();
    assert_eq!((outcome.code, outcome.count("__main__.Order")), (Some(6), 1234));

    let mut running = Running::python(python(), &[], OBEDIENT);
    running.pid();
    // A shell starts what it puts into the background with the signal ignored, and Python leaves it so.
    running
        .tell("import signal; signal.signal(signal.SIGINT, signal.default_int_handler); print('heeded', flush=True)");
    assert_eq!(running.line(), "heeded");
    running.signal_profiler(Signal::SIGINT);
    let outcome = running.wait();
    assert_eq!(outcome.code, Some(130), "{}", outcome.err);
    assert!(outcome.is_whole(), "{}", outcome.warnings());
}

#[test]
fn what_would_end_us_is_passed_on() {
    for (signal, code) in [
        (Signal::SIGTERM, 143),
        (Signal::SIGHUP, 129),
        (Signal::SIGQUIT, 131),
        (Signal::SIGUSR1, 138),
        (Signal::SIGALRM, 142),
    ] {
        // Whoever starts the tests may ignore a signal, and all that we start would inherit that.
        // SAFETY: no handler is installed.
        unsafe { dispose(signal, SigHandler::SigDfl) }.unwrap();
        let mut running = Running::python(python(), OFTEN, OBEDIENT);
        let pid = running.pid();
        running.tell("import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); print('no core', flush=True)");
        assert_eq!(running.line(), "no core");
        until_snapshot(pid);
        running.signal_profiler(signal);
        let outcome = running.wait();
        assert_eq!((outcome.code, outcome.count("__main__.Order")), (Some(code), 1234));
        assert!(!outcome.is_whole());
    }
}

#[test]
fn findings_decide_the_exit_code_where_they_are_asked_to() {
    let code = "KEPT = [float(number) for number in range(300_000)]\nraise SystemExit(9)";
    let outcome = Running::python(python(), &["--fail-on", "info"], code).end();
    assert_eq!(outcome.code, Some(3), "{}", outcome.err);
    let outcome = Running::python(python(), &[], code).end();
    assert_eq!(outcome.code, Some(9), "{}", outcome.err);
}
