//! Makes instructions of code units: arguments in full, jumps as the places that they lead to.

use super::meaning::{Flow, Meaning, Variables};
use super::opcodes::{Jump, Opcodes};
use super::plain::{PlainCode, Unit};

/// An instruction and its inline caches. An `EXTENDED_ARG` is one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Its place, in code units.
    pub place: u32,
    pub flow: Flow,
    /// The variables that it reads and writes, in the order in which it does.
    pub accesses: [Option<Access>; 2],
    /// The number of the instruction that it may jump to, or that is the handler which it sets up.
    pub target: Option<u32>,
}

/// A local variable's number, and what is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read(u32),
    Write(u32),
}

/// The instructions of a code object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructions {
    pub all: Vec<Instruction>,
    /// By code unit, caches included: the number of the instruction.
    number_at: Vec<u32>,
}

impl Instructions {
    pub fn of(code: &PlainCode, opcodes: &Opcodes) -> Instructions {
        let mut instructions = Instructions {
            all: Vec::with_capacity(code.units.len()),
            number_at: Vec::with_capacity(code.length as usize),
        };
        for number in 0..code.units.len() {
            let end = code.units.get(number + 1).map_or(code.length, |next| next.place);
            instructions.number_at.resize(end as usize, number as u32);
        }
        let mut extended: u32 = 0;
        for unit in &code.units {
            let argument = extended << 8 | u32::from(unit.argument);
            let is_extension = unit.meaning.flow == Flow::ExtendsArgument;
            extended = if is_extension { argument } else { 0 };
            instructions.all.push(Instruction {
                place: unit.place,
                flow: unit.meaning.flow,
                accesses: accesses(unit.meaning, argument),
                target: place_of_target(unit, argument, opcodes.jump_unit).and_then(|place| instructions.at(place)),
            });
        }
        instructions
    }

    /// The number of the instruction that the code unit at `place` belongs to.
    pub fn at(&self, place: u32) -> Option<u32> {
        self.number_at.get(place as usize).copied()
    }
}

fn place_of_target(unit: &Unit, argument: u32, jump_unit: u32) -> Option<u32> {
    /// The bytes of a code unit.
    const UNIT: u64 = 2;
    let distance = u32::try_from(u64::from(argument) * u64::from(jump_unit) / UNIT).ok()?;
    let next = unit.place + 1 + u32::from(unit.meaning.caches);
    match unit.meaning.jump {
        Jump::None => None,
        Jump::Absolute => Some(distance),
        Jump::Forward => next.checked_add(distance),
        Jump::Backward => next.checked_sub(distance),
    }
}

fn accesses(meaning: Meaning, argument: u32) -> [Option<Access>; 2] {
    let (upper, lower) = (argument >> 4, argument & 15);
    match meaning.variables {
        Variables::Untouched => [None, None],
        Variables::Read => [Some(Access::Read(argument)), None],
        Variables::Write => [Some(Access::Write(argument)), None],
        Variables::ReadThenWrite => [Some(Access::Read(argument)), Some(Access::Write(argument))],
        Variables::ReadRead => [Some(Access::Read(upper)), Some(Access::Read(lower))],
        Variables::WriteRead => [Some(Access::Write(upper)), Some(Access::Read(lower))],
        Variables::WriteWrite => [Some(Access::Write(upper)), Some(Access::Write(lower))],
    }
}
