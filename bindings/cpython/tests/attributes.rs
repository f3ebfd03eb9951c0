//! Instances of classes: slots, attributes with a dict and without, and where both stand in every release.

mod fake;

use cpython::objects::types::FieldName;
use cpython::objects::visit::Step;
use fake::Fake;
use fake::objects::{keys, object, words};
use fake::types::{GC, HEAP, INLINE_VALUES, Kind, MANAGED_DICT, TUPLE, examine, kind, measure};

const EVERY_MINOR: std::ops::RangeInclusive<u8> = 8..=15;

#[test]
fn slots_are_read_by_their_names() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let class = kind("Slotted", 32, GC | HEAP).put(&mut memory);
        let members = memory.block(80);
        for (index, name) in ["left", "right"].into_iter().enumerate() {
            let (member, name) = (members + 40 * index as u64, memory.c_string(name));
            memory.word(member, name);
            memory.half(member + 8, 16);
            memory.word(member + 16, 16 + 8 * index as u64);
        }
        memory.word(class + 16, 2);
        memory.word(class + 240, members);
        let made = object(&mut memory, class, 32, &[(24, 22)]);
        let (size, told) = examine(&mut memory, minor, made);
        assert_eq!(size.map(|size| (size.getsizeof, size.bytes)), Ok((48, 48)), "3.{minor}");
        let [(Step::Field(FieldName::Text(name)), 22)] = told.references[..] else {
            panic!("3.{minor}: {:?}", told.references);
        };
        assert_eq!(memory.c_string_at(name), "right");
        assert!(told.candidates.is_empty());
    }
}

/// Where `ht_cached_keys` stands.
fn cached_keys_place(minor: u8) -> u64 {
    match minor {
        8 => 872,
        9 => 864,
        10 | 11 => 872,
        12..=14 => 880,
        _ => 888,
    }
}

#[test]
fn attributes_without_a_dict_have_the_names_of_the_class() {
    for minor in 11..=15 {
        let mut memory = Fake::default();
        let names = keys(&mut memory, minor, 2, 1, 3, &[(1, 0), (2, 0)]);
        let inline = if minor >= 13 { INLINE_VALUES } else { 0 };
        let class = Kind {
            cached_keys: (names, cached_keys_place(minor)),
            ..kind("Plain", 16, GC | HEAP | MANAGED_DICT | inline)
        }
        .put(&mut memory);
        let made = object(&mut memory, class, 80, &[]);
        let besides = match minor {
            11 | 12 => {
                let block = words(&mut memory, &[8 << 56, 11, 22, 0, 0, 0]);
                if minor == 11 {
                    memory.word(made - 32, block + 8);
                } else {
                    memory.word(made - 24, block + 8 - 1);
                }
                // The object's own 32 and 16, and the values' block of 8 + 5 · 8.
                48 + 48
            }
            _ => {
                memory.put(made + 16, &[5, 2, 1, 1]);
                memory.word(made + 24, 11);
                memory.word(made + 32, 22);
                // 48 and, behind it, 8 + 5 · 8 + 8 for values and their order.
                112
            }
        };
        let (size, told) = examine(&mut memory, minor, made);
        let size = size.expect("an object");
        assert_eq!((size.getsizeof, size.bytes), (48, besides), "3.{minor}");
        assert_eq!(
            told.references,
            [(Step::Attribute(1), 11), (Step::Attribute(2), 22)],
            "3.{minor}"
        );

        // With a dict, the dict tells them.
        memory.word(made - 24, 0x7770);
        if minor == 11 {
            memory.word(made - 32, 0);
        }
        let (_, told) = examine(&mut memory, minor, made);
        assert_eq!(
            told.references,
            [(Step::Field(FieldName::Known("__dict__")), 0x7770)],
            "3.{minor}"
        );
    }
}

#[test]
fn attributes_were_in_a_dict_before() {
    for minor in 8..=10 {
        let mut memory = Fake::default();
        let class = Kind {
            dictoffset: 16,
            ..kind("Plain", 32, GC | HEAP)
        }
        .put(&mut memory);
        let made = object(&mut memory, class, 32, &[(16, 0x7770)]);
        let (size, told) = examine(&mut memory, minor, made);
        assert_eq!(size.map(|size| (size.getsizeof, size.bytes)), Ok((48, 48)), "3.{minor}");
        assert_eq!(
            told.references,
            [(Step::Field(FieldName::Known("__dict__")), 0x7770)],
            "3.{minor}"
        );
    }
}

#[test]
fn a_tuple_with_attributes_has_its_dict_at_the_end() {
    for minor in EVERY_MINOR {
        let mut memory = Fake::default();
        let head = if minor >= 14 { 32 } else { 24 };
        let tuple = Kind {
            itemsize: 8,
            ..kind("tuple", head, GC | TUPLE)
        }
        .put(&mut memory);
        let row = Kind {
            itemsize: 8,
            base: tuple,
            dictoffset: -8,
            ..kind("Row", head + 8, GC | HEAP | TUPLE)
        }
        .put(&mut memory);
        let made = object(
            &mut memory,
            row,
            64,
            &[(16, 2), (head, 11), (head + 8, 22), (head + 16, 0x7770)],
        );
        let (getsizeof, bytes, length, references) = measure(&mut memory, minor, made);
        assert_eq!((getsizeof, length), (16 + head + 24, 2), "3.{minor}");
        assert_eq!(references, [11, 22, 0x7770], "3.{minor}");
        // `_PyType_AllocNoTrack` makes room for one item more.
        assert_eq!(bytes, (16 + head + 32u64).next_multiple_of(16), "3.{minor}");
    }
}
