//! Where a report goes and in which form: destinations, formats, and files that appear whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::picture::format::PictureFormat;
use super::standard_output;
use crate::error::{Error, Result};

/// Reports hold data of the program: they are for nobody else's eyes.
const MODE: u32 = 0o600;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output<F = Format> {
    pub destination: Destination,
    pub format: F,
}

/// The formats that a command writes.
pub trait FileFormat: Copy + PartialEq + 'static {
    const ALL: &'static [Self];

    /// The name that `-f` takes.
    fn name(self) -> &'static str;

    /// What the names of files end in, behind a dot.
    fn extension(self) -> &'static str {
        self.name()
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// The format that a file's name asks for.
    fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name().and_then(OsStr::to_str)?.to_lowercase();
        let ends = |format: &Self| {
            name.strip_suffix(format.extension())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        };
        // A `.speedscope.json` ends in `.json` as well, and a `.timeline.svg` in `.svg`.
        let fitting = Self::ALL.iter().copied().filter(ends);
        fitting.max_by_key(|format| format.extension().len())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    Stdout,
    File(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Sarif,
    /// Memory over time, as a drawing.
    Timeline,
    Picture(PictureFormat),
}

impl FileFormat for Format {
    const ALL: &'static [Format] = &[
        Format::Json,
        Format::Sarif,
        Format::Picture(PictureFormat::Svg),
        Format::Timeline,
        Format::Picture(PictureFormat::Collapsed),
        Format::Picture(PictureFormat::Speedscope),
        Format::Picture(PictureFormat::Pprof),
    ];

    fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Timeline => "timeline",
            Format::Picture(format) => format.name(),
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Timeline => "timeline.svg",
            Format::Picture(format) => format.extension(),
        }
    }
}

impl Format {
    pub fn is_picture(self) -> bool {
        matches!(self, Format::Picture(_))
    }
}

/// Formats of releases to come: names that are taken.
pub const LATER: [&str; 1] = ["html"];

impl<F> Output<F> {
    pub fn is_stdout(&self) -> bool {
        self.destination == Destination::Stdout
    }

    /// Finds out, before anything is captured, whether the output could be written: an existing file only with `force`.
    pub fn check(&self, force: bool) -> Result<()> {
        let Destination::File(path) = &self.destination else {
            return Ok(());
        };
        if is_device_or_pipe(path) {
            return Ok(());
        }
        let unwritable = |cause| Error::OutputUnwritable {
            path: path.clone(),
            cause,
        };
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(unwritable(io::ErrorKind::IsADirectory.into())),
            Ok(_) if !force => return Err(Error::OutputExists { path: path.clone() }),
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(unwritable(cause)),
        }
        // A file that can be made is the only proof: permissions, quotas and read-only mounts all have their say.
        Partial::create(path).map(drop).map_err(unwritable)
    }

    /// Writes what `write` writes. A file appears under its name when it is complete; one that came to be since `check`
    /// is replaced only with `force`.
    pub fn write_with(&self, force: bool, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        match &self.destination {
            Destination::Stdout => standard_output::write(write),
            Destination::File(path) => {
                let unwritable = |cause: io::Error| match cause.kind() {
                    io::ErrorKind::AlreadyExists => Error::OutputExists { path: path.clone() },
                    _ => Error::OutputUnwritable {
                        path: path.clone(),
                        cause,
                    },
                };
                write_file(path, force, write).map_err(unwritable)
            }
        }
    }
}

fn write_file(path: &Path, force: bool, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if is_device_or_pipe(path) {
        return write_to(OpenOptions::new().write(true).open(path)?, write);
    }
    let partial = Partial::create(path)?;
    write_to(partial.file.try_clone()?, write)?;
    partial.complete(path, force)
}

fn write_to(file: File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()
}

/// `/dev/null`, a terminal, a named pipe: things that are written into and never replaced.
fn is_device_or_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// A file on its way: beside its destination, under another name, gone when it is dropped.
struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    fn create(destination: &Path) -> io::Result<Partial> {
        let name = destination.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut partial_name = OsStr::new(".").to_owned();
        partial_name.push(name);
        partial_name.push(format!(".{}.partial", std::process::id()));
        let path = destination.with_file_name(partial_name);
        // `create_new` follows no link that somebody put there. What an earlier process of our pid left behind goes.
        let open = || OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path);
        let file = match open() {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(&path)?;
                open()?
            }
            opened => opened?,
        };
        let partial = Partial { path, file };
        partial.file.set_permissions(fs::Permissions::from_mode(MODE))?;
        Ok(partial)
    }

    fn complete(self, destination: &Path, force: bool) -> io::Result<()> {
        if force {
            return fs::rename(&self.path, destination);
        }
        match renameat2(
            AT_FDCWD,
            &self.path,
            AT_FDCWD,
            destination,
            RenameFlags::RENAME_NOREPLACE,
        ) {
            // Not every filesystem knows the flag. A hard link fails as well when the name is taken.
            Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOSYS) => fs::hard_link(&self.path, destination),
            result => Ok(result?),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _ = fs::remove_file(&self.path);
    }
}
