//! When no copy can or may be made, and when nothing can be frozen at all: what is done instead, and what is said.

#[path = "freeze/target.rs"]
mod target;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use pymemscope::target::freeze::{FreezeError, FreezeMode, FreezeUsed, Guardian};
use target::{Target, guardian};

/// `auto` must stop the program and say why; `fork` must fail for the same reason. Either way the program lives on.
fn is_stopped_because(mut target: Target, reason: &str) {
    let mut guardian = guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Auto).expect("frozen");
    assert_eq!(frozen.used, FreezeUsed::Stop);
    assert!(
        frozen.reason.as_deref().is_some_and(|why| why.contains(reason)),
        "{:?}, not {reason}",
        frozen.reason
    );
    guardian.release(frozen).expect("released");
    match guardian.freeze(target.pid(), FreezeMode::Fork) {
        Err(error @ FreezeError::ForkRefused { .. }) => assert!(error.to_string().contains(reason), "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(target.status("TracerPid"), "0");
    target.say("");
    assert_eq!(target.line(), "alive");
}

fn is_copied(mut target: Target) {
    let mut guardian = guardian();
    let frozen = guardian.freeze(target.pid(), FreezeMode::Auto).expect("frozen");
    assert_eq!((frozen.used, frozen.reason.as_deref()), (FreezeUsed::Fork, None));
    guardian.release(frozen).expect("released");
    target.say("");
    assert_eq!(target.line(), "alive");
    assert!(target.end().success());
}

/// A program under a seccomp filter that does `verdict` to the system call `number`, and allows all others.
fn filtered(number: i64, verdict: u32) -> Target {
    let code = format!(
        "
import ctypes, struct, sys
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, {number}), (6, 0, 0, {verdict}), (6, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *rule) for rule in rules))
program = struct.pack('HxxxxxxQ', len(rules), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()
print('ready')
sys.stdin.readline()
print('alive')
"
    );
    Target::python(&code)
}

const KILL_PROCESS: u32 = 0x8000_0000;
const FAIL: u32 = 0x0005_0001;

#[test]
fn a_filter_that_forbids_nothing_that_is_needed_allows_a_copy() {
    is_copied(filtered(libc::SYS_reboot, KILL_PROCESS));
}

#[test]
fn a_filter_that_would_punish_the_copy_is_never_met() {
    for (call, name) in [
        (libc::SYS_clone, "clone"),
        (libc::SYS_wait4, "wait4"),
        (libc::SYS_mmap, "mmap"),
        (libc::SYS_munmap, "munmap"),
    ] {
        is_stopped_because(
            filtered(call, KILL_PROCESS),
            &format!("seccomp filter does not allow {name}"),
        );
        is_stopped_because(filtered(call, FAIL), &format!("seccomp filter does not allow {name}"));
    }
}

/// Where filters cannot be read (by a tracer that is no administrator), nothing is risked.
#[test]
fn a_filter_that_cannot_be_read_means_no_copy() {
    let target = filtered(libc::SYS_reboot, KILL_PROCESS);
    let folder = tempfile::tempdir().expect("a folder");
    let unprivileged = folder.path().join("guardian");
    let guardian = env!("CARGO_BIN_EXE_pymemscope");
    let script = format!("#!/bin/sh\nexec setpriv --bounding-set=-sys_admin --inh-caps=-all {guardian} \"$@\"\n");
    std::fs::write(&unprivileged, script).expect("the script is written");
    std::fs::set_permissions(&unprivileged, std::fs::Permissions::from_mode(0o700)).expect("it can be run");
    let mut guardian = Guardian::start_from(&unprivileged, None).expect("the guardian starts");
    let frozen = guardian.freeze(target.pid(), FreezeMode::Auto).expect("frozen");
    assert_eq!(frozen.used, FreezeUsed::Stop);
    assert!(
        frozen
            .reason
            .as_deref()
            .is_some_and(|why| why.contains("filter that cannot be read"))
    );
    guardian.release(frozen).expect("released");
}

const LIMITED: &str = "
import os, resource, sys
{limit}
print('ready')
sys.stdin.readline()
print('alive')
";

#[test]
fn a_limit_of_processes_means_no_copy() {
    let limit =
        "os.setgroups([]); os.setgid(65534); os.setuid(65534); resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))";
    is_stopped_because(Target::python(&LIMITED.replace("{limit}", limit)), "EAGAIN");
}

#[test]
fn a_limit_of_memory_means_no_copy() {
    let limit = "resource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))";
    is_stopped_because(Target::python(&LIMITED.replace("{limit}", limit)), "ENOMEM");
}

fn failure(pid: u32) -> FreezeError {
    let mut guardian = guardian();
    let errors = [FreezeMode::Auto, FreezeMode::Fork, FreezeMode::Stop].map(|mode| match guardian.freeze(pid, mode) {
        Err(error) => error,
        Ok(frozen) => panic!("{frozen:?}"),
    });
    assert!(errors.iter().all(|error| error == &errors[0]), "{errors:?}");
    assert!(!errors[0].hint().is_empty());
    errors[0].clone()
}

#[test]
fn no_such_process() {
    let pid = 4_194_305; // one more than the kernel's highest
    assert_eq!(failure(pid), FreezeError::NoSuchProcess { pid });
}

#[test]
fn a_zombie() {
    let mut child = Command::new("true").spawn().expect("a child");
    let pid = child.id();
    let is_zombie = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("its entry");
        stat.contains(") Z ").then_some(())
    };
    target::until("it is a zombie", is_zombie);
    assert_eq!(failure(pid), FreezeError::Zombie { pid });
    child.wait().expect("reaped");
}

#[test]
fn without_permission() {
    let target = Target::python("import sys\nprint('ready')\nsys.stdin.readline()");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("open to all");
    let executable = folder.path().join("guardian");
    std::fs::copy(env!("CARGO_BIN_EXE_pymemscope"), &executable).expect("a copy that all can run");
    let script = folder.path().join("as-nobody");
    let text = format!(
        "#!/bin/sh\nexec setpriv --reuid=65534 --clear-groups {} \"$@\"\n",
        executable.display()
    );
    std::fs::write(&script, text).expect("the script is written");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    let mut guardian = Guardian::start_from(&script, None).expect("the guardian starts");
    let error = guardian
        .freeze(target.pid(), FreezeMode::Auto)
        .expect_err("not permitted");
    assert_eq!(error, FreezeError::NotPermitted { pid: target.pid() });
}

/// A program of 32-bit code that waits for signals: an ELF header, a program header, and `pause()` in a loop.
#[test]
fn a_32_bit_program() {
    let code = [0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7];
    let mut program = b"\x7fELF\x01\x01\x01".to_vec();
    program.resize(16, 0);
    let base = 0x0804_8000u32;
    let size = 84 + code.len() as u32;
    for half in [2u16, 3] {
        program.extend(half.to_le_bytes());
    }
    for word in [1, base + 84, 52, 0, 0] {
        program.extend(word.to_le_bytes());
    }
    for half in [52u16, 32, 1, 0, 0, 0] {
        program.extend(half.to_le_bytes());
    }
    for word in [1, 0, base, base, size, size, 5, 0x1000] {
        program.extend(word.to_le_bytes());
    }
    program.extend(code);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("waits");
    std::fs::write(&file, program).expect("the program is written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).expect("it can be run");
    // A child that another test is just starting may hold the file open for writing until it has become its program.
    let child = (0..1000).find_map(|_| match Command::new(&file).spawn() {
        Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
            std::thread::yield_now();
            None
        }
        started => Some(started),
    });
    let child = child
        .expect("the file is free in the end")
        .expect("the kernel runs 32-bit programs");
    let mut child = Ended(child);
    let pid = child.0.id();
    let waits = || {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .ok()?
            .contains(") S ")
            .then_some(())
    };
    target::until("it waits", waits);
    assert_eq!(failure(pid), FreezeError::ThirtyTwoBit { pid });
    assert_eq!(child.0.try_wait().expect("its state"), None, "it lives on");
}

/// A child that ends with its test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
