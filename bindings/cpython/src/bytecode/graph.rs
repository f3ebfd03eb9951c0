//! The ways through a code object: what may come behind each instruction, exceptions included.

use std::collections::HashMap;

use super::blocks::{EMPTY, Stack, Stacks, Steps};
use super::decode::{Instruction, Instructions};
use super::exception_table::Range;
use super::meaning::Flow;

/// An instruction is met in fewer stacks than these: the parts of code that always run are met with an exception, without
/// one and once for each way to leave them, and may stand in each other.
const MOST_STACKS: usize = 64;

/// An instruction, in one of the stacks of blocks that it may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    pub instruction: u32,
    /// The nodes that may come next.
    pub next: [Option<u32>; 2],
    /// The node that an exception leads to.
    pub handler: Option<u32>,
}

/// How exceptions find their handlers.
pub enum Handlers<'a> {
    /// By what instructions have pushed (3.8 to 3.10).
    Blocks,
    /// By where they are raised (3.11 and later).
    Ranges(&'a [Range]),
}

/// All that can be reached from the first instruction, which is node 0; `None` when no compiler would have made such code.
pub fn nodes(instructions: &Instructions, handlers: &Handlers) -> Option<Vec<Node>> {
    let mut walk = Walk {
        nodes: Vec::new(),
        known: HashMap::new(),
        stacks: Stacks::default(),
    };
    let raised = match handlers {
        Handlers::Blocks => None,
        Handlers::Ranges(ranges) => Some(handlers_of(instructions, ranges)),
    };
    walk.node(0, EMPTY);
    let mut number = 0;
    while number < walk.nodes.len() {
        if walk.nodes.len() > MOST_STACKS * instructions.all.len() {
            return None;
        }
        let (node, stack) = walk.nodes[number];
        let instruction = instructions.all.get(node.instruction as usize)?;
        let next = walk.behind(instruction, node.instruction, stack, raised.is_none())?;
        let handler = match &raised {
            Some(raised) => raised.get(node.instruction as usize)?.map(|handler| (handler, EMPTY)),
            None => walk.stacks.raise(stack),
        };
        let next = next.map(|step| step.map(|(instruction, stack)| walk.node(instruction, stack)));
        let handler = handler.map(|(instruction, stack)| walk.node(instruction, stack));
        walk.nodes[number].0 = Node { next, handler, ..node };
        number += 1;
    }
    Some(walk.nodes.into_iter().map(|(node, _)| node).collect())
}

/// The handler of each instruction's exceptions.
fn handlers_of(instructions: &Instructions, ranges: &[Range]) -> Vec<Option<u32>> {
    let mut handlers = vec![None; instructions.all.len()];
    for range in ranges {
        let first = instructions.all.partition_point(|each| each.place < range.start);
        let end = instructions.all.partition_point(|each| each.place < range.end);
        let handler = instructions.at(range.handler);
        if let Some(guarded) = handlers.get_mut(first..end) {
            guarded.fill(handler);
        }
    }
    handlers
}

struct Walk {
    nodes: Vec<(Node, Stack)>,
    known: HashMap<(u32, Stack), u32>,
    stacks: Stacks,
}

impl Walk {
    fn node(&mut self, instruction: u32, stack: Stack) -> u32 {
        *self.known.entry((instruction, stack)).or_insert_with(|| {
            let node = Node {
                instruction,
                next: [None, None],
                handler: None,
            };
            self.nodes.push((node, stack));
            self.nodes.len() as u32 - 1
        })
    }

    /// What may come behind an instruction, exceptions apart.
    fn behind(&mut self, instruction: &Instruction, number: u32, stack: Stack, has_blocks: bool) -> Option<Steps> {
        let (next, target) = (
            Some((number + 1, stack)),
            instruction.target.map(|target| (target, stack)),
        );
        match instruction.flow {
            Flow::Ends => Some([None, None]),
            Flow::Jumps => Some([Some(target?), None]),
            Flow::Blocks(step) if has_blocks => self.stacks.step(step, stack, number + 1, instruction.target),
            Flow::Blocks(_) | Flow::Suspends | Flow::ExtendsArgument => Some([next, None]),
            Flow::Next => Some([next, target]),
        }
    }
}
