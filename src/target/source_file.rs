//! Reads a file as the process itself would see it, if it has not changed since the process started.

use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::target::container::open_in_root;
use crate::target::process::Process;

/// Longer files are not read.
const LONGEST: u64 = 4 << 20;
/// So coarse are the times of processes and of files together.
const COARSENESS: Duration = Duration::from_millis(12);

/// Why a file is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Missing,
    Unreadable,
    /// It was written, or put in another one's place, since the process started.
    Changed,
    TooLong,
}

/// The contents of the file that the process knows by this path, which it may count from its working directory.
pub fn read_unchanged(process: &Process, path: &str) -> Result<Vec<u8>, Trouble> {
    let path = match Path::new(path) {
        path if path.is_absolute() => path.to_owned(),
        path => Path::new(&process.working_directory().map_err(|_| Trouble::Unreadable)?).join(path),
    };
    let file = open_in_root(process, &path).map_err(trouble)?;
    let metadata = file.metadata().map_err(trouble)?;
    if metadata.len() > LONGEST {
        return Err(Trouble::TooLong);
    }
    let started = process.started().map_err(trouble)?;
    if changed(&metadata) > started + COARSENESS {
        return Err(Trouble::Changed);
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(trouble)?;
    Ok(bytes)
}

/// When the file was last written or got its name: the later of both.
fn changed(metadata: &std::fs::Metadata) -> SystemTime {
    use std::os::unix::fs::MetadataExt;
    let moment = |seconds: i64, nanos: i64| {
        let since = Duration::new(seconds.max(0) as u64, nanos.clamp(0, 999_999_999) as u32);
        SystemTime::UNIX_EPOCH + since
    };
    moment(metadata.ctime(), metadata.ctime_nsec()).max(moment(metadata.mtime(), metadata.mtime_nsec()))
}

fn trouble(error: io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Trouble::Missing,
        _ => Trouble::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn own() -> Process {
        Process::new(std::process::id())
    }

    #[test]
    fn what_was_written_since_the_start_is_not_believed() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"x = 1\n").unwrap();
        let later = SystemTime::now() + Duration::from_secs(60);
        file.as_file().set_modified(later).unwrap();
        let read = read_unchanged(&own(), file.path().to_str().unwrap());
        assert_eq!(read, Err(Trouble::Changed));
    }

    #[test]
    fn what_is_not_there_is_missing() {
        assert_eq!(read_unchanged(&own(), "/nowhere/at/all.py"), Err(Trouble::Missing));
        assert_eq!(read_unchanged(&own(), "/"), Err(Trouble::Unreadable));
    }

    #[test]
    fn a_path_counts_from_the_working_directory() {
        let manifest = read_unchanged(&own(), "Cargo.toml").map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(manifest.is_ok_and(|text| text.contains("[package]")));
    }
}
