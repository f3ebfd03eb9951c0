//! The line that a call stands in, from its frame's instruction and its code's table of lines; all lines of a code.

use std::ops::ControlFlow;

use crate::layout::{FrameForm, Layout, LineTable};
use crate::memory::{ReadMemory, Unreadable};

use super::frames::SuspendedCall;
use super::positions::signed;

/// Longer tables are not read: they would be of longer code than anybody writes.
const LONGEST_TABLE: u64 = 1 << 22;

/// The line that the interpreter's frame at `frame` (`_PyInterpreterFrame`, 3.11 and later) runs of the code at `code`;
/// `None` for instructions that belong to no line.
pub fn of_frame<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    frame: u64,
    code: u64,
) -> Result<Option<u32>, Unreadable> {
    match instruction_of_frame(memory, layout, frame, code)? {
        Some(offset) => of_offset(memory, layout, code, offset),
        None => Ok(None),
    }
}

/// The same of a frame object (3.8 to 3.10).
pub fn of_frame_object<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    frame: u64,
    code: u64,
) -> Result<Option<u32>, Unreadable> {
    match instruction_of_frame_object(memory, layout, frame)? {
        Some(offset) => of_offset(memory, layout, code, offset),
        None => Ok(None),
    }
}

/// How many bytes behind its code's first instruction the call stands, in the instruction that is under way or that it
/// goes on from; negative before the first. `None` when the layout's frames do not say.
pub fn instruction<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    call: SuspendedCall,
) -> Result<Option<i64>, Unreadable> {
    match layout.frame_object.form {
        FrameForm::Inline { .. } => instruction_of_frame_object(memory, layout, call.frame),
        FrameForm::Pointer { .. } => instruction_of_frame(memory, layout, call.frame, call.code),
    }
}

fn instruction_of_frame<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    frame: u64,
    code: u64,
) -> Result<Option<i64>, Unreadable> {
    let LineTable::Locations { code: first, .. } = layout.code.lines else {
        return Ok(None);
    };
    let instruction = memory.word(frame.wrapping_add(layout.frame.instruction))?;
    Ok(Some(instruction.wrapping_sub(code.wrapping_add(first)) as i64))
}

fn instruction_of_frame_object<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    frame: u64,
) -> Result<Option<i64>, Unreadable> {
    let FrameForm::Inline {
        last_instruction: (offset, unit),
        ..
    } = layout.frame_object.form
    else {
        return Ok(None);
    };
    let last = memory.half(frame.wrapping_add(offset))? as i32;
    Ok(Some(i64::from(last) * unit))
}

/// The line that a generator or coroutine waits in; the function's own before it has begun.
pub fn of_suspended<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    call: SuspendedCall,
) -> Result<Option<u32>, Unreadable> {
    match layout.frame_object.form {
        FrameForm::Inline { .. } => of_frame_object(memory, layout, call.frame, call.code),
        FrameForm::Pointer { .. } => of_frame(memory, layout, call.frame, call.code),
    }
}

/// The lines that instructions of the code at `code` belong to, each once and in order.
pub fn of_code<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64) -> Result<Vec<u32>, Unreadable> {
    let mut lines = Vec::new();
    let mut start = 0;
    for_each_range(memory, layout, code, |end, line| {
        let line = line.filter(|_| end > start).and_then(|line| u32::try_from(line).ok());
        lines.extend(line);
        start = end;
        ControlFlow::Continue(())
    })?;
    lines.sort_unstable();
    lines.dedup();
    Ok(lines)
}

/// The line of the instruction at `offset` bytes in the code at `code`; before the first one it is the function's own.
fn of_offset<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    code: u64,
    offset: i64,
) -> Result<Option<u32>, Unreadable> {
    if offset < 0 {
        return Ok(Some(memory.half(code.wrapping_add(layout.code.first_line))?));
    }
    let mut found = None;
    for_each_range(memory, layout, code, |end, line| match offset < end {
        true => {
            found = line;
            ControlFlow::Break(())
        }
        false => ControlFlow::Continue(()),
    })?;
    Ok(found.and_then(|line| u32::try_from(line).ok()))
}

/// Calls `see` with the end of each range of instructions, in bytes, and the line that they belong to, until it has seen
/// enough. Ranges begin where those before them end.
fn for_each_range<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    code: u64,
    see: impl FnMut(i64, Option<i64>) -> ControlFlow<()>,
) -> Result<(), Unreadable> {
    let (first, bytes) = table(memory, layout, code)?;
    // All the same whether it was seen to its end.
    let _ = match layout.code.lines {
        LineTable::Steps { .. } => steps(bytes, first, see),
        LineTable::Ranges { .. } => ranges(bytes, first, see),
        LineTable::Locations { .. } => locations(bytes, first, see),
    };
    Ok(())
}

/// The first line of the code at `code`, and its table of lines.
pub(super) fn table<'a, M: ReadMemory>(
    memory: &'a mut M,
    layout: &Layout,
    code: u64,
) -> Result<(i64, &'a [u8]), Unreadable> {
    let first = i64::from(memory.half(code.wrapping_add(layout.code.first_line))?);
    let (LineTable::Steps { table } | LineTable::Ranges { table } | LineTable::Locations { table, .. }) =
        layout.code.lines;
    let table = memory.word(code.wrapping_add(table))?;
    let length = memory.word(table.wrapping_add(layout.object.ob_size))?;
    if length > LONGEST_TABLE {
        return Err(Unreadable::Implausible {
            what: "table of lines",
            at: table,
        });
    }
    let bytes = memory.read(table.wrapping_add(layout.text.bytes_value), length as usize)?;
    Ok((first, bytes))
}

/// The lines of a code object, to be asked without its program.
#[derive(Debug, Clone)]
pub struct Lines {
    first: u32,
    /// Where each range of instructions ends, in bytes, and the line that they belong to.
    ranges: Box<[(i64, Option<u32>)]>,
    /// Bytes of instructions that run before the call has begun as far as Python code can tell.
    before: i64,
    /// Bytes of all instructions.
    length: i64,
}

impl Lines {
    /// Those of the code at `code`.
    pub fn read<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64) -> Result<Lines, Unreadable> {
        /// The bytes of a code unit.
        const UNIT: i64 = 2;
        let first = memory.half(code.wrapping_add(layout.code.first_line))?;
        let (before, length) = match layout.code.lines {
            LineTable::Locations { first_traceable, .. } => {
                let before = memory.half(code.wrapping_add(first_traceable))?;
                let units = memory.word(code.wrapping_add(layout.object.ob_size))?;
                (
                    i64::from(before).saturating_mul(UNIT),
                    (units as i64).saturating_mul(UNIT),
                )
            }
            LineTable::Steps { .. } | LineTable::Ranges { .. } => {
                let bytes = layout.code.references.iter().find(|(name, _)| *name == "co_code");
                let bytes = memory.word(code.wrapping_add(bytes.map_or(0, |&(_, offset)| offset)))?;
                (0, memory.word(bytes.wrapping_add(layout.object.ob_size))? as i64)
            }
        };
        if !(1..=LONGEST_TABLE as i64).contains(&length) || !(0..=length).contains(&before) {
            return Err(Unreadable::Implausible { what: "code", at: code });
        }
        let mut ranges = Vec::new();
        for_each_range(memory, layout, code, |end, line| {
            ranges.push((end, line.and_then(|line| u32::try_from(line).ok())));
            ControlFlow::Continue(())
        })?;
        Ok(Lines {
            first,
            ranges: ranges.into(),
            before,
            length,
        })
    }

    /// Whether an instruction can stand at `offset`; frames that have not begun stand one or two bytes before the first.
    pub fn has(&self, offset: i64) -> bool {
        (-2..self.length).contains(&offset) && offset % 2 == 0 || offset == -1
    }

    /// Whether a call at `offset` has begun: before, what it makes is made by its caller.
    pub fn has_begun(&self, offset: i64) -> bool {
        offset >= self.before
    }

    /// The line of the instruction at `offset`; before the first one it is the function's own.
    pub fn at(&self, offset: i64) -> Option<u32> {
        if offset < 0 {
            return Some(self.first);
        }
        let range = self.ranges.partition_point(|&(end, _)| end <= offset);
        self.ranges.get(range)?.1
    }
}

fn steps(table: &[u8], first: i64, mut see: impl FnMut(i64, Option<i64>) -> ControlFlow<()>) -> ControlFlow<()> {
    let (mut end, mut line) = (0, first);
    for step in table.chunks_exact(2) {
        end += i64::from(step[0]);
        see(end, Some(line))?;
        line += i64::from(step[1] as i8);
    }
    // The last line goes on to the end of the code.
    see(i64::MAX, Some(line))
}

fn ranges(table: &[u8], first: i64, mut see: impl FnMut(i64, Option<i64>) -> ControlFlow<()>) -> ControlFlow<()> {
    const NO_LINE: i8 = -128;
    let (mut end, mut line) = (0, first);
    for range in table.chunks_exact(2) {
        end += i64::from(range[0]);
        let distance = range[1] as i8;
        if distance != NO_LINE {
            line += i64::from(distance);
        }
        see(end, (distance != NO_LINE).then_some(line))?;
    }
    ControlFlow::Continue(())
}

fn locations(table: &[u8], first: i64, mut see: impl FnMut(i64, Option<i64>) -> ControlFlow<()>) -> ControlFlow<()> {
    /// The bytes of a code unit.
    const UNIT: i64 = 2;
    let (mut end, mut line) = (0, first);
    let mut at = 0;
    while let Some(&head) = table.get(at) {
        let kind = head >> 3 & 15;
        end += UNIT * (i64::from(head & 7) + 1);
        line += match kind {
            13 | 14 => signed(&mut table.get(at + 1..).unwrap_or_default()),
            10..=12 => i64::from(kind) - 10,
            _ => 0,
        };
        see(end, (kind != 15).then_some(line))?;
        // Only the first byte of an entry has its highest bit set.
        at += 1;
        while table.get(at).is_some_and(|byte| byte & 0x80 == 0) {
            at += 1;
        }
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Decoder = fn(&[u8], i64, &mut dyn FnMut(i64, Option<i64>) -> ControlFlow<()>) -> ControlFlow<()>;

    /// What a decoder says of the instruction at `offset`.
    fn line_of(decode: Decoder, table: &[u8], first: i64, offset: i64) -> Option<i64> {
        let mut found = None;
        let _ = decode(table, first, &mut |end, line| match offset < end {
            true => {
                found = line;
                ControlFlow::Break(())
            }
            false => ControlFlow::Continue(()),
        });
        found
    }

    #[test]
    fn steps_lead_up_to_the_instruction() {
        let table = [4, 1, 6, 255, 0, 3];
        let lines = [0, 3, 4, 9, 10, 99].map(|offset| line_of(|a, b, see| steps(a, b, see), &table, 10, offset));
        assert_eq!(lines, [10, 10, 11, 11, 13, 13].map(Some));
    }

    #[test]
    fn ranges_have_a_line_or_none() {
        let table = [4, 1, 0, 5, 2, 128, 2, 254];
        let lines = [0, 3, 4, 6, 8].map(|offset| line_of(|a, b, see| ranges(a, b, see), &table, 10, offset));
        assert_eq!(lines, [Some(11), Some(11), None, Some(14), None]);
    }

    #[test]
    fn locations_are_of_several_kinds() {
        // One unit a line on with columns; two units 70 lines back without; one of no line; one short in the same line.
        let table = [
            0x80 | 11 << 3,
            4,
            8,
            0x80 | 13 << 3 | 1,
            64 | 13,
            2,
            0x80 | 15 << 3,
            0x80,
            17,
        ];
        let lines = [0, 2, 5, 6, 8, 10].map(|offset| line_of(|a, b, see| locations(a, b, see), &table, 100, offset));
        assert_eq!(lines, [Some(101), Some(31), Some(31), None, Some(31), None]);
        assert_eq!(
            line_of(|a, b, see| locations(a, b, see), &[0x80 | 13 << 3, 127], 1, 0),
            Some(1 - 31)
        );
    }
}
