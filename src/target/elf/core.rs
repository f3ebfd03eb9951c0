//! What the headers of a core file state: where which memory of the program stands in it, and its notes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use cpython::memory::half_at;

use crate::target::elf::format::{
    self, EM_X86_64, ET_CORE, HEADER_SIZE, Header, NoHeader, PF_R, PF_W, PF_X, PROGRAM_HEADER_SIZE, PT_LOAD, PT_NOTE,
    ProgramHeader, SECTION_HEADER_SIZE,
};
pub use crate::target::elf::format::{NT_PRPSINFO, NT_PRSTATUS};

/// Far more mappings than the kernel lets a process have unless it is told to (`vm.max_map_count`).
const MOST_SEGMENTS: u32 = 1 << 22;
/// The notes of a program with tens of thousands of threads and mapped files.
const MOST_NOTE_BYTES: u64 = 1 << 28;
/// The number of program headers does not fit its field, and stands in the first section header (elf.h's `PN_XNUM`).
const MANY: u16 = 0xffff;
/// `namesz`, `descsz` and `type`.
const NOTE_HEADER: usize = 12;

/// A core file's table of contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CoreLayout {
    pub segments: Vec<CoreSegment>,
    pub notes: Vec<Note>,
    /// How long the file is by its own headers.
    pub length: u64,
}

/// A mapping of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreSegment {
    pub range: Range<u64>,
    pub readable: bool,
    pub writable: bool,
    pub executable: bool,
    /// Where its memory stands in the file.
    pub offset: u64,
    /// How much of it does, from its start on; nothing says what the rest is.
    pub length: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub kind: u32,
    pub bytes: Vec<u8>,
}

/// Why a file is no core that can be read.
#[derive(Debug)]
pub enum NoCore {
    NotElf,
    Bits32,
    /// An executable, a library or an object file.
    OtherElf,
    OtherMachine(&'static str),
    /// Not even its headers are there.
    Short,
    Unreadable(io::Error),
}

/// Reads the headers and notes of the core in `file`. What is missing at its end is not an error but for the headers.
pub fn read_core(file: &File) -> Result<CoreLayout, NoCore> {
    let mut header = [0; HEADER_SIZE];
    let had = read_some(file, 0, &mut header)?;
    let header = core_header(header.get(..had).unwrap_or_default())?;
    let headers = program_headers(file, &header)?;
    let ends = headers.iter().map(|each| each.p_offset.saturating_add(each.p_filesz));
    let mut layout = CoreLayout {
        length: ends.max().unwrap_or(0),
        ..CoreLayout::default()
    };
    let mut note_room = MOST_NOTE_BYTES;
    for header in &headers {
        match header.p_type {
            PT_LOAD => layout.segments.extend(segment(header)),
            PT_NOTE if header.p_filesz <= note_room => {
                note_room -= header.p_filesz;
                let mut bytes = vec![0; header.p_filesz as usize];
                let had = read_some(file, header.p_offset, &mut bytes)?;
                layout.notes.extend(notes(bytes.get(..had).unwrap_or_default()));
            }
            _ => {}
        }
    }
    Ok(layout)
}

/// The header of a core of this machine's kind.
fn core_header(bytes: &[u8]) -> Result<Header, NoCore> {
    const MACHINE: usize = 18;
    let header = match format::header(bytes) {
        Ok(header) => header,
        Err(NoHeader::Bits32) => return Err(NoCore::Bits32),
        Err(NoHeader::NotElf) if bytes.starts_with(b"\x7fELF") && bytes.len() < HEADER_SIZE => {
            return Err(NoCore::Short);
        }
        Err(NoHeader::NotElf) if bytes.starts_with(b"\x7fELF") => {
            // Machines that write numbers the other way round.
            let machine = bytes.get(MACHINE..MACHINE + 2).unwrap_or_default();
            let machine = machine.try_into().map_or(0, u16::from_be_bytes);
            return Err(NoCore::OtherMachine(format::machine_name(machine)));
        }
        Err(NoHeader::NotElf) => return Err(NoCore::NotElf),
    };
    if header.e_type != ET_CORE {
        return Err(NoCore::OtherElf);
    }
    if header.e_machine != EM_X86_64 {
        return Err(NoCore::OtherMachine(format::machine_name(header.e_machine)));
    }
    Ok(header)
}

fn program_headers(file: &File, header: &Header) -> Result<Vec<ProgramHeader>, NoCore> {
    /// Where a section header states its `sh_info`.
    const INFO: u64 = 44;
    let count = if header.e_phnum == MANY {
        let mut section = [0; SECTION_HEADER_SIZE];
        read_whole(file, header.e_shoff, &mut section)?;
        half_at(&section, INFO)
    } else {
        u32::from(header.e_phnum)
    };
    if usize::from(header.e_phentsize) != PROGRAM_HEADER_SIZE || count > MOST_SEGMENTS {
        return Err(NoCore::NotElf);
    }
    let length = u64::from(count) * PROGRAM_HEADER_SIZE as u64;
    let size = file.metadata().map_err(NoCore::Unreadable)?.len();
    if header.e_phoff.checked_add(length).is_none_or(|end| end > size) {
        return Err(NoCore::Short);
    }
    let mut bytes = vec![0; length as usize];
    read_whole(file, header.e_phoff, &mut bytes)?;
    Ok(format::program_headers(&bytes))
}

/// `None` for one that is empty, or that no program could have.
fn segment(header: &ProgramHeader) -> Option<CoreSegment> {
    let end = header.p_vaddr.checked_add(header.p_memsz)?;
    header.p_offset.checked_add(header.p_filesz)?;
    (end > header.p_vaddr).then(|| CoreSegment {
        range: header.p_vaddr..end,
        readable: header.p_flags & PF_R != 0,
        writable: header.p_flags & PF_W != 0,
        executable: header.p_flags & PF_X != 0,
        offset: header.p_offset,
        length: header.p_filesz.min(header.p_memsz),
    })
}

/// The notes of the name `CORE`; others are registers and what debuggers note for themselves.
fn notes(bytes: &[u8]) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut rest = bytes;
    while let Some((header, after)) = rest.split_at_checked(NOTE_HEADER) {
        let [name_length, length, kind] = [0, 4, 8].map(|offset| half_at(header, offset));
        let Some((name, after)) = after.split_at_checked(room(name_length)) else {
            break;
        };
        let Some(body) = after.get(..length as usize) else {
            break;
        };
        if name.starts_with(b"CORE\0") {
            notes.push(Note {
                kind,
                bytes: body.to_vec(),
            });
        }
        // The last one need not be filled up.
        rest = after.get(room(length)..).unwrap_or_default();
    }
    notes
}

/// The parts of a note are filled up to multiples of four bytes.
fn room(length: u32) -> usize {
    (length as usize).saturating_add(3) & !3
}

/// As much as there is; answers how much that was.
fn read_some(file: &File, offset: u64, into: &mut [u8]) -> Result<usize, NoCore> {
    let mut done = 0;
    if i64::try_from(offset).is_err() {
        // No file goes so far.
        return Ok(done);
    }
    while let Some(left) = into.get_mut(done..).filter(|left| !left.is_empty()) {
        match file.read_at(left, offset.saturating_add(done as u64)) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(NoCore::Unreadable(error)),
        }
    }
    Ok(done)
}

fn read_whole(file: &File, offset: u64, into: &mut [u8]) -> Result<(), NoCore> {
    if read_some(file, offset, into)? == into.len() {
        Ok(())
    } else {
        Err(NoCore::Short)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const X86_64: u16 = 62;

    /// A header of a core with so many program headers right behind it.
    fn header(count: u16) -> Vec<u8> {
        let mut header = vec![0; HEADER_SIZE];
        header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        header[16..18].copy_from_slice(&ET_CORE.to_le_bytes());
        header[18..20].copy_from_slice(&X86_64.to_le_bytes());
        header[32..40].copy_from_slice(&(HEADER_SIZE as u64).to_le_bytes());
        header[54..56].copy_from_slice(&(PROGRAM_HEADER_SIZE as u16).to_le_bytes());
        header[56..58].copy_from_slice(&count.to_le_bytes());
        header
    }

    fn program_header(kind: u32, flags: u32, [offset, address, length, size]: [u64; 4]) -> Vec<u8> {
        let mut bytes = [kind.to_le_bytes(), flags.to_le_bytes()].concat();
        for word in [offset, address, 0, length, size, 0x1000] {
            bytes.extend(word.to_le_bytes());
        }
        bytes
    }

    fn note(name: &str, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [name.len() as u32, body.len() as u32, kind] {
            bytes.extend(number.to_le_bytes());
        }
        for part in [name.as_bytes(), body] {
            bytes.extend(part);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<CoreLayout, NoCore> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read_core(&file)
    }

    #[test]
    fn segments_and_notes_are_read() {
        let notes = [
            note("CORE\0", 3, b"abcde"),
            note("LINUX\0", 3, b"x"),
            note("CORE\0", 1, b""),
        ]
        .concat();
        let at = (HEADER_SIZE + 3 * PROGRAM_HEADER_SIZE) as u64;
        let file = [
            header(3),
            program_header(PT_NOTE, 0, [at, 0, notes.len() as u64, 0]),
            program_header(PT_LOAD, PF_R | PF_W, [0x1000, 0x5000, 0x2000, 0x1000]),
            program_header(PT_LOAD, PF_R | PF_X, [0x3000, 0x8000, 0, 0x1000]),
            notes,
        ]
        .concat();
        let layout = read(&file).unwrap();
        let kinds: Vec<(u32, &[u8])> = layout.notes.iter().map(|note| (note.kind, &note.bytes[..])).collect();
        assert_eq!(kinds, [(3, &b"abcde"[..]), (1, &b""[..])]);
        assert_eq!(layout.length, 0x3000);
        let told = |each: &CoreSegment| (each.range.clone(), each.length, each.writable, each.executable);
        assert_eq!(
            layout.segments.iter().map(told).collect::<Vec<_>>(),
            [(0x5000..0x6000, 0x1000, true, false), (0x8000..0x9000, 0, false, true)]
        );
    }

    #[test]
    fn more_headers_than_their_field_can_count_are_counted_elsewhere() {
        let mut file = header(MANY);
        let segments = 70_000_u32;
        let section_at = (HEADER_SIZE + segments as usize * PROGRAM_HEADER_SIZE) as u64;
        file[40..48].copy_from_slice(&section_at.to_le_bytes());
        for number in 0..u64::from(segments) {
            file.extend(program_header(PT_LOAD, PF_R, [0, number << 12, 0, 0x1000]));
        }
        let mut section = vec![0; SECTION_HEADER_SIZE];
        section[44..48].copy_from_slice(&segments.to_le_bytes());
        file.extend(section);
        assert_eq!(read(&file).unwrap().segments.len(), segments as usize);
        file.truncate(file.len() - 1);
        assert!(matches!(read(&file), Err(NoCore::Short)));
    }

    #[test]
    fn headers_that_are_not_there_or_make_no_sense_are_told_apart() {
        assert!(matches!(read(&header(1)), Err(NoCore::Short)));
        assert!(matches!(read(&header(0)[..40]), Err(NoCore::Short)));
        assert!(matches!(read(b"\x7fEL"), Err(NoCore::NotElf)));
        let damaged = |at: usize, byte: u8| {
            let mut file = header(0);
            file[at] = byte;
            read(&file)
        };
        assert!(matches!(damaged(4, 1), Err(NoCore::Bits32)));
        assert!(matches!(damaged(16, 2), Err(NoCore::OtherElf)));
        assert!(matches!(damaged(18, 183), Err(NoCore::OtherMachine("AARCH64"))));
        assert!(matches!(damaged(54, 1), Err(NoCore::NotElf)));
        assert_eq!(read(&header(0)).unwrap(), CoreLayout::default());
    }

    #[test]
    fn impossible_segments_and_notes_are_left_out() {
        let far = u64::MAX - 8;
        let file = [
            header(5),
            program_header(PT_LOAD, PF_R, [0, far, 0, 0x1000]),
            program_header(PT_LOAD, PF_R, [far, 0x1000, 0x1000, 0x1000]),
            program_header(PT_LOAD, PF_R, [0, 0x1000, 0x1000, 0]),
            program_header(PT_NOTE, 0, [far, 0, 0x100, 0]),
            program_header(PT_NOTE, 0, [0, 0, u64::MAX, 0]),
        ]
        .concat();
        let layout = read(&file).unwrap();
        assert!(layout.segments.is_empty() && layout.notes.is_empty());
        let huge = [u32::MAX.to_le_bytes(), 4_u32.to_le_bytes(), 1_u32.to_le_bytes()].concat();
        assert!(notes(&huge).is_empty() && notes(&huge[..7]).is_empty());
    }
}
