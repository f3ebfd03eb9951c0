//! Processes that cannot be read and outputs that cannot be written: one line says what was found, one what to do, and
//! nothing is harmed.

mod interpreters;
mod profiler;
mod programs;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use interpreters::{Interpreter, for_each_interpreter, interpreters};
use nix::sys::ptrace;
use profiler::{answer, ask, parse, shell};
use programs::compiled::compile;
use programs::{Program, WAITING, all_interpreters, elf32, eventually};
use pymemscope::target::process::{Process, State};

/// What refuses to read this process; it must be unharmed.
#[track_caller]
fn refused(pid: u32) -> (String, String) {
    let state = || Process::new(pid).state().ok();
    let before = state();
    let (error, hint) = ask(&format!("attach {pid} -d 0")).refusal(1);
    assert!(error.contains(&pid.to_string()), "{error}");
    assert_eq!(state(), before);
    (error, hint)
}

fn a_python() -> Program {
    let newest = interpreters().last().expect("a CPython");
    Program::start(newest.command().args(["-c", WAITING]))
}

#[test]
fn a_pid_that_nobody_has() {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let (error, hint) = refused(child.id());
    assert_eq!(error, format!("there is no process {}", child.id()));
    assert!(hint.contains("pgrep"), "{hint}");
}

#[test]
fn its_own_pid() {
    let answer = shell("exec \"$1\" attach $$ -d 0", &[env!("CARGO_BIN_EXE_pymemscope")]);
    assert!(answer.refusal(1).0.ends_with("is pymemscope itself"));
}

#[test]
fn a_thread() {
    let thread = nix::unistd::gettid().as_raw() as u32;
    let (error, hint) = refused(thread);
    assert!(error.contains("is a thread of process"), "{error}");
    assert!(hint.ends_with(&std::process::id().to_string()), "{hint}");
}

#[test]
fn what_is_no_python() {
    let program = Program::spawn(&mut Command::new("cat"));
    eventually("cat", || {
        Process::new(program.pid()).comm().ok().filter(|name| name == "cat")
    });
    assert!(refused(program.pid()).0.contains("(cat) is not Python"));

    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&mut Command::new(compile("pypy.c", &[], folder.path(), "pypy3.9")));
    assert!(refused(program.pid()).0.contains("PyPy"));
}

#[test]
fn a_python_that_is_too_old() {
    for interpreter in all_interpreters().iter().filter(|each| each.minor() < (3, 8)) {
        let program = Program::python(&interpreter.path);
        let (error, hint) = refused(program.pid());
        assert!(error.contains(&format!("Python {}", interpreter.version)), "{error}");
        assert!(
            hint.contains("CPython 3.8 to 3.") || hint.contains("supported"),
            "{hint}"
        );
    }
}

#[test]
fn a_zombie() {
    let mut child = Command::new("true").spawn().unwrap();
    let process = Process::new(child.id());
    eventually("a zombie", || {
        process.state().ok().filter(|state| *state == State::Zombie)
    });
    assert!(refused(child.id()).0.contains("zombie"));
    child.wait().unwrap();
}

#[test]
fn a_program_that_somebody_traces() {
    let program = a_python();
    ptrace::seize(
        nix::unistd::Pid::from_raw(program.pid() as i32),
        ptrace::Options::empty(),
    )
    .unwrap();
    let (error, hint) = refused(program.pid());
    assert!(error.contains("already traced"), "{error}");
    assert!(hint.contains("--freeze none"), "{hint}");
    // The hint is good.
    ask(&format!("attach {} -d 0 --freeze none", program.pid())).done();
}

#[test]
fn a_32_bit_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = elf32::write(folder.path());
    if let Err(error) = Command::new(&path).stdin(Stdio::null()).output() {
        eprintln!("skipped: this kernel runs no 32-bit programs ({error})");
        return;
    }
    let program = Program::start(&mut Command::new(&path));
    assert!(refused(program.pid()).0.contains("32-bit"));
}

#[test]
fn an_interpreter_that_starts_or_shuts_down() {
    let code = "import os\n\
                class Last:\n\
                \x20   def __del__(self, write=os.write, read=os.read): write(1, b'ready\\n'); read(0, 1)\n\
                last = Last()";
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", code]));
        let (error, hint) = refused(program.pid());
        assert!(error.contains("shutting down"), "{error}");
        assert!(hint.contains("pymemscope run"), "{hint}");

        let Some(library) = library_of(python) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let loading = compile("loading.c", &["-ldl"], folder.path(), "loading");
        let program = Program::start(Command::new(loading).arg(&library));
        let (error, hint) = refused(program.pid());
        assert!(error.contains("not running yet"), "{error}");
        assert!(hint.contains("try again"), "{hint}");
    });
}

/// The `libpython` that this interpreter is in, where it is in one.
fn library_of(python: &Interpreter) -> Option<PathBuf> {
    let program = Program::start(python.command().args(["-c", WAITING]));
    let maps = fs::read_to_string(format!("/proc/{}/maps", program.pid())).unwrap();
    let path = maps
        .lines()
        .find_map(|line| line.split_whitespace().nth(5).filter(|path| path.contains("libpython")));
    path.map(PathBuf::from)
}

/// `pymemscope` as the user `nobody`, at a place where nobody may execute it.
fn as_nobody(folder: &Path, words: &str) -> Command {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.join("pymemscope");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_pymemscope"), &program).unwrap();
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(program)
        .args(words.split_whitespace())
        .current_dir(folder);
    command
}

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    assert!(
        root || env::var_os("CI").is_none(),
        "the tests of permissions run as root in CI"
    );
    root
}

#[test]
fn a_program_of_another_user() {
    if is_root() {
        let (program, folder) = (a_python(), tempfile::tempdir().unwrap());
        for how in ["auto", "fork", "stop", "none"] {
            let words = format!("attach {} -d 0 --freeze {how}", program.pid());
            let (error, hint) = answer(&mut as_nobody(folder.path(), &words)).refusal(1);
            assert!(error.contains("runs as user 0"), "{error}");
            assert!(hint.contains("sudo pymemscope"), "{hint}");
        }
    }
}

#[test]
fn ones_own_program_without_being_root() {
    if is_root() {
        let folder = tempfile::tempdir().unwrap();
        if !Path::new("/usr/bin/python3").exists() {
            eprintln!("skipped: there is no Python that everybody may execute");
            return;
        }
        let mut python = Command::new("setpriv");
        python.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        let program = Program::start(python.args(["/usr/bin/python3", "-c", WAITING]));
        for how in ["fork", "stop", "none"] {
            let words = format!("attach {} -d 0 --freeze {how} -j", program.pid());
            let report = parse(&answer(&mut as_nobody(folder.path(), &words)).done());
            assert_eq!(report["capture"]["freeze"], how);
        }
    }
}

#[test]
fn an_output_that_cannot_be_written() {
    let (program, folder) = (a_python(), tempfile::tempdir().unwrap());
    let place = |name: &str| folder.path().join(name).display().to_string();
    let attach = |outputs: &str| ask(&format!("attach {} -d 0 {outputs}", program.pid()));

    fs::write(place("there.json"), "kept").unwrap();
    let (error, hint) = attach(&format!("-o {}", place("there.json"))).refusal(1);
    assert!(error.contains("exists already") && hint.contains("--force"), "{error}");
    // The first output could be written, but nothing is before all can.
    let both = format!("-o {} -o {}", place("new.svg"), place("there.json"));
    attach(&both).refusal(1);
    let (error, _) = attach(&format!("-o {}", place("missing/x.json"))).refusal(1);
    assert!(error.contains("missing/x.json"), "{error}");
    fs::create_dir(place("folder.json")).unwrap();
    attach(&format!("-o {} --force", place("folder.json"))).refusal(1);
    let (error, _) = attach(&format!("-o {}", place(&("x".repeat(300) + ".json")))).refusal(1);
    assert!(error.contains("cannot be written"), "{error}");
    assert_eq!(fs::read_to_string(place("there.json")).unwrap(), "kept");
    assert_eq!(files_in(folder.path()), ["folder.json", "there.json"]);

    // Full only when it is written to; by then the report is on the terminal.
    let answer = attach("-o /dev/full -f json");
    assert_eq!(answer.code, Some(1));
    assert!(
        answer.err.starts_with("error: /dev/full cannot be written"),
        "{}",
        answer.err
    );
    let full = "exec \"$1\" attach \"$2\" -d 0 -j > /dev/full";
    let pid = program.pid().to_string();
    let (error, _) = shell(full, &[env!("CARGO_BIN_EXE_pymemscope"), &pid]).refusal(1);
    assert!(error.contains("standard output"), "{error}");
}

#[test]
fn a_folder_that_may_not_be_written_to() {
    if is_root() {
        let folder = tempfile::tempdir().unwrap();
        let words = format!("attach {} -d 0 -o x.json", std::process::id());
        let (error, hint) = answer(&mut as_nobody(folder.path(), &words)).refusal(1);
        assert!(error.contains("x.json cannot be written"), "{error}");
        assert!(hint.contains("folder"), "{hint}");
        assert_eq!(files_in(folder.path()), ["pymemscope"]);
    }
}

fn files_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
