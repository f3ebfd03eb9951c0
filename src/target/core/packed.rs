//! Core files as they are kept: packed with gzip, zstd, xz or lz4. The doorway of the crates that unpack them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder as Lz4Reader;
use lzma_rust2::XzReader;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::error::{Error, Result};
use crate::target::elf::{NoCore, read_core};

/// Memory that programs have not touched is zeros in a core, and takes no room in the unpacked file.
const BLOCK: usize = 4096;
/// As much is unpacked before the first look at the headers.
const START: u64 = 1 << 20;
/// No core that is smaller by its own headers is larger than this.
const LARGEST: u64 = 1 << 42;

/// The memory that unpacking xz may take; `xz -9` asks for 64 MiB.
const MOST_XZ_KIB: u32 = 1 << 20;

/// A way of packing, known by the first bytes of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
    Xz,
    Lz4,
}

impl Packing {
    fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Xz => "xz",
            Packing::Lz4 => "lz4",
        }
    }

    /// What went wrong, in words; those of the crates are for programmers.
    fn fault(self, cause: &io::Error) -> String {
        match cause.raw_os_error() {
            Some(_) => cause.to_string(),
            None => format!("its {} data is damaged or breaks off", self.name()),
        }
    }
}

/// The file itself, when it is not packed; else what was packed, in a file without a name.
pub fn unpacked(file: File, path: &Path) -> Result<File> {
    match packing(&file) {
        None => Ok(file),
        Some(packing) => unpack(file, packing, path),
    }
}

fn packing(file: &File) -> Option<Packing> {
    let mut magic = [0; 6];
    file.read_exact_at(&mut magic, 0).ok()?;
    [
        (&[0x1f, 0x8b][..], Packing::Gzip),
        (&[0x28, 0xb5, 0x2f, 0xfd], Packing::Zstd),
        (&[0xfd, b'7', b'z', b'X', b'Z', 0], Packing::Xz),
        (&[0x04, 0x22, 0x4d, 0x18], Packing::Lz4),
    ]
    .into_iter()
    .find(|(start, _)| magic.starts_with(start))
    .map(|(_, packing)| packing)
}

fn decoder(file: File, packing: Packing) -> io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(1 << 18, file);
    Ok(match packing {
        Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
        Packing::Zstd => Box::new(ZstdFrames {
            frame: Some(StreamingDecoder::new(file).map_err(io::Error::other)?),
        }),
        Packing::Xz => Box::new(XzReader::new_mem_limit(file, true, MOST_XZ_KIB)),
        Packing::Lz4 => Box::new(Lz4Reader::new(file)),
    })
}

/// A zstd file may have several frames, one behind the other.
struct ZstdFrames<R: BufRead> {
    /// `None` behind the last one.
    frame: Option<StreamingDecoder<R, FrameDecoder>>,
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.frame {
            let read = frame.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let mut source = self.frame.take().map(StreamingDecoder::into_inner);
            if let Some(source) = source.take_if(|source| source.fill_buf().is_ok_and(|rest| !rest.is_empty())) {
                self.frame = Some(StreamingDecoder::new(source).map_err(io::Error::other)?);
            }
        }
        Ok(0)
    }
}

fn unpack(file: File, packing: Packing, path: &Path) -> Result<File> {
    let folder = std::env::temp_dir();
    let no_room = |cause: io::Error| Error::Core {
        path: path.to_owned(),
        what: format!("cannot be unpacked in {}: {cause}", folder.display()),
        hint: "give it a place with room: TMPDIR=/var/tmp pymemscope ...".to_owned(),
    };
    let damaged = |cause: io::Error| Error::Core {
        path: path.to_owned(),
        what: format!("cannot be unpacked: {}", packing.fault(&cause)),
        hint: "copy it again from where it was written, or unpack it with the tool that packed it".to_owned(),
    };
    let mut target = nameless(&folder).map_err(no_room)?;
    let mut decoder = decoder(file, packing).map_err(damaged)?;
    let mut limit = START;
    let mut done = 0;
    let mut block = vec![0; BLOCK * 64];
    loop {
        let room = block.len().min((limit - done) as usize);
        let read = match decoder.read(block.get_mut(..room).unwrap_or_default()) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // What came before the end of a file that was cut off is looked at as a core that was cut off.
            Err(_) if done >= START => 0,
            Err(error) => return Err(damaged(error)),
        };
        write_sparse(&mut target, block.get(..read).unwrap_or_default()).map_err(no_room)?;
        done += read as u64;
        if read == 0 || done == limit {
            target.set_len(done).map_err(no_room)?;
            // Whatever a packed file may hold, no more of it is written than the headers of a core account for.
            let length = match (read, read_core(&target)) {
                (0, _) => done,
                (_, Ok(layout)) => layout.length.min(LARGEST),
                (_, Err(NoCore::Short)) => limit.saturating_mul(2).min(LARGEST),
                (_, Err(_)) => done,
            };
            if length <= done {
                return Ok(target);
            }
            limit = length;
        }
    }
}

/// A file that nobody else sees, and that goes with us.
fn nameless(folder: &Path) -> io::Result<File> {
    /// Somebody else's files may be in the way.
    const ATTEMPTS: u32 = 16;
    let mut outcome = Err(io::ErrorKind::AlreadyExists.into());
    for attempt in 0..ATTEMPTS {
        let path: PathBuf = folder.join(format!("pymemscope-core-{}-{attempt}", std::process::id()));
        let mut options = OpenOptions::new();
        outcome = options.read(true).write(true).create_new(true).mode(0o600).open(&path);
        match &outcome {
            Ok(_) => {
                fs::remove_file(&path)?;
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) => break,
        }
    }
    outcome
}

/// Writes blocks that have something in them, and passes over those that are zeros.
fn write_sparse(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    for block in bytes.chunks(BLOCK) {
        if block.iter().any(|&byte| byte != 0) {
            file.write_all(block)?;
        } else {
            file.seek(SeekFrom::Current(block.len() as i64))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a core that is as long as a single program header says.
    fn core(length: u64) -> Vec<u8> {
        let mut bytes = vec![0; 120];
        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        (bytes[16], bytes[18]) = (4, 62);
        (bytes[32], bytes[54], bytes[56]) = (64, 56, 1);
        bytes[64] = 1;
        bytes[96..104].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    /// A frame of zstd with its content as it is (RFC 8878: no checksum, a window of 2 MiB, blocks of kind `Raw`).
    fn zstd(content: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
        let blocks = content.chunks(1 << 16);
        let last = blocks.len();
        for (number, block) in (1..).zip(blocks) {
            let header = (block.len() as u32) << 3 | u32::from(number == last);
            frame.extend(&header.to_le_bytes()[..3]);
            frame.extend(block);
        }
        frame
    }

    /// A frame of lz4 with its content as it is (blocks of up to 64 KiB, no checksums).
    fn lz4(content: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
        for block in content.chunks(1 << 16) {
            frame.extend((block.len() as u32 | 1 << 31).to_le_bytes());
            frame.extend(block);
        }
        frame.extend([0; 4]);
        frame
    }

    fn unpacked_bytes(packed: &[u8]) -> Result<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(packed).unwrap();
        file.rewind().unwrap();
        let mut file = unpacked(file, Path::new("core"))?;
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        Ok(bytes)
    }

    /// A core of six mebibytes with zeros and other bytes in it.
    fn content() -> Vec<u8> {
        let mut content = core(6 << 20);
        content.resize(1 << 20, 0);
        content.extend((0..5_u32 << 20).map(|number| (number >> 13) as u8));
        content
    }

    #[test]
    fn every_packing_gives_back_what_was_packed() {
        let content = content();
        assert_eq!(unpacked_bytes(&content).unwrap(), content);
        assert!(unpacked_bytes(&zstd(&content)).unwrap() == content, "zstd");
        assert!(unpacked_bytes(&lz4(&content)).unwrap() == content, "lz4");
        let (start, end) = content.split_at(4_000_000);
        assert!(
            unpacked_bytes(&[zstd(start), zstd(end)].concat()).unwrap() == content,
            "two frames"
        );
    }

    #[test]
    fn what_comes_behind_a_core_is_not_unpacked() {
        let mut content = content();
        content.extend(vec![7; 5 << 20]);
        assert_eq!(unpacked_bytes(&zstd(&content)).unwrap().len(), 6 << 20);
        let nothing = vec![7; 5 << 20];
        assert_eq!(unpacked_bytes(&lz4(&nothing)).unwrap().len() as u64, START);
    }

    #[test]
    fn a_packed_file_that_breaks_off_gives_what_there_was() {
        let content = content();
        for packed in [zstd(&content), lz4(&content)] {
            let some = unpacked_bytes(&packed[..5 << 20]).unwrap();
            assert!(some.len() < 5 << 20 && content.starts_with(&some), "{}", some.len());
            assert!(matches!(unpacked_bytes(&packed[..1000]), Err(Error::Core { .. })));
        }
    }
}
