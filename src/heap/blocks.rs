//! What those who know where memory came from ask of a survey: the block of each object, and the lines of all code.

use std::rc::Rc;

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::{calls, lines};
use rustc_hash::FxHashMap;

use super::naming;
use super::objects::NO_OBJECT;
use super::survey::Survey;

/// An object, by the memory that was asked for to make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Where the memory begins, which may be in front of the object.
    pub start: u64,
    /// The number of the object's type.
    pub type_of: u32,
    /// What the object and its private tables occupy.
    pub bytes: u64,
}

/// A function, class body or module as its code object tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub file: Rc<str>,
    /// The qualified name where there is one.
    pub function: Rc<str>,
    /// The line that it begins in, which instructions of whoever defines it belong to as well.
    pub first_line: u32,
    /// The lines that its instructions belong to, in order.
    pub lines: Vec<u32>,
}

impl Survey<'_> {
    /// The blocks of all objects that the survey counts.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        let (objects, types) = (&self.found.objects, &self.found.types);
        (0..objects.count() as u32).filter_map(move |row| {
            let type_of = objects.type_of(row);
            let is_counted = type_of != NO_OBJECT && types.get(type_of).count > 0;
            is_counted.then(|| Block {
                start: self
                    .found
                    .address_of(row)
                    .wrapping_sub(types.get(type_of).info.of_type.presize),
                type_of,
                bytes: objects.bytes(row),
            })
        })
    }

    /// One more than the largest number of a type.
    pub fn type_numbers(&self) -> u32 {
        self.found.types.count()
    }

    /// `module.qualname` of the type with this number; several may have the same.
    pub fn type_name(&self, type_of: u32) -> &Rc<str> {
        &self.found.types.get(type_of).name
    }

    /// What the code objects say that were compiled from `wanted` files.
    pub fn definitions<M: ReadMemory>(&self, memory: &mut M, wanted: impl Fn(&str) -> bool) -> Vec<Definition> {
        let layout = self.subject.layout;
        let mut files: FxHashMap<u64, Option<Rc<str>>> = FxHashMap::default();
        let mut definitions = Vec::new();
        for code in self.codes() {
            let Ok(name) = memory.word(code.wrapping_add(layout.code.filename)) else {
                continue;
            };
            let file = files.entry(name).or_insert_with(|| {
                let file = calls::file_of(memory, layout, code).ok()?;
                wanted(&file).then(|| file.into())
            });
            if let Some(file) = file
                && let Ok(lines) = lines::of_code(memory, layout, code)
                && let Ok(first_line) = memory.half(code.wrapping_add(layout.code.first_line))
            {
                definitions.push(Definition {
                    file: Rc::clone(file),
                    function: naming::code_name(memory, layout, code).unwrap_or_default().into(),
                    first_line,
                    lines,
                });
            }
        }
        definitions
    }

    /// The addresses of all code objects.
    fn codes(&self) -> impl Iterator<Item = u64> {
        let (objects, types) = (&self.found.objects, &self.found.types);
        let is_code = |row: &u32| types.get(objects.type_of(*row)).info.of_type.content == Content::Code;
        (0..objects.holders() as u32)
            .filter(is_code)
            .map(|row| self.found.address_of(row))
    }
}
