//! Signals and job control of a program that is frozen: all arrive as they would have, and a stopped job stays stopped.

#[path = "freeze/target.rs"]
mod target;

use std::sync::atomic::Ordering;

use pymemscope::target::freeze::FreezeMode;
use target::{Target, frozen_meanwhile, guardian, once};

/// How often a program is frozen at least while it does what must not be disturbed.
const ENOUGH: usize = 40;

/// Every signal arrives, once and in order, and interrupts what it would have interrupted.
#[test]
fn signals_arrive_as_they_would_have() {
    let mut target = Target::python(
        "
import ctypes, errno, os, select, signal, sys
LIBC = ctypes.CDLL(None, use_errno=True)
seen = []
signal.signal(signal.SIGRTMIN + 3, lambda *_: seen.append(1))
signal.siginterrupt(signal.SIGRTMIN + 3, True)
epoll = select.epoll()
events = ctypes.create_string_buffer(64)
print('ready')
while True:
    print('waiting')
    before = len(seen)
    result = LIBC.epoll_wait(epoll.fileno(), events, 1, -1)
    print(result, errno.errorcode[ctypes.get_errno()], len(seen) - before)
",
    );
    let pid = target.pid();
    let signal = libc::SIGRTMIN() + 3;
    frozen_meanwhile(pid, |freezes| {
        while freezes.load(Ordering::Relaxed) < ENOUGH {
            assert_eq!(target.line(), "waiting");
            target.wait_for_call(libc::SYS_epoll_wait);
            // SAFETY: sends a signal to a child of ours.
            assert_eq!(unsafe { libc::kill(pid as i32, signal) }, 0);
            assert_eq!(target.line(), "-1 EINTR 1");
        }
    });
}

/// Signals sent as fast as possible while the program computes: queued ones come in order and none is lost.
#[test]
fn queued_signals_come_in_order_and_none_is_lost() {
    let source = "
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static volatile int next, wrong, over;
static void take(int signal, siginfo_t *info, void *context) {
    int value = info->si_value.sival_int;
    if (value < 0) { over = 1; return; }
    if (info->si_code != SI_QUEUE || value != next) wrong++;
    next++;
}
int main(void) {
    struct sigaction action = { .sa_sigaction = take, .sa_flags = SA_SIGINFO };
    sigaction(SIGRTMIN + 4, &action, 0);
    puts(\"ready\"); fflush(stdout);
    while (!over) { if (next % 1000 == 0) usleep(100); }
    printf(\"%d %d\\n\", next, wrong);
}
";
    let mut target = Target::c("queued", source);
    let pid = target.pid();
    let send = |value: i64| {
        let value = libc::sigval {
            sival_ptr: value as usize as *mut libc::c_void,
        };
        // SAFETY: sends a signal to a child of ours; the pointer is a number and is never followed.
        while unsafe { libc::sigqueue(pid as i32, libc::SIGRTMIN() + 4, value) } != 0 {
            std::thread::yield_now();
        }
    };
    let mut sent = 0;
    frozen_meanwhile(pid, |freezes| {
        while freezes.load(Ordering::Relaxed) < ENOUGH {
            send(sent);
            sent += 1;
        }
    });
    send(-1);
    assert_eq!(target.line(), format!("{sent} 0"));
}

/// A signal that a program ignores wakes none of its threads, but it does wake one that is traced. Only for the moment in
/// which the tracer ends can nobody make that good: some ten microseconds for each stop.
#[test]
fn an_ignored_signal_ends_no_call() {
    let source = "
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
static int ends[2];
static pthread_mutex_t never = PTHREAD_MUTEX_INITIALIZER;
static void *wait_for_ever(void *unused) { pthread_mutex_lock(&never); return 0; }
static pid_t later(int microseconds, int answers) {
    pid_t child = fork();
    if (child == 0) { usleep(microseconds); if (answers) write(ends[1], \"x\", 1); _exit(0); }
    return child;
}
int main(void) {
    struct timeval limit = { 10, 0 }; struct pollfd input = { 0, POLLIN, 0 };
    int rounds = 0, interrupted = 0; char byte; pthread_t thread;
    pthread_mutex_lock(&never);
    for (int i = 0; i < THREADS; i++) pthread_create(&thread, 0, wait_for_ever, 0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    puts(\"ready\"); fflush(stdout);
    for (; poll(&input, 1, 0) == 0; rounds++) {
        // The end of the first is the signal, and the answer comes with it or from the second.
        pid_t first = later(2000, TOGETHER), second = TOGETHER ? 0 : later(4000, 1);
        while (recv(ends[0], &byte, 1, 0) != 1) interrupted++;
        waitpid(first, 0, 0);
        if (second) waitpid(second, 0, 0);
    }
    printf(\"%d %d\\n\", rounds, interrupted);
}
";
    for (threads, together) in [("0", "0"), ("3", "0"), ("3", "1")] {
        let source = source.replace("THREADS", threads).replace("TOGETHER", together);
        let mut target = Target::c("ignored", &source);
        frozen_meanwhile(target.pid(), |freezes| {
            target::until("many freezes", || {
                (freezes.load(Ordering::Relaxed) >= 5 * ENOUGH).then_some(())
            });
        });
        target.say("");
        let line = target.line();
        let (rounds, interrupted) = line.split_once(' ').expect("two numbers");
        let [rounds, interrupted]: [u32; 2] = [rounds, interrupted].map(|number| number.parse().expect("a number"));
        assert!(rounds >= 20, "{line}");
        assert!(
            interrupted * 50 <= rounds,
            "{interrupted} of {rounds} calls were interrupted, with {threads} more threads"
        );
    }
}

#[test]
fn a_blocked_signal_stays_pending() {
    let mut target = Target::python(
        "
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR1)
print('ready')
sys.stdin.readline()
print(signal.sigpending() == {signal.SIGUSR1}, signal.pthread_sigmask(signal.SIG_BLOCK, []) == {signal.SIGUSR1})
",
    );
    let mut guardian = guardian();
    for mode in [FreezeMode::Fork, FreezeMode::Stop] {
        once(&mut guardian, target.pid(), mode).expect("frozen and released");
    }
    target.say("");
    assert_eq!(target.line(), "True True");
}

#[test]
fn a_stopped_job_stays_stopped_and_its_parent_is_not_told_again() {
    let mut target = Target::python("import sys\nprint('ready')\nprint(sys.stdin.readline().strip())");
    let pid = target.pid() as i32;
    let changed = || {
        let mut status = 0;
        // SAFETY: the status lives through the call.
        let seen = unsafe { libc::waitpid(pid, &raw mut status, libc::WUNTRACED | libc::WCONTINUED | libc::WNOHANG) };
        (seen == pid).then_some(status)
    };
    // Not SIGTSTP, which the kernel drops where nobody is left to continue the job (an orphaned process group).
    // SAFETY: sends a signal to a child of ours.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGSTOP) }, 0);
    let status = target::until("the job stops", changed);
    assert!(libc::WIFSTOPPED(status) && libc::WSTOPSIG(status) == libc::SIGSTOP);
    let mut guardian = guardian();
    for mode in [FreezeMode::Fork, FreezeMode::Stop, FreezeMode::Fork] {
        once(&mut guardian, target.pid(), mode).expect("frozen and released");
        target::until("it is stopped again", || {
            target.status("State").starts_with('T').then_some(())
        });
        assert_eq!(changed(), None, "the parent is told nothing new");
    }
    // SAFETY: sends a signal to a child of ours.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGCONT) }, 0);
    target.say("still here");
    assert_eq!(target.line(), "still here");
    assert!(target.end().success());
}

/// A program that is stopped while it stands frozen is stopped afterwards.
#[test]
fn a_stop_that_comes_meanwhile_takes_place() {
    let mut target = Target::python("import sys\nprint('ready')\nprint(sys.stdin.readline().strip())");
    let pid = target.pid() as i32;
    let mut guardian = guardian();
    for mode in [FreezeMode::Stop, FreezeMode::Fork] {
        let frozen = guardian.freeze(target.pid(), mode).expect("frozen");
        // SAFETY: sends a signal to a child of ours.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGSTOP) }, 0);
        guardian.release(frozen).expect("released");
        target::until("it is stopped", || {
            target.status("State").starts_with('T').then_some(())
        });
        // SAFETY: sends a signal to a child of ours.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGCONT) }, 0);
    }
    target.say("still here");
    assert_eq!(target.line(), "still here");
}
