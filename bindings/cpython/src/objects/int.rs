//! Reads an `int` (`PyLongObject`, Objects/longobject.c).

use crate::layout::{IntForm, Layout};
use crate::memory::{ReadMemory, Unreadable, half_at};

/// Bits in a digit (`PyLong_SHIFT`); every supported build for 64-bit machines has digits of four bytes.
const DIGIT_BITS: u32 = 30;
const DIGIT_BYTES: u64 = 4;

/// What the head of an `int` says about its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntHeader {
    /// How many digits the number has; 0 for zero.
    pub digits: u64,
    pub negative: bool,
}

impl IntHeader {
    /// Reads the head of the `int` at `address`.
    pub fn read(memory: &mut impl ReadMemory, layout: &Layout, address: u64) -> Result<Self, Unreadable> {
        let word = memory.word(address.wrapping_add(Self::offset(layout)))?;
        Ok(Self::of_word(layout, word))
    }

    /// Where in an `int` the word stands that says how many digits it has.
    #[inline]
    pub fn offset(layout: &Layout) -> u64 {
        match layout.int.form {
            IntForm::SignedSize | IntForm::SignedSizeAtLeastOne => layout.object.ob_size,
            IntForm::Tag(offset) => offset,
        }
    }

    /// What that word says.
    #[inline]
    pub fn of_word(layout: &Layout, word: u64) -> Self {
        match layout.int.form {
            IntForm::SignedSize | IntForm::SignedSizeAtLeastOne => IntHeader {
                digits: (word as i64).unsigned_abs(),
                negative: (word as i64) < 0,
            },
            // Two low bits are the sign (0 positive, 1 zero, 2 negative), the third marks a preallocated number.
            IntForm::Tag(_) => IntHeader {
                digits: if word & 3 == 1 { 0 } else { word >> 3 },
                negative: word & 3 == 2,
            },
        }
    }
}

/// The value of the `int` at `address`; `None` when it does not fit an `i128` for certain (more than four digits).
pub fn int_value(memory: &mut impl ReadMemory, layout: &Layout, address: u64) -> Result<Option<i128>, Unreadable> {
    const MOST_DIGITS: u64 = 4;
    let header = IntHeader::read(memory, layout, address)?;
    if header.digits > MOST_DIGITS {
        return Ok(None);
    }
    let length = (header.digits * DIGIT_BYTES) as usize;
    let at = address.wrapping_add(layout.int.digits);
    let bytes = memory.read(at, length)?;
    let mut value = 0i128;
    for digit in (0..header.digits).rev() {
        let digit = half_at(bytes, digit * DIGIT_BYTES);
        if digit >> DIGIT_BITS != 0 {
            return Err(Unreadable::Implausible {
                what: "digit of an int",
                at,
            });
        }
        value = value << DIGIT_BITS | i128::from(digit);
    }
    Ok(Some(if header.negative { -value } else { value }))
}
