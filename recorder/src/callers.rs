//! The stack of calls behind every allocation, at a price that can be paid for every one.
//!
//! From one allocation to the next most calls stay as they are. So the frames are only walked and compared with those of
//! the last time; a stack is looked up from the outermost call on that has moved. A call is known by its code and its
//! instruction, as they stand in the frame; what line that is was found out once.

use cpython::memory::ReadMemory;
use cpython::stack::Step;
use recording::form::{Domain, MOST_CALLS};

use crate::own_memory::Direct;
use crate::python;
use crate::region::Area;
use crate::stacks::{Stacks, Walking};

/// The calls of the last allocation, and what other calls have led to.
pub struct Callers {
    walking: Option<Walking>,
    /// Room for the calls of this allocation, the innermost first.
    steps: Vec<Step>,
    /// The outermost first, each with the number of the stack that it makes.
    last: Vec<(Step, u32)>,
    /// By a hash of all but the number.
    ways: Vec<Way>,
}

/// A call of a stack leads to a stack.
#[derive(Clone, Copy, Default)]
struct Way {
    code: u64,
    instruction: u64,
    caller: u32,
    stack: u32,
}

const WAYS: usize = 1 << 12;

impl Callers {
    pub const fn new() -> Callers {
        Callers {
            walking: None,
            steps: Vec::new(),
            last: Vec::new(),
            ways: Vec::new(),
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
        self.steps.resize(MOST_CALLS, Step::default());
        self.forget_ways();
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
        let hash = (step.instruction ^ step.code.rotate_left(20) ^ u64::from(caller) << 32).wrapping_mul(SPREAD);
        let place = (hash >> 52) as usize;
        if let Some(way) = self.ways.get(place)
            && (way.instruction, way.code, way.caller) == (step.instruction, step.code, caller)
            && way.stack != 0
        {
            return way.stack;
        }
        met(step.code);
        let stack = stacks.called(area, caller, step.frame);
        if let Some(way) = self.ways.get_mut(place) {
            *way = Way {
                code: step.code,
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
        self.ways.clear();
        self.ways.resize(WAYS, Way::default());
    }
}

/// 2 to the power of 64, divided by the golden ratio; its product's highest 12 bits are a place among [`WAYS`].
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const _: () = assert!(WAYS == 1 << (64 - 52));

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
