//! An ELF image in the memory of a process.

use std::ops::Range;

use cpython::memory::{Fault, ReadMemory, word_at};

use crate::target::elf::Symbol;
use crate::target::elf::format::{
    self, DT_GNU_HASH, DT_HASH, DT_NULL, DT_STRTAB, DT_SYMTAB, ET_EXEC, HEADER_SIZE, NoHeader, PF_W,
    PROGRAM_HEADER_SIZE, PT_DYNAMIC, PT_INTERP, PT_LOAD,
};
use crate::target::elf::lookup::DynamicTables;

const PAGE: u64 = 4096;

/// More than any image has; a larger number comes from an image that is none.
const MOST_PROGRAM_HEADERS: usize = 512;
const MOST_DYNAMIC_ENTRIES: u64 = 1024;

/// An ELF image as the loader has laid it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What is added to an address of the file to get one of the process.
    pub bias: u64,
    /// The loaded segments, uninitialised data included, in addresses of the process.
    pub segments: Vec<Segment>,
    /// It is what was executed, and no library: it names a dynamic linker.
    pub is_program: bool,
    tables: Option<DynamicTables>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub range: Range<u64>,
    pub writable: bool,
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
    let header = match format::header(&bytes) {
        Ok(header) => header,
        Err(NoHeader::Bits32) => return Ok(Found::Bits32),
        Err(NoHeader::NotElf) => return Ok(Found::Nothing),
    };
    let count = usize::from(header.e_phnum).min(MOST_PROGRAM_HEADERS);
    let headers = memory.read(base.wrapping_add(header.e_phoff), count * PROGRAM_HEADER_SIZE)?;
    let headers = format::program_headers(headers);
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
        is_program: headers.iter().any(|header| header.p_type == PT_INTERP),
        tables: None,
    };
    if let Some(dynamic) = headers.iter().find(|header| header.p_type == PT_DYNAMIC) {
        image.tables = read_dynamic(memory, &image, bias.wrapping_add(dynamic.p_vaddr));
    }
    Ok(Found::Image(image))
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
        let symbol = self.tables?.find(memory, name)?;
        let address = self.bias.wrapping_add(symbol.st_value);
        let is_function = format::is_function(&symbol);
        self.contains(address).then_some(Symbol {
            address,
            size: symbol.st_size,
            is_function,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::process::ProcessMemory;
    use crate::target::maps::{self, Mapping};
    use crate::target::process::Process;

    /// One mapping of our own and what stands in it.
    struct Bytes {
        start: u64,
        bytes: Vec<u8>,
    }

    impl Bytes {
        fn of(mapping: &Mapping) -> Bytes {
            let mut bytes = vec![0; (mapping.end - mapping.start) as usize];
            ProcessMemory::new(std::process::id())
                .unwrap()
                .read_into(mapping.start, &mut bytes)
                .unwrap();
            Bytes {
                start: mapping.start,
                bytes,
            }
        }
    }

    impl ReadMemory for Bytes {
        fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
            let fault = Fault { at: address, length };
            let start = address.checked_sub(self.start).ok_or(fault)? as usize;
            self.bytes
                .get(start..start.checked_add(length).ok_or(fault)?)
                .ok_or(fault)
        }
    }

    /// The image that the kernel puts into every process: small, and not relocated by anybody.
    fn kernels_image() -> Bytes {
        let maps = maps::of_process(&Process::new(std::process::id())).unwrap();
        Bytes::of(
            maps.iter()
                .find(|mapping| mapping.special_name() == Some("vdso"))
                .unwrap(),
        )
    }

    fn lookup(memory: &mut Bytes, names: &[&str]) -> Vec<Option<Symbol>> {
        let base = memory.start;
        match image_at(memory, base) {
            Ok(Found::Image(image)) => names.iter().map(|name| image.exported(memory, name)).collect(),
            _ => Vec::new(),
        }
    }

    const NAMES: [&str; 3] = ["__vdso_clock_gettime", "__vdso_getcpu", "_PyRuntime"];

    #[test]
    fn symbols_of_a_loaded_image_are_found() {
        let mut memory = kernels_image();
        let [Some(first), Some(second), None] = lookup(&mut memory, &NAMES)[..] else {
            panic!("not as expected")
        };
        assert!(first.is_function && second.is_function && first.address != second.address);
        assert!(memory.read(first.address, first.size as usize).is_ok());
    }

    /// Whatever stands in an image, reading it ends and gives addresses within it.
    #[test]
    fn damaged_images_do_no_harm() {
        let sound = kernels_image();
        let interesting = [
            0_u64,
            1,
            0x7f,
            0xff,
            0x8000,
            0xffff_ffff,
            1 << 63,
            u64::MAX,
            u64::MAX - 7,
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as usize % below
        };
        let mut found = 0;
        for _ in 0..20_000 {
            let mut damaged = Bytes {
                start: sound.start,
                bytes: sound.bytes.clone(),
            };
            for _ in 0..=random(3) {
                // Headers, dynamic section and symbols stand in the first pages.
                let at = random(damaged.bytes.len().min(0x1000) - 8);
                let value = interesting[random(interesting.len())].to_le_bytes();
                damaged.bytes[at..at + 1 + random(8)]
                    .iter_mut()
                    .zip(value)
                    .for_each(|(byte, new)| *byte = new);
            }
            found += lookup(&mut damaged, &NAMES).iter().flatten().count();
        }
        assert!(found > 0, "every image was refused: nothing was tried");
    }
}
