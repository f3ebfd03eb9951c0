//! Whether a file is the one that an image in memory was loaded from, where the image's first page is not at hand.

use std::fs::File;
use std::os::unix::fs::FileExt;

use cpython::memory::{ReadMemory, word_at};

use crate::target::elf::format::{
    self, DT_DEBUG, DT_NULL, HEADER_SIZE, PROGRAM_HEADER_SIZE, PT_DYNAMIC, PT_LOAD, ProgramHeader,
};

const PAGE: u64 = 4096;
/// Far more than any image has.
const MOST_DYNAMIC_BYTES: u64 = 1 << 16;
const ENTRY: usize = 16;

/// Compares the dynamic section of the file, in which every build has sizes and addresses of its own, with that of the
/// image at `base`. `None` when there is none, in the file or in the memory.
pub fn is_same_build(file: &File, base: u64, memory: &mut dyn ReadMemory) -> Option<bool> {
    let header = format::header(&read(file, 0, HEADER_SIZE)?).ok()?;
    let headers = usize::from(header.e_phnum).checked_mul(PROGRAM_HEADER_SIZE)?;
    let headers = format::program_headers(&read(file, header.e_phoff, headers)?);
    let find = |fits: &dyn Fn(&ProgramHeader) -> bool| headers.iter().find(|header| fits(header)).cloned();
    let first = find(&|header| header.p_type == PT_LOAD && header.p_offset < PAGE)?;
    let dynamic = find(&|header| header.p_type == PT_DYNAMIC && header.p_filesz <= MOST_DYNAMIC_BYTES)?;
    let bias = base.wrapping_sub(first.p_vaddr.wrapping_sub(first.p_offset));
    let length = dynamic.p_filesz as usize;
    let stated = read(file, dynamic.p_offset, length)?;
    let loaded = memory.read(bias.wrapping_add(dynamic.p_vaddr), length).ok()?;
    let entry = |bytes: &[u8]| (word_at(bytes, 0), word_at(bytes, 8));
    let pairs = stated.chunks_exact(ENTRY).zip(loaded.chunks_exact(ENTRY));
    let mut pairs = pairs.map(|(stated, loaded)| (entry(stated), entry(loaded)));
    // glibc's loader turns addresses of the file into real ones, and puts one of its own into `DT_DEBUG`.
    let same = pairs.all(|((tag, value), (loaded_tag, loaded_value))| {
        tag == loaded_tag
            && (tag == DT_DEBUG || tag == DT_NULL || loaded_value == value || loaded_value == value.wrapping_add(bias))
    });
    Some(same)
}

fn read(file: &File, offset: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(bytes)
}
