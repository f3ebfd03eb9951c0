//! What a file was when it was written: its length and checksum. One that has changed since is not read.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use crc32fast::Hasher;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    pub bytes: u64,
    pub crc32: u32,
}

impl Seal {
    /// Of a file with these contents.
    pub fn of_bytes(contents: &[u8]) -> Seal {
        let mut hasher = Hasher::new();
        hasher.update(contents);
        Seal {
            bytes: contents.len() as u64,
            crc32: hasher.finalize(),
        }
    }

    /// Of a file that is there, of which no more is read than tells that it is longer than `expected`.
    pub fn of(path: &Path, expected: u64) -> io::Result<Seal> {
        // A pipe would be waited for, and a device may have no end.
        if !path.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let file = File::open(path)?.take(expected.saturating_add(1));
        let mut file = BufReader::with_capacity(1 << 20, file);
        let (mut bytes, mut hasher) = (0, Hasher::new());
        loop {
            let read = file.fill_buf()?;
            if read.is_empty() {
                let crc32 = hasher.finalize();
                return Ok(Seal { bytes, crc32 });
            }
            hasher.update(read);
            let length = read.len();
            bytes += length as u64;
            file.consume(length);
        }
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes, checksum {:08x}", self.bytes, self.crc32)
    }
}

/// A file that is being written.
pub struct Sealing {
    file: File,
    bytes: u64,
    hasher: Hasher,
}

impl Sealing {
    pub fn new(file: File) -> Sealing {
        Sealing {
            file,
            bytes: 0,
            hasher: Hasher::new(),
        }
    }

    pub fn finish(self) -> Seal {
        Seal {
            bytes: self.bytes,
            crc32: self.hasher.finalize(),
        }
    }
}

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
