//! Reads a `str` in any of its forms (`PyUnicodeObject`, Objects/unicodeobject.c).

use crate::layout::Layout;
use crate::memory::{ReadMemory, Unreadable, half_at};

/// What the head of a `str` says: how its characters are stored, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextHeader {
    /// Length in characters.
    pub length: u64,
    /// Bytes in a character: 1, 2 or 4; 0 when there is only `wstr` (up to 3.11).
    pub kind: u64,
    pub compact: bool,
    pub ascii: bool,
    /// Where the characters stand. They are Latin-1, UCS-2 or UCS-4 by `kind`; with kind 0 UCS-4.
    pub data: u64,
}

/// Whether a `str` with this state is ASCII and stands behind its head in one block (`PyUnicode_IS_COMPACT_ASCII`).
#[inline]
pub fn is_compact_ascii(state: u32) -> bool {
    /// One byte a character, compact, ASCII.
    const COMPACT_ASCII: u32 = 1 << 6 | 1 << 5 | 1 << 2;
    state & 0x7c == COMPACT_ASCII
}

impl TextHeader {
    /// Reads the head of the `str` at `address`.
    pub fn read(memory: &mut impl ReadMemory, layout: &Layout, address: u64) -> Result<Self, Unreadable> {
        let text = &layout.text;
        let state = memory.half(address.wrapping_add(text.state))?;
        let mut header = TextHeader {
            length: memory.word(address.wrapping_add(text.length))?,
            kind: u64::from(state >> 2 & 7),
            compact: state >> 5 & 1 != 0,
            ascii: state >> 6 & 1 != 0,
            data: 0,
        };
        header.data = match (header.kind, text.wstr) {
            (1 | 2 | 4, _) if header.compact && header.ascii => address.wrapping_add(text.ascii_size),
            (1 | 2 | 4, _) if header.compact => address.wrapping_add(text.compact_size),
            (1 | 2 | 4, _) => memory.word(address.wrapping_add(text.data))?,
            (0, Some((wstr, wstr_length))) => {
                header.length = memory.word(address.wrapping_add(wstr_length))?;
                memory.word(address.wrapping_add(wstr))?
            }
            _ => {
                return Err(Unreadable::Implausible {
                    what: "str",
                    at: address,
                });
            }
        };
        Ok(header)
    }

    /// Bytes that a character takes at `data`.
    pub fn character_size(&self) -> u64 {
        if self.kind == 0 { 4 } else { self.kind }
    }
}

/// The `str` at `address`, cut after `most` characters. Lone surrogates are written as Python's `backslashreplace` does:
/// `\udcff`.
pub fn str_value(
    memory: &mut impl ReadMemory,
    layout: &Layout,
    address: u64,
    most: usize,
) -> Result<String, Unreadable> {
    let header = TextHeader::read(memory, layout, address)?;
    let length = header.length.min(most as u64);
    let size = header.character_size();
    let Some(byte_count) = length.checked_mul(size).and_then(|count| usize::try_from(count).ok()) else {
        return Err(Unreadable::Implausible {
            what: "str length",
            at: address,
        });
    };
    let bytes = memory.read(header.data, byte_count)?;
    Ok(match size {
        1 => bytes.iter().map(|&byte| char::from(byte)).collect(),
        2 => of_codes(
            bytes
                .chunks_exact(2)
                .map(|pair| u32::from(pair[0]) | u32::from(pair[1]) << 8),
        ),
        _ => of_codes(bytes.chunks_exact(4).map(|four| half_at(four, 0))),
    })
}

fn of_codes(codes: impl Iterator<Item = u32>) -> String {
    let mut text = String::new();
    codes.for_each(|code| push_code(&mut text, code));
    text
}

/// Appends the character of a code point; a lone surrogate as Python's `backslashreplace` writes it, so that texts which
/// differ in these alone stay different.
pub(crate) fn push_code(text: &mut String, code: u32) {
    match char::from_u32(code) {
        Some(character) => text.push(character),
        None if code <= 0xffff => text.push_str(&format!("\\u{code:04x}")),
        None => text.push(char::REPLACEMENT_CHARACTER),
    }
}
