//! Which program `run` starts: what was typed, with a Python in front where it was left out.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What a Python may be called on `PATH`, the usual name first.
const PYTHONS: [&str; 2] = ["python3", "python"];

/// The program's name and arguments as they are started: `-m module`, `-c code` and `script.py` are given to the
/// Python on `PATH`, anything else is a program itself.
pub fn command_line(words: &[OsString]) -> Result<Vec<OsString>> {
    let first = words.first().map(OsString::as_os_str).unwrap_or_default();
    if !is_for_python(first) {
        return Ok(words.to_vec());
    }
    let python = python_on_path(&env::var_os("PATH").unwrap_or_default()).ok_or_else(|| Error::Usage {
        what: format!("no Python was found on PATH to start {} with", first.to_string_lossy()),
        hint: "name one: `pymemscope run -- /path/to/python ...`".to_owned(),
    })?;
    Ok(std::iter::once(python.into_os_string())
        .chain(words.iter().cloned())
        .collect())
}

fn is_for_python(first: &OsStr) -> bool {
    let is_option = first.as_bytes().starts_with(b"-m") || first.as_bytes().starts_with(b"-c");
    let path = Path::new(first);
    is_option || (path.extension() == Some(OsStr::new("py")) && path.is_file() && !is_executable(path))
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

    fn make(file: &Path, mode: u32) {
        fs::write(file, "").unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_module_code_or_a_plain_script_needs_a_python() {
        let folder = tempfile::tempdir().unwrap();
        let (script, program) = (folder.path().join("app.py"), folder.path().join("tool.py"));
        make(&script, 0o644);
        make(&program, 0o755);
        for first in [
            OsStr::new("-m"),
            OsStr::new("-c"),
            OsStr::new("-mjson.tool"),
            script.as_os_str(),
        ] {
            assert!(is_for_python(first), "{first:?}");
        }
        for first in [OsStr::new("python3"), OsStr::new("absent.py"), program.as_os_str()] {
            assert!(!is_for_python(first), "{first:?}");
        }
    }

    #[test]
    fn the_first_executable_python_on_the_path_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::create_dir_all(place("a")).unwrap();
        fs::create_dir_all(place("b")).unwrap();
        make(&place("a/python3"), 0o644);
        make(&place("a/python"), 0o755);
        make(&place("b/python3"), 0o755);
        let path = env::join_paths([place("a"), place("b")]).unwrap();
        assert_eq!(python_on_path(&path), Some(place("b/python3")));
        assert_eq!(python_on_path(OsStr::new("")), None);
    }
}
