//! A runtime is recognised only when everything holds; each thing that does not is named.

mod fake;

use cpython::version::Version;
use cpython::{Refused, recognise};
use fake::Program;

/// The refusal of a program after `change`.
fn refusal(change: impl FnOnce(&mut Program)) -> Refused {
    let mut program = Program::new();
    change(&mut program);
    recognise(&mut program.memory, &program.symbols).expect_err("the program is refused")
}

/// Asserts that a program is refused as a build of its own, in words that hold `part`.
fn is_other_build(refused: Refused, part: &str) {
    let words = refused.to_string();
    assert!(matches!(refused, Refused::OtherBuild { .. }), "{words}");
    assert!(words.contains(part), "{words}");
}

#[test]
fn a_whole_runtime_is_recognised() {
    let mut program = Program::new();
    let recognised = recognise(&mut program.memory, &program.symbols).expect("everything holds");
    assert_eq!(recognised.version, Version::new(3, 12, 1));
    assert_eq!(recognised.layout.runtime.size, 459_944);
    assert!(recognised.notes.is_empty(), "{:?}", recognised.notes);
}

#[test]
fn another_size_of_the_runtime_is_told() {
    let mut program = Program::new();
    program.symbols.runtime_size = Some(459_880);
    let recognised = recognise(&mut program.memory, &program.symbols).expect("every invariant holds");
    assert!(recognised.notes[0].contains("459880"), "{:?}", recognised.notes);
}

#[test]
fn a_starting_and_an_ending_interpreter_are_told_apart() {
    assert_eq!(
        refusal(|p| p.memory.half(p.symbols.runtime + 16, 0)),
        Refused::NotInitialised
    );
    assert_eq!(
        refusal(|p| p.memory.word(p.symbols.runtime + 40, 0)),
        Refused::NotInitialised
    );
    assert_eq!(
        refusal(|p| p.memory.word(p.interpreter + 944, 0)),
        Refused::NotInitialised
    );
    assert_eq!(
        refusal(|p| p.memory.word(p.symbols.runtime + 24, 1)),
        Refused::Finalizing
    );
}

#[test]
fn a_collection_under_way_is_a_reason_to_come_again() {
    let refused = refusal(|p| p.memory.half(p.interpreter + 112 + 200, 1));
    assert_eq!(refused, Refused::Collecting);
    assert!(refused.is_passing());
}

#[test]
fn broken_invariants_are_named() {
    is_other_build(refusal(|p| p.memory.word(p.interpreter + 8, 7)), "main interpreter");
    is_other_build(
        refusal(|p| p.memory.word(p.interpreter + 96, 0x10)),
        "point at its runtime",
    );
    is_other_build(refusal(|p| p.memory.word(p.thread + 16, 0x10)), "threads");
    is_other_build(refusal(|p| p.memory.word(p.thread + 8, p.thread)), "threads");
    is_other_build(refusal(|p| p.memory.word(p.modules + 8, p.interpreter)), "sys.modules");
    is_other_build(
        refusal(|p| p.memory.word(p.interpreter + 373_704 + 2 * 40, 0)),
        "static types",
    );
    is_other_build(refusal(|p| p.memory.word(p.dict_type + 360, 1 << 40)), "static types");
    is_other_build(refusal(|p| p.memory.half(p.hexversion + 24, 5)), "sys.hexversion");
    is_other_build(refusal(|p| p.memory.half(p.truth + 24, 2)), "True");
    is_other_build(
        refusal(|p| p.memory.word(p.interpreter + 160, p.interpreter + 136)),
        "garbage collector",
    );
    is_other_build(
        refusal(|p| p.memory.word(p.interpreter + 216, 0xdead_0000)),
        "garbage collector",
    );
}

#[test]
fn a_debug_build_is_named() {
    is_other_build(refusal(|p| p.memory.put(p.abiflags + 40, b"d")), "Py_DEBUG");
}

#[test]
fn a_ring_of_interpreters_ends() {
    is_other_build(
        refusal(|p| p.memory.word(p.interpreter, p.interpreter)),
        "interpreters cannot be listed",
    );
}

#[test]
fn memory_that_is_not_there_is_no_panic() {
    let refused = refusal(|p| p.symbols.runtime = 0x1000);
    assert!(matches!(refused, Refused::Unreadable(_)), "{refused}");
    let refused = refusal(|p| p.symbols.py_version = Some(u64::MAX - 1));
    assert!(matches!(refused, Refused::Unreadable(_)), "{refused}");
    is_other_build(
        refusal(|p| p.memory.word(p.symbols.runtime + 40, 0xdead_0000)),
        "interpreters cannot be listed",
    );
    is_other_build(
        refusal(|p| p.memory.word(p.interpreter + 944, u64::MAX - 4)),
        "sys.modules",
    );
}
