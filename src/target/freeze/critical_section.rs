//! Restartable sequences (`rseq(2)`): code that the kernel starts anew when its thread was interrupted in it.
//!
//! The kernel looks where the thread stands when it goes on. While the thread works for us it stands elsewhere, so the
//! kernel takes the sequence for left and forgets it; it is reminded before the thread goes on at its own place.

use std::mem::MaybeUninit;

use nix::errno::Errno;

use super::tracee::{self, Tid};

/// The sequence that a stopped thread is in.
#[derive(Debug, Clone, Copy)]
pub struct CriticalSection {
    /// Where the thread keeps the pointer to its sequence.
    pointer_at: u64,
    pointer: u64,
}

const PTRACE_GET_RSEQ_CONFIGURATION: libc::c_uint = 0x420f;
/// `struct rseq` (`include/uapi/linux/rseq.h`): `cpu_id_start`, `cpu_id`, then the pointer.
const POINTER_OFFSET: u64 = 8;

/// `struct ptrace_rseq_configuration`.
#[repr(C)]
struct Configuration {
    address: u64,
    size: u32,
    signature: u32,
    flags: u32,
    padding: u32,
}

impl CriticalSection {
    /// `None` where the thread is in none, or the kernel cannot say (before 5.13).
    pub fn of(tid: Tid) -> Option<CriticalSection> {
        let mut configuration = MaybeUninit::<Configuration>::zeroed();
        let size = size_of::<Configuration>();
        // SAFETY: the kernel writes at most `size` bytes there.
        let written = Errno::result(unsafe {
            libc::ptrace(
                PTRACE_GET_RSEQ_CONFIGURATION as _,
                tid,
                size,
                configuration.as_mut_ptr(),
            )
        });
        written.ok()?;
        // SAFETY: all its fields are numbers, and it was zeroed before the kernel wrote to it.
        let address = unsafe { configuration.assume_init() }.address;
        let pointer_at = address.checked_add(POINTER_OFFSET).filter(|_| address != 0)?;
        let pointer = tracee::read_word(tid, pointer_at)
            .ok()
            .filter(|&pointer| pointer != 0)?;
        Some(CriticalSection { pointer_at, pointer })
    }

    pub fn put_back(&self, tid: Tid) -> Result<(), Errno> {
        tracee::write_word(tid, self.pointer_at, self.pointer)
    }
}
