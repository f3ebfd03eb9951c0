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
    is_over(&stat[..length])
}

/// Whether a `/proc/PID/stat` is of a process that has ended. The first thread alone may have, while others run on.
fn is_over(stat: &[u8]) -> bool {
    /// Where the number of threads stands, behind the name.
    const THREADS: usize = 17;
    // The name may have parentheses of its own.
    let Some(name) = stat.iter().rposition(|&letter| letter == b')') else {
        return false;
    };
    let mut fields = stat[name..].split(|&letter| letter == b' ').skip(1);
    let is_dead = matches!(fields.next(), Some(b"Z" | b"X"));
    is_dead && matches!(fields.nth(THREADS - 1), Some(b"0" | b"1"))
}

/// Waits until the profiler has taken notice of this process, which somebody has started whom it started; not for long,
/// since it may have ended. What it has started itself it has in view.
pub fn wait_to_be_attended(attended: &AtomicU64) {
    const MILLISECONDS: u32 = 2_000;
    let Some(profiler) = environment::profiler().filter(|&profiler| profiler != system::parent()) else {
        return;
    };
    system::permit(profiler);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_lives_as_long_as_any_thread() {
        let stat =
            |state: &str, threads: u32| format!("7 (a) Z 1) {state} 1 7 7 0 -1 4 1 2 3 4 5 6 7 8 20 0 {threads} 0 99");
        assert!(is_over(stat("Z", 1).as_bytes()) && is_over(stat("X", 0).as_bytes()));
        assert!(!is_over(stat("Z", 2).as_bytes()));
        assert!(!is_over(stat("S", 1).as_bytes()) && !is_over(b"") && !is_over(b"7 (a)"));
    }

    #[test]
    fn this_process_has_not_ended() {
        assert!(!has_ended(std::process::id()));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        // Nobody has waited for it yet.
        while !has_ended(child.id()) {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
