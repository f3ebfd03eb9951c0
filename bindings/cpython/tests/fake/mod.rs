//! A made-up program's memory, and a CPython 3.12.1 in it, written byte by byte at positions that stand here as plain
//! numbers: a wrong number in the tables does not read it.

#![allow(dead_code, reason = "each test uses a part")]

pub mod objects;
pub mod tracing;
pub mod types;

use cpython::Symbols;
use cpython::memory::{Fault, ReadMemory};
use cpython::version::Version;

/// Blocks of bytes with nothing between them.
#[derive(Clone, Default)]
pub struct Fake {
    blocks: Vec<(u64, Vec<u8>)>,
}

impl Fake {
    /// A new block of zeros; its address is a multiple of 4096.
    pub fn block(&mut self, length: usize) -> u64 {
        let end = self
            .blocks
            .last()
            .map_or(0x7f00_0000_0000, |(start, bytes)| start + bytes.len() as u64);
        let start = end.next_multiple_of(4096) + 4096;
        self.blocks.push((start, vec![0; length]));
        start
    }

    pub fn put(&mut self, address: u64, bytes: &[u8]) {
        let (start, block) = self
            .blocks
            .iter_mut()
            .rev()
            .find(|(start, _)| *start <= address)
            .expect("a block");
        let offset = (address - *start) as usize;
        block[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    pub fn word(&mut self, address: u64, value: u64) {
        self.put(address, &value.to_le_bytes());
    }

    pub fn half(&mut self, address: u64, value: u32) {
        self.put(address, &value.to_le_bytes());
    }

    /// A block that holds a C string.
    pub fn c_string(&mut self, text: &str) -> u64 {
        let address = self.block(text.len() + 64);
        self.put(address, text.as_bytes());
        address
    }

    /// The word that was put at `address`.
    pub fn read_word(&mut self, address: u64) -> u64 {
        ReadMemory::word(self, address).expect("a word")
    }

    /// The C string that was put at `address`.
    pub fn c_string_at(&mut self, address: u64) -> String {
        let text = ReadMemory::c_string(self, address, 64).expect("a string");
        String::from_utf8(text).expect("text")
    }

    /// An ASCII `str` as 3.12 and later have it.
    pub fn text(&mut self, text: &str) -> u64 {
        let address = self.block(40 + text.len() + 1);
        self.word(address + 16, text.len() as u64);
        self.half(address + 32, 1 << 2 | 1 << 5 | 1 << 6);
        self.put(address + 40, text.as_bytes());
        address
    }

    /// An `int` of one digit as 3.12 and later have it.
    pub fn int(&mut self, kind: u64, value: u32) -> u64 {
        let address = self.block(32);
        self.word(address + 8, kind);
        self.word(address + 16, if value == 0 { 1 } else { 2 << 3 });
        self.half(address + 24, value & 0x3fff_ffff);
        self.half(address + 28, value >> 30);
        address
    }

    /// A dict as 3.11 and later have it, of `str` keys.
    pub fn dict(&mut self, kind: u64, entries: &[(u64, u64)]) -> u64 {
        let keys = self.block(32 + 8 + 16 * 5);
        self.word(keys, 1);
        self.put(keys + 8, &[3, 3, 1]);
        self.word(keys + 16, 5 - entries.len() as u64);
        self.word(keys + 24, entries.len() as u64);
        for (index, (key, value)) in entries.iter().enumerate() {
            self.word(keys + 40 + 16 * index as u64, *key);
            self.word(keys + 48 + 16 * index as u64, *value);
        }
        let dict = self.block(48);
        self.word(dict + 8, kind);
        self.word(dict + 16, entries.len() as u64);
        self.word(dict + 32, keys);
        dict
    }

    /// A type object as every release has it: `tp_name`, `tp_flags`, and `tp_subclasses`, the index of a static type.
    fn kind(&mut self, meta: Option<u64>, name: &str, flags: u64, index: u64) -> u64 {
        let name = self.c_string(name);
        let address = self.block(416);
        self.word(address + 8, meta.unwrap_or(address));
        self.word(address + 24, name);
        self.word(address + 168, flags);
        self.word(address + 360, index);
        address
    }
}

impl ReadMemory for Fake {
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        let fault = Fault { at: address, length };
        let (start, block) = self
            .blocks
            .iter()
            .rev()
            .find(|(start, _)| *start <= address)
            .ok_or(fault)?;
        let offset = (address - start) as usize;
        block.get(offset..offset.saturating_add(length)).ok_or(fault)
    }
}

/// A program that runs CPython 3.12.1, with one interpreter, one thread and a collector that tracks nothing.
pub struct Program {
    pub memory: Fake,
    pub symbols: Symbols,
    pub interpreter: u64,
    pub thread: u64,
    pub modules: u64,
    pub dict_type: u64,
    pub truth: u64,
    pub hexversion: u64,
    pub abiflags: u64,
}

impl Program {
    pub fn new() -> Program {
        let mut memory = Fake::default();
        let runtime = memory.block(76_392);
        let interpreter = memory.block(383_552);
        let thread = memory.block(288);
        let meta = memory.kind(None, "type", 1 << 31, 1);
        let dict_type = memory.kind(Some(meta), "dict", 1 << 29, 3);
        let int_type = memory.kind(Some(meta), "int", 1 << 24, 4);
        let bool_type = memory.kind(Some(meta), "bool", 1 << 24, 5);

        let version = Version::new(3, 12, 1);
        let hexversion = memory.int(int_type, version.0);
        let abiflags = memory.text("-");
        let names = [memory.text("hexversion"), memory.text("abiflags")];
        let sysdict = memory.dict(dict_type, &[(names[0], hexversion), (names[1], abiflags)]);
        let truth = memory.int(bool_type, 1);
        memory.word(truth + 16, 1 << 3);
        let name = memory.text("True");
        let builtins = memory.dict(dict_type, &[(name, truth)]);
        let modules = memory.dict(dict_type, &[]);

        memory.half(runtime + 16, 1);
        memory.word(runtime + 40, interpreter);
        memory.word(runtime + 48, interpreter);
        memory.word(interpreter + 72, thread);
        memory.word(interpreter + 96, runtime);
        memory.word(interpreter + 352, sysdict);
        memory.word(interpreter + 360, builtins);
        memory.word(interpreter + 944, modules);
        memory.word(interpreter + 373_704 + 2 * 40, dict_type);
        for head in [136, 160, 184, 216] {
            memory.word(interpreter + head, interpreter + head);
            memory.word(interpreter + head + 8, interpreter + head);
        }
        memory.word(thread + 16, interpreter);
        let py_version = memory.block(8);
        memory.word(py_version, u64::from(version.0));
        let symbols = Symbols {
            runtime,
            runtime_size: Some(459_944),
            py_version: Some(py_version),
        };
        Program {
            memory,
            symbols,
            interpreter,
            thread,
            modules,
            dict_type,
            truth,
            hexversion,
            abiflags,
        }
    }
}
