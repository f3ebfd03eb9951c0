//! Where exceptions lead: `co_exceptiontable` (Objects/exception_handling_notes.txt, 3.11 and later).

/// Exceptions of the code units from `start` until `end` lead to the one at `handler`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub start: u32,
    pub end: u32,
    pub handler: u32,
}

/// The ranges of a table, in their order.
pub fn ranges(table: &[u8]) -> Vec<Range> {
    let mut numbers = Numbers { rest: table };
    let mut ranges = Vec::new();
    while let (Some(start), Some(length), Some(handler), Some(_depth)) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    {
        let end = start.saturating_add(length);
        ranges.push(Range { start, end, handler });
    }
    ranges
}

/// Numbers in pieces of six bits, the highest first; all but the last have the bit above these set. A bit above that says
/// where an entry begins, which those who read all need not know.
struct Numbers<'a> {
    rest: &'a [u8],
}

impl Iterator for Numbers<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let mut number: u32 = 0;
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number = number << 6 | u32::from(byte & 63);
            if byte & 64 == 0 {
                return Some(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_until_the_table_ends() {
        let table = [0x80 | 2, 3, 64 | 1, 0, 5, 0x80 | 9, 1, 12];
        let (start, end, handler) = (2, 5, 64);
        assert_eq!(ranges(&table), [Range { start, end, handler }]);
        assert_eq!(ranges(&[]), []);
    }
}
