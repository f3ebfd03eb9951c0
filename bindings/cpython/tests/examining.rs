//! Objects of every mechanism, written byte by byte: what the examiner tells of them and how large it finds them. The
//! expected numbers are those that `sys.getsizeof` gives for such objects.

mod fake;

use cpython::objects::visit::Step;
use fake::Fake;
use fake::objects::{keys, object, words};
use fake::types::{DICT, GC, Kind, LIST, LONG, STR, TUPLE, examine, kind, measure};

const EVERY_MINOR: std::ops::RangeInclusive<u8> = 8..=15;

#[test]
fn lists_count_what_is_allocated_and_tell_what_is_there() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let list = kind("list", 40, GC | LIST).put(&mut memory);
        let items = words(&mut memory, &[11, 22, 33, 0xdead]);
        let grown = object(&mut memory, list, 40, &[(16, 3), (24, items), (32, 4)]);
        // 16 and 40 bytes make 56, four slots 32: pymalloc rounds up to 64 and 32.
        assert_eq!(
            measure(&mut memory, minor, grown),
            (88, 96, 3, vec![11, 22, 33]),
            "3.{minor}"
        );
        let empty = object(&mut memory, list, 40, &[]);
        assert_eq!(measure(&mut memory, minor, empty), (56, 64, 0, vec![]), "3.{minor}");
        // While `sort` runs, the items are elsewhere and `allocated` is −1.
        let sorted = object(&mut memory, list, 40, &[(32, u64::MAX)]);
        assert_eq!(measure(&mut memory, minor, sorted), (48, 64, 0, vec![]), "3.{minor}");
    }
}

#[test]
fn tuples_have_their_items_behind_a_head_that_grew() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let head = if minor >= 14 { 32 } else { 24 };
        let tuple = Kind {
            itemsize: 8,
            ..kind("tuple", head, GC | TUPLE)
        }
        .put(&mut memory);
        let three = object(
            &mut memory,
            tuple,
            64,
            &[(16, 3), (head, 1), (head + 8, 0), (head + 16, 3)],
        );
        let (getsizeof, bytes, length, references) = measure(&mut memory, minor, three);
        assert_eq!((getsizeof, length, references), (head + 40, 3, vec![1, 3]), "3.{minor}");
        assert_eq!(bytes, (head + 40).next_multiple_of(16), "3.{minor}");
    }
}

#[test]
fn dicts_tell_live_entries_and_count_their_tables() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let dict = kind("dict", 48, GC | DICT).put(&mut memory);
        // The second entry is deleted: its key may be left.
        let entries = [(1, 11), (2, 0), (3, 33)];
        let mut kinds = vec![(0, if minor <= 10 { 232 } else { 224 })];
        if minor >= 11 {
            kinds.push((1, 184));
        }
        for (kind, getsizeof) in kinds {
            let keys = keys(&mut memory, minor, kind, 1, 2, &entries);
            let made = object(&mut memory, dict, 48, &[(16, 2), (32, keys)]);
            let (size, told) = examine(&mut memory, minor, made);
            let size = size.expect("a dict");
            assert_eq!((size.getsizeof, size.length), (getsizeof, 2), "3.{minor} kind {kind}");
            assert_eq!(
                size.bytes,
                64 + (getsizeof - 64).next_multiple_of(16),
                "3.{minor} kind {kind}"
            );
            let expected = [
                (Step::Value { key: 1, position: 0 }, 11),
                (Step::Key, 1),
                (Step::Value { key: 3, position: 2 }, 33),
                (Step::Key, 3),
            ];
            assert_eq!(told.references, expected, "3.{minor} kind {kind}");
        }
    }
}

#[test]
fn split_dicts_count_their_values_and_leave_the_names_to_the_class() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let dict = kind("dict", 48, GC | DICT).put(&mut memory);
        let names =
            [(1, 0xdead), (2, 0xdead), (3, 0xdead)].map(|(name, junk)| (name, if minor <= 10 { junk } else { 0 }));
        let keys = match minor {
            ..=10 => keys(&mut memory, minor, 0, 2, 2, &names),
            _ => keys(&mut memory, minor, 2, 2, 2, &names),
        };
        // 3.11 and 3.12 have a prefix, its length in the last byte; 3.13 has four bytes and room of its own.
        let block = words(&mut memory, &[0, 11, 0, 33, 0, 0, 0]);
        let values = match minor {
            ..=10 => block + 8,
            11 | 12 => {
                memory.put(block + 7, &[8]);
                block + 8
            }
            _ => {
                memory.put(block, &[5, 3, 0, 1]);
                block
            }
        };
        let made = object(&mut memory, dict, 48, &[(16, 2), (32, keys), (40, values)]);
        let (getsizeof, bytes, length, references) = measure(&mut memory, minor, made);
        // Room for five values, whoever has them.
        assert_eq!((getsizeof, length), (104, 2), "3.{minor}");
        assert_eq!(references, [11, 1, 33, 3], "3.{minor}");
        let own = match minor {
            ..=10 => 48,
            11 | 12 => 48,
            _ => 64,
        };
        assert_eq!(bytes, 64 + own, "3.{minor}");
    }
}

#[test]
fn sets_pass_over_dummies_and_empty_slots() {
    const DUMMY: u64 = 0xd0d0;
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let set = kind("set", 200, GC).put(&mut memory);
        let small = object(
            &mut memory,
            set,
            200,
            &[
                (16, 2),
                (24, 1),
                (32, 7),
                (64, 11),
                (72, 5),
                (80, DUMMY),
                (88, u64::MAX),
            ],
        );
        memory.word(small + 40, small + 64);
        assert_eq!(measure(&mut memory, minor, small), (216, 224, 1, vec![11]), "3.{minor}");
        let mut slots = [0; 64];
        slots[10] = 22;
        slots[40] = DUMMY;
        slots[41] = u64::MAX;
        slots[62] = 33;
        let table = words(&mut memory, &slots);
        let large = object(&mut memory, set, 200, &[(16, 3), (24, 2), (32, 31), (40, table)]);
        assert_eq!(
            measure(&mut memory, minor, large),
            (728, 224 + 512, 2, vec![22, 33]),
            "3.{minor}"
        );
    }
}

#[test]
fn texts_are_as_long_as_their_kind_says() {
    const COMPACT: u32 = 1 << 5;
    const ASCII: u32 = 1 << 6;
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        // Up to 3.11 there is `wstr`, and bit 7 says that a text is ready; later it says that it is static.
        let old = minor <= 11;
        let (ascii, compact, full) = if old { (48, 72, 80) } else { (40, 56, 64) };
        let ready = if old { 1 << 7 } else { 0 };
        let text = kind("str", full, STR).put(&mut memory);
        let mut sized = |state: u32, more: &[(u64, u64)]| {
            let made = object(&mut memory, text, 128, &[(16, 5)]);
            memory.half(made + 32, state | ready);
            for &(position, value) in more {
                memory.word(made + position, value);
            }
            let (getsizeof, bytes, length, references) = measure(&mut memory, minor, made);
            assert!(references.is_empty());
            assert_eq!(length, 5);
            (getsizeof, bytes)
        };
        let alone = |size: u64| (size, size.next_multiple_of(16));
        assert_eq!(sized(1 << 2 | COMPACT | ASCII, &[]), alone(ascii + 6), "3.{minor}");
        assert_eq!(sized(1 << 2 | COMPACT, &[]), alone(compact + 6), "3.{minor}");
        assert_eq!(sized(2 << 2 | COMPACT, &[]), alone(compact + 12), "3.{minor}");
        assert_eq!(sized(4 << 2 | COMPACT, &[]), alone(compact + 24), "3.{minor}");
        // A cached UTF-8 form of ten bytes in a block of its own.
        let utf8 = sized(
            1 << 2 | COMPACT,
            &[
                (compact - 8 - if old { 8 } else { 0 }, 0x7000),
                (compact - 16 - if old { 8 } else { 0 }, 10),
            ],
        );
        assert_eq!(
            utf8,
            (compact + 6 + 11, (compact + 6).next_multiple_of(16) + 16),
            "3.{minor}"
        );
        if old {
            let wide = sized(2 << 2 | COMPACT, &[(40, 0x7000), (64, 5)]);
            assert_eq!(
                wide,
                (compact + 12 + 24, (compact + 12).next_multiple_of(16) + 32),
                "3.{minor}"
            );
        }
        // Of a subclass: the characters are elsewhere, and what the subclass adds is not counted.
        let elsewhere = sized(2 << 2, &[(full - 8, 0x7000)]);
        assert_eq!(elsewhere, (full + 12, full.next_multiple_of(16) + 16), "3.{minor}");
    }
}

#[test]
fn numbers_are_counted_by_their_digits() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let int = Kind {
            itemsize: 4,
            ..kind("int", 24, LONG)
        }
        .put(&mut memory);
        for (digits, negative, expected) in [
            (0u64, false, if minor <= 10 { 24 } else { 28 }),
            (1, false, 28),
            (1, true, 28),
            (3, true, 36),
        ] {
            let head = match (minor, negative) {
                (..=11, false) => digits,
                (..=11, true) => digits.wrapping_neg(),
                (_, _) if digits == 0 => 1,
                (_, false) => digits << 3,
                (_, true) => digits << 3 | 2,
            };
            let made = object(&mut memory, int, 40, &[(16, head)]);
            let (getsizeof, bytes, _, references) = measure(&mut memory, minor, made);
            assert_eq!(
                (getsizeof, references),
                (expected, vec![]),
                "3.{minor}, {digits} digits"
            );
            assert_eq!(
                bytes,
                (24 + 4 * digits.max(1)).next_multiple_of(16),
                "3.{minor}, {digits} digits"
            );
        }
    }
}

#[test]
fn deques_are_followed_from_block_to_block() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let basicsize = if minor <= 10 { 80 } else { 216 };
        let deque = kind("collections.deque", basicsize, GC).put(&mut memory);
        let blocks = [(); 3].map(|()| memory.block(528));
        let expected: Vec<u64> = (1..=70).collect();
        // Three items at the end of the first block, 64 in the second, three in the third.
        for (index, &item) in expected.iter().enumerate() {
            let place = 61 + index as u64;
            memory.word(blocks[(place / 64) as usize] + 8 + 8 * (place % 64), item);
        }
        memory.word(blocks[0] + 520, blocks[1]);
        memory.word(blocks[1] + 520, blocks[2]);
        let made = object(
            &mut memory,
            deque,
            216,
            &[(16, 70), (24, blocks[0]), (32, blocks[2]), (40, 61), (48, 2)],
        );
        let own = (16 + basicsize).next_multiple_of(16);
        assert_eq!(
            measure(&mut memory, minor, made),
            (16 + basicsize + 3 * 528, own + 3 * 544, 70, expected),
            "3.{minor}"
        );
        if minor >= 11 {
            // Two empty blocks that it keeps, which `sys.getsizeof` does not count.
            memory.word(made + 72, 2);
            memory.word(made + 80, blocks[0]);
            let (getsizeof, bytes, ..) = measure(&mut memory, minor, made);
            assert_eq!(
                (getsizeof, bytes),
                (16 + basicsize + 3 * 528, own + 5 * 544),
                "3.{minor}"
            );
        }
    }
}
