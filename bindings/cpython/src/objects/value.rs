//! The values of plain objects: what a `str`, a `bytes` or a number is worth.

use crate::layout::Layout;
use crate::memory::{ReadMemory, Unreadable, word_at};

use super::content::Content;
use super::types::{TypeInfo, flags};
use super::{int, text};

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Lone surrogates as Python's `backslashreplace` writes them.
    Text(String),
    Bytes(Vec<u8>),
    Int(i128),
    Float(f64),
}

impl Value {
    /// The value of the object at `address`, of a text or of bytes the first `most`. `None` for objects that have none, and
    /// for numbers too long for an `i128`.
    pub fn read(
        memory: &mut impl ReadMemory,
        layout: &Layout,
        info: &TypeInfo,
        address: u64,
        most: usize,
    ) -> Result<Option<Value>, Unreadable> {
        Ok(match info.content {
            Content::Str => Some(Value::Text(text::str_value(memory, layout, address, most)?)),
            Content::Int => int::int_value(memory, layout, address)?.map(Value::Int),
            Content::Scalar if info.has(flags::BYTES_SUBCLASS) => {
                let length = memory
                    .word(address.wrapping_add(layout.object.ob_size))?
                    .min(most as u64);
                let bytes = memory.read(address.wrapping_add(layout.text.bytes_value), length as usize)?;
                Some(Value::Bytes(bytes.to_vec()))
            }
            _ => None,
        })
    }

    /// The value of the `float` at `address`: `ob_fval`, right behind the head (`PyFloatObject`, cpython/floatobject.h).
    pub fn of_float(memory: &mut impl ReadMemory, layout: &Layout, address: u64) -> Result<Value, Unreadable> {
        let bytes = memory.read(address.wrapping_add(layout.object.size), 8)?;
        Ok(Value::Float(f64::from_bits(word_at(bytes, 0))))
    }
}
