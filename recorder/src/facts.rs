//! What the recorder tells of its process, so that a report can name it when it is gone.

use std::ffi::{CStr, c_int};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use recording::form::{self, LONGEST_TEXT};

use crate::region::Area;
use crate::{environment, python, system};

/// Writes which process it is, and which program it runs.
pub fn describe(area: Area) {
    let head = area.head();
    head.started.store(system::now(), Relaxed);
    head.python.store(
        python::version().map_or(0, |version| u64::from(version.0 >> 8)),
        Relaxed,
    );
    let mut text = [0; LONGEST_TEXT];
    let length = system::read_link(c"/proc/self/exe", &mut text);
    head.executable.store(write(area, &text[..length]), Relaxed);
    let length = read_file(c"/proc/self/cmdline", &mut text);
    head.command.store(write(area, &text[..length]), Relaxed);
}

/// Adds a text to the area's, which has room for some at the beginning.
fn write(area: Area, text: &[u8]) -> u64 {
    let used = &area.head().text_used;
    let at = used.load(Relaxed) as usize;
    area.write_text(at, text);
    used.store((at + text.len()) as u64, Relaxed);
    form::text(at, text.len())
}

/// The inode of the namespace in which processes have the numbers that this one knows; 0 where there is no `/proc`.
pub fn namespace() -> u32 {
    // As in `pid:[4026531836]`.
    let mut name = [0; 64];
    let length = system::read_link(c"/proc/self/ns/pid", &mut name);
    let digits = name[..length].iter().filter(|letter| letter.is_ascii_digit());
    digits.fold(0, |number: u32, digit| {
        number.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
    })
}

/// Whether there is no process of this number, or nothing of it that runs: one that nobody has waited for is still there.
pub fn has_ended(pid: u32) -> bool {
    const ESRCH: c_int = 3;
    // SAFETY: signal 0 is none, and is not sent.
    if unsafe { system::kill(pid as c_int, 0) } != 0 {
        return system::error() == ESRCH;
    }
    let mut path = *b"/proc/0000000000/stat\0";
    let mut left = pid;
    for digit in path[6..16].iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
    }
    let first = path[6..15].iter().take_while(|&&digit| digit == b'0').count();
    path.copy_within(6 + first.., 6);
    let mut stat = [0; 256];
    let length = CStr::from_bytes_until_nul(&path).map_or(0, |path| read_file(path, &mut stat));
    // The name before it may have parentheses of its own.
    let after = stat[..length].iter().rposition(|&letter| letter == b')');
    after.is_some_and(|after| matches!(stat.get(after + 2), Some(b'Z' | b'X')))
}

/// Waits until the profiler has taken notice of this process, which somebody has started whom it started; not for long,
/// since it may have ended. What it has started itself it has in view.
pub fn wait_to_be_attended(attended: &AtomicU64) {
    const MILLISECONDS: u32 = 2_000;
    if environment::profiler() == Some(system::parent()) {
        return;
    }
    for _ in 0..MILLISECONDS {
        if attended.load(Relaxed) != 0 {
            break;
        }
        system::sleep_a_millisecond();
    }
}

/// How much of a file there is room for.
fn read_file(path: &CStr, into: &mut [u8]) -> usize {
    // SAFETY: the path is a C string, and `into` has room for what is read.
    unsafe {
        let file = system::open(path.as_ptr(), system::O_CLOEXEC);
        if file < 0 {
            return 0;
        }
        let length = system::pread64(file, into.as_mut_ptr().cast(), into.len(), 0);
        system::close(file);
        usize::try_from(length).unwrap_or(0)
    }
}
