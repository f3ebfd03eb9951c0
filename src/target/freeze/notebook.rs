//! What one profiler leaves for the next about calls that it has made again: when they began, which nobody else can tell.
//!
//! A file for each program, in a folder that only our user can write: `/run/pymemscope` for root, for others below
//! `/run/user/UID`, or `/tmp/pymemscope-UID`. A note counts only while the thread that it is about has not run since, by
//! the scheduler's own clock and to the nanosecond; so one that is out of date does nothing.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::procfs;
use super::sleep::Remembered;

/// Longer notes are not read; one is a few hundred bytes a thread.
const LONGEST: u64 = 16 << 20;

/// The notes on one program.
#[derive(Debug)]
pub struct Notebook {
    folder: PathBuf,
    name: String,
    program: Option<Program>,
}

/// What tells a program from others that have, or had, its pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Program {
    /// In ticks since the machine was started.
    start_time: u64,
    boot: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Notes {
    program: Program,
    sleepers: Vec<Remembered>,
}

impl Notebook {
    pub fn of(pid: u32) -> Notebook {
        Notebook {
            folder: folder(),
            name: file_name(pid),
            program: Program::of(pid),
        }
    }

    /// What the last freeze by anybody of our user left; nothing if that cannot be told.
    pub fn read(&self) -> Vec<Remembered> {
        let notes = || -> Option<Notes> {
            is_private(&self.folder).then_some(())?;
            let mut text = Vec::new();
            let file = OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
                .open(self.folder.join(&self.name))
                .ok()?;
            file.take(LONGEST).read_to_end(&mut text).ok()?;
            serde_json::from_slice(&text).ok()
        };
        let ours = notes().filter(|notes| Some(&notes.program) == self.program.as_ref());
        ours.map(|notes| notes.sleepers).unwrap_or_default()
    }

    /// Replaces it; what cannot be written is missing for the next one, and no more.
    pub fn write(&self, sleepers: &[Remembered]) {
        if sleepers.is_empty() {
            self.clear();
            return;
        }
        let _ = DirBuilder::new().mode(0o700).create(&self.folder);
        let Some(program) = self.program.as_ref().filter(|_| is_private(&self.folder)) else {
            return;
        };
        let notes = Notes {
            program: program.clone(),
            sleepers: sleepers.to_vec(),
        };
        let partial = self.folder.join(format!("{}.{}", self.name, std::process::id()));
        let written = || -> Option<()> {
            let text = serde_json::to_vec(&notes).ok()?;
            let mut out = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&partial)
                .ok()?;
            out.write_all(&text).ok()?;
            fs::rename(&partial, self.folder.join(&self.name)).ok()
        };
        if written().is_none() {
            let _ = fs::remove_file(&partial);
        }
        forget_the_dead(&self.folder);
    }

    /// Leaves nothing behind of a program that nobody has to know of, nor the folder if that was the last one.
    fn clear(&self) {
        if is_private(&self.folder) {
            let _ = fs::remove_file(self.folder.join(&self.name));
            forget_the_dead(&self.folder);
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

impl Program {
    fn of(pid: u32) -> Option<Program> {
        let stat = procfs::read(&format!("/proc/{pid}/stat"))?;
        let (_, behind_name) = stat.rsplit_once(')')?;
        Some(Program {
            // The 22nd field, the 20th behind the name.
            start_time: behind_name.split_ascii_whitespace().nth(19)?.parse().ok()?,
            boot: procfs::read("/proc/sys/kernel/random/boot_id")?.trim().to_owned(),
        })
    }
}

/// A pid means something in its own namespace only.
fn file_name(pid: u32) -> String {
    format!("{pid}.{}", namespace())
}

fn namespace() -> u64 {
    fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino())
}

/// Where the notes of our user are.
fn folder() -> PathBuf {
    let user = nix::unistd::geteuid().as_raw();
    let session = PathBuf::from(format!("/run/user/{user}"));
    match user {
        0 => PathBuf::from("/run/pymemscope"),
        _ if is_private(&session) => session.join("pymemscope"),
        _ => PathBuf::from(format!("/tmp/pymemscope-{user}")),
    }
}

/// Whether it is a folder in which nobody else can write.
fn is_private(folder: &Path) -> bool {
    let user = nix::unistd::geteuid().as_raw();
    // A link is not followed: who made it could lead us elsewhere.
    fs::symlink_metadata(folder).is_ok_and(|it| it.is_dir() && it.uid() == user && it.mode() & 0o077 == 0)
}

/// Removes the notes on programs that have ended.
fn forget_the_dead(folder: &Path) {
    let namespace = namespace().to_string();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.split_once('.'));
        let is_dead = |pid: &str| pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists();
        if pid.is_some_and(|(pid, of)| of == namespace && is_dead(pid)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(start_time: u64) -> Option<Program> {
        let boot = "this one".to_owned();
        Some(Program { start_time, boot })
    }

    fn sleeper() -> Remembered {
        serde_json::from_str(
            r#"{"tid": 7, "sleep": {"call": 45, "arguments": [1, 2, 3, 4, 5, 6], "limit": {"secs": 3, "nanos": 0},
                "since": {"secs": 9, "nanos": 5}, "switches": null}, "changed": null, "last_ran": {"secs": 9, "nanos": 8}}"#,
        )
        .expect("one of our notes")
    }

    #[test]
    fn notes_are_read_by_the_next_one_for_the_same_program_only() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("notes");
        let of = |start_time| Notebook {
            folder: folder.clone(),
            name: "4242.1".to_owned(),
            program: program(start_time),
        };
        assert_eq!(of(5).read(), []);
        of(5).write(&[sleeper()]);
        assert_eq!(of(5).read(), [sleeper()]);
        assert_eq!(of(6).read(), [], "another program with that pid");
        let mode = fs::metadata(folder.join("4242.1")).expect("the file").mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(folder.join("4242.1"), "no notes").expect("written");
        assert_eq!(of(5).read(), []);
        of(5).write(&[]);
        assert!(!folder.exists(), "nothing is left");
        of(5).write(&[]);
        assert!(!folder.exists(), "nor made without need");
    }

    #[test]
    fn a_folder_that_others_can_write_or_a_link_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("set");
        assert!(is_private(folder.path()));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).expect("a link");
        assert!(!is_private(&link));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o770)).expect("set");
        assert!(!is_private(folder.path()));
    }

    #[test]
    fn notes_on_programs_that_have_ended_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let ours = folder.path().join(file_name(std::process::id()));
        // Larger than any pid can be.
        let dead = folder.path().join(file_name(u32::MAX));
        let elsewhere = folder.path().join(format!("{}.1", u32::MAX));
        for file in [&ours, &dead, &elsewhere] {
            fs::write(file, "").expect("written");
        }
        forget_the_dead(folder.path());
        assert_eq!((ours.exists(), dead.exists(), elsewhere.exists()), (true, false, true));
    }
}
