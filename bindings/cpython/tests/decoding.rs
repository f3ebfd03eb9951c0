//! Dicts, texts and numbers in every form that a release gives them, and in forms that none does.

mod fake;

use cpython::layout::Layout;
use cpython::memory::Unreadable;
use cpython::objects::dict::{Entry, entries, get_str};
use cpython::objects::int::int_value;
use cpython::objects::text::str_value;
use cpython::version::Version;
use cpython::versions::minor;
use fake::Fake;

fn layout(minor_version: u8) -> &'static Layout {
    let known = minor(Version::new(3, minor_version, 0)).expect("a supported version");
    known.layouts.last().expect("a layout")
}

fn is_implausible<T: std::fmt::Debug>(result: Result<T, Unreadable>) {
    assert!(matches!(result, Err(Unreadable::Implausible { .. })), "{result:?}");
}

/// A dict of 3.8 with three entries, the second of them deleted: keys 1, 2, 3.
fn dict_of_3_8(memory: &mut Fake) -> (u64, u64) {
    let keys = memory.block(40 + 8 + 24 * 5);
    for (position, value) in [(0, 1), (8, 8), (24, 2), (32, 3)] {
        memory.word(keys + position, value);
    }
    for (index, (key, value)) in [(1, 11), (0, 0), (3, 33)].into_iter().enumerate() {
        memory.word(keys + 48 + 24 * index as u64 + 8, key);
        memory.word(keys + 48 + 24 * index as u64 + 16, value);
    }
    let dict = memory.block(48);
    memory.word(dict + 16, 2);
    memory.word(dict + 32, keys);
    (dict, keys)
}

#[test]
fn old_dicts_give_their_live_entries() {
    let mut memory = Fake::default();
    let (dict, _) = dict_of_3_8(&mut memory);
    let live = entries(&mut memory, layout(8), dict, 10).expect("a dict");
    assert_eq!(live, [Entry { key: 1, value: 11 }, Entry { key: 3, value: 33 }]);
    assert_eq!(entries(&mut memory, layout(10), dict, 1).expect("a dict").len(), 1);
}

#[test]
fn old_split_dicts_have_their_values_elsewhere() {
    let mut memory = Fake::default();
    let (dict, _) = dict_of_3_8(&mut memory);
    let values = memory.block(24);
    memory.word(values + 16, 77);
    memory.word(dict + 40, values);
    let live = entries(&mut memory, layout(9), dict, 10).expect("a dict");
    assert_eq!(live, [Entry { key: 3, value: 77 }]);
}

#[test]
fn new_split_dicts_stop_where_their_values_do() {
    let mut memory = Fake::default();
    let dict = memory.dict(0, &[(1, 0), (2, 0), (3, 0)]);
    let keys = memory_word(&mut memory, dict + 32);
    memory.put(keys + 10, &[2]);
    // Values of 3.12 stand at the pointer, those of 3.13 behind four bytes: here there is room for two.
    let values = memory.block(40);
    memory.put(values, &[2, 2, 0, 1]);
    memory.word(values + 8, 88);
    memory.word(values + 16, 99);
    memory.word(values + 24, 1234);
    memory.word(dict + 40, values + 8);
    let live = entries(&mut memory, layout(12), dict, 10).expect("a dict");
    assert_eq!(live.iter().map(|entry| entry.value).collect::<Vec<_>>(), [88, 99, 1234]);
    memory.word(dict + 40, values);
    let live = entries(&mut memory, layout(13), dict, 10).expect("a dict");
    assert_eq!(live, [Entry { key: 1, value: 88 }, Entry { key: 2, value: 99 }]);
}

#[test]
fn a_name_is_found_by_its_text() {
    let mut memory = Fake::default();
    let (first, second) = (memory.text("first"), memory.text("secon"));
    let dict = memory.dict(0, &[(first, 1), (0xdead_0000, 2), (second, 3)]);
    assert_eq!(get_str(&mut memory, layout(12), dict, "secon"), Ok(Some(3)));
    assert_eq!(get_str(&mut memory, layout(12), dict, "second"), Ok(None));
}

#[test]
fn key_tables_that_cannot_be_are_refused() {
    for (position, bytes) in [
        (8, [200, 3, 1].as_slice()),
        (8, &[60, 62, 1]),
        (8, &[3, 3, 9]),
        (24, &[6]),
        (24, &[0xff; 8]),
        (16, &[0xff; 8]),
    ] {
        let mut memory = Fake::default();
        let dict = memory.dict(0, &[(1, 1)]);
        let keys = memory_word(&mut memory, dict + 32);
        memory.put(keys + position, bytes);
        is_implausible(entries(&mut memory, layout(14), dict, 10));
    }
    for (position, value) in [(8, 7), (8, u64::MAX), (8, 1 << 62), (32, 6), (24, u64::MAX)] {
        let mut memory = Fake::default();
        let (dict, keys) = dict_of_3_8(&mut memory);
        memory.word(keys + position, value);
        is_implausible(entries(&mut memory, layout(8), dict, 10));
    }
}

#[test]
fn texts_of_every_kind_are_read() {
    // Kind, compact and ASCII in the state; the head's size; the characters' bytes.
    for (minor_version, state, head, bytes, expected) in [
        (8, 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7, 48, b"ab".as_slice(), "ab"),
        (8, 1 << 2 | 1 << 5 | 1 << 7, 72, b"\xe4b", "äb"),
        (12, 1 << 2 | 1 << 5, 56, b"\xe4b", "äb"),
        (12, 2 << 2 | 1 << 5, 56, b"\xac\x20b\0", "€b"),
        (15, 2 << 2 | 1 << 5, 56, b"\x00\xd8b\0", "\\ud800b"),
        (15, 4 << 2 | 1 << 5, 56, b"\x00\xf6\x01\0b\0\0\0", "\u{1f600}b"),
    ] {
        let mut memory = Fake::default();
        let text = memory.block(head + bytes.len());
        memory.word(text + 16, 2);
        memory.half(text + 32, state);
        memory.put(text + head as u64, bytes);
        assert_eq!(
            str_value(&mut memory, layout(minor_version), text, 100).as_deref(),
            Ok(expected)
        );
        assert_eq!(
            str_value(&mut memory, layout(minor_version), text, 0).as_deref(),
            Ok("")
        );
    }
}

#[test]
fn texts_with_characters_elsewhere_are_read() {
    let mut memory = Fake::default();
    let wide = memory.block(8);
    memory.put(wide, b"\xac\x20\0\0b\0\0\0");
    let text = memory.block(80);
    memory.word(text + 16, 2);
    memory.half(text + 32, 4 << 2 | 1 << 7);
    memory.word(text + 72, wide);
    assert_eq!(str_value(&mut memory, layout(11), text, 9).as_deref(), Ok("€b"));
    // A text that only has `wstr` yet.
    memory.half(text + 32, 0);
    memory.word(text + 40, wide);
    memory.word(text + 64, 2);
    assert_eq!(str_value(&mut memory, layout(11), text, 9).as_deref(), Ok("€b"));
    is_implausible(str_value(&mut memory, layout(12), text, 9));
}

#[test]
fn texts_that_end_nowhere_are_no_panic() {
    let mut memory = Fake::default();
    let text = memory.text("ab");
    memory.word(text + 16, u64::MAX);
    assert!(str_value(&mut memory, layout(12), text, usize::MAX).is_err());
    assert!(str_value(&mut memory, layout(12), u64::MAX - 8, 4).is_err());
}

#[test]
fn numbers_of_every_form_are_read() {
    let mut memory = Fake::default();
    let number = memory.block(48);
    let cases: [(u8, i64, &[u32], Option<i128>); 7] = [
        (8, 0, &[], Some(0)),
        (10, -2, &[5, 1], Some(-(5 + (1 << 30)))),
        (11, 1, &[7], Some(7)),
        (12, 1, &[9], Some(0)),
        (12, 2 << 3 | 2, &[5, 1], Some(-(5 + (1 << 30)))),
        (14, 1 << 3 | 4, &[7], Some(7)),
        (15, 5 << 3, &[0, 0, 0, 0, 1], None),
    ];
    for (minor_version, head, digits, value) in cases {
        memory.word(number + 16, head as u64);
        for (index, digit) in digits.iter().enumerate() {
            memory.half(number + 24 + 4 * index as u64, *digit);
        }
        assert_eq!(
            int_value(&mut memory, layout(minor_version), number),
            Ok(value),
            "3.{minor_version} {head}"
        );
    }
    memory.word(number + 16, 1 << 3);
    memory.half(number + 24, 1 << 30);
    is_implausible(int_value(&mut memory, layout(13), number));
}

fn memory_word(memory: &mut Fake, address: u64) -> u64 {
    cpython::ReadMemory::word(memory, address).expect("a word")
}
