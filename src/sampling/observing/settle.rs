//! Which of its candidates made each object: what all objects of a type have in common settles what one alone leaves open.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::codes::Place;
use super::marks::{Candidate, Mark};
use super::{Counts, Observer};
use crate::sampling::births::{Call, Confidence};

/// Where an object was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// A number for the stack.
    pub stack: u32,
    pub confidence: Confidence,
}

/// What an observer has seen.
pub struct Observed<'a> {
    observer: &'a Observer,
    marks: &'a [Mark],
}

/// Rounds of weighing; more change nothing that matters.
const ROUNDS: usize = 30;
/// A place that so much of what is known speaks for is the likely one.
const LIKELY: f32 = 0.75;

impl Observer {
    /// The objects that were seen being made: their addresses, and those of their types.
    pub fn seen(&self) -> Rc<[(u64, u64)]> {
        self.marks
            .all()
            .iter()
            .map(|mark| (mark.object, mark.type_address))
            .collect()
    }

    /// What is known of these objects, as [`Observer::seen`] numbers them.
    pub fn observed(&self) -> Observed<'_> {
        Observed {
            observer: self,
            marks: self.marks.all(),
        }
    }
}

impl Observed<'_> {
    pub fn counts(&self) -> Counts {
        self.observer.counts()
    }

    /// A stack in words, the outermost call first.
    pub fn calls(&self, stack: u32) -> Option<Rc<[Call]>> {
        self.observer.stacks.calls(&self.observer.codes, stack)
    }

    /// Where each of these objects was made, which are of one type and still alive. `None` where nothing is known.
    pub fn origins(&self, objects: &[u32]) -> Vec<Option<Origin>> {
        let mut number_of: FxHashMap<(u32, i32), usize> = FxHashMap::default();
        let instruction = |candidate: Candidate| {
            let place = self.observer.stacks.place(candidate.stack)?;
            let next = number_of.len();
            let number = *number_of.entry((place.code(), candidate.offset)).or_insert(next);
            Some(Instruction {
                number,
                place,
                candidate,
            })
        };
        let mut instruction = instruction;
        let options: Vec<Vec<Instruction>> = objects
            .iter()
            .map(|&object| {
                let mark = self.marks.get(object as usize);
                let candidates = mark.map(|mark| mark.candidates).unwrap_or_default();
                candidates.into_iter().filter_map(&mut instruction).collect()
            })
            .collect();
        let shares = shares(&options, number_of.len());
        options.iter().map(|options| best(options, &shares)).collect()
    }
}

/// An instruction that may have made an object.
struct Instruction {
    /// Of all instructions that may have made one of the objects.
    number: usize,
    place: Place,
    candidate: Candidate,
}

impl Instruction {
    /// What speaks for it, when these are the instructions' shares in all objects.
    fn weight(&self, shares: &[f32]) -> f32 {
        shares.get(self.number).copied().unwrap_or_default() * self.candidate.weight
    }
}

/// How many of the objects each instruction made, most likely: the few that explain them all, rather than the many that
/// happened to run nearby (expectation maximisation).
fn shares(options: &[Vec<Instruction>], instructions: usize) -> Vec<f32> {
    let mut shares = vec![1.0; instructions];
    for _ in 0..ROUNDS {
        let mut sums = vec![0.0; instructions];
        for options in options {
            let total: f32 = options.iter().map(|option| option.weight(&shares)).sum();
            for option in options.iter().filter(|_| total > 0.0) {
                if let Some(sum) = sums.get_mut(option.number) {
                    *sum += option.weight(&shares) / total;
                }
            }
        }
        shares = sums;
    }
    shares
}

/// The place that most speaks for, by what is known of one object and by the `shares` of instructions in all of them.
fn best(options: &[Instruction], shares: &[f32]) -> Option<Origin> {
    let mut weights: Vec<(Place, f32, u32)> = Vec::new();
    for option in options {
        let weight = option.weight(shares);
        match weights.iter_mut().find(|(place, ..)| *place == option.place) {
            Some((_, known, _)) => *known += weight,
            None => weights.push((option.place, weight, option.candidate.stack)),
        }
    }
    let total: f32 = weights.iter().map(|(_, weight, _)| weight).sum();
    let (_, weight, stack) = weights.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let confidence = if total > 0.0 && weight >= LIKELY * total {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    Some(Origin { stack, confidence })
}
