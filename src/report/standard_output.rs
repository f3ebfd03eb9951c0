//! Standard output: written to as far as somebody reads it, and known to be closed where nobody can.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Whether the command was started without a standard output (`>&-`).
static CLOSED: AtomicBool = AtomicBool::new(false);

// Rust opens /dev/null in place of a closed standard output before `main` runs, and all that is written would be lost
// without an error. So this looks before, among the functions that the system calls when it has loaded a program.
// SAFETY: the section holds addresses of functions of this form, and this one needs nothing that is set up later.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: asks for a descriptor's flags and touches no memory.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// An error when standard output is closed, so that everything written to it would be lost.
pub fn check() -> Result<()> {
    if CLOSED.load(Ordering::Relaxed) {
        return Err(Error::NoStandardOutput);
    }
    Ok(())
}

/// Writes to standard output. When nobody reads on (`| head`), that is no failure.
pub fn write(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    check()?;
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(Error::OutputUnwritable {
            path: PathBuf::from("standard output"),
            cause,
        }),
        _ => Ok(()),
    }
}
