//! Whether a program's seccomp filters allow the calls that a copy needs. A filter that would punish one is never met.
//!
//! A filter is a program of classic BPF over `struct seccomp_data` (`seccomp(2)`, `linux/filter.h`); the kernel hands out
//! a stopped thread's filters to a privileged tracer (`PTRACE_SECCOMP_GET_FILTER`).

use nix::errno::Errno;

use super::classic_bpf::{self, Instruction};
use super::procfs::Status;
use super::tracee::Tid;
use crate::target::arch::{self, Arguments};

/// A call that will be made: its number, its arguments, and the address of its instruction.
#[derive(Debug, Clone, Copy)]
pub struct PlannedCall {
    pub number: i64,
    pub arguments: Arguments,
    pub instruction: u64,
}

const PTRACE_SECCOMP_GET_FILTER: libc::c_uint = 0x420c;
/// More filters than a thread can have (their instructions are limited to 32 768 in all).
const MOST_FILTERS: usize = 4096;
const RETURN_ALLOW: u32 = 0x7fff_0000;
/// Like `ALLOW`, with an entry in the system's log.
const RETURN_LOG: u32 = 0x7ffc_0000;
/// The part of a verdict that says what happens; the rest is data for it.
const RETURN_ACTION: u32 = 0xffff_0000;

/// Fails with the reason why one of the calls must not be made in this stopped thread.
pub fn allows(pid: u32, tid: Tid, calls: &[PlannedCall]) -> Result<(), String> {
    match Status::of_thread(pid, tid).map(|status| status.seccomp) {
        Some(0) => return Ok(()),
        Some(1) => return Err("the program is confined by seccomp's strict mode".into()),
        Some(_) => {}
        None => return Err("its seccomp mode could not be read".into()),
    }
    for index in 0..MOST_FILTERS {
        let filter = match filter(tid, index) {
            Ok(filter) => filter,
            Err(Errno::ENOENT) => return Ok(()),
            Err(error) => {
                return Err(format!(
                    "the program has a seccomp filter that cannot be read: {}",
                    error.desc()
                ));
            }
        };
        if let Some(call) = calls.iter().find(|call| !permits(&filter, call)) {
            return Err(format!(
                "the program's seccomp filter does not allow {}",
                name(call.number)
            ));
        }
    }
    Err("the program has too many seccomp filters".into())
}

/// One of a thread's filters, the newest first.
fn filter(tid: Tid, index: usize) -> Result<Vec<Instruction>, Errno> {
    let read = |into: *mut Instruction| {
        // SAFETY: the kernel writes as many instructions as it says when it is given no place, which is asked for first;
        // a filter never changes.
        Errno::result(unsafe { libc::ptrace(PTRACE_SECCOMP_GET_FILTER, tid, index, into) })
    };
    let length = usize::try_from(read(std::ptr::null_mut())?).unwrap_or(0);
    let mut filter = vec![Instruction::default(); length];
    read(filter.as_mut_ptr())?;
    Ok(filter)
}

fn permits(filter: &[Instruction], call: &PlannedCall) -> bool {
    let verdict = classic_bpf::run(filter, &seccomp_data(call));
    matches!(
        verdict.map(|verdict| verdict & RETURN_ACTION),
        Some(RETURN_ALLOW | RETURN_LOG)
    )
}

/// `struct seccomp_data`: the call's number, the processor, the address behind its instruction, and six arguments.
fn seccomp_data(call: &PlannedCall) -> [u8; 64] {
    let mut data = [0; 64];
    data[..4].copy_from_slice(&(call.number as u32).to_ne_bytes());
    data[4..8].copy_from_slice(&arch::AUDIT_ARCHITECTURE.to_ne_bytes());
    let behind = call.instruction.wrapping_add(arch::SYSCALL_INSTRUCTION.len() as u64);
    data[8..16].copy_from_slice(&behind.to_ne_bytes());
    for (place, argument) in data[16..].chunks_exact_mut(8).zip(call.arguments) {
        place.copy_from_slice(&argument.to_ne_bytes());
    }
    data
}

fn name(call: i64) -> &'static str {
    match call {
        libc::SYS_mmap => "mmap",
        libc::SYS_clone => "clone",
        libc::SYS_munmap => "munmap",
        libc::SYS_wait4 => "wait4",
        _ => "a call that the copy needs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `if number == call: return verdict; return ALLOW`.
    fn refusing(call: i64, verdict: u32) -> Vec<Instruction> {
        vec![
            Instruction {
                code: 0x20,
                jump_true: 0,
                jump_false: 0,
                operand: 0,
            },
            Instruction {
                code: 0x15,
                jump_true: 0,
                jump_false: 1,
                operand: call as u32,
            },
            Instruction {
                code: 0x06,
                jump_true: 0,
                jump_false: 0,
                operand: verdict,
            },
            Instruction {
                code: 0x06,
                jump_true: 0,
                jump_false: 0,
                operand: RETURN_ALLOW,
            },
        ]
    }

    #[test]
    fn a_filter_is_asked_about_the_exact_call() {
        let call = |number| PlannedCall {
            number,
            arguments: [1, 2, 3, 4, 5, 6],
            instruction: 0x7f00,
        };
        let errno = 0x0005_0001;
        assert!(!permits(&refusing(libc::SYS_clone, errno), &call(libc::SYS_clone)));
        assert!(permits(&refusing(libc::SYS_clone, errno), &call(libc::SYS_mmap)));
        assert!(
            !permits(&refusing(libc::SYS_clone, 0x8000_0000), &call(libc::SYS_clone)),
            "kills the process"
        );
        assert!(permits(&refusing(libc::SYS_clone, RETURN_LOG), &call(libc::SYS_clone)));
        assert!(!permits(&[], &call(libc::SYS_mmap)), "a filter that does not end");
    }
}
