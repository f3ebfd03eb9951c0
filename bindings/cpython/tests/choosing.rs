//! The layout is that of the exact version; what no table describes is refused by name.

mod fake;

use cpython::choose::{Choice, choose};
use cpython::debug_offsets::Head;
use cpython::identify::{Identity, identify};
use cpython::version::Version;
use cpython::versions::{MINORS, debug_fields};
use cpython::{Refused, Symbols, debug_offsets};
use fake::Fake;

/// The choice for a runtime without `_Py_DebugOffsets`.
fn chosen(version: Version, runtime_size: Option<u64>) -> Result<Choice, Refused> {
    let symbols = Symbols {
        runtime: 0x1000,
        runtime_size,
        py_version: None,
    };
    choose(&mut Fake::default(), &symbols, &Identity { version, head: None })
}

#[test]
fn a_patch_release_has_the_layout_of_the_last_change_before_it() {
    for (version, since) in [
        (Version::new(3, 8, 20), Version::new(3, 8, 14)),
        (Version::new(3, 10, 6), Version::new(3, 10, 6)),
        (Version::new(3, 11, 9), Version::new(3, 11, 0)),
        (Version::new(3, 12, 3), Version::new(3, 12, 1)),
        (Version::new(3, 14, 4), Version::new(3, 14, 4)),
        (Version::new(3, 14, 10), Version::new(3, 14, 5)),
    ] {
        let choice = chosen(version, None).expect("a known release");
        assert_eq!((choice.layout.since, choice.newer), (since, false), "{version}");
    }
}

#[test]
fn layouts_of_a_minor_version_stand_in_order() {
    for minor in MINORS {
        assert!(minor.layouts.is_sorted_by_key(|layout| layout.since));
        assert!(
            minor
                .layouts
                .iter()
                .all(|layout| layout.since.is_same_minor(minor.newest))
        );
        assert!(minor.layouts.iter().all(|layout| layout.since <= minor.newest));
    }
    assert!(MINORS.is_sorted_by_key(|minor| minor.newest));
}

#[test]
fn unknown_versions_are_refused_by_name() {
    for version in [
        Version::new(3, 7, 17),
        Version::new(3, 16, 0),
        Version::new(2, 12, 1),
        Version(0x030f_00c1),
    ] {
        let refused = chosen(version, None).expect_err("no table describes it");
        assert_eq!(refused, Refused::UnknownVersion { version });
        assert!(refused.to_string().contains(&version.to_string()), "{refused}");
    }
}

#[test]
fn a_newer_patch_release_is_taken_only_when_nothing_differs() {
    let newer = Version::new(3, 12, 99);
    let choice = chosen(newer, Some(459_280)).expect("it has the size of the newest that is known");
    assert!(
        choice.newer && choice.notes[0].contains("3.12.99"),
        "{:?}",
        choice.notes
    );
    let refused = chosen(newer, Some(459_288)).expect_err("it has another size");
    assert!(matches!(&refused, Refused::OtherBuild { .. }), "{refused}");
    assert!(refused.to_string().contains("459288"), "{refused}");
}

/// A runtime that begins with `_Py_DebugOffsets` of the table's own numbers.
fn runtime(version: Version, fields: &[debug_fields::Group], free_threaded: u64) -> (Fake, Symbols) {
    let mut memory = Fake::default();
    let runtime = memory.block(1024);
    memory.put(runtime, b"xdebugpy");
    memory.word(runtime + 8, u64::from(version.0));
    memory.word(runtime + 16, free_threaded);
    // Every structure has room for any place in it, and every member stands at its beginning.
    let mut at = runtime + 24;
    for (name, _) in fields.iter().flat_map(|(_, members)| members.iter()) {
        memory.word(at, if *name == "size" { 400_000 } else { 0 });
        at += 8;
    }
    (
        memory,
        Symbols {
            runtime,
            runtime_size: None,
            py_version: None,
        },
    )
}

#[test]
fn a_free_threaded_build_is_recognised_and_refused() {
    let version = Version::new(3, 13, 1);
    let (mut memory, symbols) = runtime(version, debug_fields::V3_13, 1);
    let refused = identify(&mut memory, &symbols).expect_err("it is free-threaded");
    assert_eq!(refused, Refused::FreeThreaded { version });
}

#[test]
fn an_unknown_minor_with_debug_offsets_is_refused_by_name() {
    let version = Version::new(3, 99, 0);
    let (mut memory, symbols) = runtime(version, debug_fields::V3_15, 0);
    let identity = identify(&mut memory, &symbols).expect("its version can be read");
    assert_eq!(
        choose(&mut memory, &symbols, &identity).expect_err("unknown"),
        Refused::UnknownVersion { version }
    );
}

#[test]
fn moved_members_are_told_and_what_they_cast_doubt_on_is_forgotten() {
    let version = Version::new(3, 13, 1);
    let (mut memory, symbols) = runtime(version, debug_fields::V3_13, 0);
    let identity = identify(&mut memory, &symbols).expect("its version can be read");
    let choice = choose(&mut memory, &symbols, &identity).expect("a known release");
    assert!(choice.notes[0].contains("elsewhere"), "{:?}", choice.notes);
    assert!(choice.layout.interpreter.roots.is_empty() && choice.layout.thread.roots.is_empty());
    let newer = Version::new(3, 13, 99);
    memory.word(symbols.runtime + 8, u64::from(newer.0));
    let identity = identify(&mut memory, &symbols).expect("its version can be read");
    assert!(matches!(
        choose(&mut memory, &symbols, &identity),
        Err(Refused::OtherBuild { .. })
    ));
}

#[test]
fn debug_offsets_have_the_sizes_that_cpython_states() {
    assert_eq!(debug_offsets::size(debug_fields::V3_13), 584);
    assert_eq!(debug_offsets::size(debug_fields::V3_14), 760);
    assert_eq!(debug_offsets::size(debug_fields::V3_15), 888);
}

#[test]
fn an_offset_outside_of_its_structure_is_refused() {
    let version = Version::new(3, 14, 8);
    let (memory, symbols) = runtime(version, debug_fields::V3_14, 0);
    let identity = Identity {
        version,
        head: Some(Head {
            version,
            free_threaded: false,
        }),
    };
    // `interpreters_head` at 40, `sysdict` at 104: too far, too far by its own width, and not aligned.
    for (member, position, value) in [
        ("interpreters_head", 40, 400_008),
        ("interpreters_head", 40, 399_993),
        ("sysdict", 104, 4),
    ] {
        let mut memory = memory.clone();
        memory.word(symbols.runtime + position, value);
        let refused = choose(&mut memory, &symbols, &identity).expect_err("the offset cannot be");
        assert!(refused.to_string().contains(member), "{refused}");
    }
}

#[test]
fn a_cookie_with_an_impossible_head_is_not_believed() {
    let (memory, symbols) = runtime(Version::new(3, 14, 8), debug_fields::V3_14, 0);
    for (position, value) in [(8, 1 << 40), (16, 2)] {
        let mut memory = memory.clone();
        memory.word(symbols.runtime + position, value);
        assert!(matches!(identify(&mut memory, &symbols), Err(Refused::Unreadable(_))));
    }
}
