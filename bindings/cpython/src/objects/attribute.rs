//! One attribute of an instance, by its name.

use crate::memory::{ReadMemory, Unreadable};

use super::examine::Examiner;
use super::types::{FieldName, TypeInfo, is_type};
use super::visit::{Step, Visitor};
use super::{bounds, dict, text};

/// Longer names are not asked for.
const LONGEST_NAME: usize = 256;

/// What an instance has: its dict, and attributes that it keeps without one, as pairs of name and value.
#[derive(Default)]
struct Attributes {
    dict: Option<u64>,
    values: Vec<(u64, u64)>,
}

impl<M> Visitor<M> for Attributes {
    fn reference(&mut self, step: Step, target: u64) {
        match step {
            Step::Attribute(name) => self.values.push((name, target)),
            Step::Field(FieldName::Known("__dict__")) => self.dict = Some(target),
            _ => {}
        }
    }

    fn candidate(&mut self, _memory: &mut M, _word: u64) {}
}

impl Examiner<'_> {
    /// The value of the attribute `name` that the instance at `address` itself has, in its `__dict__` or in place of one;
    /// `None` when it has none, or when no object of a readable type stands there.
    pub fn attribute<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        address: u64,
        name: &str,
    ) -> Result<Option<u64>, Unreadable> {
        bounds::object(address)?;
        let type_address = memory.word(address + self.layout.object.ob_type)?;
        if !is_type(memory, self.layout, type_address) {
            return Ok(None);
        }
        let info = TypeInfo::read(memory, self.layout, type_address)?;
        let mut found = Attributes::default();
        self.attributes(memory, &info, address, info.basicsize, &mut found)?;
        if let Some(names) = found.dict
            && let Some(value) = dict::get_str(memory, self.layout, names, name)?
        {
            return Ok(Some(value));
        }
        for (key, value) in found.values {
            if text::str_value(memory, self.layout, key, LONGEST_NAME).is_ok_and(|key| key == name) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}
