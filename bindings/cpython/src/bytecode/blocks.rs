//! The blocks that an instruction stands in (3.8 to 3.10), as `Python/ceval.c` pushes and pops them: handlers, exceptions
//! that are being handled, and what a `finally` was entered with.

use std::collections::HashMap;

use super::meaning::BlockStep;

/// What lies on a stack of blocks. The values that 3.8 leaves for the end of a `finally` are taken for blocks as well: both
/// are pushed and popped in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Block {
    /// Exceptions lead to the instruction of that number.
    Handler(u32),
    /// An exception is being handled.
    Handled,
    /// A `finally` was entered without one (3.8).
    NoException,
    /// It was called, and returns to the instruction of that number (3.8).
    Return(u32),
}

/// A stack of blocks, by number: equal stacks have the same.
pub type Stack = u32;
pub const EMPTY: Stack = 0;

/// More blocks than these no call has (`CO_MAXBLOCKS` is 20), with what 3.8 leaves for the ends of `finally`.
const MOST_BLOCKS: u32 = 64;

/// All stacks that were met. Each is one block more than another.
#[derive(Debug, Default)]
pub struct Stacks {
    above_empty: Vec<Top>,
    known: HashMap<(Stack, Block), Stack>,
}

/// The block that a stack has more than the one below it.
#[derive(Debug, Clone, Copy)]
struct Top {
    below: Stack,
    block: Block,
    /// How many blocks there are.
    height: u32,
}

/// Instructions that may come next, each with the stack that it finds.
pub type Steps = [Option<(u32, Stack)>; 2];

impl Stacks {
    /// `None` when it would be higher than any compiler makes it.
    fn push(&mut self, below: Stack, block: Block) -> Option<Stack> {
        if let Some(&known) = self.known.get(&(below, block)) {
            return Some(known);
        }
        let height = 1 + self.top(below).map_or(0, |top| top.height);
        if height > MOST_BLOCKS {
            return None;
        }
        self.above_empty.push(Top { below, block, height });
        let stack = self.above_empty.len() as Stack;
        self.known.insert((below, block), stack);
        Some(stack)
    }

    fn top(&self, stack: Stack) -> Option<Top> {
        let place = stack.checked_sub(1)?;
        self.above_empty.get(place as usize).copied()
    }

    /// Where an exception leads, and with which stack; `None` when it leaves the call.
    pub fn raise(&mut self, mut stack: Stack) -> Option<(u32, Stack)> {
        while let Some(Top { below, block, .. }) = self.top(stack) {
            if let Block::Handler(handler) = block {
                // It has a block less before it gets this one.
                return Some((handler, self.push(below, Block::Handled)?));
            }
            stack = below;
        }
        None
    }

    /// What comes behind an instruction that works on blocks, whose next one is `next` and whose target `target`; `None`
    /// when the stack is not what the compiler would have made it.
    pub fn step(&mut self, step: BlockStep, stack: Stack, next: u32, target: Option<u32>) -> Option<Steps> {
        let then = |stack| Some([Some((next, stack)), None]);
        let popped = self.top(stack).map(|top| (top.below, top.block));
        match (step, popped) {
            (BlockStep::Guard, _) => then(self.push(stack, Block::Handler(target?))?),
            (BlockStep::BeginFinally, _) => then(self.push(stack, Block::NoException)?),
            (BlockStep::CallFinally, _) => Some([Some((target?, self.push(stack, Block::Return(next))?)), None]),
            (BlockStep::Unguard, Some((below, Block::Handler(_)))) => then(below),
            (BlockStep::EndHandling, Some((below, Block::Handled))) => then(below),
            (BlockStep::EndFinally, Some((below, Block::NoException))) => then(below),
            (BlockStep::EndFinally, Some((below, Block::Return(place)))) => Some([Some((place, below)), None]),
            (BlockStep::EndFinally, Some((_, Block::Handled))) => Some([None, None]),
            (BlockStep::LeaveFinally, Some((below, block))) if !matches!(block, Block::Handler(_)) => then(below),
            (BlockStep::ExitWith, Some((below, Block::Handled))) => {
                let dealt_with = self.push(below, Block::NoException)?;
                Some([Some((next, stack)), Some((next, dealt_with))])
            }
            (BlockStep::ExitWith, Some((_, Block::NoException | Block::Return(_)))) => then(stack),
            (BlockStep::EndAsyncFor, Some((below, Block::Handled))) => then(below),
            _ => None,
        }
    }
}
