//! The tables of `tracemalloc` in a made-up program, at plain positions.

use std::ops::Range;

use cpython::layout::Layout;
use cpython::objects::tracemalloc::{Traced, Untold, Whereabouts, read};
use cpython::version::Version;
use cpython::versions::minor;

use super::Fake;

/// Where the functions of the made-up interpreter stand.
pub const CODE: Range<u64> = 0x40_0000..0x50_0000;
/// Blocks that are traced; nothing of them is read.
pub const BLOCKS: [u64; 3] = [0x7e00_0000_0010, 0x7e00_0000_0110, 0x7e00_0000_0220];
/// The domain of the last of them; the others are Python's own.
pub const DOMAIN: u32 = 389_047;
pub const MOST_FRAMES: u32 = 3;

/// The newest layout of a minor version.
pub fn layout(minor_version: u8) -> &'static Layout {
    let known = minor(Version::new(3, minor_version, 0)).expect("a supported version");
    known.layouts.last().expect("a layout")
}

/// A program with traces of two domains, and the places in it that are worth damaging.
#[derive(Clone)]
pub struct Program {
    pub memory: Fake,
    pub layout: &'static Layout,
    pub at: Whereabouts,
    /// `struct _PyTraceMalloc_Config`, with which `_PyRuntime.tracemalloc` begins.
    pub config: u64,
    pub traces: u64,
    pub domains: u64,
    pub buckets: u64,
    pub first_entry: u64,
    pub first_trace: u64,
    pub traceback: u64,
    pub file: u64,
}

impl Program {
    /// As 3.12 and later have it, with `_PyRuntime.tracemalloc` at `offset`.
    pub fn in_runtime(minor_version: u8, offset: u64) -> Program {
        let mut program = Program::with_tables(minor_version);
        let runtime = program.memory.block(0x3000);
        program.config = runtime + offset;
        program.switch_on(program.config);
        for (place, word) in [(144, 600), (152, 1000), (184, program.traces), (192, program.domains)] {
            program.memory.word(program.config + place, word);
        }
        program.at.runtime = runtime;
        program
    }

    /// As 3.9 to 3.11 have it: variables among others, and tables of other things.
    pub fn in_statics() -> Program {
        let mut program = Program::with_tables(11);
        let memory = &mut program.memory;
        let entry = memory.block(32);
        memory.word(entry + 8, 5);
        memory.word(entry + 16, program.file);
        let names = table(memory, &[(5, entry)]);
        let data = memory.block(0x3000);
        let words = [1, CODE.start, names, program.file, program.domains, program.traces];
        let counts = [program.file, 1000, 600, program.traceback];
        for (place, word) in words.into_iter().chain(counts).enumerate() {
            memory.word(data + 0x1100 + 8 * place as u64, word);
        }
        program.at.data.push(data..data + 0x3000);
        program.config = data + 0x40;
        program.at.config = Some(program.config);
        program.switch_on(program.config);
        program
    }

    /// Puts other traces in the place of those that there are: of `count` blocks side by side, whose buckets are the last
    /// ones of so many.
    pub fn trace_anew(&mut self, count: u64, bucket_count: u64) {
        let buckets = self.memory.block(bucket_count as usize * 8);
        for bucket in bucket_count - count..bucket_count {
            let trace = self.memory.block(16);
            self.memory.word(trace, 30);
            self.memory.word(trace + 8, self.traceback);
            let entry = self.memory.block(32);
            let hash = 0x7e0_0000_0000 | bucket;
            for (place, word) in [(8, hash), (16, hash << 4), (24, trace)] {
                self.memory.word(entry + place, word);
            }
            self.memory.word(buckets + 8 * bucket, entry);
        }
        for (place, word) in [count, bucket_count, buckets].into_iter().enumerate() {
            self.memory.word(self.traces + 8 * place as u64, word);
        }
    }

    fn switch_on(&mut self, config: u64) {
        for (place, number) in [(0, 1), (4, 1), (8, MOST_FRAMES)] {
            self.memory.half(config + place, number);
        }
    }

    fn with_tables(minor_version: u8) -> Program {
        let mut memory = Fake::default();
        let file = match minor_version {
            15 => memory.c_string("/app/shop.py"),
            11 => old_str_object(&mut memory, "/app/shop.py"),
            _ => str_object(&mut memory, "/app/shop.py"),
        };
        let traceback = traceback(&mut memory, &[(file, 7), (file, 30)]);
        let mut entries = Vec::new();
        for (block, size) in BLOCKS.into_iter().zip([100, 200, 300]) {
            let trace = memory.block(16);
            memory.word(trace, size);
            memory.word(trace + 8, traceback);
            let entry = memory.block(32);
            let hash = block.rotate_right(4);
            memory.word(entry + 8, hash);
            memory.word(entry + 16, block);
            memory.word(entry + 24, trace);
            entries.push((hash, entry, trace));
        }
        let of = |range: Range<usize>| entries[range].iter().map(|each| (each.0, each.1)).collect::<Vec<_>>();
        let traces = table(&mut memory, &of(0..2));
        let others = table(&mut memory, &of(2..3));
        let domain = memory.block(32);
        memory.word(domain + 8, u64::from(DOMAIN));
        memory.word(domain + 16, u64::from(DOMAIN));
        memory.word(domain + 24, others);
        let domains = table(&mut memory, &[(u64::from(DOMAIN), domain)]);
        let buckets = memory.read_word(traces + 16);
        Program {
            memory,
            layout: layout(minor_version),
            at: Whereabouts {
                image: vec![CODE],
                mapped: 1 << 20,
                ..Whereabouts::default()
            },
            config: 0,
            traces,
            domains,
            buckets,
            first_entry: entries[0].1,
            first_trace: entries[0].2,
            traceback,
            file,
        }
    }

    pub fn read(&mut self) -> Result<Option<Traced>, Untold> {
        read(&mut self.memory, self.layout, &self.at)
    }
}

/// A table as 3.9 and later have it, of entries with their hashes; those of one bucket are chained.
fn table(memory: &mut Fake, entries: &[(u64, u64)]) -> u64 {
    let buckets = memory.block(16 * 8);
    for &(hash, entry) in entries {
        let bucket = buckets + 8 * (hash & 15);
        let before = memory.read_word(bucket);
        memory.word(entry, before);
        memory.word(bucket, entry);
    }
    let table = memory.block(80);
    let functions = [CODE.start, CODE.start + 16, CODE.start + 32];
    let words = [entries.len() as u64, 16, buckets].into_iter().chain(functions);
    for (place, word) in words.enumerate() {
        memory.word(table + 8 * place as u64, word);
    }
    table
}

/// A `traceback_t` of files and lines, the newest first.
fn traceback(memory: &mut Fake, frames: &[(u64, u32)]) -> u64 {
    let traceback = memory.block(12 + 12 * frames.len());
    memory.half(traceback + 8, frames.len() as u32 | 9 << 16);
    for (place, &(file, line)) in frames.iter().enumerate() {
        memory.word(traceback + 12 + 12 * place as u64, file);
        memory.half(traceback + 20 + 12 * place as u64, line);
    }
    traceback
}

/// A `str` whose type is one.
fn str_object(memory: &mut Fake, text: &str) -> u64 {
    let of_type = memory.block(416);
    memory.word(of_type + 168, 1 << 28);
    let object = memory.text(text);
    memory.word(object + 8, of_type);
    object
}

/// The same as releases up to 3.11 have it.
fn old_str_object(memory: &mut Fake, text: &str) -> u64 {
    let of_type = memory.block(416);
    memory.word(of_type + 168, 1 << 28);
    let object = memory.block(48 + text.len() + 1);
    for (place, word) in [(8, of_type), (16, text.len() as u64)] {
        memory.word(object + place, word);
    }
    memory.half(object + 32, 1 << 2 | 1 << 5 | 1 << 6);
    memory.put(object + 48, text.as_bytes());
    object
}
