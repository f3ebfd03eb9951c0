//! The code objects that were seen running, each read once: what their instructions are called and on which lines they
//! stand.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::code_seal::Seal;
use cpython::objects::lines::Lines;
use cpython::objects::text;
use cpython::objects::types::type_c_name;
use cpython::stack::RunningCall;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::sampling::births::Call;

/// Programs that make ever new code are believed to have no more than this.
const MOST_CODES: usize = 1 << 16;
/// Longer names of functions and files are cut, in characters.
const LONGEST_NAME: usize = 1024;

/// A line of a code object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    code: u32,
    line: Option<u32>,
}

impl Place {
    /// The number of its code.
    pub fn code(self) -> u32 {
        self.code
    }
}

/// All code that was met.
#[derive(Debug, Default)]
pub struct Codes {
    /// By the address of the code object.
    known: FxHashMap<u64, Known>,
    all: Vec<Code>,
    texts: FxHashSet<Rc<str>>,
    /// The address of the type `code`, once one of its objects was met.
    type_of_code: u64,
    /// Counts up whenever the memory may have changed.
    now: u32,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    index: u32,
    seal: Seal,
    /// When the seal was last compared.
    seen: u32,
}

#[derive(Debug)]
struct Code {
    function: Rc<str>,
    file: Rc<str>,
    lines: Lines,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    At(Place),
    /// It has not begun, or is no Python code: what it makes is made by the call before.
    OfCaller,
    /// What was read is no call: it was half written, or had ended.
    Torn,
}

impl Codes {
    /// The memory may have changed since the last questions.
    pub fn look_again(&mut self) {
        self.now = self.now.wrapping_add(1);
    }

    /// Where this call stands.
    pub fn standing<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, call: &RunningCall) -> Standing {
        if call.code == 0 {
            return Standing::OfCaller;
        }
        let Some(index) = self.index_of(memory, layout, call.code) else {
            return Standing::Torn;
        };
        let Some(code) = self.all.get(index as usize) else {
            return Standing::Torn;
        };
        if !code.lines.has(call.offset) {
            return Standing::Torn;
        }
        if !code.lines.has_begun(call.offset) {
            return Standing::OfCaller;
        }
        Standing::At(Place {
            code: index,
            line: code.lines.at(call.offset),
        })
    }

    /// The place in words.
    pub fn call(&self, place: Place) -> Option<Call> {
        let code = self.all.get(place.code as usize)?;
        Some(Call {
            function: Rc::clone(&code.function),
            file: Rc::clone(&code.file),
            line: place.line,
        })
    }

    fn index_of<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, address: u64) -> Option<u32> {
        let known = self.known.get(&address).copied();
        if let Some(known) = known.filter(|known| known.seen == self.now) {
            return Some(known.index);
        }
        let seal = self.seal(memory, layout, address)?;
        let index = match known.filter(|known| known.seal == seal) {
            Some(known) => known.index,
            None => self.read(memory, layout, address)?,
        };
        let seen = self.now;
        self.known.insert(address, Known { index, seal, seen });
        Some(index)
    }

    /// `None` when no code object stands there.
    fn seal<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, address: u64) -> Option<Seal> {
        let seal = Seal::read(memory, layout, address).ok()?;
        if self.type_of_code == 0 {
            let name = type_c_name(memory, layout, seal.type_address).ok()?;
            if name == "code" {
                self.type_of_code = seal.type_address;
            }
        }
        (seal.type_address == self.type_of_code && self.type_of_code != 0).then_some(seal)
    }

    fn read<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, address: u64) -> Option<u32> {
        if self.all.len() >= MOST_CODES {
            return None;
        }
        let lines = Lines::read(memory, layout, address).ok()?;
        let name = layout.code.qualname.unwrap_or(layout.code.name);
        let function = self.text(memory, layout, address.wrapping_add(name))?;
        let file = self.text(memory, layout, address.wrapping_add(layout.code.filename))?;
        self.all.push(Code { function, file, lines });
        Some(self.all.len() as u32 - 1)
    }

    /// The text of the `str` that the word at `at` points to.
    fn text<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, at: u64) -> Option<Rc<str>> {
        let address = memory.word(at).ok()?;
        let text = text::str_value(memory, layout, address, LONGEST_NAME).ok()?;
        if let Some(known) = self.texts.get(text.as_str()) {
            return Some(Rc::clone(known));
        }
        let text: Rc<str> = text.into();
        self.texts.insert(Rc::clone(&text));
        Some(text)
    }
}
