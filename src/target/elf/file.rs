//! The full symbol table and the sections of an ELF file, for images that export nothing.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::target::elf::Symbol;
use crate::target::elf::format::{self, HEADER_SIZE, SECTION_HEADER_SIZE, SHT_SYMTAB, SYMBOL_SIZE, SectionHeader};

const MOST_SECTIONS: usize = 1 << 16;
const MOST_TABLE_BYTES: u64 = 1 << 28;

/// An ELF file's full symbol table and sections, for images that export nothing.
pub struct SymbolFile<'a> {
    file: &'a File,
    sections: Vec<SectionHeader>,
    names: Vec<u8>,
}

impl<'a> SymbolFile<'a> {
    /// `None` when the file is no 64-bit ELF file or says nothing of its sections.
    pub fn open(file: &'a File) -> Option<Self> {
        let header = format::header(&read_file(file, 0, HEADER_SIZE as u64)?).ok()?;
        let count = usize::from(header.e_shnum).clamp(1, MOST_SECTIONS);
        let bytes = read_file(file, header.e_shoff, (count * SECTION_HEADER_SIZE) as u64)?;
        let sections = format::section_headers(&bytes);
        let names = sections.get(usize::from(header.e_shstrndx))?;
        let names = read_file(file, names.sh_offset, names.sh_size)?;
        Some(SymbolFile { file, sections, names })
    }

    /// Where the section of that name is loaded, in addresses of the file, and its size.
    pub fn section(&self, name: &str) -> Option<(u64, u64)> {
        let named = |section: &&SectionHeader| c_string(&self.names, section.sh_name) == Some(name.as_bytes());
        self.sections
            .iter()
            .find(named)
            .map(|section| (section.sh_addr, section.sh_size))
    }

    /// The symbols with those names, in addresses of the file; `None` for each that is not defined.
    pub fn symbols<const N: usize>(&self, names: [&str; N]) -> [Option<Symbol>; N] {
        let mut found = [None; N];
        let _ = self.search(&names, &mut found);
        found
    }

    fn search(&self, names: &[&str], found: &mut [Option<Symbol>]) -> Option<()> {
        let table = self.sections.iter().find(|section| section.sh_type == SHT_SYMTAB)?;
        let strings = self.sections.get(table.sh_link as usize)?;
        let strings = read_file(self.file, strings.sh_offset, strings.sh_size)?;
        let bytes = read_file(self.file, table.sh_offset, table.sh_size)?;
        for symbol in bytes.chunks_exact(SYMBOL_SIZE).filter_map(format::symbol) {
            let Some(text) = c_string(&strings, symbol.st_name) else {
                continue;
            };
            if !format::is_defined(&symbol) {
                continue;
            }
            if let Some(index) = names.iter().position(|name| name.as_bytes() == text) {
                found[index] = Some(Symbol {
                    address: symbol.st_value,
                    size: symbol.st_size,
                    is_function: format::is_function(&symbol),
                });
            }
        }
        Some(())
    }
}

fn c_string(strings: &[u8], at: usize) -> Option<&[u8]> {
    strings.get(at..)?.split(|&byte| byte == 0).next()
}

/// `length` bytes of a file, if it has them and they are not absurdly many.
fn read_file(file: &File, offset: u64, length: u64) -> Option<Vec<u8>> {
    let size = file.metadata().ok()?.len();
    if length > MOST_TABLE_BYTES || offset.checked_add(length)? > size {
        return None;
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(bytes)
}
