//! What cannot be read is refused by name, with one line that says so and one that says what to do, and no harm.

mod programs;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use cpython::identify::Symbols;
use cpython::memory::ReadMemory;
use cpython::prove::recognise;
use cpython::refusal::Refused;
use nix::sys::ptrace;
use programs::compiled::compile;
use programs::{Program, WAITING, all_interpreters, elf32, eventually, interpreters};
use pymemscope::error::Error;
use pymemscope::memory::process::Access;
use pymemscope::target::open::{Fate, Stopping, Target};
use pymemscope::target::process::{Process, State};

const NOBODY: u32 = 65534;

/// The error of opening a process, after a look at its wording.
#[track_caller]
fn refused(pid: u32) -> Error {
    let Err(error) = Target::open(pid, Stopping::Intended) else {
        panic!("{pid} was opened")
    };
    let (message, hint) = (error.to_string(), error.hint());
    assert!(
        message.contains(&pid.to_string()) && !message.contains('\n'),
        "{message}"
    );
    assert!(!hint.is_empty() && !hint.contains('\n'), "{hint}");
    eprintln!("error: {message}\nhint: {hint}");
    error
}

fn recognised(target: &mut Target) -> Result<cpython::prove::Recognised, Refused> {
    let found = &target.interpreters[0];
    let (runtime, runtime_size) = (found.runtime, found.runtime_size);
    recognise(
        &mut target.memory,
        &Symbols {
            runtime,
            runtime_size,
            py_version: found.version_symbol,
        },
    )
}

#[test]
fn a_pid_that_nobody_has() {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    assert!(matches!(refused(child.id()), Error::NoSuchProcess { .. }));
    assert!(matches!(refused(u32::MAX), Error::NoSuchProcess { .. }));
}

#[test]
fn ourselves_and_our_threads() {
    assert!(matches!(refused(std::process::id()), Error::Ourselves { .. }));
    // Every test runs on a thread of its own.
    let thread = nix::unistd::gettid().as_raw() as u32;
    let process = std::process::id();
    assert!(matches!(refused(thread), Error::Thread { process: told, .. } if told == process));
}

#[test]
fn a_zombie() {
    let mut child = Command::new("true").spawn().unwrap();
    let process = Process::new(child.id());
    eventually("a zombie", || {
        process.state().ok().filter(|state| *state == State::Zombie)
    });
    assert!(matches!(refused(child.id()), Error::Zombie { parent, .. } if parent == std::process::id()));
    child.wait().unwrap();
}

#[test]
fn a_program_that_is_not_python() {
    let program = Program::spawn(&mut Command::new("cat"));
    eventually("cat", || {
        Process::new(program.pid()).comm().ok().filter(|name| name == "cat")
    });
    assert!(matches!(refused(program.pid()), Error::NotPython { images, .. } if images > 0));
}

#[test]
fn a_thread_of_the_kernel() {
    match Process::new(2).comm() {
        Ok(name) if name == "kthreadd" => assert!(matches!(refused(2), Error::KernelThread { .. })),
        _ => eprintln!("skipped: no thread of the kernel is to be seen here"),
    }
}

#[test]
fn a_pypy() {
    let folder = tempfile::tempdir().unwrap();
    for (name, options) in [("pypy3.9", &[][..]), ("renamed", &["-rdynamic"])] {
        let program = Program::start(&mut Command::new(compile("pypy.c", options, folder.path(), name)));
        assert!(matches!(refused(program.pid()), Error::PyPy { module, .. } if module.ends_with(name)));
    }
}

#[test]
fn a_python_that_is_too_old() {
    let old: Vec<_> = all_interpreters()
        .into_iter()
        .filter(|each| each.minor() < (3, 8))
        .collect();
    if old.is_empty() {
        eprintln!("skipped: no Python older than 3.8 is here");
    }
    for interpreter in old {
        let program = Program::python(&interpreter.path);
        if interpreter.minor() < (3, 7) {
            let Error::TooOld { version, .. } = refused(program.pid()) else {
                panic!("another error")
            };
            assert_eq!(version, Some(interpreter.version));
        } else {
            // The first with a `_PyRuntime`; its layout is what gives it away, and its version is known all the same.
            let mut target = Target::open(program.pid(), Stopping::Intended).unwrap();
            assert_eq!(
                target.interpreters[0].clone().version_text(&mut target.memory),
                Some(interpreter.version)
            );
            assert!(matches!(
                recognised(&mut target),
                Err(Refused::Unrecognised { .. } | Refused::UnknownVersion { .. })
            ));
        }
    }
}

#[test]
fn a_32_bit_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = elf32::write(folder.path());
    if let Err(error) = Command::new(&path).stdin(std::process::Stdio::null()).output() {
        eprintln!("skipped: this kernel runs no 32-bit programs ({error})");
        return;
    }
    let program = Program::start(&mut Command::new(&path));
    assert!(matches!(refused(program.pid()), Error::Bits32 { name, .. } if name == "bits32"));
}

#[test]
fn a_program_that_is_traced() {
    let interpreter = &interpreters()[0];
    let program = Program::python(&interpreter.path);
    let pid = nix::unistd::Pid::from_raw(program.pid() as i32);
    ptrace::seize(pid, ptrace::Options::empty()).unwrap();
    assert!(matches!(refused(program.pid()), Error::AlreadyTraced { tracer, .. } if tracer == std::process::id()));
    assert!(
        Target::open(program.pid(), Stopping::NotIntended).is_ok(),
        "reading needs no tracing"
    );
}

#[test]
fn a_program_that_ends_midway() {
    let mut program = Program::python(&interpreters()[0].path);
    let mut target = Target::open(program.pid(), Stopping::Intended).unwrap();
    let runtime = target.interpreters[0].runtime;
    assert_eq!(target.fate(), Fate::Same);
    program.end();
    assert_eq!(target.fate(), Fate::Exited);
    target.memory.forget();
    assert!(target.memory.word(runtime).is_err());
    assert_eq!(target.memory.access(), Access::Gone);
}

#[test]
fn a_program_that_becomes_another() {
    let code = "import os, sys; print('ready', flush=True); sys.stdin.readline(); os.execvp('cat', ['cat'])";
    let mut program = Program::start(Command::new(&interpreters()[0].path).args(["-c", code]));
    let target = Target::open(program.pid(), Stopping::Intended).unwrap();
    program.tell("go on");
    eventually("exec", || target.process.comm().ok().filter(|name| name == "cat"));
    assert_eq!(target.fate(), Fate::Executed);
}

#[test]
fn an_interpreter_that_has_not_started() {
    for interpreter in interpreters() {
        let program = Program::python(&interpreter.path);
        let library = Target::open(program.pid(), Stopping::Intended).unwrap().interpreters[0]
            .module_path
            .clone();
        if library == interpreter.path {
            eprintln!("skipped: {} is in no library", library.display());
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let loading = compile("loading.c", &["-ldl"], folder.path(), "loading");
        let program = Program::start(Command::new(loading).arg(&library));
        let mut target = Target::open(program.pid(), Stopping::Intended).unwrap();
        assert_eq!(
            recognised(&mut target),
            Err(Refused::NotInitialised),
            "{}",
            interpreter.version
        );
    }
}

#[test]
fn an_interpreter_that_shuts_down() {
    // Modules are taken apart late: what is deleted with one sees the interpreter shutting down.
    let code = "import os\n\
                class Last:\n\
                \x20   def __del__(self, write=os.write, read=os.read): write(1, b'ready\\n'); read(0, 1)\n\
                last = Last()";
    for interpreter in interpreters() {
        let program = Program::start(Command::new(&interpreter.path).args(["-c", code]));
        let mut target = Target::open(program.pid(), Stopping::Intended).unwrap();
        assert_eq!(
            recognised(&mut target),
            Err(Refused::Finalizing),
            "{}",
            interpreter.version
        );
    }
}

/// Opens `pid` in a process that stands behind `words`, which make it somebody else; gives the message and the hint.
fn refused_behind(words: &[&str], pid: u32) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // Where this very program stands, others may not be let in.
    let program = folder.path().join("opening");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .arg(program)
        .args(["--exact", "open_for_another_test", "--ignored", "--nocapture"]);
    let output = command
        .env("PYMEMSCOPE_TEST_PID", pid.to_string())
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stdout)
    );
    text
}

#[test]
#[ignore = "is started by other tests, as another user"]
fn open_for_another_test() {
    let pid = env::var("PYMEMSCOPE_TEST_PID").unwrap().parse().unwrap();
    assert!(matches!(refused(pid), Error::Denied { .. }));
}

const AS_NOBODY: [&str; 6] = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        assert!(
            env::var_os("CI").is_none(),
            "the tests of permissions run as root in CI"
        );
        eprintln!("skipped: only root can become somebody else");
    }
    root
}

#[test]
fn a_program_of_another_user() {
    if is_root() {
        let program = Program::python(&interpreters()[0].path);
        let text = refused_behind(&AS_NOBODY, program.pid());
        assert!(text.contains("runs as user 0, pymemscope as user 65534"), "{text}");
        assert!(
            text.contains(&format!("sudo pymemscope attach {}", program.pid())),
            "{text}"
        );
    }
}

#[test]
fn a_program_that_is_hidden() {
    if is_root() {
        let program = Program::python(&interpreters()[0].path);
        let script = "mount -t proc -o hidepid=2 proc /proc && exec \"$@\"";
        let text = refused_behind(
            &[&["unshare", "-m", "sh", "-c", script, "sh"][..], &AS_NOBODY].concat(),
            program.pid(),
        );
        assert!(text.contains("hidepid") && text.contains("sudo"), "{text}");
    }
}

#[test]
fn root_without_the_right_to_trace() {
    if is_root() {
        let program = Program::python(&interpreters()[0].path);
        let words = ["setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-all"];
        let text = refused_behind(&words, program.pid());
        assert!(
            text.contains("without CAP_SYS_PTRACE") && text.contains("--cap-add=SYS_PTRACE"),
            "{text}"
        );
    }
}

#[test]
fn a_program_that_has_made_itself_unreadable() {
    if is_root() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = compile("undumpable.c", &[], folder.path(), "undumpable");
        let program = Program::start(Command::new(path).uid(NOBODY).gid(NOBODY).current_dir(Path::new("/")));
        let text = refused_behind(&AS_NOBODY, program.pid());
        assert!(text.contains("made itself unreadable"), "{text}");
    }
}

/// Nothing above has changed what a program is for those who may read it.
#[test]
fn a_program_that_can_be_read() {
    for interpreter in interpreters() {
        let program = Program::start(Command::new(&interpreter.path).args(["-c", WAITING, "", "two words"]));
        let mut target = Target::open(program.pid(), Stopping::Intended).unwrap();
        assert_eq!(
            recognised(&mut target).map(|found| found.version.to_string()),
            Ok(interpreter.version)
        );
        let process = &target.process;
        assert_eq!(process.command().unwrap()[1..], ["-c", WAITING, "", "two words"]);
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs_f64();
        assert!(
            (now - process.start_time().unwrap()).abs() < 60.0,
            "{}",
            process.start_time().unwrap()
        );
        assert!((1 << 20..1 << 30).contains(&process.rss().unwrap()));
        assert_eq!(process.threads().unwrap(), [program.pid()]);
    }
}
