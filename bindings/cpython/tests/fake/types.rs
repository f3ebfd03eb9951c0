//! Type objects in made-up memory, and what an examiner tells of their instances.

#![allow(dead_code, reason = "each test uses a part")]

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, Unreadable};
use cpython::objects::blocks::Blocks;
use cpython::objects::examine::{Examiner, ObjectSize};
use cpython::objects::types::TypeInfo;
use cpython::objects::visit::{Step, Visitor};
use cpython::version::Version;
use cpython::versions::minor;

use super::Fake;

/// `tp_flags` (object.h).
pub const READY: u64 = 1 << 12;
pub const GC: u64 = 1 << 14;
pub const HEAP: u64 = 1 << 9;
pub const MANAGED_DICT: u64 = 1 << 4;
pub const INLINE_VALUES: u64 = 1 << 2;
pub const LONG: u64 = 1 << 24;
pub const LIST: u64 = 1 << 25;
pub const TUPLE: u64 = 1 << 26;
pub const STR: u64 = 1 << 28;
pub const DICT: u64 = 1 << 29;

/// The newest known layout of 3.`minor_version`.
pub fn layout(minor_version: u8) -> &'static Layout {
    let known = minor(Version::new(3, minor_version, 0)).expect("a supported version");
    known.layouts.last().expect("a layout")
}

/// A type as every release has it up to `tp_mro`, with room for what follows.
pub struct Kind<'a> {
    pub name: &'a str,
    pub basicsize: u64,
    pub itemsize: u64,
    pub flags: u64,
    pub base: u64,
    pub dictoffset: i64,
    /// `ht_cached_keys`, and where it stands in this release.
    pub cached_keys: (u64, u64),
}

/// A static type without a base.
pub fn kind(name: &str, basicsize: u64, flags: u64) -> Kind<'_> {
    Kind {
        name,
        basicsize,
        itemsize: 0,
        flags,
        base: 0,
        dictoffset: 0,
        cached_keys: (0, 0),
    }
}

impl Kind<'_> {
    pub fn put(self, memory: &mut Fake) -> u64 {
        let name = memory.c_string(self.name);
        let address = memory.block(1024);
        for (position, value) in [
            (8, address),
            (24, name),
            (32, self.basicsize),
            (40, self.itemsize),
            (168, self.flags | READY),
            (256, self.base),
            (288, self.dictoffset as u64),
        ] {
            memory.word(address + position, value);
        }
        let (keys, position) = self.cached_keys;
        if keys != 0 {
            memory.word(address + position, keys);
        }
        address
    }
}

/// What was told of an object.
#[derive(Debug, Default)]
pub struct Told {
    pub references: Vec<(Step, u64)>,
    pub candidates: Vec<u64>,
}

impl Told {
    pub fn targets(&self) -> Vec<u64> {
        self.references.iter().map(|&(_, target)| target).collect()
    }
}

impl<M> Visitor<M> for Told {
    fn reference(&mut self, step: Step, target: u64) {
        self.references.push((step, target));
    }

    fn candidate(&mut self, _memory: &mut M, word: u64) {
        self.candidates.push(word);
    }
}

/// Examines the object at `address` as a program of 3.`minor_version` has it, whose memory is served by pymalloc.
pub fn examine(
    memory: &mut impl ReadMemory,
    minor_version: u8,
    address: u64,
) -> (Result<ObjectSize, Unreadable>, Told) {
    let layout = layout(minor_version);
    let blocks = Blocks {
        pymalloc: true,
        debug: false,
    };
    let type_address = memory.word(address + 8).expect("an object");
    let info = TypeInfo::read(memory, layout, type_address).expect("a type");
    let mut told = Told::default();
    let mut examiner = Examiner::new(layout, blocks, Vec::new(), Vec::new());
    let size = examiner.examine(memory, &info, address, &mut told);
    (size, told)
}

/// The same for an object that is as it should be: what `sys.getsizeof` says, the bytes that are occupied, the items,
/// and what it refers to.
#[track_caller]
pub fn measure(memory: &mut impl ReadMemory, minor_version: u8, address: u64) -> (u64, u64, u64, Vec<u64>) {
    let (size, told) = examine(memory, minor_version, address);
    let size = size.unwrap_or_else(|error| panic!("3.{minor_version}: {error}"));
    (size.getsizeof, size.bytes, size.length, told.targets())
}
