//! The code objects that were seen, each read once: where their instructions stand and which of them do what source tells.

use std::collections::HashSet;
use std::rc::Rc;

use cpython::bytecode::{self, Operation};
use cpython::layout::Layout;
use cpython::memory::{ReadMemory, Unreadable};
use cpython::objects::code_seal::Seal;
use cpython::objects::lines::Lines;
use cpython::objects::names::Names;
use cpython::objects::positions;
use cpython::objects::text;
use cpython::objects::types::type_c_name;
use cpython::stack::RunningCall;
use rustc_hash::FxHashMap;

use super::place::{self, Role, Sources};
use super::tally::Tallies;
use crate::syntax::{Kind, Operand, Span};

/// Programs that make ever new code are believed to have no more than this.
const MOST_CODES: usize = 1 << 14;
/// Longer names of functions and files are cut, in characters.
const LONGEST_NAME: usize = 1024;

/// What is known of a code object.
pub struct Code {
    /// `co_name`, which source has too, and the name to show.
    pub name: String,
    pub function: String,
    pub file: String,
    pub first_line: u32,
    pub lines: Lines,
    /// How many bytes behind the first instruction each stands that does something that source tells.
    operations: Vec<(i64, Operation)>,
    /// All names that it asks for.
    names: HashSet<String>,
}

struct Known {
    seal: Seal,
    code: Code,
    /// What the time in an instruction counts for.
    roles: FxHashMap<i64, Rc<[Role]>>,
    /// When the seal was last compared.
    seen: u32,
}

/// All code that was met.
#[derive(Default)]
pub struct Codes {
    /// By the address of the code object.
    known: FxHashMap<u64, Known>,
    /// The address of the type `code`, once one of its objects was met.
    type_of_code: u64,
    /// Counts the looks.
    now: u32,
}

impl Codes {
    /// The memory may have changed since the last questions.
    pub fn look_again(&mut self) {
        self.now = self.now.wrapping_add(1);
    }

    /// What the time counts for that a call spends where it stands.
    pub fn roles<M: ReadMemory>(
        &mut self,
        memory: &mut M,
        layout: &Layout,
        call: &RunningCall,
        tallies: &mut Tallies,
        sources: &mut dyn Sources,
    ) -> Rc<[Role]> {
        let now = self.now;
        let is_fresh = self.known.get(&call.code).is_some_and(|known| known.seen == now);
        if !is_fresh && !self.refresh(memory, layout, call.code) {
            return Rc::default();
        }
        let Some(known) = self.known.get_mut(&call.code) else {
            return Rc::default();
        };
        known.seen = now;
        if let Some(roles) = known.roles.get(&call.offset) {
            return Rc::clone(roles);
        }
        if !known.code.lines.has(call.offset) || !known.code.lines.has_begun(call.offset) {
            return Rc::default();
        }
        let instruction = known.code.instruction(memory, layout, call);
        let roles: Rc<[Role]> = place::roles(&known.code, &instruction, tallies, sources).into();
        known.roles.insert(call.offset, Rc::clone(&roles));
        roles
    }

    /// Whether what stands at the address is known, now or since before.
    fn refresh<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, address: u64) -> bool {
        let Some(seal) = self.seal(memory, layout, address) else {
            return false;
        };
        if self.known.get(&address).is_some_and(|known| known.seal == seal) {
            return true;
        }
        if self.known.len() >= MOST_CODES {
            return false;
        }
        let Ok(code) = Code::read(memory, layout, address) else {
            return false;
        };
        let seen = self.now;
        let roles = FxHashMap::default();
        self.known.insert(
            address,
            Known {
                seal,
                code,
                roles,
                seen,
            },
        );
        true
    }

    /// `None` when no code object stands there.
    fn seal<M: ReadMemory>(&mut self, memory: &mut M, layout: &Layout, address: u64) -> Option<Seal> {
        let seal = Seal::read(memory, layout, address).ok()?;
        if self.type_of_code == 0 && type_c_name(memory, layout, seal.type_address).ok()? == "code" {
            self.type_of_code = seal.type_address;
        }
        (seal.type_address == self.type_of_code && self.type_of_code != 0).then_some(seal)
    }
}

/// An instruction that a call stands at.
pub struct Instruction {
    pub line: Option<u32>,
    /// What it does, where source tells that.
    pub kind: Option<Kind>,
    pub span: Option<Span>,
    /// Which one it is of those of its kind in its line, and how many there are.
    pub number: usize,
    pub count: usize,
}

impl Code {
    fn read<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Result<Code, Unreadable> {
        let mut name = |at: u64| {
            let object = memory.word(address.wrapping_add(at))?;
            text::str_value(memory, layout, object, LONGEST_NAME)
        };
        let (short, file) = (name(layout.code.name)?, name(layout.code.filename)?);
        Ok(Code {
            function: name(layout.code.qualname.unwrap_or(layout.code.name))?,
            name: short,
            file,
            first_line: memory.half(address.wrapping_add(layout.code.first_line))?,
            lines: Lines::read(memory, layout, address)?,
            operations: bytecode::operations(memory, layout, address)?,
            names: names(memory, layout, address)?,
        })
    }

    /// Whether it can ask for what the operand is made of.
    pub fn knows(&self, operand: &Operand) -> bool {
        operand.names().into_iter().all(|name| self.names.contains(name))
    }

    fn instruction<M: ReadMemory>(&self, memory: &mut M, layout: &Layout, call: &RunningCall) -> Instruction {
        let line = self.lines.at(call.offset);
        let operation = self.operations.iter().find(|(offset, _)| *offset == call.offset);
        let Some(&(_, operation)) = operation else {
            return Instruction {
                line,
                kind: None,
                span: None,
                number: 0,
                count: 0,
            };
        };
        let alike: Vec<i64> = self
            .operations
            .iter()
            .filter(|&&(offset, other)| other == operation && self.lines.at(offset) == line)
            .map(|&(offset, _)| offset)
            .collect();
        let position = positions::of_offset(memory, layout, call.code, call.offset)
            .ok()
            .flatten();
        Instruction {
            line,
            kind: Some(kind(operation)),
            span: position.map(|at| Span {
                line: at.line,
                column: at.column,
                end_line: at.end_line,
                end_column: at.end_column,
            }),
            number: alike
                .iter()
                .position(|&offset| offset == call.offset)
                .unwrap_or_default(),
            count: alike.len(),
        }
    }
}

/// The names of a code object's variables, globals and attributes.
fn names<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Result<HashSet<String>, Unreadable> {
    let mut all = bytecode::names_used(memory, layout, address)?;
    all.extend(Names::new(layout).variables(memory, address)?);
    all.into_iter()
        .map(|name| text::str_value(memory, layout, name, LONGEST_NAME))
        .collect()
}

fn kind(operation: Operation) -> Kind {
    match operation {
        Operation::Contains => Kind::Contains,
        Operation::Calls => Kind::Calls,
        Operation::CallsMethod => Kind::CallsMethod,
        Operation::Adds => Kind::Adds,
        Operation::StoresItem => Kind::StoresItem,
        Operation::DeletesItem => Kind::DeletesItem,
    }
}
