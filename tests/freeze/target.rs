//! Programs to freeze: started with a line of Python or a small C source, spoken to over pipes, ended with the test.
#![allow(dead_code)] // each test uses a part of it

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pymemscope::target::freeze::{FreezeError, FreezeMode, Guardian};

/// The longest that a target may take for anything.
const LONGEST: Duration = Duration::from_secs(20);

pub struct Target {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Target {
    /// Starts `python3 -c code` and waits for its first line, which must be `ready`.
    pub fn python(code: &str) -> Target {
        let mut command = Command::new(python());
        command.args(["-u", "-c", code]);
        Target::start(command)
    }

    /// Compiles a C program, starts it, and waits for its first line, which must be `ready`.
    pub fn c(name: &str, source: &str) -> Target {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, program) = (folder.path().join(format!("{name}.c")), folder.path().join(name));
        std::fs::write(&file, source).expect("the source is written");
        let compiled = Command::new("cc")
            .args(["-O2", "-pthread", "-o"])
            .args([&program, &file])
            .status();
        assert!(compiled.expect("there is a C compiler").success());
        Target::start(Command::new(&program))
    }

    pub fn start(mut command: Command) -> Target {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the target program starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut target = Target { child, input, output };
        assert_eq!(target.line(), "ready");
        target
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A line of `/proc/PID/status`.
    pub fn status(&self, name: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("the target lives");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.expect("such a line").trim().to_owned()
    }

    /// Its child processes, of any kind.
    pub fn children(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("the target lives");
        let of_task = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.expect("a thread").path().join("children")).unwrap_or_default()
        };
        tasks
            .map(of_task)
            .flat_map(|pids| pids.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
            .collect()
    }

    /// How many regions its memory has.
    pub fn maps(&self) -> usize {
        std::fs::read_to_string(format!("/proc/{}/maps", self.pid()))
            .expect("the target lives")
            .lines()
            .count()
    }

    pub fn command_line(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/cmdline", self.pid())).expect("the target lives")
    }

    /// Waits until its main thread sleeps in that system call.
    pub fn wait_for_call(&self, call: i64) {
        let in_call = || {
            let line = std::fs::read_to_string(format!("/proc/{}/syscall", self.pid())).ok()?;
            (line.split(' ').next()? == call.to_string()).then_some(())
        };
        until("it stands in its call", in_call);
    }

    /// How long it has been running, in ticks.
    pub fn processor_time(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("the target lives");
        let (_, fields) = stat.rsplit_once(')').expect("the name's end");
        let ticks = fields.split_ascii_whitespace().skip(11).take(2);
        ticks.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("its input is open");
        writeln!(input, "{line}")
            .and_then(|()| input.flush())
            .expect("the target listens");
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the target speaks");
        line.trim_end().to_owned()
    }

    /// Does something over and over until the target has closed its output, and returns the lines that it spoke.
    /// In between it listens for as long as `pace`.
    pub fn lines_meanwhile<E: std::fmt::Display>(
        &mut self,
        pace: Duration,
        mut action: impl FnMut() -> Result<(), E>,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        std::thread::scope(|scope| {
            let output = &mut self.output;
            let (speaker, listener) = mpsc::channel();
            scope.spawn(move || {
                output
                    .lines()
                    .map_while(Result::ok)
                    .try_for_each(|line| speaker.send(line))
            });
            let mut failure = None;
            loop {
                match listener.recv_timeout(if failure.is_none() { pace } else { LONGEST }) {
                    Ok(line) => lines.push(line),
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Err(mpsc::RecvTimeoutError::Timeout) => match failure {
                        None => failure = action().err(),
                        // The program may end just when it is looked at; then it has no more to say.
                        Some(error) => panic!("{error}, but it lives on"),
                    },
                }
            }
        });
        lines
    }

    /// Closes its input and waits for its end.
    pub fn end(mut self) -> std::process::ExitStatus {
        self.input = None;
        self.child.wait().expect("the target ends")
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The interpreter to test with: `PYMEMSCOPE_TEST_PYTHON`, or the first `python3` of the path.
pub fn python() -> String {
    std::env::var("PYMEMSCOPE_TEST_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// Waits for something that is sure to come.
pub fn until<T>(what: &str, condition: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < LONGEST, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// A guardian from the command under test.
pub fn guardian() -> Guardian {
    Guardian::start_from(Path::new(env!("CARGO_BIN_EXE_pymemscope")), None).expect("the guardian starts")
}

/// Freezes the process and lets it go on.
pub fn once(guardian: &mut Guardian, pid: u32, mode: FreezeMode) -> Result<(), FreezeError> {
    let frozen = guardian.freeze(pid, mode)?;
    guardian.release(frozen).map(drop)
}

/// Freezes and releases the process over and over while `work` is done, which is told how often that was so far.
pub fn frozen_meanwhile(pid: u32, work: impl FnOnce(&AtomicUsize)) {
    let freezes = AtomicUsize::new(0);
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let freezer = scope.spawn(|| {
            let is_done = is_done;
            let mut guardian = guardian();
            while is_done.recv_timeout(Duration::from_millis(2)) == Err(mpsc::RecvTimeoutError::Timeout) {
                once(&mut guardian, pid, FreezeMode::Fork).expect("frozen and released");
                freezes.fetch_add(1, Ordering::Relaxed);
            }
        });
        work(&freezes);
        drop(done);
        freezer.join().expect("the freezing goes well");
    });
}

pub fn read_memory(pid: u32, address: u64, length: usize) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; length];
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).expect("its memory opens");
    memory
        .read_exact_at(&mut bytes, address)
        .expect("its memory is readable");
    bytes
}
