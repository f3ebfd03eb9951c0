//! Files of a process in another mount namespace, opened without following links out of its root.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat};
use nix::sys::stat::Mode;

use crate::target::process::Process;

/// As many symbolic links as the kernel itself follows on one path.
const MOST_LINKS: usize = 40;

/// Opens a regular file for reading by the path that the process itself would use. Links are followed as the process
/// would follow them, below its root; nothing but a regular file is ever opened (a device or a pipe could act on it).
pub fn open_in_root(process: &Process, path: &Path) -> io::Result<File> {
    open_below(&process.entry("root"), path)
}

/// The same below any directory.
pub fn open_below(directory: &Path, path: &Path) -> io::Result<File> {
    let root = open_directory(directory)?;
    let place = match open_beneath(&root, path) {
        Err(Errno::ENOSYS | Errno::E2BIG) => walk_beneath(&root, path)?,
        other => other?,
    };
    reopen(&place)
}

fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    Ok(nix::fcntl::open(
        path,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?)
}

/// By the kernel's own means (5.6 and later).
fn open_beneath(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    openat2(root.as_fd(), path, how)
}

/// The same by hand: one component at a time, none of them followed by the kernel.
fn walk_beneath(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let mut pending: Vec<OsString> = reversed_components(path);
    let mut passed: Vec<OwnedFd> = Vec::new();
    let mut links = 0;
    while let Some(name) = pending.pop() {
        if name == ".." {
            passed.pop();
            continue;
        }
        let here = passed.last().unwrap_or(root);
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let next = openat(here.as_fd(), name.as_os_str(), flags, Mode::empty())?;
        match readlinkat(&next, "") {
            Ok(target) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::ELOOP);
                }
                let target = PathBuf::from(OsString::from_vec(target.into_vec()));
                if target.is_absolute() {
                    passed.clear();
                }
                pending.extend(reversed_components(&target));
            }
            // Not a link.
            Err(_) => passed.push(next),
        }
    }
    passed.pop().ok_or(Errno::EISDIR)
}

/// The names on a path, the last first; the root and `.` are left out.
fn reversed_components(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    });
    let mut names: Vec<_> = names.collect();
    names.reverse();
    names
}

/// Opens for reading what a path descriptor stands for, if it is a regular file.
fn reopen(place: &OwnedFd) -> io::Result<File> {
    let by_number = format!("/proc/self/fd/{}", place.as_raw_fd());
    if !fs::metadata(&by_number)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    File::open(by_number)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory that stands for a container's root, with links of all kinds in it.
    fn container() -> tempfile::TempDir {
        let base = tempfile::tempdir().unwrap();
        let root = base.path().join("root");
        fs::create_dir_all(root.join("usr/lib")).unwrap();
        fs::write(base.path().join("secret"), "outside").unwrap();
        fs::write(root.join("secret"), "inside").unwrap();
        fs::write(root.join("usr/lib/python"), "program").unwrap();
        symlink("/usr/lib", root.join("lib")).unwrap();
        symlink("../../../../../secret", root.join("usr/lib/escape")).unwrap();
        symlink("/loop", root.join("loop")).unwrap();
        base
    }

    fn both_ways(base: &tempfile::TempDir, path: &str) -> [Result<String, Errno>; 2] {
        let root = open_directory(&base.path().join("root")).unwrap();
        let path = Path::new(path);
        [open_beneath(&root, path), walk_beneath(&root, path)].map(|place| {
            let mut text = String::new();
            reopen(&place?)
                .map_err(|_| Errno::EINVAL)?
                .read_to_string(&mut text)
                .unwrap();
            Ok(text)
        })
    }

    #[test]
    fn links_stay_below_the_root() {
        let base = container();
        for (path, text) in [
            ("/lib/python", "program"),
            ("/usr/lib/escape", "inside"),
            ("/../../secret", "inside"),
        ] {
            assert_eq!(
                both_ways(&base, path),
                [Ok(text.to_owned()), Ok(text.to_owned())],
                "{path}"
            );
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let base = container();
        nix::unistd::mkfifo(&base.path().join("root/pipe"), Mode::from_bits_truncate(0o600)).unwrap();
        assert_eq!(both_ways(&base, "/loop"), [Err(Errno::ELOOP), Err(Errno::ELOOP)]);
        assert_eq!(both_ways(&base, "/none"), [Err(Errno::ENOENT), Err(Errno::ENOENT)]);
        assert_eq!(both_ways(&base, "/pipe"), [Err(Errno::EINVAL), Err(Errno::EINVAL)]);
    }
}
