//! The form of an instruction set: what a version's own tables say. The sets themselves stand in `versions/opcodes`.

/// The instruction set of one minor version (its module `opcode`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opcodes {
    /// So many bytes are one in a jump's argument.
    pub jump_unit: u32,
    /// Number, name, inline cache entries behind it in code units, and what its argument says about jumping.
    pub plain: &'static [(u8, &'static str, u8, Jump)],
    /// Forms that an instruction takes on as it runs, and the instruction.
    pub specialised: &'static [(u8, u8)],
}

/// Where an instruction's argument leads, if it leads anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    None,
    /// To so many units from the first instruction on.
    Absolute,
    /// On from behind the instruction and its caches.
    Forward,
    /// Back from behind the instruction and its caches.
    Backward,
}
