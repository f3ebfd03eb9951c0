//! What `/proc` says about a process's threads, as far as freezing needs it. See `proc(5)`.

use std::fs;
use std::io::Read;
use std::os::unix::fs::FileExt;

use super::FreezeError;
use super::tracee::Tid;
use crate::target::arch::{self, Arguments};

/// Longer than any vDSO; reading ends where it ends.
const LONGEST_VDSO: usize = 16 << 10;

/// The lines of `/proc/PID/task/TID/status` that freezing looks at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// `R` running, `S` asleep, `D` asleep in the kernel, `T` stopped by a signal, `t` traced, `Z` zombie …
    pub state: char,
    pub tracer: u32,
    /// 0 none, 1 strict, 2 filters.
    pub seccomp: u32,
    /// Sent and not taken yet, to the thread or to its process.
    pub pending_signals: u64,
    pub blocked_signals: u64,
    pub ignored_signals: u64,
    pub caught_signals: u64,
}

impl Status {
    pub fn of_thread(pid: u32, tid: Tid) -> Option<Status> {
        Some(Status::parse(&read(&format!("/proc/{pid}/task/{tid}/status"))?))
    }

    pub fn of_process(pid: u32) -> Option<Status> {
        Some(Status::parse(&read(&format!("/proc/{pid}/status"))?))
    }

    fn parse(text: &str) -> Status {
        let mut status = Status {
            state: '?',
            ..Status::default()
        };
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match name {
                "State" => status.state = value.chars().next().unwrap_or('?'),
                "TracerPid" => status.tracer = value.parse().unwrap_or(0),
                "Seccomp" => status.seccomp = value.parse().unwrap_or(0),
                "SigPnd" | "ShdPnd" => status.pending_signals |= u64::from_str_radix(value, 16).unwrap_or(0),
                "SigBlk" => status.blocked_signals = u64::from_str_radix(value, 16).unwrap_or(0),
                "SigIgn" => status.ignored_signals = u64::from_str_radix(value, 16).unwrap_or(0),
                "SigCgt" => status.caught_signals = u64::from_str_radix(value, 16).unwrap_or(0),
                _ => {}
            }
        }
        status
    }

    /// Whether there is a signal for the thread that would do something.
    pub fn awaits_signal(&self) -> bool {
        let pending = self.pending_signals & !self.blocked_signals;
        (1..=64).any(|signal| pending & (1 << (signal - 1)) != 0 && !self.does_nothing(signal))
    }

    /// Whether a signal would do nothing to the program: it ignores it, or has not asked for one that is ignored by
    /// default. A thread that is not traced does not even wake for these.
    pub fn does_nothing(&self, signal: i32) -> bool {
        const IGNORED_BY_DEFAULT: [i32; 4] = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
        let bit = 1u64 << (signal - 1).clamp(0, 63);
        self.ignored_signals & bit != 0 || (self.caught_signals & bit == 0 && IGNORED_BY_DEFAULT.contains(&signal))
    }
}

/// A small file at one go: the system says nothing of how long those of `/proc` are, and many small reads take their time
/// where a program stands still.
pub fn read(path: &str) -> Option<String> {
    const USUAL: usize = 4 << 10;
    let mut text = String::with_capacity(USUAL);
    fs::File::open(path).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

/// Fails with what is wrong when `pid` is no process that could be frozen.
pub fn require_alive(pid: u32) -> Result<Status, FreezeError> {
    let status = Status::of_process(pid).ok_or(FreezeError::NoSuchProcess { pid })?;
    // A zombie leader can have threads that live on; it is a zombie for us when they are gone too.
    let dead = |state: char| matches!(state, 'Z' | 'X' | 'x');
    if dead(status.state)
        && threads(pid)
            .iter()
            .all(|&tid| Status::of_thread(pid, tid).is_none_or(|status| dead(status.state)))
    {
        return Err(FreezeError::Zombie { pid });
    }
    Ok(status)
}

/// The threads of a process at this moment; empty when it is gone.
pub fn threads(pid: u32) -> Vec<Tid> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// The name of a process, for messages.
pub fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).map_or_else(|_| "unknown".into(), |name| name.trim_end().into())
}

/// The system call that a thread sleeps in, with its arguments; `None` when it runs or cannot be asked.
pub fn sleeping_call(pid: u32, tid: Tid) -> Option<(u64, Arguments)> {
    parse_call(&read(&format!("/proc/{pid}/task/{tid}/syscall"))?)
}

/// Whether a thread sleeps in a system call.
pub fn is_asleep(pid: u32, tid: Tid) -> bool {
    sleeping_call(pid, tid).is_some()
}

/// `NUMBER 0xA0 0xA1 0xA2 0xA3 0xA4 0xA5 0xSP 0xPC`; `running`, or `-1 …` for a thread that sleeps outside of a call.
fn parse_call(line: &str) -> Option<(u64, Arguments)> {
    let mut words = line.split_ascii_whitespace();
    let number = words.next()?.parse().ok()?;
    let mut arguments = Arguments::default();
    for argument in &mut arguments {
        *argument = u64::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok()?;
    }
    Some((number, arguments))
}

/// The address of an instruction that makes a system call in the vDSO, the kernel's code in every process.
pub fn vdso_call(pid: u32) -> Option<u64> {
    let vdso = vdso(pid)?;
    let memory = fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut code = vec![0; LONGEST_VDSO];
    let length = memory.read_at(&mut code, vdso).ok()?;
    code.truncate(length);
    let instruction = arch::SYSCALL_INSTRUCTION;
    code.windows(instruction.len())
        .position(|window| window == instruction)
        .map(|at| vdso + at as u64)
}

fn vdso(pid: u32) -> Option<u64> {
    auxiliary(pid, libc::AT_SYSINFO_EHDR)
}

/// A value that the kernel gave the program when it was executed (`AT_*`); zero is none.
pub fn auxiliary(pid: u32, wanted: u64) -> Option<u64> {
    let words = fs::read(format!("/proc/{pid}/auxv")).ok()?;
    let word = |bytes: &[u8]| bytes.try_into().map(u64::from_ne_bytes).ok();
    words.chunks_exact(16).find_map(|pair| {
        let (key, value) = (word(&pair[..8])?, word(&pair[8..])?);
        (key == wanted && value != 0).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_lines_of_a_status_file() {
        let text = "Name:\tpython3\nState:\tT (stopped)\nTracerPid:\t12\nSeccomp:\t2\nSigIgn:\t0000000001001000\n\
                    SigCgt:\t0000000000000002\n";
        let status = Status::parse(text);
        assert_eq!((status.state, status.tracer, status.seccomp), ('T', 12, 2));
        assert!(status.does_nothing(libc::SIGPIPE), "ignored");
        assert!(status.does_nothing(libc::SIGCHLD), "ignored by default");
        assert!(!status.does_nothing(libc::SIGINT), "caught");
        assert!(!status.does_nothing(libc::SIGTERM), "ends the program");
        assert!(!status.awaits_signal(), "none is there");
        for (pending, blocked, awaits) in [("10000", "0", false), ("4000", "0", true), ("4000", "4000", false)] {
            let status = Status::parse(&format!("SigPnd:\t0\nShdPnd:\t{pending}\nSigBlk:\t{blocked}\n"));
            assert_eq!(status.awaits_signal(), awaits, "{pending} {blocked}");
        }
    }

    #[test]
    fn reads_the_call_that_a_thread_sleeps_in() {
        let call = parse_call("232 0x3 0x7f00 0x1 0xffffffff 0x0 0x8 0x7ffe 0x7ff5\n").expect("a call");
        assert_eq!(call, (232, [3, 0x7f00, 1, 0xffff_ffff, 0, 8]));
        assert_eq!(parse_call("running\n"), None);
        assert_eq!(parse_call("-1 0x7ffe 0x7ff5\n"), None);
    }

    #[test]
    fn finds_our_own_threads_and_vdso() {
        let pid = std::process::id();
        assert!(threads(pid).contains(&(pid as Tid)));
        assert!(vdso_call(pid).is_some());
    }
}
