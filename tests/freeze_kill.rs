//! A profiler that is killed with its whole process group, after every numbered step of a freeze and its release: the
//! program runs on as itself, and there is only one of it.

#[path = "freeze/target.rs"]
mod target;

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use pymemscope::target::freeze::{FreezeError, FreezeMode, Guardian, Step};
use target::Target;

/// A program that counts in one thread, waits for a line in another, and then says whether it is still what it was.
const PROGRAM: &str = "
import os, sys, threading
pid, stop, total = os.getpid(), False, 0
def count():
    global total
    checked = 0
    while not stop:
        a, b, c = 3, 5.5, 'x'
        for n in range(1000):
            a = (a * 1103515245 + 12345) % 2147483648
            b = b * 0.5 + n
        assert (a, b) == (1121550491, 1996.0), (a, b)
        checked += 1
    total = checked
thread = threading.Thread(target=count)
thread.start()
print('ready')
line = sys.stdin.readline()
stop = True
thread.join()
print(line.strip(), total > 0, os.getpid() == pid)
";

#[test]
fn a_profiler_killed_after_any_step_leaves_the_program_alone() {
    for mode in [FreezeMode::Fork, FreezeMode::Stop] {
        for step in Step::ALL {
            killed_after(step, mode);
        }
    }
}

/// The guardian is out of reach of whatever ends the profiler. Should it be killed all the same, between two steps, the
/// program still runs on as itself, and the copy does not run.
#[test]
fn a_guardian_killed_after_any_step_leaves_the_program_alone() {
    for step in Step::ALL {
        let mut target = Target::python(PROGRAM);
        let executable = Path::new(env!("CARGO_BIN_EXE_pymemscope"));
        let mut guardian = Guardian::start_from(executable, Some(step)).expect("the guardian starts");
        let outcome = guardian
            .freeze(target.pid(), FreezeMode::Fork)
            .and_then(|frozen| guardian.release(frozen));
        assert!(matches!(outcome, Err(FreezeError::Standing { .. })), "{outcome:?}");
        // SAFETY: sends a signal to the process group of a child of ours, which is its own session's.
        assert_eq!(unsafe { libc::kill(-(guardian.pid() as i32), libc::SIGKILL) }, 0);
        drop(guardian);
        target::until(&format!("nobody traces it after {step:?}"), || {
            (target.status("TracerPid") == "0").then_some(())
        });
        let runs = |child: &u32| !is_gone(*child);
        target::until(&format!("no copy is left after {step:?}"), || {
            (!target.children().iter().any(runs)).then_some(())
        });
        target.say("hello");
        assert_eq!(target.line(), "hello True True", "after {step:?}");
        assert!(target.end().success(), "after {step:?}");
    }
}

/// The tracer is a child of the guardian, which lives on and has the copy reaped.
#[test]
fn a_tracer_killed_alone_leaves_the_program_alone() {
    let mut target = Target::python(PROGRAM);
    let mut guardian = target::guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Fork).expect("frozen");
    let tracers = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", guardian.pid())).expect("it lives");
    let tracer: i32 = tracers.trim().parse().expect("one tracer");
    // SAFETY: sends a signal to the child of a child of ours.
    assert_eq!(unsafe { libc::kill(tracer, libc::SIGKILL) }, 0);
    assert!(matches!(
        guardian.release(frozen),
        Err(FreezeError::GuardianLost { .. })
    ));
    target::until("the copy is reaped", || target.children().is_empty().then_some(()));
    target.say("hello");
    assert_eq!(target.line(), "hello True True");
    assert!(target.end().success());
}

/// Killed at all the moments that show from outside and at some between them, alone and while another profiler stops the
/// program too, which hinders the guardian in cleaning up.
#[test]
fn a_profiler_killed_at_any_moment_leaves_no_zombie() {
    const EACH: usize = 8;
    // A program file of its own, by which its processes can be told from those of other tests.
    let folder = tempfile::tempdir().expect("a folder");
    let command = folder.path().join("pymemscope");
    std::fs::copy(env!("CARGO_BIN_EXE_pymemscope"), &command).expect("a copy of the command");
    let mut target = Target::python(PROGRAM);
    let pid = target.pid();
    let killed_at_all_moments = || {
        for moment in Moment::ALL {
            for times in 0..EACH {
                profiler_killed_when(&command, &target, moment, times);
            }
        }
    };
    killed_at_all_moments();
    no_trace_is_left(&command, &target);
    target::frozen_meanwhile(pid, |_| killed_at_all_moments());
    no_trace_is_left(&command, &target);
    target.say("hello");
    assert_eq!(target.line(), "hello True True");
    assert!(target.end().success());
}

/// What can be seen of an attach from outside.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Started,
    Traced,
    Copied,
    CopyDead,
}

impl Moment {
    const ALL: [Moment; 4] = [Moment::Started, Moment::Traced, Moment::Copied, Moment::CopyDead];

    fn has_come(self, target: &Target) -> bool {
        match self {
            Moment::Started => true,
            Moment::Traced => target.status("TracerPid") != "0",
            Moment::Copied => !target.children().is_empty(),
            Moment::CopyDead => target.children().into_iter().any(is_gone),
        }
    }
}

/// Attaches the command, and kills it when the moment has come and was seen `times` more; or lets it end before that.
fn profiler_killed_when(command: &Path, target: &Target, moment: Moment, times: usize) {
    let mut profiler = Command::new(command)
        .args(["attach", &target.pid().to_string(), "-d", "0", "--freeze", "fork"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the profiler starts");
    let mut left = times;
    while profiler.try_wait().expect("it is ours").is_none() {
        match moment.has_come(target) {
            true if left == 0 => break,
            true => left -= 1,
            false => {}
        }
    }
    profiler.kill().expect("it is killed");
    profiler.wait().expect("it ends");
}

fn no_trace_is_left(command: &Path, target: &Target) {
    let executes = |process: std::fs::DirEntry| {
        std::fs::read_link(process.path().join("exe")).is_ok_and(|executable| executable == command)
    };
    target::until("all guardians are gone", || {
        let mut processes = std::fs::read_dir("/proc").expect("the processes").flatten();
        (!processes.any(executes)).then_some(())
    });
    assert_eq!(target.children(), Vec::<u32>::new());
    assert_eq!(target.status("TracerPid"), "0");
    assert_eq!(target.status("Threads"), "2");
}

fn killed_after(step: Step, mode: FreezeMode) {
    let mut target = Target::python(PROGRAM);
    let Some(guardian) = profiler_killed_at(step, mode, target.pid()) else {
        assert_eq!(mode, FreezeMode::Stop, "{step:?} was never reached");
        return;
    };
    target::until(&format!("the guardian is gone after {step:?}"), || {
        is_gone(guardian).then_some(())
    });
    assert_eq!(target.status("TracerPid"), "0", "after {step:?}");
    assert_eq!(target.status("Threads"), "2", "after {step:?}");
    assert_eq!(target.children(), Vec::<u32>::new(), "after {step:?}");
    let used = target.processor_time();
    target::until(&format!("the program runs on after {step:?}"), || {
        (target.processor_time() > used).then_some(())
    });
    target.say("hello");
    assert_eq!(target.line(), "hello True True", "after {step:?}");
    assert!(target.end().success(), "after {step:?}");
}

/// Runs a profiler in a process group of its own, kills the group when its guardian stands still after `step`, and
/// returns the guardian's pid. `None` if that step is never reached.
fn profiler_killed_at(step: Step, mode: FreezeMode, pid: u32) -> Option<u32> {
    let mut profiler = Command::new(std::env::current_exe().expect("this test's executable"))
        .args(["the_profiler_that_is_killed", "--exact", "--ignored", "--nocapture"])
        .env("STEP", step.number().to_string())
        .env("MODE", format!("{mode:?}"))
        .env("TARGET", pid.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("the profiler starts");
    let output = BufReader::new(profiler.stdout.take().expect("its output"));
    let said = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| match line.split_once("guardian ") {
            Some((_, pid)) => Some(pid.parse().ok()),
            None => line.ends_with("done").then_some(None),
        });
    // SAFETY: sends a signal to the group of the process that was just started and not waited for.
    assert_eq!(unsafe { libc::kill(-(profiler.id() as i32), libc::SIGKILL) }, 0);
    profiler.wait().expect("the profiler ends");
    said.expect("the profiler says how far it came")
}

/// Not a test: the profiler of the tests above, in a process of its own.
#[test]
#[ignore = "runs as a process of other tests"]
fn the_profiler_that_is_killed() {
    let variable = |name| std::env::var(name).expect(name);
    let step = variable("STEP")
        .parse()
        .ok()
        .and_then(Step::from_number)
        .expect("a step");
    let mode = if variable("MODE") == "Stop" {
        FreezeMode::Stop
    } else {
        FreezeMode::Fork
    };
    let pid = variable("TARGET").parse().expect("a pid");
    let executable = Path::new(env!("CARGO_BIN_EXE_pymemscope"));
    let mut guardian = Guardian::start_from(executable, Some(step)).expect("the guardian starts");
    let outcome = guardian.freeze(pid, mode).and_then(|frozen| guardian.release(frozen));
    match outcome {
        Err(FreezeError::Standing { .. }) => println!("guardian {}", guardian.pid()),
        Ok(_) => println!("done"),
        Err(error) => panic!("{error}"),
    }
    // Stands here until it is killed.
    let _ = std::io::stdin().read_line(&mut String::new());
}

fn is_gone(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}
