//! What a name means in a call that is under way, and what attributes and subscripts of an object lead to, as far as that
//! takes nothing but looking: no property, no method of a class is ever asked.

use crate::layout::{FrameForm, Layout};
use crate::memory::{ReadMemory, Unreadable, word_at};

use super::blocks::Blocks;
use super::examine::Examiner;
use super::types::{FieldName, TypeInfo, flags, is_type, type_c_name};
use super::value::Value;
use super::{dict, int, text};

/// Longer names are not compared.
const LONGEST_NAME: usize = 256;
/// Classes have no more bases, and calls no more variables.
const MOST_BASES: u64 = 256;
const MOST_VARIABLES: u64 = 1 << 16;
/// Of larger dicts only keys that are texts are looked for.
const MOST_ENTRIES: usize = 1 << 12;

/// A call under way: its frame, or up to 3.10 its frame object, and its code object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Under {
    pub frame: u64,
    pub code: u64,
}

/// Where a name was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Among the call's own variables, or those of functions around it.
    Local(u64),
    /// In the module whose dict this is.
    Global { value: u64, module: u64 },
}

/// The key of a subscript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKey {
    Text(String),
    Number(i64),
    /// The object itself.
    Object(u64),
}

/// Looks names up in a program that goes on.
pub struct Names<'a> {
    layout: &'a Layout,
    examiner: Examiner<'a>,
}

impl<'a> Names<'a> {
    pub fn new(layout: &'a Layout) -> Names<'a> {
        // Nothing is measured, so that it is all the same who serves requests.
        let blocks = Blocks {
            pymalloc: true,
            debug: false,
        };
        Names {
            layout,
            examiner: Examiner::new(layout, blocks, Vec::new(), Vec::new()),
        }
    }

    /// The names of the variables of the code at `code`, as addresses of `str` objects.
    pub fn variables<M: ReadMemory>(&mut self, memory: &mut M, code: u64) -> Result<Vec<u64>, Unreadable> {
        let slots = self.examiner.code_slots(memory, code)?;
        self.examiner.variable_names(memory, &slots)
    }

    /// What `name` means in a call; `None` where it means nothing, or a builtin.
    pub fn meaning<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        call: Under,
        name: &str,
    ) -> Result<Option<Found>, Unreadable> {
        match self.variable(memory, call, name)? {
            Variable::Has(value) => return Ok(Some(Found::Local(value))),
            // It hides what is outside.
            Variable::Unset => return Ok(None),
            Variable::None => {}
        }
        let module = self.globals(memory, call)?;
        if module == 0 {
            return Ok(None);
        }
        let value = dict::get_str(memory, self.layout, module, name)?;
        Ok(value.map(|value| Found::Global { value, module }))
    }

    fn variable<M: ReadMemory>(&mut self, memory: &mut M, call: Under, name: &str) -> Result<Variable, Unreadable> {
        let (first, slot_bits) = match self.layout.frame_object.form {
            FrameForm::Inline { localsplus, .. } => (call.frame.wrapping_add(localsplus), 0),
            FrameForm::Pointer { .. } => (
                call.frame.wrapping_add(self.layout.frame.localsplus),
                self.layout.frame.slot_bits,
            ),
        };
        let slots = self.examiner.code_slots(memory, call.code)?;
        if slots.variables > MOST_VARIABLES {
            return Ok(Variable::None);
        }
        let names = self.examiner.variable_names(memory, &slots)?;
        let mut found = Variable::None;
        for (place, each) in names.into_iter().enumerate() {
            if !text::str_value(memory, self.layout, each, LONGEST_NAME).is_ok_and(|each| each == name) {
                continue;
            }
            let word = memory.word(first.wrapping_add(8 * place as u64))? & !slot_bits;
            let value = match word {
                0 => 0,
                word => self.in_cell(memory, word)?,
            };
            if value != 0 {
                return Ok(Variable::Has(value));
            }
            // An argument that is in a cell has an empty place among the arguments.
            found = Variable::Unset;
        }
        Ok(found)
    }

    /// What a cell holds, or 0; anything else itself.
    fn in_cell<M: ReadMemory>(&self, memory: &mut M, object: u64) -> Result<u64, Unreadable> {
        let type_address = memory.word(object.wrapping_add(self.layout.object.ob_type))?;
        if memory.word(type_address.wrapping_add(self.layout.types.flags))? & flags::HEAPTYPE != 0
            || type_c_name(memory, self.layout, type_address)? != "cell"
        {
            return Ok(object);
        }
        let info = TypeInfo::read(memory, self.layout, type_address)?;
        match field(&info, "cell_contents") {
            Some(offset) => Ok(memory.word(object.wrapping_add(offset))?),
            None => Ok(0),
        }
    }

    /// The dict of the module that a call's function is of, or 0.
    fn globals<M: ReadMemory>(&self, memory: &mut M, call: Under) -> Result<u64, Unreadable> {
        let member = |references: &[(&str, u64)], names: &[&str]| {
            let mut all = references.iter();
            all.find(|(name, _)| names.contains(name)).map(|&(_, offset)| offset)
        };
        if let FrameForm::Inline { .. } = self.layout.frame_object.form {
            let Some(offset) = member(self.layout.frame_object.references, &["f_globals"]) else {
                return Ok(0);
            };
            return Ok(memory.word(call.frame.wrapping_add(offset))?);
        }
        let Some(offset) = member(self.layout.frame.references, &["f_func", "f_funcobj"]) else {
            return Ok(0);
        };
        let function = memory.word(call.frame.wrapping_add(offset))? & !self.layout.frame.slot_bits;
        if function == 0 {
            return Ok(0);
        }
        let type_address = memory.word(function.wrapping_add(self.layout.object.ob_type))?;
        let info = TypeInfo::read(memory, self.layout, type_address)?;
        match field(&info, "__globals__") {
            Some(offset) => Ok(memory.word(function.wrapping_add(offset))?),
            None => Ok(0),
        }
    }

    /// The attribute `name` of the object at `address`: of an instance, a module or a class; `None` where only running code
    /// would tell.
    pub fn attribute<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        address: u64,
        name: &str,
    ) -> Result<Option<u64>, Unreadable> {
        let type_address = memory.word(address.wrapping_add(self.layout.object.ob_type))?;
        if !is_type(memory, self.layout, type_address) {
            return Ok(None);
        }
        let of_class = self.of_class(memory, type_address, name)?;
        if let Some(value) = of_class {
            let kind = memory.word(value.wrapping_add(self.layout.object.ob_type))?;
            match type_c_name(memory, self.layout, kind)?.as_str() {
                "member_descriptor" => return self.slot(memory, type_address, address, name),
                "property" | "getset_descriptor" => return Ok(None),
                _ => {}
            }
        }
        if is_type(memory, self.layout, address) {
            return self.of_class(memory, address, name);
        }
        let own = self.examiner.attribute(memory, address, name)?;
        Ok(own.or(of_class))
    }

    /// What a class or one of its bases, as far as they were made in Python, has by this name.
    fn of_class<M: ReadMemory>(&self, memory: &mut M, class: u64, name: &str) -> Result<Option<u64>, Unreadable> {
        let at = &self.layout.types;
        let bases = memory.word(class.wrapping_add(at.mro))?;
        if bases == 0 {
            return Ok(None);
        }
        let count = memory
            .word(bases.wrapping_add(self.layout.object.ob_size))?
            .min(MOST_BASES);
        for index in 0..count {
            let base = memory.word(bases.wrapping_add(self.layout.tuple.items + 8 * index))?;
            if memory.word(base.wrapping_add(at.flags))? & flags::HEAPTYPE == 0 {
                continue;
            }
            let names = memory.word(base.wrapping_add(at.dict))?;
            if names != 0
                && let Some(value) = dict::get_str(memory, self.layout, names, name)?
            {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn slot<M: ReadMemory>(
        &self,
        memory: &mut M,
        type_address: u64,
        address: u64,
        name: &str,
    ) -> Result<Option<u64>, Unreadable> {
        let info = TypeInfo::read(memory, self.layout, type_address)?;
        for field in &info.fields {
            let is_it = match field.name {
                FieldName::Known(known) => known == name,
                FieldName::Text(at) => memory.c_string(at, LONGEST_NAME)? == name.as_bytes(),
            };
            if is_it {
                let value = memory.word(address.wrapping_add(field.offset))?;
                return Ok((value != 0).then_some(value));
            }
        }
        Ok(None)
    }

    /// The item under `key` of the list, tuple or dict at `address`.
    pub fn item<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        address: u64,
        key: &ItemKey,
    ) -> Result<Option<u64>, Unreadable> {
        let type_address = memory.word(address.wrapping_add(self.layout.object.ob_type))?;
        let tp_flags = memory.word(type_address.wrapping_add(self.layout.types.flags))?;
        let key = self.plain(memory, key)?;
        if tp_flags & flags::DICT_SUBCLASS != 0 {
            return match key {
                ItemKey::Text(name) => dict::get_str(memory, self.layout, address, &name),
                other => self.under(memory, address, &other),
            };
        }
        let ItemKey::Number(place) = key else {
            return Ok(None);
        };
        let length = memory.word(address.wrapping_add(self.layout.object.ob_size))?;
        let place = match u64::try_from(place) {
            Ok(place) => place,
            Err(_) => length.wrapping_sub(place.unsigned_abs()),
        };
        if place >= length {
            return Ok(None);
        }
        let items = if tp_flags & flags::LIST_SUBCLASS != 0 {
            memory.word(address.wrapping_add(self.layout.list.items))?
        } else if tp_flags & flags::TUPLE_SUBCLASS != 0 {
            address.wrapping_add(self.layout.tuple.items)
        } else {
            return Ok(None);
        };
        let value = memory.word(items.wrapping_add(place.wrapping_mul(8)))?;
        Ok((value != 0).then_some(value))
    }

    /// A key by its value, where that is a text or a number.
    fn plain<M: ReadMemory>(&self, memory: &mut M, key: &ItemKey) -> Result<ItemKey, Unreadable> {
        let ItemKey::Object(address) = *key else {
            return Ok(key.clone());
        };
        let type_address = memory.word(address.wrapping_add(self.layout.object.ob_type))?;
        let info = TypeInfo::read(memory, self.layout, type_address)?;
        Ok(match Value::read(memory, self.layout, &info, address, LONGEST_NAME)? {
            Some(Value::Text(text)) if text.chars().count() < LONGEST_NAME => ItemKey::Text(text),
            Some(Value::Int(number)) => i64::try_from(number).map_or(ItemKey::Object(address), ItemKey::Number),
            _ => ItemKey::Object(address),
        })
    }

    fn under<M: ReadMemory>(&self, memory: &mut M, dict: u64, key: &ItemKey) -> Result<Option<u64>, Unreadable> {
        let entries = dict::entries(memory, self.layout, dict, MOST_ENTRIES)?;
        for entry in entries {
            let is_it = match *key {
                ItemKey::Object(address) => entry.key == address,
                ItemKey::Number(number) => self.is_number(memory, entry.key, number),
                ItemKey::Text(_) => false,
            };
            if is_it {
                return Ok(Some(entry.value));
            }
        }
        Ok(None)
    }

    fn is_number<M: ReadMemory>(&self, memory: &mut M, address: u64, number: i64) -> bool {
        let mut is_it = || -> Result<bool, Unreadable> {
            let type_address = memory.word(address.wrapping_add(self.layout.object.ob_type))?;
            let tp_flags = memory.word(type_address.wrapping_add(self.layout.types.flags))?;
            Ok(tp_flags & flags::LONG_SUBCLASS != 0
                && int::int_value(memory, self.layout, address)? == Some(i128::from(number)))
        };
        is_it().unwrap_or(false)
    }
}

/// What a call's variables say of a name.
enum Variable {
    /// It is none of them.
    None,
    /// It is one, without a value at this moment.
    Unset,
    Has(u64),
}

fn field(info: &TypeInfo, name: &'static str) -> Option<u64> {
    let mut fields = info.fields.iter();
    let found = fields.find(|field| field.name == FieldName::Known(name));
    found.map(|field| field.offset)
}

/// The name of an object's type, and its length where it is a list, tuple, dict, `str` or `bytes` of exactly that type.
pub fn plain_length<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    address: u64,
) -> Result<(String, Option<u64>), Unreadable> {
    let type_address = memory.word(address.wrapping_add(layout.object.ob_type))?;
    let tp_flags = memory.word(type_address.wrapping_add(layout.types.flags))?;
    let name = type_c_name(memory, layout, type_address)?;
    if tp_flags & flags::HEAPTYPE != 0 {
        return Ok((name, None));
    }
    let bytes = memory.read(address, layout.object.size as usize + 16)?;
    let size = word_at(bytes, layout.object.ob_size);
    // Where the items stand, and the bytes that each takes at least.
    let (length, items, each) = match name.as_str() {
        "list" => (size, memory.word(address.wrapping_add(layout.list.items))?, 8),
        "tuple" => (size, address, 8),
        "bytes" => (size, address, 1),
        "str" => {
            let text = text::TextHeader::read(memory, layout, address)?;
            (text.length, text.data, text.character_size())
        }
        "dict" => {
            let dict = dict::DictHeader::read(memory, layout, address)?;
            (dict.used, dict.keys, 8)
        }
        _ => return Ok((name, None)),
    };
    // The object may go, and be written over, while it is looked at.
    let end = length.checked_mul(each).and_then(|bytes| items.checked_add(bytes));
    let implausible = Unreadable::Implausible {
        what: "length",
        at: address,
    };
    if length > 0 {
        memory.byte(end.ok_or(implausible)?.wrapping_sub(1))?;
    }
    match memory.word(address.wrapping_add(layout.object.ob_type))? == type_address {
        true => Ok((name, Some(length))),
        false => Err(implausible),
    }
}
