//! Whether a program's seccomp filters allow the calls that a copy needs.

use super::procfs::Status;
use super::tracee::Tid;

/// Fails with the reason why the calls must not be made in this thread.
pub fn allows_copying(pid: u32, tid: Tid, _instruction: u64, _clone_flags: u64) -> Result<(), String> {
    match Status::of_thread(pid, tid).map(|status| status.seccomp) {
        Some(0) => Ok(()),
        Some(1) => Err("the program is confined by seccomp's strict mode".into()),
        Some(_) => Err("the program is confined by a seccomp filter".into()),
        None => Err("its state could not be read".into()),
    }
}
