//! The structures of ELF as bytes state them: the doorway of `goblin`.
//!
//! Only 64-bit little-endian ones are read.

use goblin::container::{Container, Ctx, Endian};
pub use goblin::elf::dynamic::{DT_DEBUG, DT_GNU_HASH, DT_HASH, DT_NULL, DT_STRTAB, DT_SYMTAB};
use goblin::elf::header::machine_to_str;
use goblin::elf::header::{EI_CLASS, EI_DATA, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFMAG};
pub use goblin::elf::header::{EM_X86_64, ET_CORE, ET_EXEC};
pub use goblin::elf::note::{NT_PRPSINFO, NT_PRSTATUS};
pub use goblin::elf::program_header::{PF_R, PF_W, PF_X, PT_DYNAMIC, PT_INTERP, PT_LOAD, PT_NOTE};
pub use goblin::elf::section_header::SHT_SYMTAB;
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC};
pub use goblin::elf::{Header, ProgramHeader, SectionHeader, Sym};

const CTX: Ctx = Ctx {
    container: Container::Big,
    le: Endian::Little,
};

pub const HEADER_SIZE: usize = 64;
pub const PROGRAM_HEADER_SIZE: usize = 56;
pub const SECTION_HEADER_SIZE: usize = 64;
pub const SYMBOL_SIZE: usize = 24;

/// Why bytes are no header that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoHeader {
    Bits32,
    NotElf,
}

pub fn header(bytes: &[u8]) -> Result<Header, NoHeader> {
    if !bytes.starts_with(ELFMAG) {
        return Err(NoHeader::NotElf);
    }
    match (bytes.get(EI_CLASS), bytes.get(EI_DATA)) {
        (Some(&ELFCLASS32), _) => Err(NoHeader::Bits32),
        (Some(&ELFCLASS64), Some(&ELFDATA2LSB)) => goblin::elf::Elf::parse_header(bytes).map_err(|_| NoHeader::NotElf),
        _ => Err(NoHeader::NotElf),
    }
}

/// What a machine is called, as in `AARCH64`.
pub fn machine_name(machine: u16) -> &'static str {
    machine_to_str(machine)
}

/// All program headers that `bytes` has room for.
pub fn program_headers(bytes: &[u8]) -> Vec<ProgramHeader> {
    ProgramHeader::parse(bytes, 0, bytes.len() / PROGRAM_HEADER_SIZE, CTX).unwrap_or_default()
}

/// All section headers that `bytes` has room for.
pub fn section_headers(bytes: &[u8]) -> Vec<SectionHeader> {
    SectionHeader::parse_from(bytes, 0, bytes.len() / SECTION_HEADER_SIZE, CTX).unwrap_or_default()
}

pub fn symbol(bytes: &[u8]) -> Option<Sym> {
    Sym::parse(bytes, 0, 1, CTX).ok()?.pop()
}

/// Whether the symbol is defined in its image, and not merely asked for.
pub fn is_defined(symbol: &Sym) -> bool {
    symbol.st_shndx != 0
}

pub fn is_function(symbol: &Sym) -> bool {
    matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC)
}
