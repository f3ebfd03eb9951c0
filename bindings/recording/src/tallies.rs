//! Reads what was counted of a stack's blocks where every block is recorded.

use std::mem::offset_of;

use crate::form::{Domain, Tally};
use crate::read::word;

/// Blocks, and the bytes that they occupy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    pub blocks: u64,
    pub bytes: u64,
}

/// The blocks of one stack and domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tallied {
    /// 0 when it is not known.
    pub stack: u64,
    pub domain: Domain,
    pub allocated: Amount,
    pub alive: Amount,
    pub at_peak: Amount,
}

/// The row, as of the peak with this number.
pub(crate) fn tallied(row: &[u8], peak: u64) -> Option<Tallied> {
    let amount = |blocks: usize, bytes: usize| Amount {
        blocks: word(row, blocks),
        bytes: word(row, bytes),
    };
    let alive = amount(offset_of!(Tally, alive_blocks), offset_of!(Tally, alive_bytes));
    let whose = word(row, offset_of!(Tally, whose));
    let tallied = Tallied {
        stack: whose & u64::from(u32::MAX),
        domain: Domain::numbered(whose >> 32)?,
        allocated: amount(offset_of!(Tally, blocks), offset_of!(Tally, bytes)),
        alive,
        at_peak: match word(row, offset_of!(Tally, as_of)) == peak {
            true => amount(offset_of!(Tally, peak_blocks), offset_of!(Tally, peak_bytes)),
            false => alive,
        },
    };
    (tallied.allocated.blocks > 0).then_some(tallied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::whose;

    /// As the words of a [`Tally`] follow each other.
    fn row(words: [u64; 8]) -> Vec<u8> {
        words.into_iter().flat_map(u64::to_le_bytes).collect()
    }

    #[test]
    fn what_has_not_changed_since_the_peak_was_there_as_it_is() {
        let at_peak = |as_of: u64| tallied(&row([7, 9, 900, 3, 300, 4, 400, as_of]), 5).unwrap().at_peak;
        assert_eq!(at_peak(5), Amount { blocks: 4, bytes: 400 });
        assert_eq!(at_peak(4), Amount { blocks: 3, bytes: 300 });
    }

    #[test]
    fn rows_say_whose_they_are() {
        let read = tallied(&row([whose(7, Domain::Object), 1, 16, 0, 0, 0, 0, 0]), 1).unwrap();
        assert_eq!((read.stack, read.domain), (7, Domain::Object));
        assert_eq!(tallied(&row([0; 8]), 0), None);
        assert_eq!(tallied(&row([u64::MAX; 8]), 0), None);
    }
}
