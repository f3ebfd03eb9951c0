//! Several who want to stop the same program: profilers take turns, and a debugger is not waited for.

#[path = "freeze/target.rs"]
mod target;

use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::thread;

use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use pymemscope::target::freeze::{FreezeError, FreezeMode};
use target::{Target, frozen_meanwhile, guardian, once, until};

/// Counts in one thread and waits for a line in another.
const PROGRAM: &str = "
import sys, threading
stop = False
def count():
    total = 0
    while not stop:
        total += 1
thread = threading.Thread(target=count)
thread.start()
print('ready')
print(sys.stdin.readline().strip())
stop = True
thread.join()
";

#[test]
fn many_freezes_of_two_profilers_all_succeed() {
    let mut target = Target::python(PROGRAM);
    let pid = target.pid();
    frozen_meanwhile(pid, |others| {
        let mut guardian = guardian();
        for mode in [FreezeMode::Fork, FreezeMode::Stop] {
            for _ in 0..100 {
                once(&mut guardian, pid, mode).expect("frozen and released");
            }
        }
        until("the other one has had its turns too", || {
            (others.load(Ordering::Relaxed) >= 20).then_some(())
        });
    });
    until("no copy is left", || target.children().is_empty().then_some(()));
    target.say("hello");
    assert_eq!(target.line(), "hello");
    assert!(target.end().success());
}

#[test]
fn a_freeze_waits_for_the_end_of_another() {
    let target = Target::python(PROGRAM);
    let (mut first, mut second) = (guardian(), guardian());
    for mode in [FreezeMode::Fork, FreezeMode::Stop] {
        let frozen = first.freeze(target.pid(), FreezeMode::Stop).expect("frozen");
        let waiting = second.pid();
        thread::scope(|scope| {
            let turn = scope.spawn(|| once(&mut second, target.pid(), mode));
            until("the second one waits", || waits(waiting).then_some(()));
            first.release(frozen).expect("released");
            assert_eq!(turn.join().expect("no panic"), Ok(()));
        });
    }
}

#[test]
fn a_freeze_that_waits_too_long_says_for_whom() {
    let target = Target::python(PROGRAM);
    let (mut first, mut second) = (guardian(), guardian());
    let frozen = first.freeze(target.pid(), FreezeMode::Stop).expect("frozen");
    let tracer = target.status("TracerPid").parse().expect("a pid");
    match once(&mut second, target.pid(), FreezeMode::Fork) {
        Err(FreezeError::Busy { pid, other, .. }) => assert_eq!((pid, other), (target.pid(), tracer)),
        outcome => panic!("{outcome:?}"),
    }
    first.release(frozen).expect("released");
    once(&mut second, target.pid(), FreezeMode::Fork).expect("frozen and released");
}

/// A copy can be reaped only by a program that can be stopped.
#[test]
fn a_copy_is_reaped_in_spite_of_another_freeze() {
    let target = Target::python(PROGRAM);
    let (mut first, mut second) = (guardian(), guardian());
    let copied = first.freeze(target.pid(), FreezeMode::Fork).expect("frozen");
    let stopped = second.freeze(target.pid(), FreezeMode::Stop).expect("frozen");
    let waiting = first.pid();
    thread::scope(|scope| {
        let release = scope.spawn(|| first.release(copied));
        until("the first one waits", || waits(waiting).then_some(()));
        second.release(stopped).expect("released");
        release.join().expect("no panic").expect("released");
    });
    assert_eq!(target.children(), Vec::<u32>::new());
}

#[test]
fn a_copy_whose_profiler_has_left_is_reaped_when_a_debugger_lets_go() {
    let mut target = Target::python(PROGRAM);
    let mut guardian = guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Fork).expect("frozen");
    let debugger = Debugger::of(&target);
    match guardian.release(frozen) {
        Err(FreezeError::NotReaped { pid, cause }) => {
            assert_eq!(pid, target.pid());
            assert!(cause.contains("traced already"), "{cause}");
        }
        outcome => panic!("{outcome:?}"),
    }
    assert_eq!(target.children().len(), 1);
    drop(guardian);
    assert_eq!(target.children().len(), 1);
    debugger.lets_go();
    until("it is reaped", || target.children().is_empty().then_some(()));
    target.say("hello");
    assert_eq!(target.line(), "hello");
    assert!(target.end().success());
}

#[test]
fn a_debugger_is_not_waited_for() {
    let target = Target::python(PROGRAM);
    let debugger = Debugger::of(&target);
    let error = guardian()
        .freeze(target.pid(), FreezeMode::Fork)
        .expect_err("it is traced");
    let FreezeError::TracedAlready { pid, tracer, .. } = error else {
        panic!("{error}");
    };
    // The kernel names the thread that traces.
    assert_eq!((pid, tracer), (target.pid(), nix::unistd::gettid().as_raw() as u32));
    debugger.lets_go();
}

/// The command takes every snapshot of a watch, and is never refused, while others look at the same program.
#[test]
fn a_watch_goes_on_while_others_look_at_the_program() {
    let target = Target::python(PROGRAM);
    let attach = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pymemscope"));
        command
            .args(["attach", &target.pid().to_string(), "--freeze", "fork"])
            .args(words);
        command.stdin(Stdio::null()).output().expect("the command runs")
    };
    thread::scope(|scope| {
        let watch = scope.spawn(|| attach(&["-d", "2", "--interval", "0.1", "-o", "-", "-f", "json"]));
        let mut looks = 0;
        while !watch.is_finished() {
            let look = attach(&["-d", "0"]);
            assert!(look.status.success(), "{}", String::from_utf8_lossy(&look.stderr));
            looks += 1;
        }
        assert!(looks > 3, "{looks}");
        let watch = watch.join().expect("no panic");
        assert!(watch.status.success(), "{}", String::from_utf8_lossy(&watch.stderr));
        let report: serde_json::Value = serde_json::from_slice(&watch.stdout).expect("a report");
        let duration = report["capture"]["duration"].as_f64().expect("a number");
        assert!(duration >= 2.0, "{}", report["capture"]);
        assert_eq!(report["capture"]["warnings"].to_string().find("last snapshot"), None);
    });
    until("no copy is left", || target.children().is_empty().then_some(()));
}

/// Killed while it has the copy, at the moment when another profiler stops the program: the copy is reaped all the same.
#[test]
fn a_profiler_killed_during_another_freeze_leaves_no_zombie() {
    let mut target = Target::python(PROGRAM);
    for mode in [FreezeMode::Stop, FreezeMode::Fork] {
        let mut other = guardian();
        let mut profiler = Command::new(env!("CARGO_BIN_EXE_pymemscope"))
            .args(["attach", &target.pid().to_string(), "-d", "0", "--freeze", "fork"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the profiler starts");
        until("there is a copy", || (!target.children().is_empty()).then_some(()));
        let frozen = other.freeze(target.pid(), mode).expect("frozen");
        profiler.kill().expect("it is killed");
        profiler.wait().expect("it ends");
        other.release(frozen).expect("released");
        until("no copy is left", || target.children().is_empty().then_some(()));
    }
    target.say("hello");
    assert_eq!(target.line(), "hello");
    assert!(target.end().success());
}

/// Whether a guardian waits for something that may come by itself: it polls, as it does for nothing else.
fn waits(guardian: u32) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{guardian}/syscall")).unwrap_or_default();
    call.split(' ').next() == Some(&libc::SYS_poll.to_string())
}

/// Traces all threads of a program that runs on, as strace does. It belongs to the thread that began it.
struct Debugger(Vec<Pid>);

impl Debugger {
    fn of(target: &Target) -> Debugger {
        let threads = std::fs::read_dir(format!("/proc/{}/task", target.pid())).expect("the target lives");
        let name = |thread: std::io::Result<std::fs::DirEntry>| thread.expect("a thread").file_name();
        let threads: Vec<Pid> = threads
            .map(|thread| Pid::from_raw(name(thread).to_string_lossy().parse().expect("a number")))
            .collect();
        for &thread in &threads {
            ptrace::seize(thread, ptrace::Options::empty()).expect("it can be traced");
        }
        Debugger(threads)
    }

    fn lets_go(self) {
        for thread in self.0 {
            ptrace::interrupt(thread).expect("it can be stopped");
            waitpid(thread, Some(WaitPidFlag::__WALL)).expect("it stops");
            ptrace::detach(thread, None).expect("it can be let go");
        }
    }
}
