//! The memory of a program as a core file has it: pieces of that file, and of the files that the program had mapped.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use cpython::memory::Fault;

use super::bulk::BulkRead;

/// A stretch of memory that stands in a file.
#[derive(Debug, Clone)]
pub struct Piece {
    /// In addresses of the program.
    pub range: Range<u64>,
    pub file: Arc<File>,
    /// Where in the file it begins. What lies behind the file's end is zeros, as in the last page of a mapping.
    pub offset: u64,
}

/// All that is known of a program's memory.
#[derive(Debug, Clone, Default)]
pub struct CoreMemory {
    /// In order of address, none within another.
    pieces: Vec<Piece>,
}

impl CoreMemory {
    /// Of pieces that lie over each other the first counts.
    pub fn new(mut pieces: Vec<Piece>) -> CoreMemory {
        // The sort keeps those that begin at one address in order.
        pieces.sort_by_key(|piece| piece.range.start);
        let mut end = 0;
        pieces.retain(|piece| {
            let is_free = piece.range.start >= end && piece.range.start < piece.range.end;
            if is_free {
                end = piece.range.end;
            }
            is_free
        });
        CoreMemory { pieces }
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// How many bytes there are.
    pub fn bytes(&self) -> u64 {
        self.pieces
            .iter()
            .fold(0, |sum, piece| sum + (piece.range.end - piece.range.start))
    }

    /// The parts of `range` that no piece has.
    pub fn holes(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let first = self.pieces.partition_point(|piece| piece.range.end <= range.start);
        let within = self.pieces.iter().skip(first);
        let mut holes = Vec::new();
        let mut at = range.start;
        for piece in within.take_while(|piece| piece.range.start < range.end) {
            if piece.range.start > at {
                holes.push(at..piece.range.start);
            }
            at = piece.range.end;
        }
        if at < range.end {
            holes.push(at..range.end);
        }
        holes
    }
}

impl BulkRead for CoreMemory {
    fn read_into(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        let fault = Fault {
            at: address,
            length: into.len(),
        };
        let mut index = self.pieces.partition_point(|piece| piece.range.end <= address);
        let mut at = address;
        let mut left = into;
        while !left.is_empty() {
            let piece = self.pieces.get(index).ok_or(fault)?;
            let within = at.checked_sub(piece.range.start).ok_or(fault)?;
            let length = (piece.range.end - at).min(left.len() as u64) as usize;
            let (now, later) = left.split_at_mut(length);
            let offset = piece.offset.checked_add(within).ok_or(fault)?;
            read_or_zero(&piece.file, offset, now).map_err(|_| fault)?;
            at += length as u64;
            left = later;
            index += 1;
        }
        Ok(())
    }
}

/// Fills `into` from the file, and with zeros behind its end.
fn read_or_zero(file: &File, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        match file.read_at(into, offset) {
            Ok(0) => {
                into.fill(0);
                break;
            }
            Ok(count) => {
                offset += count as u64;
                into = into.get_mut(count..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A file whose bytes count up from `first`.
    fn counting(first: u8, length: u8) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&(first..first + length).collect::<Vec<_>>()).unwrap();
        Arc::new(file)
    }

    fn piece(range: Range<u64>, file: &Arc<File>, offset: u64) -> Piece {
        Piece {
            range,
            file: Arc::clone(file),
            offset,
        }
    }

    fn read(memory: &mut CoreMemory, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0xff; length];
        memory.read_into(address, &mut bytes).ok().map(|()| bytes)
    }

    #[test]
    fn pieces_are_read_as_one_memory() {
        let (low, high) = (counting(0, 16), counting(100, 16));
        let mut memory = CoreMemory::new(vec![piece(0x110..0x120, &high, 4), piece(0x100..0x110, &low, 0)]);
        assert_eq!(read(&mut memory, 0x10e, 4), Some(vec![14, 15, 104, 105]));
        // The file ends after 16 bytes; its last page goes on with zeros.
        assert_eq!(read(&mut memory, 0x11b, 3), Some(vec![115, 0, 0]));
        for (address, length) in [(0xff, 2), (0x11f, 2), (u64::MAX, 1), (0x200, 1)] {
            assert_eq!(read(&mut memory, address, length), None, "{address:#x}");
        }
    }

    #[test]
    fn of_pieces_that_overlap_the_first_counts() {
        let (one, other) = (counting(0, 16), counting(100, 16));
        let pieces = [
            piece(0x100..0x108, &one, 0),
            piece(0x104..0x10c, &other, 0),
            piece(0x108..0x108, &other, 0),
            piece(0x100..0x110, &other, 0),
        ];
        let mut memory = CoreMemory::new(pieces.to_vec());
        assert_eq!(read(&mut memory, 0x100, 8), Some((0..8).collect()));
        assert_eq!(read(&mut memory, 0x108, 1), None);
        assert_eq!(memory.bytes(), 8);
    }

    #[test]
    fn holes_are_what_no_piece_has() {
        let file = counting(0, 16);
        let memory = CoreMemory::new(vec![piece(0x10..0x20, &file, 0), piece(0x30..0x40, &file, 0)]);
        assert_eq!(memory.holes(&(0..0x50)), [0..0x10, 0x20..0x30, 0x40..0x50]);
        assert_eq!(memory.holes(&(0x18..0x38)), vec![0x20..0x30]);
        assert_eq!(memory.holes(&(0x10..0x20)), Vec::<Range<u64>>::new());
        assert_eq!(memory.holes(&(0x22..0x28)), vec![0x22..0x28]);
    }
}
