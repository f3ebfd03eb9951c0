//! Programs to freeze: started with a line of Python or a small C source, spoken to over pipes, ended with the test.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

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
fn python() -> String {
    std::env::var("PYMEMSCOPE_TEST_PYTHON").unwrap_or_else(|_| "python3".into())
}
