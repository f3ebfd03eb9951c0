//! Freezing live programs: what the image holds, and that the programs do not notice.

#[path = "freeze/target.rs"]
mod target;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pymemscope::target::freeze::{FreezeError, FreezeMode, FreezeUsed};
use target::{Target, guardian, read_memory};

/// How long a program is left alone between two freezes: a few of the kernel's ticks, in which limits of sockets count.
const PACE: Duration = Duration::from_millis(10);

/// Who makes the freezes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// One profiler, as for a watch with many snapshots.
    One,
    /// Profilers that know nothing of each other, one after the other.
    Many,
}

/// Freezes and releases the target again and again until it has nothing more to say. Returns how often that was, how
/// long it stood still in all, and what it said.
fn freeze_until_the_end(target: &mut Target, mode: FreezeMode, by: By) -> (usize, Duration, Vec<String>) {
    let mut guardian = guardian();
    let (mut freezes, mut stood) = (0, Duration::ZERO);
    let pid = target.pid();
    let lines = target.lines_meanwhile(PACE, || -> Result<(), FreezeError> {
        if by == By::Many {
            guardian = target::guardian();
        }
        let frozen = guardian.freeze(pid, mode)?;
        stood += frozen.pause;
        stood += guardian.release(frozen)?.pause;
        freezes += 1;
        Ok(())
    });
    (freezes, stood, lines)
}

fn stands_in(call: &str, rounds: usize, threads: usize) -> Command {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/freeze/calls.py");
    let mut command = Command::new(target::python());
    command
        .arg(script)
        .args([call, &rounds.to_string(), &threads.to_string()]);
    command
}

/// Stands in one call of `freeze/calls.py`, several times, under as many freezes as fit into that time.
fn returns_as_it_would_have(call: &str, result: &str, mode: FreezeMode, by: By, threads: usize) {
    const ROUNDS: usize = 3;
    const SECONDS: f64 = 0.4;
    /// What the program and its helpers may need beside, on a busy machine.
    const LATE: f64 = 0.5;
    /// A machine that is busy with others may be too late for a freeze in each round, but not again and again.
    const TRIES: usize = 5;
    let frozen_often = || {
        let mut target = Target::start(stands_in(call, ROUNDS, threads));
        let (freezes, stood, lines) = freeze_until_the_end(&mut target, mode, by);
        (freezes >= ROUNDS).then_some((target, freezes, stood, lines))
    };
    let frozen = (0..TRIES).find_map(|_| frozen_often());
    let (target, freezes, stood, lines) = frozen.expect("a program that was frozen once in each round");
    assert_eq!(lines.len(), ROUNDS, "{call}: {lines:?}");
    for line in &lines {
        let (returned, seconds) = line.split_once(' ').expect("a result and a time");
        let seconds: f64 = seconds.parse().expect("a time");
        assert_eq!(
            returned, result,
            "{call} returned otherwise than it would have, after {seconds} s"
        );
        // The kernel's own restart of `select` does not count the time of the stop.
        let latest = SECONDS + LATE + stood.as_secs_f64();
        // The answer of another process is on its way before the call begins.
        let earliest = if returned_by_limit(result) {
            SECONDS - 0.002
        } else {
            SECONDS / 2.0
        };
        assert!(
            (earliest..latest).contains(&seconds),
            "{call} took {seconds} s ({freezes} freezes)"
        );
    }
    assert!(target.end().success());
}

/// Whether a call returns that because its time is over.
fn returned_by_limit(result: &str) -> bool {
    matches!(result, "0" | "EAGAIN" | "False")
}

/// One test for each call that the program stands in: alone and with other threads, copied and stopped.
macro_rules! calls {
    ($($name:ident: $call:literal => $result:literal,)*) => {
        mod a_call_returns_as_it_would_have {
            use super::{returns_as_it_would_have, By, FreezeMode};
            $(#[test]
            fn $name() {
                returns_as_it_would_have($call, $result, FreezeMode::Fork, By::One, 0);
                returns_as_it_would_have($call, $result, FreezeMode::Fork, By::One, 3);
                returns_as_it_would_have($call, $result, FreezeMode::Stop, By::One, 0);
                returns_as_it_would_have($call, $result, FreezeMode::Fork, By::Many, 0);
            })*
        }
    };
}

calls! {
    read: "read" => "2",
    recv: "recv" => "1",
    recv_with_a_limit: "recv-limit" => "EAGAIN",
    recv_with_a_limit_answered: "recv-limit-answered" => "1",
    accept: "accept" => "accepted",
    accept_with_a_limit: "accept-limit" => "EAGAIN",
    poll: "poll" => "1",
    poll_with_a_limit: "poll-limit" => "0",
    epoll_wait: "epoll_wait" => "1",
    epoll_wait_with_a_limit: "epoll_wait-limit" => "0",
    epoll_wait_with_a_limit_answered: "epoll_wait-limit-answered" => "1",
    select: "select" => "1",
    select_with_a_limit: "select-limit" => "0",
    futex: "futex" => "True",
    futex_with_a_limit: "futex-limit" => "False",
    sigtimedwait: "sigtimedwait" => "10",
    sigtimedwait_with_a_limit: "sigtimedwait-limit" => "EAGAIN",
    semtimedop: "semtimedop" => "done",
    semtimedop_with_a_limit: "semtimedop-limit" => "EAGAIN",
    sleep: "sleep" => "0",
}

const COUNTER: &str = "
import ctypes, sys, threading
cell = ctypes.c_uint64(0)
stop = False
def count():
    while not stop:
        cell.value += 1
thread = threading.Thread(target=count)
thread.start()
print('ready')
print(ctypes.addressof(cell))
sys.stdin.readline()
stop = True
thread.join()
";

fn counter_of(pid: u32, address: u64) -> u64 {
    u64::from_ne_bytes(read_memory(pid, address, 8).try_into().expect("eight bytes"))
}

#[test]
fn a_fork_image_stands_still_while_the_program_runs() {
    let mut target = Target::python(COUNTER);
    let address = target.line().parse().expect("an address");
    let mut guardian = guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Fork).expect("frozen");
    assert_eq!(frozen.used, FreezeUsed::Fork);
    let first = counter_of(frozen.readable_pid, address);
    while counter_of(target.pid(), address) < first + 1000 {}
    assert_eq!(counter_of(frozen.readable_pid, address), first);
    guardian.release(frozen).expect("released");
    target.say("");
    assert!(target.end().success());
}

#[test]
fn a_stopped_program_stands_still_and_goes_on() {
    let mut target = Target::python(COUNTER);
    let address = target.line().parse().expect("an address");
    let mut guardian = guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Stop).expect("frozen");
    assert_eq!((frozen.used, frozen.readable_pid), (FreezeUsed::Stop, target.pid()));
    let first = counter_of(target.pid(), address);
    for _ in 0..1000 {
        assert_eq!(counter_of(target.pid(), address), first);
    }
    guardian.release(frozen).expect("released");
    while counter_of(target.pid(), address) < first + 1000 {}
    target.say("");
    assert!(target.end().success());
}
