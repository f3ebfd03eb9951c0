//! Which local variables of a call are never read again from where it stands.

use crate::layout::{Bytecode, CodeForm, Layout};
use crate::memory::{ReadMemory, Unreadable, word_at};
use crate::objects::text;

use super::decode::Instructions;
use super::exception_table;
use super::graph::{self, Handlers, Node};
use super::liveness::Liveness;
use super::meaning::Flow;
use super::plain;

/// More variables or names than these no code has.
const MOST_NAMES: u64 = 1 << 20;
/// Longer tables of handlers are not read.
const LONGEST_TABLE: u64 = 1 << 24;
/// Bits of `co_localspluskinds` that say that a variable is in a cell (`CO_FAST_CELL`, `CO_FAST_FREE`, pycore_code.h).
const IN_CELL: u8 = 0x40 | 0x80;
/// Who asks for one of these may read any local variable.
const READERS_OF_ALL: [&str; 7] = ["locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe"];
/// Names that are cut to so many characters are none of these.
const LONGEST_READER: usize = 16;
/// Without arguments it reads the first one.
const READER_OF_FIRST: &str = "super";

/// What may be read from each place of one code object.
#[derive(Debug, Clone)]
pub struct CodeLiveness {
    instructions: Instructions,
    nodes: Vec<Node>,
    /// The nodes in the order of their instructions.
    nodes_in_order: Vec<u32>,
    liveness: Liveness,
    variables: Vec<Variable>,
}

/// A local variable that is in no cell.
#[derive(Debug, Clone, Copy)]
struct Variable {
    number: u32,
    /// The address of the `str` that is its name.
    name: u64,
    /// Whether it may be read at any time by what is no instruction.
    is_read_otherwise: bool,
}

impl CodeLiveness {
    /// Reads the code object at `code`. Fails where that is not what a compiler makes, or too long.
    pub fn read<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64) -> Result<CodeLiveness, Unreadable> {
        let implausible = Unreadable::Implausible {
            what: "bytecode",
            at: code,
        };
        let (plain, opcodes) = plain::read(memory, layout, code)?;
        let instructions = Instructions::of(&plain, opcodes);
        let ranges;
        let handlers = match layout.code.bytecode {
            Bytecode::Bytes { .. } => Handlers::Blocks,
            Bytecode::Adaptive { exception_table, .. } => {
                let table = bytes_at(memory, layout, code.wrapping_add(exception_table), LONGEST_TABLE)?;
                ranges = exception_table::ranges(&table);
                Handlers::Ranges(&ranges)
            }
        };
        let nodes = graph::nodes(&instructions, &handlers).ok_or(implausible)?;
        let variables = variables(memory, layout, code)?;
        let count = variables.iter().map(|variable| variable.number + 1).max().unwrap_or(0);
        let liveness = Liveness::search(&nodes, &instructions.all, count).ok_or(implausible)?;
        let mut nodes_in_order: Vec<u32> = (0..nodes.len() as u32).collect();
        nodes_in_order.sort_unstable_by_key(|&node| nodes[node as usize].instruction);
        Ok(CodeLiveness {
            instructions,
            nodes,
            nodes_in_order,
            liveness,
            variables,
        })
    }

    /// The names, as addresses of `str` objects, of the local variables that no way onwards reads before it writes them, for
    /// a call that stands `offset` bytes behind its first instruction: there or behind that, as it may be under way; before
    /// the first one when that is negative. Variables in cells are never among them. `None` when no way leads to there.
    pub fn never_read(&self, offset: i64) -> Option<Vec<u64>> {
        let mut places = Vec::new();
        match u32::try_from(offset) {
            Err(_) => places.push(0),
            Ok(offset) => {
                let number = self.instructions.at(offset / 2)?;
                for node in self.nodes_of(number) {
                    places.push(node);
                    places.extend(self.nodes.get(node as usize)?.next.into_iter().flatten());
                }
                if places.is_empty() {
                    return None;
                }
                // What is thrown into a call that waits for its next turn is raised where it was left.
                let before = number.checked_sub(1).filter(|&before| self.is_suspension(before));
                places.extend(before.into_iter().flat_map(|before| self.nodes_of(before)));
            }
        }
        let is_read = |variable: &Variable| {
            let read_from = |&place: &u32| self.liveness.is_read_from(place, variable.number);
            variable.is_read_otherwise || places.iter().any(read_from)
        };
        Some(
            self.variables
                .iter()
                .filter(|each| !is_read(each))
                .map(|each| each.name)
                .collect(),
        )
    }

    fn is_suspension(&self, number: u32) -> bool {
        self.instructions
            .all
            .get(number as usize)
            .is_some_and(|each| each.flow == Flow::Suspends)
    }

    /// The nodes of an instruction.
    fn nodes_of(&self, number: u32) -> impl Iterator<Item = u32> {
        let instruction = |node: &u32| self.nodes[*node as usize].instruction;
        let first = self.nodes_in_order.partition_point(|node| instruction(node) < number);
        let rest = self.nodes_in_order.get(first..).unwrap_or_default().iter().copied();
        rest.take_while(move |node| self.nodes[*node as usize].instruction == number)
    }
}

/// The local variables of a code object that are in no cell.
fn variables<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64) -> Result<Vec<Variable>, Unreadable> {
    let (mut reads_all, mut reads_first) = (false, false);
    for name in names_used(memory, layout, code)? {
        let name = text::str_value(memory, layout, name, LONGEST_READER)?;
        reads_all |= READERS_OF_ALL.contains(&&*name);
        reads_first |= name == READER_OF_FIRST;
    }
    let variable = |(name, number): (u64, u32)| Variable {
        number,
        name,
        is_read_otherwise: reads_all || reads_first && number == 0,
    };
    Ok(plain_variables(memory, layout, code)?
        .into_iter()
        .map(variable)
        .collect())
}

/// The names, as addresses of `str` objects, and the numbers of the local variables that are in no cell.
pub fn plain_variables<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    code: u64,
) -> Result<Vec<(u64, u32)>, Unreadable> {
    let member = |offset: u64| code.wrapping_add(offset);
    match (layout.code.form, layout.code.bytecode) {
        (
            CodeForm::Tuples {
                varnames,
                freevars,
                cellvars,
                ..
            },
            _,
        ) => {
            let mut in_cells = tuple_at(memory, layout, member(cellvars))?;
            in_cells.extend(tuple_at(memory, layout, member(freevars))?);
            let names = tuple_at(memory, layout, member(varnames))?.into_iter().zip(0..);
            Ok(names.filter(|(name, _)| !in_cells.contains(name)).collect())
        }
        (CodeForm::LocalsPlus { names, .. }, Bytecode::Adaptive { kinds, .. }) => {
            let kinds = bytes_at(memory, layout, member(kinds), MOST_NAMES)?;
            let names = tuple_at(memory, layout, member(names))?.into_iter().zip(0..);
            let is_plain = |number: u32| kinds.get(number as usize).is_some_and(|kind| kind & IN_CELL == 0);
            Ok(names.filter(|&(_, number)| is_plain(number)).collect())
        }
        (CodeForm::LocalsPlus { .. }, Bytecode::Bytes { .. }) => Ok(Vec::new()),
    }
}

/// `co_names`: the globals and attributes that the code asks for.
pub fn names_used<M: ReadMemory>(memory: &mut M, layout: &Layout, code: u64) -> Result<Vec<u64>, Unreadable> {
    let mut references = layout.code.references.iter();
    match references.find(|(name, _)| *name == "co_names") {
        Some(&(_, offset)) => tuple_at(memory, layout, code.wrapping_add(offset)),
        None => Ok(Vec::new()),
    }
}

/// The items of the tuple that the pointer at `place` leads to.
fn tuple_at<M: ReadMemory>(memory: &mut M, layout: &Layout, place: u64) -> Result<Vec<u64>, Unreadable> {
    let tuple = memory.word(place)?;
    let count = memory.word(tuple.wrapping_add(layout.object.ob_size))?;
    if count > MOST_NAMES {
        return Err(Unreadable::Implausible {
            what: "tuple of names",
            at: tuple,
        });
    }
    let bytes = memory.read(tuple.wrapping_add(layout.tuple.items), 8 * count as usize)?;
    Ok(bytes.chunks_exact(8).map(|word| word_at(word, 0)).collect())
}

/// The contents of the `bytes` that the pointer at `place` leads to, when there are at most `most`.
fn bytes_at<M: ReadMemory>(memory: &mut M, layout: &Layout, place: u64, most: u64) -> Result<Vec<u8>, Unreadable> {
    let object = memory.word(place)?;
    let length = memory.word(object.wrapping_add(layout.object.ob_size))?;
    if length > most {
        return Err(Unreadable::Implausible {
            what: "bytes",
            at: object,
        });
    }
    Ok(memory
        .read(object.wrapping_add(layout.text.bytes_value), length as usize)?
        .to_vec())
}
