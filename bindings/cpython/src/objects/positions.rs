//! From where to where in the source an instruction stands, line and column, where a version keeps that (PEP 657).

use crate::layout::{Layout, LineTable};
use crate::memory::{ReadMemory, Unreadable};

use super::lines;

/// The bytes of a code unit.
const UNIT: i64 = 2;

/// Lines count from 1, columns from 0, in bytes of UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

/// The position of the instruction `offset` bytes behind the first one of the code at `code`; `None` where nobody kept it.
pub fn of_offset<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    code: u64,
    offset: i64,
) -> Result<Option<Position>, Unreadable> {
    let LineTable::Locations { .. } = layout.code.lines else {
        return Ok(None);
    };
    let (first, table) = lines::table(memory, layout, code)?;
    Ok(in_table(table, first, offset))
}

/// What a table of locations says (Objects/locations.md of CPython).
fn in_table(table: &[u8], first: i64, offset: i64) -> Option<Position> {
    let (mut rest, mut end, mut line) = (table, 0, first);
    while let Some((&head, mut behind)) = rest.split_first() {
        end += UNIT * (i64::from(head & 7) + 1);
        let kind = head >> 3 & 15;
        let columns = match kind {
            0..=9 => {
                let second = i64::from(next_byte(&mut behind));
                let start = i64::from(kind) << 3 | second >> 4;
                Some((0, start, start + (second & 15)))
            }
            10..=12 => {
                line += i64::from(kind) - 10;
                Some((0, i64::from(next_byte(&mut behind)), i64::from(next_byte(&mut behind))))
            }
            13 => {
                line += signed(&mut behind);
                None
            }
            14 => {
                line += signed(&mut behind);
                let lines = unsigned(&mut behind);
                // One more than the column; 0 is none.
                let (start, end) = (unsigned(&mut behind) - 1, unsigned(&mut behind) - 1);
                (start >= 0 && end >= 0).then_some((lines, start, end))
            }
            _ => None,
        };
        if offset < end {
            let (lines, start, end) = columns?;
            return Some(Position {
                line: u32::try_from(line).ok()?,
                column: u32::try_from(start).ok()?,
                end_line: u32::try_from(line + lines).ok()?,
                end_column: u32::try_from(end).ok()?,
            });
        }
        rest = behind;
    }
    None
}

fn next_byte(rest: &mut &[u8]) -> u8 {
    match rest.split_first() {
        Some((&byte, behind)) => {
            *rest = behind;
            byte
        }
        None => 0,
    }
}

/// A number in pieces of six bits, the lowest first; all but the last have the bit above these set.
fn unsigned(rest: &mut &[u8]) -> i64 {
    let mut number = 0;
    // Lines have 32 bits.
    for piece in 0..6 {
        let byte = next_byte(rest);
        number |= i64::from(byte & 63) << (6 * piece);
        if byte & 64 == 0 {
            break;
        }
    }
    number
}

/// The same with the sign in the lowest bit.
pub(super) fn signed(rest: &mut &[u8]) -> i64 {
    let number = unsigned(rest);
    if number & 1 == 1 { -(number >> 1) } else { number >> 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_of_several_forms() {
        // A unit in columns 17 to 20; two on the next line, 4 to 8; one without columns; one over two lines; one of nothing.
        let table = [
            0x80 | 2 << 3,
            1 << 4 | 3,
            0x80 | 11 << 3 | 1,
            4,
            8,
            0x80 | 13 << 3,
            2,
            0x80 | 14 << 3,
            0,
            1,
            5,
            9,
            0x80 | 15 << 3,
        ];
        let at = |offset: i64| in_table(&table, 100, offset).map(|at| (at.line, at.column, at.end_line, at.end_column));
        assert_eq!(at(0), Some((100, 17, 100, 20)));
        assert_eq!(at(4), Some((101, 4, 101, 8)));
        assert_eq!(at(6), None);
        assert_eq!(at(8), Some((102, 4, 103, 8)));
        assert_eq!(at(10), None);
        assert_eq!(at(99), None);
    }

    #[test]
    fn a_table_that_is_cut_off_says_nothing() {
        assert_eq!(in_table(&[0x80 | 14 << 3, 127], 1, 4), None);
        assert_eq!(in_table(&[], 1, 0), None);
    }
}
