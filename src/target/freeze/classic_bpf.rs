//! Runs a program of classic BPF, as the kernel does for seccomp (`linux/bpf_common.h`, `linux/filter.h`).

/// `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Instruction {
    pub code: u16,
    pub jump_true: u8,
    pub jump_false: u8,
    pub operand: u32,
}

/// The words that a program can keep.
const MEMORY_WORDS: usize = 16;

// The class of an instruction.
const LOAD: u16 = 0x00;
const LOAD_INDEX: u16 = 0x01;
const STORE: u16 = 0x02;
const STORE_INDEX: u16 = 0x03;
const ARITHMETIC: u16 = 0x04;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
const MOVE: u16 = 0x07;

/// The state of a running program: the accumulator and the index register, with their memory.
#[derive(Default)]
struct Machine {
    accumulator: u32,
    index: u32,
    memory: [u32; MEMORY_WORDS],
}

/// What the program returns for this data; `None` if it does something that a program accepted by the kernel cannot.
///
/// Jumps only go forward, so every program ends.
pub fn run(program: &[Instruction], data: &[u8]) -> Option<u32> {
    let mut machine = Machine::default();
    let mut at = 0usize;
    loop {
        let instruction = *program.get(at)?;
        at += 1;
        match instruction.code & 0x07 {
            LOAD => machine.accumulator = machine.loaded(instruction, data)?,
            LOAD_INDEX => machine.index = machine.loaded(instruction, data)?,
            STORE => *machine.memory.get_mut(instruction.operand as usize)? = machine.accumulator,
            STORE_INDEX => *machine.memory.get_mut(instruction.operand as usize)? = machine.index,
            ARITHMETIC => machine.accumulator = machine.computed(instruction)?,
            JUMP => at = at.checked_add(machine.jump(instruction)?)?,
            RETURN if instruction.code & 0x18 == 0x10 => return Some(machine.accumulator),
            RETURN => return Some(instruction.operand),
            MOVE if instruction.code & 0xf8 == 0x80 => machine.accumulator = machine.index,
            MOVE => machine.index = machine.accumulator,
            _ => return None,
        }
    }
}

impl Machine {
    fn loaded(&self, instruction: Instruction, data: &[u8]) -> Option<u32> {
        const IMMEDIATE: u16 = 0x00;
        const ABSOLUTE: u16 = 0x20;
        const MEMORY: u16 = 0x60;
        const LENGTH: u16 = 0x80;
        let operand = instruction.operand as usize;
        match instruction.code & 0xe0 {
            IMMEDIATE => Some(instruction.operand),
            ABSOLUTE => Some(u32::from_ne_bytes(
                data.get(operand..operand.checked_add(4)?)?.try_into().ok()?,
            )),
            MEMORY => self.memory.get(operand).copied(),
            LENGTH => u32::try_from(data.len()).ok(),
            _ => None,
        }
    }

    /// The second operand: the index register, or the constant in the instruction.
    fn operand(&self, instruction: Instruction) -> u32 {
        if instruction.code & 0x08 != 0 {
            self.index
        } else {
            instruction.operand
        }
    }

    fn computed(&self, instruction: Instruction) -> Option<u32> {
        let (a, b) = (self.accumulator, self.operand(instruction));
        match instruction.code & 0xf0 {
            0x00 => Some(a.wrapping_add(b)),
            0x10 => Some(a.wrapping_sub(b)),
            0x20 => Some(a.wrapping_mul(b)),
            0x30 => a.checked_div(b),
            0x40 => Some(a | b),
            0x50 => Some(a & b),
            0x60 => a.checked_shl(b),
            0x70 => a.checked_shr(b),
            0x80 => Some(a.wrapping_neg()),
            0x90 => a.checked_rem(b),
            0xa0 => Some(a ^ b),
            _ => None,
        }
    }

    /// How many instructions to pass over.
    fn jump(&self, instruction: Instruction) -> Option<usize> {
        let (a, b) = (self.accumulator, self.operand(instruction));
        let holds = match instruction.code & 0xf0 {
            0x00 => return Some(instruction.operand as usize),
            0x10 => a == b,
            0x20 => a > b,
            0x30 => a >= b,
            0x40 => a & b != 0,
            _ => return None,
        };
        Some(usize::from(if holds {
            instruction.jump_true
        } else {
            instruction.jump_false
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instruction(code: u16, jump_true: u8, jump_false: u8, operand: u32) -> Instruction {
        Instruction {
            code,
            jump_true,
            jump_false,
            operand,
        }
    }

    #[test]
    fn computes_compares_and_jumps() {
        // Loads the second word, keeps it, masks it, compares it, and returns what was kept or a constant.
        let program = [
            instruction(0x20, 0, 0, 4),
            instruction(0x02, 0, 0, 3),
            instruction(0x54, 0, 0, 0xff),
            instruction(0x35, 0, 2, 0x10),
            instruction(0x60, 0, 0, 3),
            instruction(0x16, 0, 0, 0),
            instruction(0x06, 0, 0, 7),
        ];
        let data = |word: u32| [0u32.to_ne_bytes(), word.to_ne_bytes()].concat();
        assert_eq!(run(&program, &data(0x1234)), Some(0x1234));
        assert_eq!(run(&program, &data(0x1203)), Some(7));
    }

    #[test]
    fn a_program_that_breaks_the_rules_has_no_verdict() {
        assert_eq!(run(&[], &[]), None);
        assert_eq!(
            run(&[instruction(0x20, 0, 0, 2)], &[0; 4]),
            None,
            "reads behind the data"
        );
        assert_eq!(
            run(&[instruction(0x05, 0, 0, u32::MAX)], &[]),
            None,
            "jumps out of the program"
        );
        assert_eq!(run(&[instruction(0x34, 0, 0, 0)], &[]), None, "divides by zero");
    }
}
