//! Children of a program under `run` are recorded that cannot open what they record to: they have it from their parent.

mod interpreters;
mod profiler;
#[path = "run/running.rs"]
mod running;

use interpreters::for_each_interpreter;
use running::Running;

/// Gives something up, and makes children that keep blocks of known sizes, of a child's own too.
const GIVING_UP: &str = "
import os, resource
def give_up():
    GIVE_UP
def child(further):
    blocks = [bytes(19_999_967) for _ in range(3)]
    if further:
        fork(0)
def fork(further):
    pid = os.fork()
    if pid == 0:
        child(further)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
give_up()
for _ in range(3):
    fork(1)
";

/// The program is one that gives up so much before it forks; all of its children must have been recorded to the byte.
fn children_are_recorded(give_up: &str) {
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["-d", "0"], &GIVING_UP.replace("GIVE_UP", give_up)).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let recording = &outcome.report()["recording"];
        assert_eq!(recording["other_processes"], 6, "{}", outcome.warnings());
        let bytes = recording["other_processes_bytes"].as_u64().unwrap();
        assert!((360_000_000..370_000_000).contains(&bytes), "{bytes}");
        assert!(!outcome.warnings().contains("not recorded"), "{}", outcome.warnings());
    });
}

#[test]
fn where_no_further_file_can_be_opened() {
    children_are_recorded("resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))");
}

#[test]
fn as_another_user() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not tested: only root can become another user");
        return;
    }
    children_are_recorded("os.setgid(65534); os.setuid(65534)");
}
