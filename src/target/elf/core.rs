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
