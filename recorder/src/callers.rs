//! The stack of calls behind every allocation, at a price that can be paid for every one.
//!
//! From one allocation to the next most calls stay as they are. So the frames are only walked and compared with those of
//! the last time; a stack is looked up from the outermost call on that has moved. A call is known by its code and its
//! instruction, as they stand in the frame; what line that is was found out once.

use cpython::memory::ReadMemory;
use cpython::stack::Step;
use recording::form::{Domain, MOST_CALLS};

use crate::own_memory::Direct;
use crate::region::Area;
use crate::stacks::{Stacks, Walking};
use crate::{python, system};

/// The calls of the last allocation, and what other calls have led to.
pub struct Callers {
    walking: Option<Walking>,
    /// Room for the calls of this allocation, the innermost first.
    steps: Vec<Step>,
    /// The outermost first, each with the number of the stack that it makes.
    last: Vec<(Step, u32)>,
    /// By a hash of all but the number, in one of two places.
    ways: &'static mut [[Way; 2]],
    /// Of the ways that count; in the highest bits of their `code`, where addresses have none.
    generation: u64,
}

/// A call of a stack leads to a stack. Two of them are a line of the processor's cache.
#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct Way {
    code: u64,
    instruction: u64,
    caller: u32,
    stack: u32,
}

/// What recursion leads to is looked up here, too: programs have many stacks.
const WAYS: usize = 1 << WAY_BITS;
const WAY_BITS: u32 = 17;
const GENERATION_AT: u32 = 48;

impl Callers {
    pub const fn new() -> Callers {
        Callers {
            walking: None,
            steps: Vec::new(),
            last: Vec::new(),
            ways: &mut [],
            generation: 0,
        }
    }

    /// The number of the calling thread's stack, 0 when it has none; `met` is told of the code of each call that was looked
    /// up anew.
    #[inline]
    pub fn stack(&mut self, area: Area, stacks: &mut Stacks, domain: Domain, met: impl FnMut(u64)) -> u32 {
        let walking = match self.walking {
            Some(walking) => walking,
            None => match self.get_ready(area, stacks) {
                Some(walking) => walking,
                None => return 0,
            },
        };
        let Some(thread) = python::thread_of(domain) else {
            return 0;
        };
        let count = walk(walking, thread, &mut self.steps);
        self.follow(area, stacks, count, met)
    }

    #[cold]
    fn get_ready(&mut self, area: Area, stacks: &mut Stacks) -> Option<Walking> {
        self.walking = stacks.steps(area);
        if self.walking.is_some() {
            self.steps.resize(MOST_CALLS, Step::default());
            self.forget_ways();
        }
        self.walking
    }

    /// The number of the stack of the calls that were walked.
    #[inline]
    fn follow(&mut self, area: Area, stacks: &mut Stacks, count: usize, mut met: impl FnMut(u64)) -> u32 {
        let outermost_first = || self.steps[..count].iter().rev();
        let pairs = self.last.iter().zip(outermost_first());
        let same = pairs.take_while(|((known, _), step)| known == *step).count();
        self.last.truncate(same);
        let mut number = self.last.last().map_or(0, |&(_, number)| number);
        for index in (0..count - same).rev() {
            let step = self.steps[index];
            number = self.way(area, stacks, number, step, &mut met);
            self.last.push((step, number));
        }
        number
    }

    #[inline]
    fn way(&mut self, area: Area, stacks: &mut Stacks, caller: u32, step: Step, met: &mut impl FnMut(u64)) -> u32 {
        let code = step.code ^ self.generation << GENERATION_AT;
        let hash = (step.instruction ^ u64::from(caller) << 40 ^ u64::from(caller)).wrapping_mul(SPREAD);
        let place = (hash >> (64 - WAY_BITS)) as usize;
        if let Some(ways) = self.ways.get(place) {
            let leads_there = |way: &&Way| (way.instruction, way.code, way.caller) == (step.instruction, code, caller);
            if let Some(way) = ways.iter().find(leads_there).filter(|way| way.stack != 0) {
                return way.stack;
            }
        }
        met(step.code);
        let stack = stacks.called(area, caller, step.frame);
        if let Some([first, second]) = self.ways.get_mut(place) {
            *second = *first;
            *first = Way {
                code,
                instruction: step.instruction,
                caller,
                stack,
            };
        }
        stack
    }

    /// Forgets what calls have led to: a code object is about to go, and another one may come to stand at its address.
    #[cold]
    pub fn forget_ways(&mut self) {
        self.last.clear();
        self.generation += 1;
        if self.ways.is_empty() || self.generation >> (64 - GENERATION_AT) != 0 {
            self.generation = 1;
            self.ways.fill([Way::default(); 2]);
            if self.ways.is_empty()
                && let Some(memory) = system::map_private(WAYS * size_of::<[Way; 2]>())
            {
                // SAFETY: the memory is so long, zero, which is a `Way`, and nobody else's for ever.
                self.ways = unsafe { std::slice::from_raw_parts_mut(memory.cast(), WAYS) };
            }
        }
    }
}

/// 2 to the power of 64, divided by the golden ratio: a product's highest bits depend on all of its factor's.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The frames of a thread, the innermost first, as far as there is room.
#[inline]
fn walk(walking: Walking, thread: u64, into: &mut [Step]) -> usize {
    // SAFETY: the frames of this very thread are followed, which are as they are while it allocates.
    let mut memory = unsafe { Direct::trusting() };
    let mut innermost = walking.innermost;
    innermost.pointer = innermost.pointer.wrapping_add(thread);
    let pointer = innermost.word(&mut memory);
    let mut frame = pointer.and_then(|pointer| Ok(memory.word(pointer)?)).unwrap_or(0);
    let mut count = 0;
    while frame != 0 && count < into.len() {
        let Ok((step, previous)) = walking.steps.at(&mut memory, frame) else {
            break;
        };
        if let Some(step) = step {
            into[count] = step;
            count += 1;
        }
        frame = previous;
    }
    count
}
