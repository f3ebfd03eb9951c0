//! The one way in: a trait that gives bytes of a program's memory, and the ways that reading can fail.

use std::fmt;

/// Gives views of a program's memory. Everything in this crate reads through it; nothing here opens anything.
pub trait ReadMemory {
    /// The `length` bytes that stand at `address`, or a `Fault` when any of them cannot be read.
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault>;

    /// Whether the bytes at `address` can be had at once, without asking the program's memory for them.
    fn has_at_hand(&self, _address: u64) -> bool {
        true
    }

    /// Reads these ranges (address and length) one after the other, as close together in time as can be, one behind the other
    /// into `into`. Answers how many bytes were read: it stops at the first that cannot be.
    fn read_series(&mut self, ranges: &[(u64, usize)], into: &mut Vec<u8>) -> usize {
        into.clear();
        for &(address, length) in ranges {
            match self.read(address, length) {
                Ok(bytes) => into.extend_from_slice(bytes),
                Err(_) => break,
            }
        }
        into.len()
    }

    /// Most of what lies around `address` will be asked for, up to the next multiples of what such memory is read in.
    fn expect(&mut self, _address: u64) {}

    /// From now on only single places will be asked for, so that what is held of others may go.
    fn expect_little(&mut self) {}

    /// Makes the next reads see the program as it is then. Memory that follows a running program and keeps what it read
    /// drops that; frozen memory has nothing to drop.
    fn forget(&mut self) {}

    /// The eight-byte word at `address` (little-endian, as on every machine that is supported).
    #[inline]
    fn word(&mut self, address: u64) -> Result<u64, Fault> {
        self.read(address, 8).map(|bytes| word_at(bytes, 0))
    }

    /// The four-byte unsigned number at `address`.
    #[inline]
    fn half(&mut self, address: u64) -> Result<u32, Fault> {
        self.read(address, 4).map(|bytes| half_at(bytes, 0))
    }

    /// The byte at `address`.
    #[inline]
    fn byte(&mut self, address: u64) -> Result<u8, Fault> {
        self.read(address, 1).map(|bytes| bytes[0])
    }

    /// The bytes of a C string at `address`, without its NUL; a longer one than `most` bytes is cut there.
    fn c_string(&mut self, address: u64, most: usize) -> Result<Vec<u8>, Fault> {
        const PIECE: u64 = 64;
        let mut text = Vec::new();
        let mut at = address;
        while text.len() < most {
            // Pieces end at multiples of their size, so that no read crosses into a page that the string does not touch.
            let length = (PIECE - at % PIECE) as usize;
            let piece = self.read(at, length)?;
            match piece.iter().position(|&byte| byte == 0) {
                Some(end) => {
                    text.extend_from_slice(&piece[..end]);
                    break;
                }
                None => text.extend_from_slice(piece),
            }
            at = at.saturating_add(length as u64);
        }
        text.truncate(most);
        Ok(text)
    }
}

/// Memory that could not be read: nothing is mapped there, or it went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub at: u64,
    pub length: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes at {:#x} cannot be read", self.length, self.at)
    }
}

impl std::error::Error for Fault {}

/// Why a structure could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    Fault(Fault),
    /// The bytes are there, but cannot be what they were taken for.
    Implausible {
        what: &'static str,
        at: u64,
    },
}

impl From<Fault> for Unreadable {
    fn from(fault: Fault) -> Self {
        Unreadable::Fault(fault)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Fault(fault) => fault.fmt(out),
            Unreadable::Implausible { what, at } => write!(out, "no plausible {what} at {at:#x}"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// The word at `offset` of `bytes`; zero when the bytes end before it.
#[inline]
pub fn word_at(bytes: &[u8], offset: u64) -> u64 {
    match bytes.get(offset as usize..).and_then(|rest| rest.first_chunk()) {
        Some(&word) => u64::from_le_bytes(word),
        None => 0,
    }
}

/// The four-byte number at `offset` of `bytes`; zero when the bytes end before it.
#[inline]
pub fn half_at(bytes: &[u8], offset: u64) -> u32 {
    match bytes.get(offset as usize..).and_then(|rest| rest.first_chunk()) {
        Some(&half) => u32::from_le_bytes(half),
        None => 0,
    }
}
