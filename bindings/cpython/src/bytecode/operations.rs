//! Instructions that do what can be found again in the source: tests of membership, calls, sums, items of containers.

use crate::layout::Layout;
use crate::memory::{ReadMemory, Unreadable};

use super::plain;

/// What an instruction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `in` or `not in`.
    Contains,
    /// A call. Older versions have an instruction of their own for methods. Where a call is prepared by another instruction,
    /// that one may carry it out (`PRECALL`).
    Calls,
    CallsMethod,
    /// `+` or `+=`.
    Adds,
    StoresItem,
    DeletesItem,
}

/// The same by the name of the instruction; of some only the argument tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operates {
    Always(Operation),
    /// Where the argument is one of these.
    If(&'static [u8], Operation),
    Otherwise,
}

/// `cmp_op` of `in` and `not in`, while `COMPARE_OP` did these too (Lib/opcode.py); later versions have no such arguments.
const MEMBERSHIP: &[u8] = &[6, 7];
/// `NB_ADD` and `NB_INPLACE_ADD` (opcode_ids of Include/opcode.h).
const SUMS: &[u8] = &[0, 13];

impl Operates {
    /// What an instruction of this name does.
    pub fn of(name: &str) -> Operates {
        match name {
            "CONTAINS_OP" => Operates::Always(Operation::Contains),
            "COMPARE_OP" => Operates::If(MEMBERSHIP, Operation::Contains),
            "CALL_METHOD" => Operates::Always(Operation::CallsMethod),
            "PRECALL" | "CALL" | "CALL_KW" | "CALL_FUNCTION" | "CALL_FUNCTION_KW" | "CALL_FUNCTION_EX" => {
                Operates::Always(Operation::Calls)
            }
            "BINARY_ADD" | "INPLACE_ADD" => Operates::Always(Operation::Adds),
            "BINARY_OP" => Operates::If(SUMS, Operation::Adds),
            "STORE_SUBSCR" => Operates::Always(Operation::StoresItem),
            "DELETE_SUBSCR" => Operates::Always(Operation::DeletesItem),
            _ => Operates::Otherwise,
        }
    }

    fn with(self, argument: u8) -> Option<Operation> {
        match self {
            Operates::Always(operation) => Some(operation),
            Operates::If(arguments, operation) => arguments.contains(&argument).then_some(operation),
            Operates::Otherwise => None,
        }
    }
}

/// The instructions of the code at `code` that do such things, in order: how many bytes behind the first one each stands.
pub fn operations<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    code: u64,
) -> Result<Vec<(i64, Operation)>, Unreadable> {
    /// The bytes of a code unit.
    const UNIT: i64 = 2;
    let (plain, _) = plain::read(memory, layout, code)?;
    let units = plain.units.iter();
    Ok(units
        .filter_map(|unit| Some((UNIT * i64::from(unit.place), unit.meaning.operates.with(unit.argument)?)))
        .collect())
}
