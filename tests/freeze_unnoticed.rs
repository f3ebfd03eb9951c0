//! What a program could notice of being frozen, and does not: children, registers, threads, memory.

#[path = "freeze/target.rs"]
mod target;

use std::path::Path;
use std::sync::atomic::Ordering;

use pymemscope::target::freeze::FreezeMode;
use target::{Target, frozen_meanwhile, guardian, once};

/// How often a program is frozen at least while it does what must not be disturbed.
const ENOUGH: usize = 40;

#[test]
fn no_child_and_no_signal_of_a_child_is_seen() {
    let mut target = Target::python(
        "
import ctypes, os, signal, sys
seen = []
signal.signal(signal.SIGCHLD, lambda *_: seen.append(1))
print('ready')
sys.stdin.readline()
any_child = ctypes.CDLL(None, use_errno=True).waitpid(-1, None, 0x40000000)
print(len(seen), any_child, ctypes.get_errno())
",
    );
    let mut guardian = guardian();
    for _ in 0..100 {
        once(&mut guardian, target.pid(), FreezeMode::Fork).expect("frozen and released");
    }
    target.say("");
    assert_eq!(target.line(), format!("0 -1 {}", libc::ECHILD));
}

#[test]
fn a_child_that_waits_to_be_reaped_is_left_to_the_program() {
    let mut target = Target::python(
        "
import os, sys
child = os.fork()
if child == 0:
    os._exit(7)
print('ready')
sys.stdin.readline()
print(os.waitpid(-1, 0) == (child, 7 << 8))
",
    );
    let mut guardian = guardian();
    for _ in 0..20 {
        once(&mut guardian, target.pid(), FreezeMode::Fork).expect("frozen and released");
    }
    target.say("");
    assert_eq!(target.line(), "True");
}

/// A file that the program closes is closed, though the copy is still there: who reads a pipe sees its end.
#[test]
fn what_the_program_closes_is_closed() {
    let mut target = Target::python(
        "
import os, sys
reader, writer = os.pipe()
print('ready')
sys.stdin.readline()
os.close(writer)
print(os.read(reader, 1))
",
    );
    let mut guardian = guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Fork).expect("frozen");
    target.say("");
    assert_eq!(target.line(), "b''");
    guardian.release(frozen).expect("released");
}

#[test]
fn sixty_four_threads_are_sixty_four_afterwards() {
    let mut target = Target::python(
        "
import sys, threading
locks = [threading.Lock() for _ in range(63)]
for lock in locks:
    lock.acquire()
threads = [threading.Thread(target=lock.acquire) for lock in locks]
for thread in threads:
    thread.start()
print('ready')
sys.stdin.readline()
for lock in locks:
    lock.release()
for thread in threads:
    thread.join(20)
print(sum(thread.is_alive() for thread in threads))
",
    );
    let mut guardian = guardian();
    for mode in [FreezeMode::Fork, FreezeMode::Stop] {
        let frozen = guardian.freeze(target.pid(), mode).expect("frozen");
        assert_eq!(target.status("Threads"), "64");
        guardian.release(frozen).expect("released");
        assert_eq!(target.status("Threads"), "64");
        assert_eq!(target.status("TracerPid"), "0");
    }
    target.say("");
    assert_eq!(target.line(), "0");
}

#[test]
fn threads_that_come_and_go_are_no_trouble() {
    let mut target = Target::python(
        "
import select, sys, threading
done, rounds = [], 0
print('ready')
while not select.select([sys.stdin], [], [], 0)[0]:
    threads = [threading.Thread(target=done.append, args=[1]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rounds += 1
print(len(done) == 4 * rounds, threading.active_count())
",
    );
    frozen_meanwhile(target.pid(), |freezes| {
        while freezes.load(Ordering::Relaxed) < ENOUGH {
            std::thread::yield_now();
        }
    });
    target.say("");
    assert_eq!(target.line(), "True 1");
}

/// While a program is being stopped, one call ends and the next one like it begins: it is not taken for the first one,
/// which has used up its time.
#[test]
fn calls_that_follow_each_other_all_take_their_time() {
    let source = "
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#define LIMIT 12
static atomic_int over, calls, wrong, shortest = 1000000;
static void *wait(void *unused) {
    int queue = epoll_create1(0);
    while (!over) {
        struct epoll_event event; struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        wrong += epoll_wait(queue, &event, 1, LIMIT) != 0;
        clock_gettime(CLOCK_MONOTONIC, &b);
        int took = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
        if (took < shortest) shortest = took;
        calls++;
    }
    return 0;
}
int main(void) {
    pthread_t threads[8]; char line[8];
    for (int i = 0; i < 8; i++) pthread_create(&threads[i], 0, wait, 0);
    puts(\"ready\"); fflush(stdout);
    fgets(line, 8, stdin);
    over = 1;
    for (int i = 0; i < 8; i++) pthread_join(threads[i], 0);
    printf(\"%d %d %d\\n\", wrong, shortest, calls);
}
";
    let mut target = Target::c("calls", source);
    frozen_meanwhile(target.pid(), |freezes| {
        target::until("many freezes", || {
            (freezes.load(Ordering::Relaxed) >= 2 * ENOUGH).then_some(())
        });
    });
    target.say("");
    let line = target.line();
    let numbers: Vec<i64> = line
        .split(' ')
        .map(|number| number.parse().expect("a number"))
        .collect();
    let [wrong, shortest, calls] = numbers[..] else {
        panic!("{line}");
    };
    assert_eq!(wrong, 0, "calls returned otherwise than they would have");
    assert!(calls > 100, "{calls}");
    assert!(shortest >= 11_900, "a call of 12 ms took {shortest} us");
}

/// All general and vector registers are in use all the time, and what they hold decides the result.
#[test]
fn registers_keep_their_values() {
    let source = "
#include <stdint.h>
#include <stdio.h>
int main(void) {
    puts(\"ready\"); fflush(stdout);
    for (;;) {
        uint64_t r[12]; double f[12];
        for (int i = 0; i < 12; i++) { r[i] = i * 0x9e3779b97f4a7c15u + 1; f[i] = i + 0.5; }
        for (uint64_t n = 0; n < 5000000; n++)
            for (int i = 0; i < 12; i++) {
                r[i] ^= r[i] << 13; r[i] ^= r[i] >> 7; r[i] ^= r[i] << 17; f[i] = f[i] * 0.999 + i;
            }
        uint64_t all = 0; double sum = 0;
        for (int i = 0; i < 12; i++) { all += r[i]; sum += f[i]; }
        printf(\"%llx %.9f\\n\", (unsigned long long)all, sum); fflush(stdout);
    }
}
";
    let mut target = Target::c("registers", source);
    let expected = target.line();
    frozen_meanwhile(target.pid(), |freezes| {
        while freezes.load(Ordering::Relaxed) < ENOUGH {
            assert_eq!(target.line(), expected);
        }
    });
    assert_eq!(target.line(), expected);
}

#[test]
fn a_thousand_freezes_change_neither_results_nor_memory() {
    let mut target = Target::python(
        "
import hashlib, sys
print('ready')
def work():
    table, digest = {}, b''
    for n in range(3000):
        table[n] = [str(n)] * 10
        digest = hashlib.md5(digest + table[n][0].encode()).digest()
    return digest.hex()
results = set()
import threading
stop = threading.Event()
def loop():
    while not stop.is_set():
        results.add(work())
thread = threading.Thread(target=loop)
thread.start()
sys.stdin.readline()
stop.set()
thread.join()
print(len(results))
",
    );
    let mut guardian = guardian();
    let pid = target.pid();
    let kilobytes = |target: &Target| {
        let resident = target.status("VmRSS");
        resident.trim_end_matches(" kB").parse::<u64>().expect("a number")
    };
    for _ in 0..50 {
        once(&mut guardian, pid, FreezeMode::Fork).expect("frozen and released");
    }
    let before = (kilobytes(&target), target.maps());
    for _ in 0..1000 {
        once(&mut guardian, pid, FreezeMode::Fork).expect("frozen and released");
    }
    let after = (kilobytes(&target), target.maps());
    assert!(
        after.0 < before.0 + 2048,
        "{} kB before, {} kB after",
        before.0,
        after.0
    );
    assert!(
        after.1 <= before.1 + 2,
        "{} regions before, {} after",
        before.1,
        after.1
    );
    assert_eq!(target.children(), Vec::<u32>::new());
    target.say("");
    assert_eq!(target.line(), "1");
    assert!(target.end().success());
}

#[test]
fn a_program_that_ends_or_becomes_another_while_it_is_frozen_is_let_go() {
    let mut target = Target::python(
        "
import os, sys
print('ready')
sys.stdin.readline()
os.execv(sys.executable, [sys.executable, '-c', 'print(input())'])
",
    );
    let mut guardian = guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Fork).expect("frozen");
    let copy = frozen.readable_pid;
    target.say("");
    target::until("it is another program", || {
        target.command_line().contains("input()").then_some(())
    });
    guardian.release(frozen).expect("released");
    assert!(!Path::new(&format!("/proc/{copy}")).exists(), "the copy is reaped");
    let frozen = guardian.freeze(target.pid(), FreezeMode::Fork).expect("frozen");
    target.say("bye");
    assert_eq!(target.line(), "bye");
    target::until("it has ended", || target.status("State").starts_with('Z').then_some(()));
    guardian.release(frozen).expect("released");
    assert!(target.end().success());
}

#[test]
fn the_guardian_leaves_with_its_profiler() {
    let guardian = guardian();
    let pid = guardian.pid();
    drop(guardian);
    assert!(
        !Path::new(&format!("/proc/{pid}")).exists(),
        "not even a zombie is left"
    );
}
