//! Which variables are never read again, for every instruction of the standard library and of code that has run hot or is
//! being monitored, on every interpreter of this machine: as Python itself finds it, with `dis` and another search.

mod support;

use std::path::Path;

use cpython::bytecode::CodeLiveness;
use cpython::layout::Layout;
use cpython::memory::{Fault, ReadMemory};
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

/// So many bytes of each code object are damaged at once, in each of so many rounds.
const DAMAGED_BYTES: u64 = 3;
const ROUNDS: u64 = 20;

/// Broken code is refused or answered for, and costs no more than other code.
#[test]
fn damaged_code_is_survived() {
    for (name, python) in interpreters() {
        let target = Target::start(&python, RUNNING);
        let mut memory = target.memory();
        let layout = recognise(&mut memory, &target.symbols())
            .expect("a known runtime")
            .layout;
        let (mut refused, mut answered) = (0, 0);
        let codes = target
            .facts
            .iter()
            .filter(|(fact, _)| fact.starts_with("code:"))
            .step_by(20);
        for (code, said) in codes.map(|(fact, said)| (number(&fact[5..]), said)) {
            let (_, places) = said.split_once(' ').expect("names and places");
            for round in 0..ROUNDS {
                let mut damaged = Damaged {
                    memory: &mut memory,
                    seed: code ^ round << 40,
                    buffer: Vec::new(),
                };
                match CodeLiveness::read(&mut damaged, &layout, code) {
                    Ok(liveness) => {
                        answered += 1;
                        for place in places.split(' ').filter_map(|place| place.split_once(':')) {
                            liveness.never_read(number(place.0) as i64);
                        }
                    }
                    Err(_) => refused += 1,
                }
            }
        }
        println!("{name}: {refused} refused, {answered} answered");
        assert!(
            refused > 0 && answered > 0,
            "{name}: {refused} refused, {answered} answered"
        );
    }
}

/// Memory of which long reads, such as of bytecode, have some bytes wrong: the same ones each time.
struct Damaged<'a> {
    memory: &'a mut LiveMemory,
    seed: u64,
    buffer: Vec<u8>,
}

impl ReadMemory for Damaged<'_> {
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        self.buffer = self.memory.read(address, length)?.to_vec();
        for number in (0..DAMAGED_BYTES).filter(|_| length > 16) {
            // Splitmix64.
            let mut bits = (self.seed ^ address).wrapping_add((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            self.buffer[(bits >> 8) as usize % length] = bits as u8;
        }
        Ok(&self.buffer)
    }
}

fn number(hexadecimal: &str) -> u64 {
    u64::from_str_radix(hexadecimal, 16).expect("a hexadecimal number")
}
