//! Which variables are never read again, for every instruction of the standard library and of code that has run hot or is
//! being monitored, on every interpreter of this machine: as Python itself finds it, with `dis` and another search.

mod support;

use std::path::Path;

use cpython::bytecode::CodeLiveness;
use cpython::layout::Layout;
use cpython::recognise;
use support::{LiveMemory, Target, interpreters};

const STANDARD: &str = concat!(
    include_str!("bytecode/never_read.py"),
    include_str!("bytecode/standard.py")
);
const RUNNING: &str = concat!(
    include_str!("bytecode/never_read.py"),
    include_str!("bytecode/running.py")
);

#[test]
fn all_instructions_of_the_standard_library_are_understood() {
    for (name, python) in interpreters() {
        let compared = compare(&name, &python, STANDARD).places;
        println!("{name}: {compared} instructions");
        assert!(compared > 20_000, "{name}: {compared}");
    }
}

#[test]
fn code_that_runs_is_read_back_to_what_was_compiled() {
    for (name, python) in interpreters() {
        let compared = compare(&name, &python, RUNNING);
        println!("{name}: {compared:?}");
        assert!(compared.places > 5_000, "{name}: {compared:?}");
        let version = name.split(' ').next().expect("a version");
        if version >= "03.11" {
            assert!(compared.specialised > 100, "{name}: {compared:?}");
        }
        if version >= "03.12" {
            assert!(compared.instrumented > 100, "{name}: {compared:?}");
        }
        if version >= "03.14" && compared.executors == 0 {
            println!("{name}: was built without a compiler of its own, so that nothing enters an executor");
        }
    }
}

/// What was compared: instructions, and how many of them stood in another one's place.
#[derive(Debug)]
struct Compared {
    places: usize,
    specialised: u64,
    instrumented: u64,
    executors: u64,
}

fn compare(name: &str, python: &Path, program: &str) -> Compared {
    let target = Target::start(python, program);
    let mut memory = target.memory();
    let layout = recognise(&mut memory, &target.symbols())
        .expect("a known runtime")
        .layout;
    let (mut places, mut wrong) = (0, Vec::new());
    for (fact, said) in &target.facts {
        if let Some(address) = fact.strip_prefix("code:") {
            let (compared, differences) = compare_code(&mut memory, &layout, number(address), said);
            places += compared;
            wrong.extend(differences);
        }
    }
    assert!(
        wrong.is_empty(),
        "{name}: {} of {places}, such as {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(5)]
    );
    let count = |kind| target.number(kind).unwrap_or(0);
    Compared {
        places,
        specialised: count("specialised"),
        instrumented: count("instrumented"),
        executors: count("executors"),
    }
}

/// How many instructions of a code object were compared, and what differs.
fn compare_code(memory: &mut LiveMemory, layout: &Layout, code: u64, said: &str) -> (usize, Vec<String>) {
    let (names, places) = said.split_once(' ').expect("names and places");
    let names: Vec<u64> = names.split(',').filter(|name| *name != "-").map(number).collect();
    let liveness = match CodeLiveness::read(memory, layout, code) {
        Ok(liveness) => liveness,
        Err(error) => return (0, vec![format!("{code:#x}: {error}")]),
    };
    let mut wrong = Vec::new();
    let mut compared = 0;
    for place in places.split(' ') {
        let (offset, expected) = place.split_once(':').expect("an offset and variables");
        let bit = |name: &u64| 1u128 << names.iter().position(|each| each == name).expect("a variable's name");
        let found = liveness.never_read(number(offset) as i64);
        let found = found.map(|names| names.iter().map(bit).fold(0, |all, bit| all | bit));
        compared += 1;
        if found != Some(u128::from_str_radix(expected, 16).expect("a number")) {
            wrong.push(format!(
                "{code:#x} at {offset}: {found:x?}, expected {expected}, of {}",
                names.len()
            ));
        }
    }
    (compared, wrong)
}

fn number(hexadecimal: &str) -> u64 {
    u64::from_str_radix(hexadecimal, 16).expect("a hexadecimal number")
}
