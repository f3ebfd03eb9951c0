//! Objects that lie about themselves: huge lengths, rings, pointers to nowhere. Examining them ends soon, says that they
//! are not plausible, and never panics.

mod fake;

use cpython::ReadMemory;
use cpython::memory::{Fault, Unreadable};
use cpython::objects::blocks::Blocks;
use cpython::objects::dict::{entries, get_str};
use cpython::objects::examine::Examiner;
use cpython::objects::types::TypeInfo;
use fake::Fake;
use fake::objects::{keys, object, words};
use fake::types::{DICT, GC, HEAP, Kind, LIST, LONG, STR, TUPLE, Told, examine, kind, layout};

const EVERY_MINOR: std::ops::RangeInclusive<u8> = 8..=15;
/// Numbers that overflow when something is added to them, or multiplied.
const LARGE: [u64; 9] = [
    u64::MAX,
    u64::MAX - 7,
    1 << 63,
    (1 << 63) - 1,
    1 << 61,
    1 << 60,
    1 << 47,
    1 << 40,
    1 << 32,
];

/// Memory with a terabyte of nothing in it, as a program has that reserves much and uses little.
struct Sparse {
    memory: Fake,
    nothing: Vec<u8>,
}

const DESERT: u64 = 0x1000_0000_0000;
const DESERT_SIZE: u64 = 1 << 40;

impl Sparse {
    fn new(memory: Fake) -> Sparse {
        Sparse {
            memory,
            nothing: vec![0; 1 << 16],
        }
    }
}

impl ReadMemory for Sparse {
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        let in_desert = (DESERT..DESERT + DESERT_SIZE).contains(&address);
        match self.nothing.get(..length) {
            Some(nothing) if in_desert => Ok(nothing),
            _ => self.memory.read(address, length),
        }
    }
}

/// Objects of many types, each with the positions of the words that say where and how many.
fn liars(memory: &mut Fake, minor: u8) -> Vec<(u64, Vec<u64>)> {
    let list = kind("list", 40, GC | LIST).put(memory);
    let dict = kind("dict", 48, GC | DICT).put(memory);
    let set = kind("set", 200, GC).put(memory);
    let text = kind("str", 80, STR).put(memory);
    let deque = kind("collections.deque", 216, GC).put(memory);
    let array = kind("array.array", 64, 0).put(memory);
    let buffer = kind("bytearray", 64, 0).put(memory);
    let code = kind("code", 216, GC).put(memory);
    let frame = kind("frame", 368, GC).put(memory);
    let generator = kind("coroutine", 160, GC).put(memory);
    let module = kind("module", 104, GC).put(memory);
    let ordered = kind("collections.OrderedDict", 128, GC | DICT).put(memory);
    let io = kind("_io.BytesIO", 120, GC).put(memory);
    let number = kind("decimal.Decimal", 104, 0).put(memory);
    let queue = kind("_queue.SimpleQueue", 104, GC).put(memory);
    let product = kind("itertools.product", 64, GC).put(memory);
    let items = |name, basicsize, flags| Kind {
        itemsize: 8,
        ..kind(name, basicsize, flags)
    };
    let tuple = items("tuple", 32, GC | TUPLE).put(memory);
    let int = items("int", 24, LONG).put(memory);
    let bytes = items("bytes", 33, 0).put(memory);
    let unknown = items("unknown.Type", 48, GC | HEAP).put(memory);
    let table = words(memory, &[11; 64]);
    let keys = keys(
        memory,
        minor,
        if minor <= 10 { 0 } else { 1 },
        1,
        2,
        &[(1, 11), (3, 33)],
    );
    let names = [
        list, dict, set, text, deque, array, buffer, code, frame, generator, module, ordered, io, number, queue,
        product, tuple, int, bytes, unknown,
    ];
    let mut made: Vec<(u64, Vec<u64>)> = names
        .into_iter()
        .map(|type_address| {
            let address = object(
                memory,
                type_address,
                400,
                &[(16, 3), (24, table), (32, table), (40, table), (48, 2)],
            );
            (address, (16..=200).step_by(8).collect())
        })
        .collect();
    for type_address in [dict, ordered] {
        let address = object(memory, type_address, 400, &[(16, 2), (32, keys)]);
        made.push((address, vec![16, 24, 32, 40, 48, 56, 64, 72, 80, 88]));
    }
    made
}

#[test]
fn no_word_of_any_object_can_do_harm() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let liars = liars(&mut memory, minor);
        for (address, positions) in liars {
            for position in positions {
                let before = memory.clone();
                for value in LARGE.into_iter().chain([0, 1, address, address + 1]) {
                    memory.word(address + position, value);
                    let (size, _) = examine(&mut memory, minor, address);
                    if let Ok(size) = size {
                        assert!(size.bytes < 1 << 47, "3.{minor}: {} bytes", size.bytes);
                    }
                }
                memory = before;
            }
        }
    }
}

#[test]
fn no_word_of_any_type_can_do_harm() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let liars = liars(&mut memory, minor);
        for (address, _) in liars {
            let type_address = memory.read_word(address + 8);
            for position in (16..=920).step_by(8) {
                let honest = memory.read_word(type_address + position);
                for value in LARGE.into_iter().chain([0, 1, 8, type_address, address]) {
                    memory.word(type_address + position, value);
                    if let Ok(info) = TypeInfo::read(&mut memory, layout(minor), type_address) {
                        let mut examiner = examiner(minor);
                        let _ = examiner.examine(&mut memory, &info, address, &mut Told::default());
                    }
                }
                memory.word(type_address + position, honest);
            }
        }
    }
}

#[test]
fn deserts_are_given_up() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let list = kind("list", 40, GC | LIST).put(&mut memory);
        let dict = kind("dict", 48, GC | DICT).put(&mut memory);
        let set = kind("set", 200, GC).put(&mut memory);
        let length = DESERT_SIZE / 64;
        let endless = [
            object(&mut memory, list, 40, &[(16, length), (24, DESERT), (32, length)]),
            object(&mut memory, set, 200, &[(24, 1), (32, length - 1), (40, DESERT)]),
        ];
        let table = keys(&mut memory, minor, 0, 1, 0, &[]);
        match minor {
            ..=10 => {
                memory.word(table + 8, 1 << 32);
                memory.word(table + 32, 1 << 31);
            }
            _ => {
                memory.put(table + 8, &[32, 35, 1]);
                memory.word(table + 24, 1 << 31);
            }
        }
        let lost = object(&mut memory, dict, 48, &[(16, 2), (32, table)]);
        let mut memory = Sparse::new(memory);
        for address in endless {
            let (size, told) = examine(&mut memory, minor, address);
            assert!(size.is_ok() && told.references.is_empty(), "3.{minor}: {size:?}");
        }
        // The entries of this one would stand behind its head, where the desert is not.
        let (size, _) = examine(&mut memory, minor, lost);
        assert!(size.is_err(), "3.{minor}: {size:?}");
        assert!(entries(&mut memory, layout(minor), lost, 10).is_err());
        assert!(get_str(&mut memory, layout(minor), lost, "name").is_err());
    }
}

#[test]
fn a_ring_of_blocks_is_no_deque() {
    for minor in EVERY_MINOR {
        for rings in 1..=5 {
            let mut memory = Fake::default();
            let deque = kind("collections.deque", 216, GC).put(&mut memory);
            let blocks: Vec<u64> = (0..5).map(|_| memory.block(528)).collect();
            for (index, &block) in blocks.iter().enumerate() {
                let next = blocks.get(index + 1).unwrap_or(&blocks[5 - rings]);
                memory.word(block + 520, *next);
            }
            let made = object(&mut memory, deque, 216, &[(16, 1 << 39), (24, blocks[0]), (40, 5)]);
            let (size, _) = examine(&mut memory, minor, made);
            assert!(
                matches!(size, Err(Unreadable::Implausible { .. })),
                "3.{minor}: {size:?}"
            );
        }
    }
}

#[test]
fn what_does_not_fit_into_the_program_is_not_believed() {
    let minor = 12;
    let mut memory = Fake::default();
    let list = kind("list", 40, GC | LIST).put(&mut memory);
    let items = memory.block(1 << 20);
    let made = object(&mut memory, list, 40, &[(16, 3), (24, items), (32, 1 << 17)]);
    let info = TypeInfo::read(&mut memory, layout(minor), list).expect("a type");
    let mut examine_within = |mapped: u64| {
        let mut examiner = examiner(minor).within(mapped);
        // The same table again and again: after a while there is no room for it.
        let sizes = [(); 16].map(|()| examiner.examine(&mut memory, &info, made, &mut Told::default()).is_ok());
        sizes.into_iter().filter(|&is_ok| is_ok).count()
    };
    assert_eq!(examine_within(1 << 19), 0);
    assert!((1..16).contains(&examine_within(2 << 20)));
    assert_eq!(examine_within(1 << 30), 16);
}

fn examiner(minor: u8) -> Examiner<'static> {
    let blocks = Blocks {
        pymalloc: true,
        debug: false,
    };
    Examiner::new(layout(minor), blocks, Vec::new(), Vec::new())
}
