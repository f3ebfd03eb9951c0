//! The limit that a shell sets to the size of files (`ulimit -f`): to us it is an error of the write that goes beyond it,
//! which is told and cleaned up after. Programs that we start have it as they would have it without us.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the signal had its usual effect before, which is to end the process.
static WAS_USUAL: AtomicBool = AtomicBool::new(false);

/// From now on a write beyond the limit fails with `EFBIG`, and there is no `SIGXFSZ`.
pub fn make_an_error() {
    // SAFETY: no handler is installed, the signal is only ignored.
    let before = unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    WAS_USUAL.store(before == libc::SIG_DFL, Ordering::Relaxed);
}

/// Puts the signal back as it was, for the program that is executed next: to be called between `fork` and `exec`.
pub fn leave_to_program() {
    if WAS_USUAL.load(Ordering::Relaxed) {
        // SAFETY: the call is allowed there (signal-safety(7)) and touches no memory of ours.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_DFL) };
    }
}
