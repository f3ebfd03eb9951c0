//! Cores in place of processes: what they say is what their programs would have said, whoever made them, packed or not,
//! and whatever has become of the files; what is missing is named, and what is no core is refused.

mod cores;
mod interpreters;
mod profiler;
mod targets;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use cores::{allow, assert_same, by_gdb, by_kernel, has_gdb, has_kernel, left_behind, look, report_of, start};
use interpreters::{Interpreter, for_each_interpreter, interpreters};
use profiler::{answer, ask, parse, type_row, warnings};
use serde_json::Value;
use targets::{Target, attach};

#[test]
fn a_core_says_what_its_program_would_have_said() {
    let (gdb, kernel) = (has_gdb(), has_kernel());
    for_each_interpreter(|python| {
        let folder = tempfile::tempdir().unwrap();
        let (target, _) = start(python, "plain.py", folder.path());
        let live = attach(target.pid(), &[]);
        let by_gdb = gdb.then(|| by_gdb(target.pid(), folder.path()));
        let by_kernel = if kernel {
            Some(by_kernel(target, folder.path()))
        } else {
            drop(target);
            None
        };
        for core in [by_gdb, by_kernel].iter().flatten() {
            assert_same(&report_of(core, &[]), &live);
        }
    });
}

#[test]
fn threads_tasks_and_further_interpreters_are_in_a_core_too() {
    // gdb leaves out what lies around the guard pages of stacks where these are no mappings of their own (glibc 2.42).
    if !has_kernel() {
        return;
    }
    let python = interpreters().last().unwrap();
    for name in [
        "threads.py",
        "tasks.py",
        "suspended.py",
        "interpreters.py",
        "standard.py",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (target, said) = start(python, name, folder.path());
        if said.get("skip").is_none() {
            let live = attach(target.pid(), &[]);
            assert_same(&report_of(&by_kernel(target, folder.path()), &[]), &live);
        }
    }
}

#[test]
fn types_of_extension_modules_are_named_from_their_files() {
    if !has_kernel() {
        return;
    }
    for python in interpreters().iter().rev().take(2) {
        let folder = tempfile::tempdir().unwrap();
        let (target, said) = start(python, "arrays.py", folder.path());
        if said.get("skip").is_none() {
            let live = attach(target.pid(), &[]);
            let core = report_of(&by_kernel(target, folder.path()), &[]);
            assert!(type_row(&core, "numpy.ndarray")["count"].as_u64() > Some(0));
            // Which of several holders an owner is depends on how much of the memory is held at a time.
            assert!(core["types"] == live["types"] && core["heap"] == live["heap"]);
        }
    }
}

#[test]
fn a_program_that_crashed_is_read() {
    const SCRIPT: &str = "import os, signal, sys
try:
    from ctypes import string_at as crash
except ImportError:
    def crash(address): os.kill(os.getpid(), signal.SIGSEGV)
class Order: pass
ORDERS = [Order() for number in range(1234)]
print('ready', flush=True)
sys.stdin.read()
crash(1)";
    if !has_kernel() {
        return;
    }
    for_each_interpreter(|python| {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::spawn(python.command().args(["-c", SCRIPT]).current_dir(folder.path()));
        assert_eq!(target.line(), "ready\n");
        allow(target.pid());
        assert!(!target.finish().success());
        let report = report_of(&left_behind(folder.path()), &[]);
        assert_eq!(type_row(&report, "__main__.Order")["count"], 1234);
    });
}

/// One interpreter and a core of a small program on it, made by gdb.
fn small_core(folder: &Path) -> Option<(&'static Interpreter, Value, PathBuf)> {
    has_gdb().then(|| {
        let python = interpreters().last().unwrap();
        let (target, _) = start(python, "empty.py", folder);
        let live = attach(target.pid(), &[]);
        (python, live, by_gdb(target.pid(), folder))
    })
}

#[test]
fn packed_cores_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let Some((python, live, core)) = small_core(folder.path()) else {
        return;
    };
    for module in ["gzip", "lzma"] {
        let packed = folder.path().join(module);
        let script =
            format!("import sys, {module}; {module}.open(sys.argv[2], 'wb').write(open(sys.argv[1], 'rb').read())");
        let words = [OsStr::new("-c"), script.as_ref(), core.as_os_str(), packed.as_os_str()];
        assert_eq!(answer(python.command().args(words)).code, Some(0));
        assert_same(&report_of(&packed, &[]), &live);
        // One that breaks off is a core that breaks off, or none.
        let bytes = fs::read(&packed).unwrap();
        fs::write(&packed, &bytes[..bytes.len() / 3]).unwrap();
        let (error, _) = look(&packed, &[]).refusal(1);
        assert!(
            error.contains("cut off") || error.contains("cannot be unpacked"),
            "{error}"
        );
    }
}

#[test]
fn what_packed_files_unpack_to_is_limited() {
    let folder = tempfile::tempdir().unwrap();
    let python = interpreters().last().unwrap();
    // A gibibyte of zeros, behind the headers of a core that has nothing in it, and behind nothing.
    const SCRIPT: &str = "import gzip, sys
with gzip.open(sys.argv[1], 'wb', 1) as packed:
    packed.write(bytes.fromhex(sys.argv[2]))
    for _ in range(64): packed.write(bytes(1 << 24))";
    for (name, start, wanted) in [
        ("core", header(62), "cut off: what"),
        ("zeros", Vec::new(), "is no core"),
    ] {
        let path = folder.path().join(name);
        let start: String = start.iter().map(|byte| format!("{byte:02x}")).collect();
        let words = ["-c", SCRIPT, path.to_str().unwrap(), &start];
        assert_eq!(answer(python.command().args(words)).code, Some(0));
        let (error, _) = look(&path, &[]).refusal(1);
        assert!(error.contains(wanted), "{error}");
    }
}

/// The header of a core without any program header, of a program for a machine of this number.
fn header(machine: u16) -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    header[16..18].copy_from_slice(&4_u16.to_le_bytes());
    header[18..20].copy_from_slice(&machine.to_le_bytes());
    header[32..40].copy_from_slice(&64_u64.to_le_bytes());
    header[54..56].copy_from_slice(&56_u16.to_le_bytes());
    header
}

#[test]
fn what_is_no_core_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let mut bits32 = header(3);
    bits32[4] = 1;
    let mut big_endian = header(0);
    (big_endian[5], big_endian[18], big_endian[19]) = (2, 0, 22);
    let noise: Vec<u8> = (0..70_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let program = fs::read(std::env::current_exe().unwrap()).unwrap();
    for (path, wanted) in [
        (put("aarch64", &header(183)), "another machine (AARCH64)"),
        (put("s390", &big_endian), "another machine (S390)"),
        (put("bits32", &bits32), "32-bit"),
        (put("short", &header(62)[..30]), "cut off"),
        (put("headers", &header(62)), "cut off"),
        (put("empty", b""), "is empty"),
        (put("text", b"print('hello')\n"), "is no core file"),
        (put("noise", &noise), "is no core file"),
        (put("program", &program[..4096]), "is an executable or a library"),
        (put("gzip", b"\x1f\x8bnothing"), "cannot be unpacked"),
        (put("zstd", b"\x28\xb5\x2f\xfdnothing"), "cannot be unpacked"),
        (put("xz", b"\xfd7zXZ\0nothing"), "cannot be unpacked"),
        (put("lz4", b"\x04\x22\x4d\x18nothing"), "cannot be unpacked"),
        (folder.path().to_owned(), "is a folder"),
        (PathBuf::from("/dev/null"), "is no regular file"),
    ] {
        let (error, _) = look(&path, &[]).refusal(1);
        assert!(
            error.contains(path.to_str().unwrap()) && error.contains(wanted),
            "{wanted}: {error}"
        );
    }
}

#[test]
fn words_that_make_no_sense_with_a_core_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("core");
    fs::write(&path, header(62)).unwrap();
    let path = path.display();
    for words in [
        format!("attach {path} -d 3"),
        format!("attach {path} --interval 1"),
        format!("snapshot {path} -o {path}.pms --freeze stop"),
        format!("paths {path} --type builtins.str --nonblocking"),
        "attach 1 --sysroot /".to_owned(),
        format!("attach {path} --sysroot {path}"),
    ] {
        ask(&words).refusal(2);
    }
    assert!(ask("attach ./no/such/file").usage_error().contains("no such file"));
}

#[test]
fn a_program_that_is_no_python_is_named() {
    if !has_gdb() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut cat = Command::new("cat");
    let target = Target::spawn(&mut cat);
    let (error, _) = look(&by_gdb(target.pid(), folder.path()), &[]).refusal(1);
    assert!(
        error.contains(&format!("process {} (cat) is not Python", target.pid())),
        "{error}"
    );
}

#[test]
fn a_core_that_is_cut_off_says_so() {
    if !has_kernel() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let python = interpreters().last().unwrap();
    let (target, _) = start(python, "empty.py", folder.path());
    let core = by_kernel(target, folder.path());
    let whole = fs::metadata(&core).unwrap().len();
    let mut told = BTreeSet::new();
    for eighth in (0..8).rev() {
        let length = (whole * eighth / 8).max(100);
        File::options()
            .write(true)
            .open(&core)
            .unwrap()
            .set_len(length)
            .unwrap();
        let answer = look(&core, &[]);
        if answer.code == Some(0) {
            let report = parse(&answer.done());
            assert_eq!(report["capture"]["partial"], true);
            assert_eq!(warnings(&report, "is cut off").len(), 1, "{eighth} eighths");
            told.insert("warned");
        } else {
            let (error, _) = answer.refusal(1);
            assert!(error.contains("cut off"), "{eighth} eighths: {error}");
            told.insert("refused");
        }
    }
    assert!(told.contains("refused"), "{told:?}");
    // Only the last page, of the stack or of the kernel, is missing.
    let folder = tempfile::tempdir().unwrap();
    let core = by_kernel(start(python, "empty.py", folder.path()).0, folder.path());
    let file = File::options().write(true).open(&core).unwrap();
    file.set_len(fs::metadata(&core).unwrap().len() - 5000).unwrap();
    let report = report_of(&core, &[]);
    assert_eq!(
        (&report["capture"]["partial"], warnings(&report, "is cut off").len()),
        (&Value::Bool(true), 1)
    );
}
