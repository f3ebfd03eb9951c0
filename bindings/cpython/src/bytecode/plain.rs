//! Reads a code object's instructions back to what was compiled: without the forms that they take on as they run, without
//! those that `sys.monitoring` puts in their place, and without those that enter an executor.

use crate::layout::{Bytecode, Layout, LineTable};
use crate::memory::{ReadMemory, Unreadable};
use crate::versions;

use super::meaning::{self, Form, Meaning};
use super::opcodes::Opcodes;

/// Longer code is not read: more code units than anybody writes.
const MOST_UNITS: u64 = 1 << 20;
/// So often an instruction stands in another one's place: a line's event before an instruction's before its own.
const MOST_PLACES: usize = 4;
/// Before entries of more than one size, entries of lines were two bytes each, from the first byte on; since then the first
/// byte is the size of each. No code begins with an opcode that is such a number.
const SIZES_OF_LINE_ENTRIES: std::ops::RangeInclusive<u8> = 2..=5;

/// A code unit that is no inline cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Its place, in units.
    pub place: u32,
    pub argument: u8,
    pub meaning: Meaning,
}

/// The instructions of a code object, and how many units it has with their caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainCode {
    pub units: Vec<Unit>,
    pub length: u32,
}

/// The instructions of the code at `code`, as they were compiled, and the set that they are of.
pub fn read<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    code: u64,
) -> Result<(PlainCode, &'static Opcodes), Unreadable> {
    let opcodes = versions::minor(layout.since).ok_or(implausible(code))?.opcodes;
    Ok((read_as(memory, layout, &meaning::forms(opcodes), code)?, opcodes))
}

fn read_as<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    forms: &[Form; 256],
    code: u64,
) -> Result<PlainCode, Unreadable> {
    let (first, length) = match layout.code.bytecode {
        Bytecode::Bytes { code: member } => {
            let bytes = memory.word(code.wrapping_add(member))?;
            let length = memory.word(bytes.wrapping_add(layout.object.ob_size))? / 2;
            (bytes.wrapping_add(layout.text.bytes_value), length)
        }
        Bytecode::Adaptive { .. } => {
            let LineTable::Locations { code: first, .. } = layout.code.lines else {
                return Err(implausible(code));
            };
            let length = memory.word(code.wrapping_add(layout.object.ob_size))?;
            (code.wrapping_add(first), length)
        }
    };
    if length > MOST_UNITS {
        return Err(implausible(code));
    }
    let bytes = memory.read(first, 2 * length as usize)?.to_vec();
    let mut original = Original {
        memory,
        layout,
        forms,
        code,
    };
    let mut units = Vec::new();
    let mut caches = 0;
    for (pair, place) in bytes.chunks_exact(2).zip(0..) {
        if caches > 0 {
            caches -= 1;
            continue;
        }
        let (meaning, argument) = original.of(place, pair[0], pair[1])?;
        caches = meaning.caches;
        units.push(Unit {
            place,
            argument,
            meaning,
        });
    }
    Ok(PlainCode {
        units,
        length: length as u32,
    })
}

fn implausible(code: u64) -> Unreadable {
    Unreadable::Implausible {
        what: "bytecode",
        at: code,
    }
}

/// Asks for what was compiled of one code object.
struct Original<'a, M> {
    memory: &'a mut M,
    layout: &'a Layout,
    forms: &'a [Form; 256],
    code: u64,
}

impl<M: ReadMemory> Original<'_, M> {
    /// The instruction that was compiled at `place`, where there is `opcode` with `argument` now.
    fn of(&mut self, place: u32, mut opcode: u8, mut argument: u8) -> Result<(Meaning, u8), Unreadable> {
        for _ in 0..MOST_PLACES {
            match self.forms[opcode as usize] {
                Form::Plain(meaning) => return Ok((meaning, argument)),
                Form::Of(plain) => opcode = plain,
                Form::MonitoredLine => opcode = self.at_line(place)?,
                Form::MonitoredInstruction => opcode = self.at_instruction(place)?,
                Form::Executor => (opcode, argument) = self.at_executor(argument)?,
                Form::Unknown => break,
            }
        }
        Err(implausible(self.code))
    }

    fn at_line(&mut self, place: u32) -> Result<u8, Unreadable> {
        let lines = self.monitoring(|at| at.lines)?;
        let first = self.memory.byte(lines)?;
        let (size, entries) = match SIZES_OF_LINE_ENTRIES.contains(&first) {
            true => (u64::from(first), lines.wrapping_add(1)),
            false => (2, lines),
        };
        Ok(self.memory.byte(entries.wrapping_add(size * u64::from(place)))?)
    }

    fn at_instruction(&mut self, place: u32) -> Result<u8, Unreadable> {
        let opcodes = self.monitoring(|at| at.instructions)?;
        Ok(self.memory.byte(opcodes.wrapping_add(u64::from(place)))?)
    }

    /// A pointer of the data of `sys.monitoring`.
    fn monitoring(&mut self, member: fn(&crate::layout::Monitoring) -> u64) -> Result<u64, Unreadable> {
        let Bytecode::Adaptive {
            monitoring: Some(at), ..
        } = self.layout.code.bytecode
        else {
            return Err(implausible(self.code));
        };
        let data = self.memory.word(self.code.wrapping_add(at.pointer))?;
        Ok(self.memory.word(data.wrapping_add(member(&at)))?)
    }

    fn at_executor(&mut self, number: u8) -> Result<(u8, u8), Unreadable> {
        let Bytecode::Adaptive {
            executors: Some(at), ..
        } = self.layout.code.bytecode
        else {
            return Err(implausible(self.code));
        };
        let array = self.memory.word(self.code.wrapping_add(at.pointer))?;
        if u32::from(number) >= self.memory.half(array.wrapping_add(at.size))? {
            return Err(implausible(self.code));
        }
        let place = array.wrapping_add(at.first + 8 * u64::from(number));
        let executor = self.memory.word(place)?;
        let kept = self.memory.read(executor.wrapping_add(at.instruction), 2)?;
        match kept {
            [opcode, argument] => Ok((*opcode, *argument)),
            _ => Err(implausible(self.code)),
        }
    }
}
