//! Programs of unusual shape: in a pid namespace, with a thread that cannot be stopped, without their first thread.

#[path = "freeze/target.rs"]
mod target;

use std::path::Path;
use std::process::Command;

use pymemscope::target::freeze::FreezeMode;
use target::{Target, guardian, once, read_memory};

/// There the copy has another pid for the program, which has to reap it, than for us.
#[test]
fn a_program_in_a_pid_namespace_of_its_own() {
    let mut command = Command::new("unshare");
    let code = "import os, sys\nprint('ready')\nsys.stdin.readline()\nprint(os.getpid())";
    command.args(["--pid", "--fork", &target::python(), "-u", "-c", code]);
    let mut target = Target::start(command);
    let pid = target.children()[0];
    let mut guardian = guardian();
    for _ in 0..3 {
        let frozen = guardian.freeze(pid, FreezeMode::Fork).expect("frozen");
        let copy = frozen.readable_pid;
        assert_eq!(read_memory(copy, vdso(pid), 4), b"\x7fELF");
        guardian.release(frozen).expect("released");
        assert!(!Path::new(&format!("/proc/{copy}")).exists(), "the copy is reaped");
    }
    target.say("");
    assert_eq!(target.line(), "1");
    assert!(target.end().success());
}

/// The kernel lets nobody interrupt a thread that waits for the child of its `vfork` to begin another program.
#[test]
fn a_thread_that_waits_in_the_kernel_goes_on_when_it_can() {
    let source = "
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/wait.h>
static int gate[2];
static void *spawn(void *unused) {
    char byte; int status;
    pid_t child = vfork();
    if (child == 0) { puts(\"ready\"); fflush(stdout); read(gate[0], &byte, 1); _exit(3); }
    waitpid(child, &status, 0);
    printf(\"%d\\n\", WEXITSTATUS(status));
    return 0;
}
int main(void) {
    char line[8]; pthread_t thread;
    pipe(gate);
    pthread_create(&thread, 0, spawn, 0);
    read(0, line, 8);
    write(gate[1], line, 1);
    pthread_join(thread, 0);
}
";
    let mut target = Target::c("vfork", source);
    let mut guardian = guardian();
    for mode in [FreezeMode::Fork, FreezeMode::Stop] {
        once(&mut guardian, target.pid(), mode).expect("frozen and released");
    }
    assert_eq!(target.status("Threads"), "2");
    let frozen = guardian.freeze(target.pid(), FreezeMode::Fork).expect("frozen");
    target.say("");
    assert_eq!(target.line(), "3", "it goes on although the copy is still there");
    guardian.release(frozen).expect("released");
    assert!(target.end().success());
}

#[test]
fn a_program_whose_first_thread_has_ended() {
    let source = "
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *go_on(void *unused) {
    char line[8];
    puts(\"ready\"); fflush(stdout);
    read(0, line, 8);
    puts(\"alive\");
    exit(0);
}
int main(void) { pthread_t thread; pthread_create(&thread, 0, go_on, 0); pthread_exit(0); }
";
    let mut target = Target::c("headless", source);
    target::until("its first thread has ended", || {
        target.status("State").starts_with('Z').then_some(())
    });
    let mut guardian = guardian();
    for mode in [FreezeMode::Fork, FreezeMode::Stop] {
        let frozen = guardian.freeze(target.pid(), mode).expect("frozen");
        assert_eq!(
            read_memory(frozen.readable_pid, vdso(frozen.readable_pid), 4),
            b"\x7fELF"
        );
        guardian.release(frozen).expect("released");
    }
    target.say("");
    assert_eq!(target.line(), "alive");
}

/// Where the kernel's own code stands in a process: memory that is there in every process.
fn vdso(pid: u32) -> u64 {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("its maps");
    let line = maps.lines().find(|line| line.ends_with("[vdso]")).expect("a vDSO");
    u64::from_str_radix(line.split('-').next().expect("a start"), 16).expect("an address")
}
