//! Interpreters are found wherever they stand, and what is said of them is what they say themselves.

mod programs;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cpython::memory::ReadMemory;
use programs::compiled::compile;
use programs::{Interpreter, Program, WAITING, interpreters};
use pymemscope::target::container;
use pymemscope::target::maps;
use pymemscope::target::module_file;
use pymemscope::target::open::{Stopping, Target};

/// Opens the process and checks that it has one interpreter, of that version, whose `type` is its own type.
#[track_caller]
fn assert_found(pid: u32, interpreter: &Interpreter) -> Target {
    let mut target = Target::open(pid, Stopping::Intended).unwrap();
    let [found] = target.interpreters.as_slice() else {
        panic!("not one: {:x?}", target.interpreters)
    };
    let found = found.clone();
    assert_eq!(
        found.version_text(&mut target.memory),
        Some(interpreter.version.clone())
    );
    let type_type = found.type_type.unwrap();
    assert_eq!(target.memory.word(type_type + 8), Ok(type_type), "type(type) is type");
    assert!(found.runtime_size.is_some_and(|size| size > 600), "{found:x?}");
    assert!(
        found
            .module_ranges
            .iter()
            .any(|range| range.contains(&found.finalize.unwrap()))
    );
    target
}

/// The files that a running interpreter has mapped: the dynamic loader, the C library, and the library that the
/// interpreter itself is in, if it is not in its executable.
struct Files {
    loader: PathBuf,
    c_library: PathBuf,
    library: Option<PathBuf>,
}

fn files(interpreter: &Interpreter) -> Files {
    let program = Program::python(&interpreter.path);
    let target = Target::open(program.pid(), Stopping::Intended).unwrap();
    let mapped = |start: &str| {
        let mut paths = target.maps.iter().filter_map(|mapping| mapping.path.clone());
        let named = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(start))
        };
        paths
            .find(named)
            .unwrap_or_else(|| panic!("no {start} in {}", interpreter.path.display()))
    };
    let module = target.interpreters[0].module_path.clone();
    let library = (module != interpreter.path).then_some(module);
    Files {
        loader: mapped("ld-linux"),
        c_library: mapped("libc.so"),
        library,
    }
}

/// The interpreters that stand in a library, with it.
fn in_libraries() -> Vec<(Interpreter, PathBuf)> {
    let found: Vec<_> = interpreters()
        .into_iter()
        .filter_map(|each| files(&each).library.map(|path| (each, path)))
        .collect();
    if found.is_empty() {
        eprintln!("skipped: no interpreter here was built with a shared library");
    }
    found
}

fn ask(interpreter: &Interpreter, expression: &str) -> String {
    let code = format!("import sys, sysconfig; print({expression})");
    let output = Command::new(&interpreter.path).args(["-c", &code]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn every_interpreter_is_found() {
    for interpreter in interpreters() {
        let program = Program::python(&interpreter.path);
        assert_found(program.pid(), &interpreter);
    }
}

#[test]
fn started_through_the_dynamic_loader() {
    for interpreter in interpreters() {
        let loader = files(&interpreter).loader;
        let program = Program::start(Command::new(loader).arg(&interpreter.path).args(["-c", WAITING]));
        let target = assert_found(program.pid(), &interpreter);
        assert!(
            target.process.executable().unwrap().contains("ld-"),
            "{:?}",
            target.process.executable()
        );
    }
}

/// Copies an interpreter to a folder and starts it from there; gives the files that were copied.
fn start_copy(interpreter: &Interpreter, folder: &Path) -> (Program, Vec<PathBuf>) {
    let copy = |path: &Path| {
        let to = folder.join(path.file_name().unwrap());
        fs::copy(path, &to).unwrap();
        to
    };
    let executable = copy(&interpreter.path);
    let files = files(interpreter);
    let library = files.library.map(|path| copy(&path));
    let mut command = Command::new(&executable);
    command
        .args(["-c", WAITING])
        .env("PYTHONHOME", ask(interpreter, "sys.base_prefix"));
    // What the executable names relative to its own place is not there any more.
    command.env("LD_LIBRARY_PATH", files.c_library.parent().unwrap());
    if let Some(library) = &library {
        // A library of the same name that is there already is taken before any that the executable names.
        command.env("LD_PRELOAD", library);
    }
    (
        Program::start(&mut command),
        [executable].into_iter().chain(library).collect(),
    )
}

#[test]
fn deleted_under_the_running_program() {
    for interpreter in interpreters() {
        let folder = tempfile::tempdir().unwrap();
        let (program, files) = start_copy(&interpreter, folder.path());
        files.iter().for_each(|file| fs::remove_file(file).unwrap());
        let target = assert_found(program.pid(), &interpreter);
        let module = target.interpreters[0].module_path.to_str().unwrap();
        assert!(
            module.starts_with(folder.path().to_str().unwrap()) && module.ends_with(" (deleted)"),
            "{module}"
        );
    }
}

#[test]
fn replaced_on_disk_under_the_running_program() {
    for interpreter in interpreters() {
        let folder = tempfile::tempdir().unwrap();
        let (program, files) = start_copy(&interpreter, folder.path());
        for file in &files {
            let new = file.with_extension("new");
            fs::write(&new, "\x7fELF, but nothing behind it").unwrap();
            fs::rename(&new, file).unwrap();
        }
        assert_found(program.pid(), &interpreter);
    }
}

#[test]
fn embedded_in_another_program() {
    for (interpreter, library) in in_libraries() {
        let folder = tempfile::tempdir().unwrap();
        let run_path = format!("-Wl,-rpath,{}", library.parent().unwrap().display());
        for (kind, code, copied) in [
            ("-pie", "-fPIC", false),
            ("-pie", "-fPIE", true),
            ("-no-pie", "-fno-pie", true),
        ] {
            let options = [kind, code, library.to_str().unwrap(), &run_path];
            let embedding = compile("embedding.c", &options, folder.path(), code);
            let home = ask(&interpreter, "sys.base_prefix");
            let program = Program::start(Command::new(&embedding).arg(WAITING).env("PYTHONHOME", home));
            let target = assert_found(program.pid(), &interpreter);
            let found = &target.interpreters[0];
            assert_eq!(found.module_path, fs::canonicalize(&library).unwrap());
            // Where the program has copies of the library's variables, those are in use.
            let none = maps::containing(&target.maps, found.none.unwrap()).unwrap();
            let in_library = found.module_ranges.iter().any(|range| range.contains(&none.start));
            assert_eq!(in_library, !copied, "{kind} {code}: {none:?}");
        }
    }
}

#[test]
fn loaded_by_a_running_program() {
    for (interpreter, library) in in_libraries() {
        let folder = tempfile::tempdir().unwrap();
        let loading = compile("loading.c", &["-ldl"], folder.path(), "loading");
        let home = ask(&interpreter, "sys.base_prefix");
        let program = Program::start(Command::new(loading).arg(&library).arg(WAITING).env("PYTHONHOME", home));
        assert_found(program.pid(), &interpreter);
    }
}

/// What exports nothing is found by its file's own symbols, or by the name of a section.
#[test]
fn images_that_export_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let section = "-DSECTION=\".PyRuntime\"";
    let kinds: [(&str, &[&str], bool); 6] = [
        ("dynamic", &[], true),
        ("position-dependent", &["-no-pie"], true),
        ("static", &["-static"], true),
        ("static-pie", &["-static-pie"], true),
        ("stripped", &["-s", section], false),
        ("static-stripped", &["-static", "-s", section], false),
    ];
    for (name, options, has_symbols) in kinds {
        let path = compile("symbols.c", options, folder.path(), name);
        for deleted in [false, true] {
            let mut program = Program::spawn(&mut Command::new(&path));
            let line = program.line();
            let addresses: Vec<_> = line
                .split(' ')
                .map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap())
                .collect();
            if deleted {
                fs::remove_file(&path).unwrap();
            }
            let target = Target::open(program.pid(), Stopping::Intended).unwrap();
            let [found] = target.interpreters.as_slice() else {
                panic!("{name}: {:x?}", target.interpreters)
            };
            assert_eq!((found.runtime, found.runtime_size), (addresses[0], Some(672)), "{name}");
            let others = [found.version_symbol, found.finalize];
            assert_eq!(
                others,
                [addresses[1], addresses[2]].map(|address| has_symbols.then_some(address)),
                "{name}"
            );
        }
    }
}

/// A program that reads an interpreter's file has not two interpreters.
#[test]
fn a_file_that_is_merely_read_is_no_interpreter() {
    let code = r#"
import mmap, sys
files = [open(path, "rb") for path in sys.argv[1:]]
kinds = mmap.ACCESS_READ, mmap.ACCESS_COPY
held = [mmap.mmap(file.fileno(), 0, access=kind) for file in files for kind in kinds]
print("ready", flush=True)
sys.stdin.read()
"#;
    let all = interpreters();
    for interpreter in &all {
        let files = all
            .iter()
            .flat_map(|each| [Some(each.path.clone()), files(each).library])
            .flatten();
        let program = Program::start(Command::new(&interpreter.path).args(["-c", code]).args(files));
        assert_found(program.pid(), interpreter);
    }
}

/// Makes a root in which the interpreter has another path, and starts it there with pids of its own.
const CONTAINER: &str = r#"
    set -e; root=$1; prefix=$2; enter=$3
    mount --bind "$root" "$root"; cd "$root"
    for folder in usr lib lib64 bin; do
        if [ -e "/$folder" ]; then mkdir -p "$folder"; mount --bind "/$folder" "$folder"; fi
    done
    mkdir -p opt/python old; mount --bind "$prefix" opt/python
    ln -sfn /opt/python link
    export PYTHONHOME=/opt/python LD_LIBRARY_PATH=/opt/python/lib
    if [ "$enter" = pivot_root ]; then pivot_root . old; fi
    shift 3; exec chroot . "$@""#;

/// As containers do it, and with the older way that leaves the root's own path visible.
#[test]
fn in_other_namespaces() {
    if !Command::new("unshare")
        .args(["-mpf", "true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        assert!(std::env::var_os("CI").is_none(), "namespaces must be permitted in CI");
        eprintln!("skipped: no new namespaces are permitted here");
        return;
    }
    for (interpreter, enter) in interpreters()
        .iter()
        .flat_map(|each| [(each, "pivot_root"), (each, "chroot")])
    {
        let root = tempfile::tempdir().unwrap();
        let prefix = ask(interpreter, "sys.base_prefix");
        let inside = |path: &Path| {
            path.strip_prefix(&prefix)
                .map(|below| Path::new("/opt/python").join(below))
                .ok()
        };
        let files = files(interpreter);
        let mut command = Command::new("unshare");
        command
            .args(["-mpf", "--kill-child", "sh", "-c", CONTAINER, "sh"])
            .arg(root.path())
            .args([&prefix, enter]);
        // An interpreter that brings its loader along names it by a path that is not there inside.
        if let (Some(loader), Some(c_library)) = (inside(&files.loader), inside(&files.c_library)) {
            command
                .arg(loader)
                .arg("--library-path")
                .arg(c_library.parent().unwrap());
        }
        command.arg(inside(&interpreter.path).unwrap()).args(["-c", WAITING]);
        let mut program = Program::spawn(&mut command);
        assert_eq!(program.line(), "ready");
        let unshare = program.pid();
        let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).unwrap();
        let target = assert_found(children.trim().parse().unwrap(), interpreter);
        assert_eq!(target.status.namespace_pids.len(), 2, "{:?}", target.status);

        let module = &target.interpreters[0].module_path;
        let seen_root = if enter == "pivot_root" {
            Path::new("/")
        } else {
            root.path()
        };
        let below = module.strip_prefix(seen_root.join("opt/python")).unwrap();
        let mapping = target
            .maps
            .iter()
            .find(|mapping| mapping.path.as_ref() == Some(module))
            .unwrap();
        let through_link = container::open_in_root(&target.process, &Path::new("/link").join(below)).unwrap();
        for file in [module_file::open(&target.process, mapping).unwrap(), through_link] {
            assert_eq!(file.metadata().unwrap().ino(), mapping.inode);
        }
    }
}
