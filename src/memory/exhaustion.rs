//! The end for lack of memory: said as every other error is, instead of with a signal and a core of ourselves.

use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// What is written in place of an error with its hint: there is no memory to put one together.
const SAID: &[u8] = b"error: there is not enough memory: the heap was larger than what the system, a container or a shell \
(ulimit -v) leaves for looking at it\nhint: raise the limit, or save a core of the program (gcore PID) and look at that on \
a machine with more memory\n";
const EXIT_CODE: i32 = 1;

/// Whether the system has refused a block.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Notes that the system has refused a block. Whoever asked for it may go on without, or not.
#[cold]
pub(super) fn note_refused() {
    REFUSED.store(true, Ordering::Relaxed);
}

/// From now on the abort that follows a refused block says so, and exits as after any failure.
pub fn make_an_error() {
    let action = SigAction::new(SigHandler::Handler(on_abort), SaFlags::SA_RESETHAND, SigSet::empty());
    // SAFETY: the handler calls nothing but what signal-safety(7) allows, and touches nothing but an atomic.
    let _ = unsafe { sigaction(Signal::SIGABRT, &action) };
}

extern "C" fn on_abort(_: libc::c_int) {
    if REFUSED.load(Ordering::Relaxed) {
        // SAFETY: both calls are allowed in handlers of signals, and the text lives as long as the program.
        unsafe {
            libc::write(libc::STDERR_FILENO, SAID.as_ptr().cast(), SAID.len());
            libc::_exit(EXIT_CODE);
        }
    }
}
