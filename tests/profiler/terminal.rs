//! The command on a terminal, which shows its progress there.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Answer, PATIENCE};

/// A command whose standard error is a terminal; ends with the test.
pub struct OnTerminal {
    child: Child,
    /// What it writes to standard output, in one piece when it has ended.
    out: Receiver<String>,
    pieces: Receiver<String>,
    shown: String,
}

impl OnTerminal {
    pub fn start(command: &mut Command) -> OnTerminal {
        let (screen, keyboard) = terminal(100);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(screen)
            .spawn()
            .unwrap();
        // The command holds the other end of the terminal as well; only what is spawned may keep it open.
        command.stderr(Stdio::null());
        let mut stdout = child.stdout.take().unwrap();
        let (sender, out) = mpsc::channel();
        thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            sender.send(text)
        });
        OnTerminal {
            child,
            out,
            pieces: read_all(keyboard),
            shown: String::new(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Reads what is shown until this text is part of it.
    #[track_caller]
    pub fn shows(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.shown.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.pieces.recv_timeout(left) {
                Ok(piece) => self.shown.push_str(&piece),
                Err(RecvTimeoutError::Disconnected) => panic!("ended without '{text}': {}", self.shown),
                Err(RecvTimeoutError::Timeout) => panic!("never showed '{text}': {}", self.shown),
            }
        }
    }

    /// Waits until the first snapshot is taken and the next is waited for.
    #[track_caller]
    pub fn watches(&mut self) {
        self.shows("watching");
    }

    pub fn goes_on(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid() as i32), signal).unwrap();
    }

    /// Waits for its end; what was shown on the terminal is the answer's `err`.
    pub fn answer(mut self) -> Answer {
        let out = self.out.recv_timeout(PATIENCE).expect("an end in time");
        let code = self.child.wait().unwrap().code();
        let mut err = std::mem::take(&mut self.shown);
        err.extend(self.pieces.iter());
        Answer { code, out, err }
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command shows on a terminal that is so many columns wide.
pub fn shown_on_terminal(command: &mut Command, columns: u16) -> String {
    let (screen, keyboard) = terminal(columns);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(screen.try_clone().unwrap())
        .stderr(screen)
        .spawn()
        .unwrap();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let shown = read_all(keyboard).iter().collect();
    assert!(child.wait().unwrap().success(), "{shown}");
    shown
}

/// A terminal's two ends: what a program writes to, and where it arrives.
fn terminal(columns: u16) -> (File, File) {
    // Programs that other tests start meanwhile must not inherit an end: the terminal would stay open with them.
    let keyboard = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let screen = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(ptsname_r(&keyboard).unwrap())
        .unwrap();
    let size = libc::winsize {
        ws_row: 40,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the kernel reads a structure of the kind that this request takes, which lives through the call.
    let set = unsafe { libc::ioctl(screen.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    assert_eq!(set, 0);
    (screen, std::os::fd::OwnedFd::from(keyboard).into())
}

/// What arrives, piece by piece, until the other end is closed (which the kernel reports as EIO).
fn read_all(mut from: File) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            if sender
                .send(String::from_utf8_lossy(&bytes[..length]).into_owned())
                .is_err()
            {
                break;
            }
        }
    });
    receiver
}
