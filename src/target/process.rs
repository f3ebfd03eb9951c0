//! What the kernel says of a process under `/proc`: the doorway of `remoteprocess`.
//!
//! Everything is read below a `ProcRoot`, so that tests can make up systems that do not exist.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};

/// Where process entries stand: `/proc`, but in tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcRoot(pub PathBuf);

impl Default for ProcRoot {
    fn default() -> Self {
        ProcRoot(PathBuf::from("/proc"))
    }
}

impl ProcRoot {
    /// The path of an entry, such as `4242/status` or `sys/kernel/yama/ptrace_scope`.
    pub fn path(&self, entry: impl AsRef<Path>) -> PathBuf {
        self.0.join(entry)
    }
}

/// A process by its pid; holds nothing open.
#[derive(Debug, Clone)]
pub struct Process {
    pub pid: u32,
    root: ProcRoot,
}

/// The letter of `/proc/PID/stat`, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Alive,
    /// Stopped by job control.
    Stopped,
    /// Stopped by a debugger.
    Traced,
    /// Ended, but its parent has not taken notice yet.
    Zombie,
}

/// Tells one program in a process from the next: it changes when the pid is given to another process and when the
/// process executes another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incarnation {
    start_ticks: u64,
    /// Zero where the kernel does not let us know; so are the next.
    code: u64,
    stack: u64,
}

impl Incarnation {
    /// Whether the process had memory before and has none any more: it is about to end.
    pub fn has_lost_memory_since(&self, before: &Incarnation) -> bool {
        (before.code, before.stack) != (0, 0) && (self.code, self.stack) == (0, 0)
    }

    /// Whether both are the same process, whatever program it runs.
    pub fn same_process(&self, other: &Incarnation) -> bool {
        self.start_ticks == other.start_ticks
    }
}

/// Fields of `/proc/PID/status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    pub name: String,
    /// The process, where the entry is that of a thread.
    pub tgid: u32,
    pub parent: u32,
    /// Who traces it; zero is nobody.
    pub tracer: u32,
    /// The effective user.
    pub uid: u32,
    /// Its pid in each pid namespace, from ours to its own.
    pub namespace_pids: Vec<u32>,
    pub effective_capabilities: u64,
    pub permitted_capabilities: u64,
    /// 0 none, 1 strict, 2 filters.
    pub seccomp: u32,
    /// The largest resident size it ever had, in bytes.
    pub peak_rss: Option<u64>,
}

/// The second number of the first field that `/proc/PID/stat` counts after the closing parenthesis.
const FIRST_FIELD_AFTER_NAME: usize = 3;

impl Process {
    pub fn new(pid: u32) -> Self {
        Process::below(ProcRoot::default(), pid)
    }

    pub fn below(root: ProcRoot, pid: u32) -> Self {
        Process { pid, root }
    }

    pub fn root(&self) -> &ProcRoot {
        &self.root
    }

    /// The path of one of the process's entries.
    pub fn entry(&self, name: &str) -> PathBuf {
        self.root.path(format!("{}/{name}", self.pid))
    }

    /// What is wrong with `/proc`, if anything: it shows all that is known of processes, and this one by its own number.
    pub fn missing_from_proc() -> Option<&'static str> {
        match std::fs::read_link("/proc/self") {
            Err(_) => Some("/proc is not mounted"),
            Ok(number) if number.as_os_str() != std::process::id().to_string().as_str() => {
                Some("/proc belongs to another namespace of processes")
            }
            Ok(_) => None,
        }
    }

    pub fn exists(&self) -> bool {
        self.entry("stat").exists()
    }

    pub fn state(&self) -> io::Result<State> {
        Ok(match self.stat()?.first().map(String::as_str) {
            Some("Z" | "X" | "x") => State::Zombie,
            Some("T") => State::Stopped,
            Some("t") => State::Traced,
            _ => State::Alive,
        })
    }

    /// Seconds since 1970, to the hundredth.
    pub fn start_time(&self) -> io::Result<f64> {
        let boot = fs::read_to_string(self.root.path("stat"))?;
        let boot = boot
            .lines()
            .find_map(|line| line.strip_prefix("btime ")?.trim().parse::<u64>().ok());
        let boot = boot.ok_or_else(|| malformed("stat", "btime"))?;
        Ok(boot as f64 + self.incarnation()?.start_ticks as f64 / clock_ticks() as f64)
    }

    /// The same as exactly as the kernel says it, unless the clock was set since the process started.
    pub fn started(&self) -> io::Result<SystemTime> {
        let ticks = self.incarnation()?.start_ticks;
        let since_boot = Duration::from_secs_f64(ticks as f64 / clock_ticks() as f64);
        let now = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME)?);
        Ok(SystemTime::now() - now.saturating_sub(since_boot))
    }

    pub fn incarnation(&self) -> io::Result<Incarnation> {
        let fields = self.stat()?;
        let field = |number: usize| {
            fields
                .get(number - FIRST_FIELD_AFTER_NAME)
                .and_then(|text| text.parse::<u64>().ok())
        };
        Ok(Incarnation {
            start_ticks: field(22).ok_or_else(|| malformed("stat", "starttime"))?,
            code: field(26).unwrap_or(0),
            stack: field(28).unwrap_or(0),
        })
    }

    /// Whether it is a thread of the kernel, which has no memory of its own.
    pub fn is_kernel_thread(&self) -> bool {
        /// `PF_KTHREAD` in Linux's `sched.h`.
        const KERNEL_THREAD: u64 = 0x0020_0000;
        let flags = self
            .stat()
            .ok()
            .and_then(|fields| fields.get(9 - FIRST_FIELD_AFTER_NAME)?.parse::<u64>().ok());
        flags.is_some_and(|flags| flags & KERNEL_THREAD != 0)
    }

    /// Resident bytes.
    pub fn rss(&self) -> io::Result<u64> {
        let text = fs::read_to_string(self.entry("statm"))?;
        let pages = text
            .split_whitespace()
            .nth(1)
            .and_then(|pages| pages.parse::<u64>().ok());
        Ok(pages.ok_or_else(|| malformed("statm", "resident"))? * page_size())
    }

    pub fn status(&self) -> io::Result<Status> {
        fs::read(self.entry("status")).map(|bytes| Status::parse(&String::from_utf8_lossy(&bytes)))
    }

    /// The name that the kernel shows, at most 15 bytes of it.
    pub fn comm(&self) -> io::Result<String> {
        let bytes = fs::read(self.entry("comm"))?;
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
    }

    /// The name to call it by in messages.
    pub fn name(&self) -> String {
        self.comm().unwrap_or_else(|_| "unknown".to_owned())
    }

    /// The words it was started with, or what it has put in their place. Read here and not through `remoteprocess`,
    /// which drops empty words and gives up at one that is not UTF-8.
    pub fn command(&self) -> io::Result<Vec<String>> {
        let bytes = fs::read(self.entry("cmdline"))?;
        let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        Ok(bytes
            .split(|&byte| byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect())
    }

    /// The directory that it stands in, as its own mount namespace names it.
    pub fn working_directory(&self) -> io::Result<String> {
        let link = fs::read_link(self.entry("cwd"))?;
        Ok(link.to_string_lossy().into_owned())
    }

    /// The path of its executable as its own mount namespace names it; with ` (deleted)` behind it when it is gone.
    pub fn executable(&self) -> io::Result<String> {
        self.remote()?.exe().map_err(io::Error::other)
    }

    /// The ids of its threads.
    pub fn threads(&self) -> io::Result<Vec<u32>> {
        let threads = self.remote()?.threads().map_err(io::Error::other)?;
        Ok(threads
            .iter()
            .filter_map(|thread| u32::try_from(thread.id().ok()?).ok())
            .collect())
    }

    /// Whether its executable is a 32-bit one.
    pub fn is_32_bit(&self) -> io::Result<bool> {
        const CLASS: usize = 4;
        const CLASS_32: u8 = 1;
        let mut header = [0; CLASS + 1];
        File::open(self.entry("exe"))?.read_exact(&mut header)?;
        Ok(header[CLASS] == CLASS_32)
    }

    fn remote(&self) -> io::Result<remoteprocess::Process> {
        let pid = remoteprocess::Pid::try_from(self.pid).map_err(io::Error::other)?;
        remoteprocess::Process::new(pid).map_err(io::Error::other)
    }

    /// The fields of `/proc/PID/stat` from the third on. The second is a name, which may hold spaces and parentheses.
    fn stat(&self) -> io::Result<Vec<String>> {
        let bytes = fs::read(self.entry("stat"))?;
        let text = String::from_utf8_lossy(&bytes);
        let (_, fields) = text.rsplit_once(')').ok_or_else(|| malformed("stat", "name"))?;
        Ok(fields.split_whitespace().map(str::to_owned).collect())
    }
}

impl Status {
    /// The fields that are missing stay zero or empty.
    pub fn parse(text: &str) -> Status {
        let mut status = Status::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            let numbers = || value.split_whitespace().filter_map(|number| number.parse::<u32>().ok());
            let bits = || u64::from_str_radix(value, 16).unwrap_or(0);
            match key {
                "Name" => status.name = value.to_owned(),
                "Tgid" => status.tgid = numbers().next().unwrap_or(0),
                "PPid" => status.parent = numbers().next().unwrap_or(0),
                "TracerPid" => status.tracer = numbers().next().unwrap_or(0),
                "Uid" => status.uid = numbers().nth(1).unwrap_or(0),
                "NSpid" => status.namespace_pids = numbers().collect(),
                "CapEff" => status.effective_capabilities = bits(),
                "CapPrm" => status.permitted_capabilities = bits(),
                "Seccomp" => status.seccomp = numbers().next().unwrap_or(0),
                "VmHWM" => status.peak_rss = numbers().next().map(|kib| u64::from(kib) << 10),
                _ => {}
            }
        }
        status
    }
}

fn malformed(file: &str, field: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no {field} in /proc's {file}"))
}

fn page_size() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .map_or(4096, |size| size as u64)
}

fn clock_ticks() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
        .ok()
        .flatten()
        .map_or(100, |ticks| ticks as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up `/proc` with process 7 in it.
    fn made_up(entries: &[(&str, &[u8])]) -> (tempfile::TempDir, Process) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("7")).unwrap();
        for (name, bytes) in entries {
            fs::write(root.path().join(name), bytes).unwrap();
        }
        let process = Process::below(ProcRoot(root.path().to_owned()), 7);
        (root, process)
    }

    #[test]
    fn a_name_cannot_pass_for_fields() {
        let stat = b"7 (a) Z (b) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 1 1 1 4096 8192 16384 0";
        let (_root, process) = made_up(&[("7/stat", stat), ("stat", b"cpu 1\nbtime 1700000000\n")]);
        assert_eq!(process.state().unwrap(), State::Alive);
        assert_eq!(
            process.start_time().unwrap(),
            1_700_000_000.0 + 12345.0 / clock_ticks() as f64
        );
        let expected = Incarnation {
            start_ticks: 12345,
            code: 4096,
            stack: 16384,
        };
        assert_eq!(process.incarnation().unwrap(), expected);
        let ending = Incarnation {
            code: 0,
            stack: 0,
            ..expected
        };
        assert!(ending.has_lost_memory_since(&expected) && !expected.has_lost_memory_since(&ending));
        assert!(!ending.has_lost_memory_since(&ending));
        assert!(!process.is_kernel_thread());
    }

    #[test]
    fn threads_of_the_kernel_are_known_by_their_flags() {
        let (_root, process) = made_up(&[("7/stat", b"7 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0")]);
        assert!(process.is_kernel_thread());
    }

    #[test]
    fn words_are_kept_as_they_are() {
        let (_root, process) = made_up(&[("7/cmdline", b"python\0\0two words\0\xff\0")]);
        assert_eq!(process.command().unwrap(), ["python", "", "two words", "\u{fffd}"]);
        let (_root, process) = made_up(&[("7/cmdline", b"")]);
        assert!(process.command().unwrap().is_empty());
    }

    #[test]
    fn status_is_read_and_missing_fields_are_nothing() {
        let text = b"Name:\tpy thon\nTgid:\t7\nPPid:\t3\nTracerPid:\t9\nUid:\t1\t2\t3\t4\nNSpid:\t7\t1\n\
            CapPrm:\t00000000a80425fb\nCapEff:\t0000000000080000\nSeccomp:\t2\nVmHWM:\t  12 kB\nOdd\n";
        let (_root, process) = made_up(&[("7/status", text)]);
        let expected = Status {
            name: "py thon".to_owned(),
            tgid: 7,
            parent: 3,
            tracer: 9,
            uid: 2,
            namespace_pids: vec![7, 1],
            effective_capabilities: 1 << 19,
            permitted_capabilities: 0xa804_25fb,
            seccomp: 2,
            peak_rss: Some(12 << 10),
        };
        assert_eq!(process.status().unwrap(), expected);
        assert_eq!(Status::parse(""), Status::default());
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        let (_root, process) = made_up(&[("7/stat", b"7 (x"), ("7/statm", b"1"), ("stat", b"")]);
        assert!(process.state().is_err() && process.rss().is_err() && process.start_time().is_err());
    }
}
