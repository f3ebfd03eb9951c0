//! Starts a program so that it is watched from its first instruction on.

use std::ffi::{CString, OsString, c_char};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::{ptr, thread};

use nix::fcntl::OFlag;
use nix::sys::signal::SigSet;
use nix::unistd::pipe2;

use super::watch::Watch;
use crate::target::file_size_limit;
use crate::target::freeze::FreezeError;

/// A program that was started.
pub struct Started {
    pub child: Child,
    /// Whether it is watched.
    pub watched: Result<(), FreezeError>,
}

/// Starts `program` (its name, looked up on `PATH`, and its arguments) with our standard streams and the variables of
/// `environment`, in this order, in our process group.
///
/// It starts with the signals of `mask` blocked. The new process waits between `fork` and `exec` until the watcher has it;
/// without one it is started all the same.
pub fn start(
    program: &[OsString],
    environment: &[(OsString, OsString)],
    mask: SigSet,
    watch: Result<&mut Watch, FreezeError>,
) -> io::Result<Started> {
    let (name, arguments) = program.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(name);
    command.args(arguments);
    let environment = Environment::of(environment);
    // SAFETY: what runs between `fork` and `exec` makes system calls only.
    unsafe {
        command.pre_exec(move || {
            file_size_limit::leave_to_program();
            environment.become_ours();
            Ok(mask.thread_set_mask()?)
        });
    }
    match watch {
        Ok(watch) => start_watched(command, watch),
        Err(error) => Ok(Started {
            child: command.spawn()?,
            watched: Err(error),
        }),
    }
}

/// An environment as the C library keeps it. `Command` would put the variables into the order of the alphabet.
struct Environment {
    #[expect(dead_code, reason = "`pointers` lead there")]
    variables: Vec<CString>,
    /// A null pointer is the last.
    pointers: Vec<*const c_char>,
}

// SAFETY: the pointers lead to what moves with them and never changes.
unsafe impl Send for Environment {}
// SAFETY: as above.
unsafe impl Sync for Environment {}

unsafe extern "C" {
    static mut environ: *const *const c_char;
}

impl Environment {
    fn of(variables: &[(OsString, OsString)]) -> Environment {
        let text = |(name, value): &(OsString, OsString)| {
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        };
        let variables: Vec<CString> = variables.iter().filter_map(text).collect();
        let pointers = variables.iter().map(|variable| variable.as_ptr());
        Environment {
            pointers: pointers.chain([ptr::null()]).collect(),
            variables,
        }
    }

    /// Makes it that of this process, which executes a program next.
    fn become_ours(&self) {
        // SAFETY: this is a child that has one thread alone, and ends or executes before the pointers are gone.
        unsafe { environ = self.pointers.as_ptr() };
    }
}

fn start_watched(mut command: Command, watch: &mut Watch) -> io::Result<Started> {
    let (birth, announce) = pipe2(OFlag::O_CLOEXEC)?;
    let (gate, opener) = pipe2(OFlag::O_CLOEXEC)?;
    let other_opener = opener.as_raw_fd();
    let watcher = watch.watcher_pid();
    // SAFETY: what runs between `fork` and `exec` makes system calls only, and allocates nothing.
    unsafe {
        command.pre_exec(move || {
            // The inherited end would keep the gate from closing when the profiler dies.
            libc::close(other_opener);
            wait_for_watcher(watcher, &announce, &gate)
        });
    }
    thread::scope(|scope| {
        // This returns when the program has been executed, so somebody else has to open the gate.
        let spawning = scope.spawn(move || command.spawn());
        let mut pid = [0; 4];
        let watched = match File::from(birth).read_exact(&mut pid) {
            Ok(()) => watch.begin(u32::from_ne_bytes(pid)),
            // It was not even born; why, the other thread knows.
            Err(_) => Ok(()),
        };
        drop(opener);
        let child = spawning
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("its start broke off")))?;
        Ok(Started { child, watched })
    })
}

/// Tells the new process's id, and returns when the gate is open.
fn wait_for_watcher(watcher: u32, announce: &OwnedFd, gate: &OwnedFd) -> io::Result<()> {
    let pid = std::process::id().to_ne_bytes();
    let mut byte = 0u8;
    // SAFETY: the first call passes numbers only, the buffers of the others live through them. It permits the watcher to
    // trace us where Yama would not, and fails where there is no Yama.
    unsafe {
        libc::prctl(libc::PR_SET_PTRACER, libc::c_ulong::from(watcher), 0, 0, 0);
        libc::write(announce.as_raw_fd(), pid.as_ptr().cast(), pid.len());
        while libc::read(gate.as_raw_fd(), (&raw mut byte).cast(), 1) < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
    Ok(())
}
