//! A capture as a folder: a header in JSON beside the tables of its heap and of what was recorded. It is read again with no
//! process in sight.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::header::{FORM, Header, SCHEMA, form_of};
use super::{Capture, births};
use crate::allocations::saved as recording;
use crate::error::{Error, Result};
use crate::heap::detail::Detail;
use crate::heap::saved::{self, Seals, TableError};

/// The file that makes a folder a snapshot.
const HEADER: &str = "snapshot.json";
/// Snapshots hold data of the program: they are for nobody else's eyes.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// A longer header is none of ours.
const LONGEST_HEADER: u64 = 256 << 20;

/// A folder that is to be written: it appears under its name when it is complete.
pub struct NewFolder {
    path: PathBuf,
    partial: PathBuf,
    replaces: bool,
}

impl NewFolder {
    /// Makes sure, before anything is captured, that the folder can be written: one that exists only with `force`, and
    /// only when it is a snapshot.
    pub fn create(path: &Path, force: bool) -> Result<NewFolder> {
        let unwritable = |cause: io::Error| Error::OutputUnwritable {
            path: path.to_owned(),
            cause,
        };
        let replaces = match fs::symlink_metadata(path) {
            Ok(_) if !force => return Err(Error::OutputExists { path: path.to_owned() }),
            Ok(found) if found.is_dir() && holds_a_snapshot_alone(path) => true,
            Ok(_) => return Err(Error::NotReplaced { path: path.to_owned() }),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => false,
            Err(cause) => return Err(unwritable(cause)),
        };
        let partial = beside(path, "partial").map_err(unwritable)?;
        // What an earlier process of our pid left behind goes.
        let _ = fs::remove_dir_all(&partial);
        DirBuilder::new()
            .mode(FOLDER_MODE)
            .create(&partial)
            .map_err(unwritable)?;
        Ok(NewFolder {
            path: path.to_owned(),
            partial,
            replaces,
        })
    }

    /// Writes the capture, with its heap in detail unless that was never read; answers the bytes written.
    pub fn write(self, capture: &Capture, detail: &Detail) -> Result<u64> {
        let unwritable = |cause: io::Error| Error::OutputUnwritable {
            path: self.path.clone(),
            cause,
        };
        let make = |name: &str| new_file(&self.partial.join(name));
        let unsavable = |cause: TableError| Error::SnapshotUnwritable {
            path: self.path.clone(),
            cause: cause.to_string(),
        };
        let mut tables = Seals::new();
        if capture.has_heap() {
            tables = saved::save(&make, &capture.heap, detail).map_err(unsavable)?;
        }
        if let Some(seen) = &capture.births {
            births::save(&make, seen, &mut tables).map_err(unsavable)?;
        }
        if let Some(allocations) = &capture.allocations {
            recording::save(&make, allocations, &mut tables).map_err(unsavable)?;
        }
        let total = tables.values().map(|table| table.bytes).sum();
        let header = new_file(&self.partial.join(HEADER)).map_err(unwritable)?;
        serde_json::to_writer_pretty(&header, &Header::of(capture, tables))
            .map_err(|cause| unwritable(cause.into()))?;
        self.appear().map_err(unwritable)?;
        Ok(total)
    }

    fn appear(&self) -> io::Result<()> {
        if self.replaces {
            let old = beside(&self.path, "old")?;
            fs::rename(&self.path, &old)?;
            fs::rename(&self.partial, &self.path)?;
            return fs::remove_dir_all(old);
        }
        // Renaming onto a folder succeeds only when that is empty.
        fs::rename(&self.partial, &self.path)
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        // After it has appeared there is nothing left to remove.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

/// Whether a folder is a snapshot and has nothing else in it, which would be lost with it.
fn holds_a_snapshot_alone(path: &Path) -> bool {
    let is_ours = |entry: io::Result<fs::DirEntry>| {
        let name = entry.map(|entry| entry.file_name());
        let tables = saved::TABLES.into_iter().chain(births::TABLES).chain(recording::TABLES);
        let mut ours = tables.chain([HEADER]);
        name.is_ok_and(|name| ours.any(|file| name == file))
    };
    path.join(HEADER).is_file() && fs::read_dir(path).is_ok_and(|mut entries| entries.all(is_ours))
}

fn beside(path: &Path, what: &str) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let name = format!(".{}.{}.{what}", name.to_string_lossy(), std::process::id());
    Ok(path.with_file_name(name))
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
}

/// Reads the capture that a folder holds.
pub fn load(path: &Path) -> Result<Capture> {
    let header = header(path)?;
    let mut tables: Vec<&str> = Vec::new();
    if header.has_heap() {
        tables.extend(saved::TABLES);
    }
    let has_births = births::TABLES.iter().all(|table| header.tables.contains_key(*table));
    if has_births {
        tables.extend(births::TABLES);
    }
    if header.recording.is_some() {
        tables.extend(recording::TABLES);
    }
    let read = || {
        saved::check(path, &header.tables, tables.into_iter())?;
        let heap = header.has_heap().then(|| saved::load(path)).transpose()?;
        let births = has_births.then(|| births::load(path)).transpose()?;
        let facts = header.recording.as_ref();
        let allocations = facts.map(|facts| recording::load(path, facts)).transpose()?;
        Ok((heap.unwrap_or_default(), births, allocations))
    };
    let (heap, births, allocations) = read().map_err(|cause| damaged(path, cause))?;
    Ok(Capture {
        births,
        allocations,
        ..header.into_capture(heap)
    })
}

/// Reads every object and every reference of the capture that a folder holds.
pub fn load_detail(path: &Path, capture: &Capture) -> Result<Detail> {
    if !capture.has_heap() {
        return Err(Error::RecordingAlone { path: path.to_owned() });
    }
    saved::load_detail(path, &capture.heap.types).map_err(|cause| damaged(path, cause))
}

fn damaged(path: &Path, cause: TableError) -> Error {
    Error::SnapshotUnreadable {
        path: path.to_owned(),
        what: cause.to_string(),
    }
}

fn header(path: &Path) -> Result<Header> {
    let foreign = |what: &str| Error::NoSnapshot {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    let is_special = |metadata: fs::Metadata| !metadata.is_file();
    if fs::metadata(path.join(HEADER)).is_ok_and(is_special) {
        // A pipe would be waited for.
        return Err(foreign(&format!("{HEADER} is no regular file")));
    }
    let file = match File::open(path.join(HEADER)) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
            let path = path.to_owned();
            return Err(Error::SnapshotForbidden { path, cause });
        }
        Err(_) if !path.exists() => return Err(foreign("there is no such folder")),
        Err(_) if !path.is_dir() => return Err(foreign("it is a file, not a folder")),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            return Err(foreign(&format!("there is no {HEADER} in it")));
        }
        Err(cause) => return Err(foreign(&format!("{HEADER}: {cause}"))),
    };
    let text = io::read_to_string(io::Read::take(file, LONGEST_HEADER)).map_err(|cause| foreign(&cause.to_string()))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|cause| foreign(&format!("{HEADER} is no JSON: {cause}")))?;
    if let Some(form) = value["schema"].as_str().and_then(form_of).filter(|&form| form != FORM) {
        let path = path.to_owned();
        return Err(match form < FORM {
            true => Error::OlderSnapshot { path },
            false => Error::NewerSnapshot { path },
        });
    }
    if value["schema"] != SCHEMA {
        return Err(foreign(&format!(
            "{HEADER} is of the form {}, not \"{SCHEMA}\"",
            value["schema"]
        )));
    }
    serde_json::from_value(value).map_err(|cause| Error::SnapshotUnreadable {
        path: path.to_owned(),
        what: format!("{HEADER}: {cause}"),
    })
}
