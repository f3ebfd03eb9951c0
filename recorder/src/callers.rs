//! The stack of calls behind every allocation, at a price that can be paid for every one.
//!
//! From one allocation to the next most calls stay as they are. So each frame that was seen is marked, where the
//! interpreter's next step in it takes the mark away (`cpython::marks`), and frames are walked over from the innermost on up
//! to one that has its mark still: from there on outwards nothing can have moved. What that costs is what has changed, not how
//! deep the calls are. A call is known by its code and its instruction, as they stand in the frame; what line that is was found
//! out once.

use cpython::marks::{Spot, Written};
use cpython::memory::ReadMemory;
use cpython::stack::Step;
use recording::form::Domain;

use crate::own_memory::Direct;
use crate::region::Area;
use crate::stacks::{Stacks, Walking};
use crate::{python, system};

/// The calls of the last allocation, and what other calls have led to.
pub struct Callers {
    walking: Option<Walking>,
    /// The calls of this allocation that were walked over, the innermost first, and where they can be marked.
    steps: Vec<(Step, Option<Spot>)>,
    /// The outermost first, each with the number of the stack that it makes. The mark of a frame is its place here.
    last: Vec<(Step, u32)>,
    /// Of the last of `last`, where that is the innermost call and carries a mark.
    tip: Option<Tip>,
    /// By a hash of all but the number, in one of two places.
    ways: &'static mut [[Way; 2]],
    /// Of the ways that count; in the highest bits of their `code`, where addresses have none.
    generation: u64,
}

/// The frame of an innermost call, and its mark. While both are the same, all that may have changed is the instruction.
#[derive(Clone, Copy)]
struct Tip {
    frame: u64,
    spot: Spot,
    mark: Written,
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
            tip: None,
            ways: &mut [],
            generation: 0,
        }
    }

    /// The number of the calling thread's stack, 0 when it has none; `met` is told of the code of each call that was looked
    /// up anew.
    #[inline]
    pub fn stack(&mut self, area: Area, stacks: &mut Stacks, domain: Domain, met: impl FnMut(u64)) -> u32 {
        if self.walking.is_none() {
            self.get_ready(area, stacks);
        }
        // By reference: a copy of it would cost as much as a step.
        let Some(walking) = &self.walking else {
            return 0;
        };
        let Some(thread) = python::thread_of(domain) else {
            return 0;
        };
        // SAFETY: the frames of this very thread are followed, which are as they are while it allocates.
        let mut memory = unsafe { Direct::trusting() };
        let Some(frame) = innermost(walking, &mut memory, thread) else {
            return 0;
        };
        if let Some(tip) = &self.tip
            && tip.frame == frame
            && tip.spot.holds(&mut memory, tip.mark)
            && let Ok(instruction) = walking.steps.instruction(&mut memory, frame)
        {
            return self.go_on(area, stacks, instruction, met);
        }
        let known = walk(walking, &mut memory, frame, &self.last, &mut self.steps);
        self.follow(area, stacks, known, met)
    }

    /// The number of the stack of the calls of the last time, the innermost of which is at this instruction now.
    #[inline]
    fn go_on(&mut self, area: Area, stacks: &mut Stacks, instruction: u64, mut met: impl FnMut(u64)) -> u32 {
        let outer = self.last.len().checked_sub(2).map_or(0, |outer| self.last[outer].1);
        let Some(&(step, number)) = self.last.last() else {
            return 0;
        };
        if step.instruction == instruction {
            return number;
        }
        let step = Step { instruction, ..step };
        let number = self.way(area, stacks, outer, step, &mut met);
        self.last.pop();
        self.last.push((step, number));
        number
    }

    #[cold]
    fn get_ready(&mut self, area: Area, stacks: &mut Stacks) {
        self.walking = stacks.steps(area);
        if self.walking.is_some() {
            self.forget_ways();
        }
    }

    /// The number of the stack that the calls in `steps` make behind so many known ones.
    #[inline]
    fn follow(&mut self, area: Area, stacks: &mut Stacks, known: usize, mut met: impl FnMut(u64)) -> u32 {
        let outermost_first = || self.steps.iter().rev();
        let pairs = self.last[known..].iter().zip(outermost_first());
        let same = pairs.take_while(|((known, _), (step, _))| known == step).count();
        self.last.truncate(known + same);
        let mut number = known.checked_sub(1).map_or(0, |outer| self.last[outer].1);
        self.tip = None;
        for (index, place) in (0..self.steps.len()).rev().zip(known..) {
            let ((step, spot), caller) = (self.steps[index], number);
            number = match self.last.get(place) {
                Some(&(_, number)) => number,
                None => {
                    let number = self.way(area, stacks, caller, step, &mut met);
                    self.last.push((step, number));
                    number
                }
            };
            let written = mark(spot, place, caller != number);
            self.tip = spot.zip(written).map(|(spot, mark)| Tip {
                frame: step.frame,
                spot,
                mark,
            });
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
        self.tip = None;
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

/// The frame of the innermost call of a thread.
#[inline]
fn innermost(walking: &Walking, memory: &mut Direct, thread: u64) -> Option<u64> {
    let mut innermost = walking.innermost;
    innermost.pointer = innermost.pointer.wrapping_add(thread);
    let pointer = innermost.word(memory).ok()?;
    let frame = memory.word(pointer).ok()?;
    (frame != 0).then_some(frame)
}

/// Walks over frames from this one, the innermost, on up to one that has not been left since it was marked, and answers how
/// many of the calls of the last time are not further in than that one. It and those before it are put into `steps`.
#[inline]
fn walk(
    walking: &Walking,
    memory: &mut Direct,
    innermost: u64,
    last: &[(Step, u32)],
    steps: &mut Vec<(Step, Option<Spot>)>,
) -> usize {
    let (mut frame, mut calls) = (innermost, false);
    steps.clear();
    while frame != 0 && steps.len() < MOST_STEPS {
        let Ok(stepped) = walking.steps.at(memory, frame) else {
            break;
        };
        if let Some(step) = stepped.step {
            let marks = walking.marks.as_ref();
            let spot = marks.and_then(|marks| marks.spot(memory, frame, calls).ok().flatten());
            steps.push((step, spot));
            if let Some(place) = spot.and_then(|spot| marked(memory, spot, step, last)) {
                return place;
            }
        }
        calls = stepped.is_call;
        frame = stepped.previous;
    }
    0
}

/// The place of a frame among the last calls if it has its mark. Whenever something is put at a place the frame is marked with
/// it: so what stands there is the call that has the mark, if at another instruction perhaps.
#[inline]
fn marked(memory: &mut Direct, spot: Spot, step: Step, last: &[(Step, u32)]) -> Option<usize> {
    let place = spot.mark(memory).ok()?? as usize;
    let (known, _) = last.get(place)?;
    (known.frame == step.frame && known.code == step.code).then_some(place)
}

/// 2 to the power of 64, divided by the golden ratio: a product's highest bits depend on all of its factor's.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// So many frames are walked over at most: of deeper calls the outermost are left out.
const MOST_STEPS: usize = 1 << 12;

/// Marks the frame of the call at this place. What is no call of the program's own, and makes no stack of its caller's, is not
/// to be marked.
#[inline]
fn mark(spot: Option<Spot>, place: usize, is_call: bool) -> Option<Written> {
    let spot = spot.filter(|_| is_call)?;
    let written = spot.written(place)?;
    // SAFETY: the spot was found a moment ago, and nothing has run since.
    unsafe { Direct::trusting().mark(&spot, written) };
    Some(written)
}
