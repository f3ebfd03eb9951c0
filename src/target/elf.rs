//! Symbols of ELF images, from a process's own memory or from a file: the doorway of `goblin`.
//!
//! Memory comes first: the dynamic symbol table stands in a loaded segment, so it is there for stripped, deleted,
//! replaced and containerised files alike, and it is the truth of what runs. Nothing in it is trusted.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use cpython::memory::{Fault, ReadMemory, half_at, word_at};
use goblin::container::{Container, Ctx, Endian};
use goblin::elf::dynamic::{DT_GNU_HASH, DT_HASH, DT_NULL, DT_STRTAB, DT_SYMTAB};
use goblin::elf::header::{EI_CLASS, EI_DATA, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFMAG, ET_EXEC};
use goblin::elf::program_header::{PF_W, PT_DYNAMIC, PT_LOAD};
use goblin::elf::section_header::SHT_SYMTAB;
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC};
use goblin::elf::{Header, ProgramHeader, SectionHeader, Sym};

const CTX: Ctx = Ctx {
    container: Container::Big,
    le: Endian::Little,
};
const HEADER_SIZE: usize = 64;
const SYMBOL_SIZE: u64 = 24;
const PAGE: u64 = 4096;

/// More than any image has; a larger number comes from an image that is none.
const MOST_PROGRAM_HEADERS: usize = 512;
const MOST_DYNAMIC_ENTRIES: u64 = 1024;
const MOST_SECTIONS: usize = 1 << 16;
const MOST_TABLE_BYTES: u64 = 1 << 28;
/// Symbols that share a bucket of a hash table: a handful in an honest one.
const LONGEST_CHAIN: usize = 1 << 14;

/// An ELF image as the loader has laid it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What is added to an address of the file to get one of the process.
    pub bias: u64,
    /// The loaded segments, uninitialised data included, in addresses of the process.
    pub segments: Vec<Segment>,
    tables: Option<DynamicTables>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub range: Range<u64>,
    pub writable: bool,
}

/// Where the dynamic linker finds the symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DynamicTables {
    symbols: u64,
    strings: u64,
    gnu_hash: Option<u64>,
    hash: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// In the process.
    pub address: u64,
    /// Zero when the image does not say.
    pub size: u64,
    pub is_function: bool,
}

/// What stands where an image could begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Image(Image),
    /// An image of a 32-bit program.
    Bits32,
    /// No image, or one that cannot have been loaded here.
    Nothing,
}

/// Reads the image whose header stands at `base`.
pub fn image_at(memory: &mut dyn ReadMemory, base: u64) -> Result<Found, Fault> {
    let bytes = memory.read(base, HEADER_SIZE)?.to_vec();
    let header = match check_header(&bytes) {
        Ok(header) => header,
        Err(other) => return Ok(other),
    };
    let count = usize::from(header.e_phnum).min(MOST_PROGRAM_HEADERS);
    let bytes = memory.read(base.wrapping_add(header.e_phoff), count * ProgramHeader::size(CTX))?;
    let headers = ProgramHeader::parse(bytes, 0, count, CTX).unwrap_or_default();
    let loaded = || {
        headers
            .iter()
            .filter(|header| header.p_type == PT_LOAD && header.p_memsz > 0)
    };
    let Some(first) = loaded().find(|header| header.p_offset < PAGE) else {
        return Ok(Found::Nothing);
    };
    let bias = base.wrapping_sub(first.p_vaddr.wrapping_sub(first.p_offset));
    // A program at a fixed address that stands elsewhere is a file that somebody looks into, not one that runs.
    if header.e_type == ET_EXEC && bias != 0 {
        return Ok(Found::Nothing);
    }
    let segments = loaded().filter_map(|header| {
        let start = bias.wrapping_add(header.p_vaddr);
        Some(Segment {
            range: start..start.checked_add(header.p_memsz)?,
            writable: header.p_flags & PF_W != 0,
        })
    });
    let mut image = Image {
        bias,
        segments: segments.collect(),
        tables: None,
    };
    if let Some(dynamic) = headers.iter().find(|header| header.p_type == PT_DYNAMIC) {
        image.tables = read_dynamic(memory, &image, bias.wrapping_add(dynamic.p_vaddr));
    }
    Ok(Found::Image(image))
}

fn check_header(bytes: &[u8]) -> Result<Header, Found> {
    if !bytes.starts_with(ELFMAG) {
        return Err(Found::Nothing);
    }
    match (bytes.get(EI_CLASS), bytes.get(EI_DATA)) {
        (Some(&ELFCLASS32), _) => Err(Found::Bits32),
        (Some(&ELFCLASS64), Some(&ELFDATA2LSB)) => goblin::elf::Elf::parse_header(bytes).map_err(|_| Found::Nothing),
        _ => Err(Found::Nothing),
    }
}

fn read_dynamic(memory: &mut dyn ReadMemory, image: &Image, address: u64) -> Option<DynamicTables> {
    let (mut symbols, mut strings, mut gnu_hash, mut hash) = (None, None, None, None);
    for index in 0..MOST_DYNAMIC_ENTRIES {
        let entry = memory.read(address.checked_add(index * 16)?, 16).ok()?;
        let (tag, value) = (word_at(entry, 0), word_at(entry, 8));
        let place = match tag {
            DT_NULL => break,
            DT_SYMTAB => &mut symbols,
            DT_STRTAB => &mut strings,
            DT_GNU_HASH => &mut gnu_hash,
            DT_HASH => &mut hash,
            _ => continue,
        };
        *place = image.relocated(value);
    }
    Some(DynamicTables {
        symbols: symbols?,
        strings: strings?,
        gnu_hash,
        hash,
    })
}

impl Image {
    pub fn contains(&self, address: u64) -> bool {
        self.segments.iter().any(|segment| segment.range.contains(&address))
    }

    /// Whether `address` stands in data that the program may change.
    pub fn is_data(&self, address: u64) -> bool {
        self.segments
            .iter()
            .any(|segment| segment.writable && segment.range.contains(&address))
    }

    /// The segments that the program may change.
    pub fn data_ranges(&self) -> Vec<Range<u64>> {
        self.segments
            .iter()
            .filter(|segment| segment.writable)
            .map(|segment| segment.range.clone())
            .collect()
    }

    /// An address of the dynamic section: glibc's loader replaces those of the file by real ones, others leave them.
    fn relocated(&self, value: u64) -> Option<u64> {
        [value, self.bias.wrapping_add(value)]
            .into_iter()
            .find(|&address| self.contains(address))
    }

    /// The symbol that this image defines for others under `name`.
    pub fn exported(&self, memory: &mut dyn ReadMemory, name: &str) -> Option<Symbol> {
        let tables = self.tables?;
        let found = match (tables.gnu_hash, tables.hash) {
            (Some(at), _) => tables.search_gnu_hash(memory, at, name),
            (None, Some(at)) => tables.search_hash(memory, at, name),
            (None, None) => None,
        };
        let symbol = found?;
        let address = self.bias.wrapping_add(symbol.st_value);
        self.contains(address).then(|| Symbol {
            address,
            size: symbol.st_size,
            is_function: is_function(&symbol),
        })
    }
}

impl DynamicTables {
    /// The symbol with this number, if it is defined here under that name.
    fn symbol(&self, memory: &mut dyn ReadMemory, index: u64, name: &str) -> Option<Sym> {
        let at = self.symbols.checked_add(index.checked_mul(SYMBOL_SIZE)?)?;
        let symbol = parse_symbol(memory.read(at, SYMBOL_SIZE as usize).ok()?)?;
        let text = memory
            .read(self.strings.checked_add(symbol.st_name as u64)?, name.len() + 1)
            .ok()?;
        let same = text.strip_suffix(b"\0") == Some(name.as_bytes());
        (same && symbol.st_shndx != 0).then_some(symbol)
    }

    /// GNU's table: four numbers, a Bloom filter, buckets, and chains that end at an odd hash.
    fn search_gnu_hash(&self, memory: &mut dyn ReadMemory, table: u64, name: &str) -> Option<Sym> {
        let head = memory.read(table, 16).ok()?;
        let [buckets, first, filters, shift] = [0, 4, 8, 12].map(|offset| half_at(head, offset));
        if buckets == 0 || filters == 0 {
            return None;
        }
        let hash = gnu_hash(name);
        let filter_at = table.checked_add(16)?;
        let filter = memory
            .word(filter_at.checked_add(u64::from(hash / 64 % filters) * 8)?)
            .ok()?;
        if filter >> (hash % 64) & filter >> (hash.checked_shr(shift)? % 64) & 1 == 0 {
            return None;
        }
        let buckets_at = filter_at.checked_add(u64::from(filters) * 8)?;
        let chains_at = buckets_at.checked_add(u64::from(buckets) * 4)?;
        let start = memory
            .half(buckets_at.checked_add(u64::from(hash % buckets) * 4)?)
            .ok()?;
        for index in (u64::from(start.max(first))..).take(LONGEST_CHAIN) {
            let link = memory
                .half(chains_at.checked_add((index - u64::from(first)) * 4)?)
                .ok()?;
            if link | 1 == hash | 1
                && let Some(symbol) = self.symbol(memory, index, name)
            {
                return Some(symbol);
            }
            if link & 1 == 1 {
                break;
            }
        }
        None
    }

    /// The table of the System V ABI: two numbers, buckets, and chains that end at zero.
    fn search_hash(&self, memory: &mut dyn ReadMemory, table: u64, name: &str) -> Option<Sym> {
        let head = memory.read(table, 8).ok()?;
        let [buckets, symbols] = [0, 4].map(|offset| half_at(head, offset));
        let buckets_at = table.checked_add(8)?;
        let chains_at = buckets_at.checked_add(u64::from(buckets) * 4)?;
        let bucket = system_v_hash(name).checked_rem(buckets)?;
        let mut index = memory.half(buckets_at.checked_add(u64::from(bucket) * 4)?).ok()?;
        for _ in 0..LONGEST_CHAIN {
            if index == 0 || index >= symbols {
                break;
            }
            if let Some(symbol) = self.symbol(memory, u64::from(index), name) {
                return Some(symbol);
            }
            index = memory.half(chains_at.checked_add(u64::from(index) * 4)?).ok()?;
        }
        None
    }
}

/// An ELF file's full symbol table and sections, for images that export nothing.
pub struct SymbolFile<'a> {
    file: &'a File,
    sections: Vec<SectionHeader>,
    names: Vec<u8>,
}

impl<'a> SymbolFile<'a> {
    /// `None` when the file is no 64-bit ELF file or says nothing of its sections.
    pub fn open(file: &'a File) -> Option<Self> {
        let header = check_header(&read_file(file, 0, HEADER_SIZE as u64)?).ok()?;
        let count = usize::from(header.e_shnum).clamp(1, MOST_SECTIONS);
        let bytes = read_file(file, header.e_shoff, (count * SectionHeader::size(CTX)) as u64)?;
        let sections = SectionHeader::parse_from(&bytes, 0, count, CTX).ok()?;
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
        for symbol in bytes.chunks_exact(SYMBOL_SIZE as usize).filter_map(parse_symbol) {
            let Some(text) = c_string(&strings, symbol.st_name) else {
                continue;
            };
            if symbol.st_shndx == 0 {
                continue;
            }
            if let Some(index) = names.iter().position(|name| name.as_bytes() == text) {
                found[index] = Some(Symbol {
                    address: symbol.st_value,
                    size: symbol.st_size,
                    is_function: is_function(&symbol),
                });
            }
        }
        Some(())
    }
}

fn parse_symbol(bytes: &[u8]) -> Option<Sym> {
    Sym::parse(bytes, 0, 1, CTX).ok()?.pop()
}

fn is_function(symbol: &Sym) -> bool {
    matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC)
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

fn gnu_hash(name: &str) -> u32 {
    name.bytes()
        .fold(5381, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte)))
}

fn system_v_hash(name: &str) -> u32 {
    name.bytes().fold(0, |hash: u32, byte| {
        let hash = (hash << 4).wrapping_add(u32::from(byte));
        let high = hash & 0xf000_0000;
        (hash ^ high >> 24) & !high
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published values of the two hash functions.
    #[test]
    fn hashes_are_those_of_the_formats() {
        assert_eq!(
            [gnu_hash(""), gnu_hash("printf"), gnu_hash("exit")],
            [0x1505, 0x156b_2bb8, 0x7c96_7e3f]
        );
        assert_eq!(
            [system_v_hash(""), system_v_hash("printf"), system_v_hash("exit")],
            [0, 0x077905a6, 0x0006_cf04]
        );
    }
}
