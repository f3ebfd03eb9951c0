//! Which program `run` starts: what was typed, with a Python in front where it was left out.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What a Python may be called on `PATH`, the usual name first.
const PYTHONS: [&str; 2] = ["python3", "python"];

/// How files are called that Python runs: source, compiled, and packed by `zipapp`.
const SCRIPTS: [&str; 5] = ["py", "pyc", "pyw", "pyz", "pyzw"];

/// The program's name and arguments as they are started: `-m module`, `-c code`, `script.py` and a folder with a
/// `__main__.py` are given to the Python on `PATH`, anything else is a program itself. Such a script is one, too, when it
/// is executable and names its interpreter in its first line.
pub fn command_line(words: &[OsString]) -> Result<Vec<OsString>> {
    let Some((first, arguments)) = words.split_first() else {
        return Ok(Vec::new());
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let before = if is_for_python(first) {
        let python = python_on_path(&path).ok_or_else(|| Error::Usage {
            what: format!("no Python was found on PATH to start {} with", first.to_string_lossy()),
            hint: "name one: `pymemscope run -- /path/to/python ...`".to_owned(),
        })?;
        vec![python.into_os_string(), first.clone()]
    } else {
        vec![located(first, &path)]
    };
    Ok(before.into_iter().chain(arguments.iter().cloned()).collect())
}

fn is_for_python(first: &OsStr) -> bool {
    let is_option = first.as_bytes().starts_with(b"-m") || first.as_bytes().starts_with(b"-c");
    let path = Path::new(first);
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let is_script = SCRIPTS.contains(&extension) && path.is_file() && !(is_executable(path) && names_interpreter(path));
    is_option || is_script || (!first.is_empty() && path.join("__main__.py").is_file())
}

/// Whether the file begins as scripts do that the kernel can execute (`load_script` in `binfmt_script.c`).
fn names_interpreter(file: &Path) -> bool {
    let mut beginning = [0; 2];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut beginning));
    read.is_ok() && beginning == *b"#!"
}

/// What stands in the current folder is found there when there is no program of that name on `PATH`.
fn located(program: &OsStr, path: &OsStr) -> OsString {
    let is_name = !program.as_bytes().contains(&b'/');
    let is_on_path = || env::split_paths(path).any(|folder| is_executable(&folder.join(program)));
    if is_name && is_executable(Path::new(program)) && !is_on_path() {
        return Path::new(".").join(program).into_os_string();
    }
    program.to_owned()
}

fn python_on_path(path: &OsStr) -> Option<PathBuf> {
    PYTHONS.iter().find_map(|name| {
        env::split_paths(path)
            .map(|folder| folder.join(name))
            .find(|file| is_executable(file))
    })
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn make(file: &Path, mode: u32, text: &str) {
        fs::write(file, text).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_python_runs_is_given_to_a_python() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        make(&place("app.py"), 0o644, "");
        make(&place("no_interpreter.py"), 0o755, "import sys");
        make(&place("not_executable.py"), 0o644, "#!/usr/bin/env python3");
        make(&place("packed.pyz"), 0o644, "PK");
        make(&place("tool.py"), 0o755, "#!/usr/bin/env python3");
        make(&place("tool"), 0o755, "import sys");
        fs::create_dir(place("package")).unwrap();
        make(&place("package/__main__.py"), 0o644, "");
        for option in ["-m", "-c", "-mjson.tool"] {
            assert!(is_for_python(OsStr::new(option)), "{option}");
        }
        for script in [
            "app.py",
            "no_interpreter.py",
            "not_executable.py",
            "packed.pyz",
            "package",
        ] {
            assert!(is_for_python(place(script).as_os_str()), "{script}");
        }
        for program in ["python3", "absent.py", "tool.py", "tool", ""] {
            assert!(!is_for_python(place(program).as_os_str()), "{program}");
        }
    }

    #[test]
    fn the_first_executable_python_on_the_path_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::create_dir_all(place("a")).unwrap();
        fs::create_dir_all(place("b")).unwrap();
        make(&place("a/python3"), 0o644, "");
        make(&place("a/python"), 0o755, "");
        make(&place("b/python3"), 0o755, "");
        let path = env::join_paths([place("a"), place("b")]).unwrap();
        assert_eq!(python_on_path(&path), Some(place("b/python3")));
        assert_eq!(python_on_path(OsStr::new("")), None);
    }
}
