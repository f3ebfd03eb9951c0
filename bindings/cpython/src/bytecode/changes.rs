//! Whether code may change the container that one of its parameters has, or only looks at it.
//!
//! Instructions are looked at one after the other: what puts a variable on the stack, and what takes it from there. A call
//! among the arguments of another one hides what stands before it, so that this counts as looked at.

use crate::layout::Layout;
use crate::memory::{ReadMemory, Unreadable};
use crate::objects::text;

use super::decode::{Access, Instructions};
use super::live_locals;
use super::meaning::Effect;
use super::plain;

/// The methods of lists, dicts, sets, deques and bytearrays that change them.
const CHANGING: [&str; 24] = [
    "__delitem__",
    "__setitem__",
    "add",
    "append",
    "appendleft",
    "clear",
    "difference_update",
    "discard",
    "extend",
    "extendleft",
    "insert",
    "intersection_update",
    "move_to_end",
    "pop",
    "popitem",
    "popleft",
    "remove",
    "resize",
    "reverse",
    "rotate",
    "setdefault",
    "sort",
    "symmetric_difference_update",
    "update",
];
/// Functions that look at what they are given, and keep none of it.
const LOOKING: [&str; 18] = [
    "all",
    "any",
    "bool",
    "dict",
    "enumerate",
    "frozenset",
    "isinstance",
    "iter",
    "len",
    "list",
    "max",
    "min",
    "repr",
    "reversed",
    "set",
    "sorted",
    "sum",
    "tuple",
];
/// Names are read up to so many characters; the longest of those above has 27.
const LONGEST: usize = 64;
/// From this argument on a `BINARY_OP` works in place, as `+=` does (`NB_INPLACE_ADD`), up to the last one of these.
const IN_PLACE: std::ops::RangeInclusive<u8> = 13..=25;

/// Whether the code at `code` may change the container that its variable `name` has when it is called, or keep it for others
/// that may. Fails where that is not what a compiler makes.
pub fn may_change<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64, name: &str) -> Result<bool, Unreadable> {
    let mut variable = None;
    for (address, number) in live_locals::plain_variables(memory, layout, code)? {
        if text::str_value(memory, layout, address, LONGEST)? == name {
            variable = Some(number);
        }
    }
    // In a cell, functions inside this one have it too.
    let Some(variable) = variable else {
        return Ok(true);
    };
    let mut names = Vec::new();
    for used in live_locals::names_used(memory, layout, code)? {
        names.push(text::str_value(memory, layout, used, LONGEST)?);
    }
    if names.iter().any(|name| CHANGING.contains(&&**name)) {
        return Ok(true);
    }
    let (code, opcodes) = plain::read(memory, layout, code)?;
    let instructions = Instructions::of(&code, opcodes);
    // Since calls take a place that may be empty, the lowest bit of a global's number says whether to make one.
    let has_flag = opcodes.plain.iter().any(|(_, name, ..)| *name == "PUSH_NULL");
    let looks = |argument: u8| {
        let name = names.get(usize::from(argument) >> u32::from(has_flag));
        name.is_some_and(|name| LOOKING.contains(&&**name))
    };
    let (mut is_on_top, mut is_argument, mut in_place, mut called_looks) = (false, false, false, false);
    for (unit, instruction) in code.units.iter().zip(&instructions.all) {
        let accesses = instruction.accesses;
        let effect = unit.meaning.effect;
        let changes = match effect {
            Effect::Changes => true,
            Effect::HandsOn => is_on_top,
            Effect::Calls => is_argument && !called_looks,
            _ => false,
        };
        if changes || in_place && accesses.contains(&Some(Access::Write(variable))) {
            return Ok(true);
        }
        if effect == Effect::PushesGlobal {
            called_looks = looks(unit.argument);
        }
        // What was read last is what the next instruction takes; a call takes what was read before as well.
        is_on_top = accesses.iter().flatten().next_back() == Some(&Access::Read(variable));
        is_argument &= matches!(effect, Effect::Pushes | Effect::PushesGlobal);
        is_argument |= accesses.contains(&Some(Access::Read(variable)));
        in_place = match effect {
            Effect::Operates => IN_PLACE.contains(&unit.argument),
            other => other == Effect::OperatesInPlace,
        };
    }
    Ok(false)
}
