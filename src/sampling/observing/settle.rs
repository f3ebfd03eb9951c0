//! Which of its candidates made each object: what all objects of a type have in common settles what one alone leaves open.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::codes::Place;
use super::marks::{Candidate, Mark};
use super::{Counts, Observer};
use crate::sampling::births::{Call, Confidence};

/// Where an object was made.
#[derive(Debug, Clone, Copy, PartialEq)]
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
/// Where a line takes long, nearly all objects that may have been made on it were seen with readings that agree on it. Where
/// fewer than this do, the program passes through it too quickly for readings to tell.
const AGREEING: f32 = 0.5;
/// So many objects of a type are always believed to be the ones that were seen.
const LEAST_BELIEVED: usize = 8;

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

    /// Where each of these objects was made, which are of one type, of which `came` objects came in all. `None` where nothing
    /// is known.
    ///
    /// Where objects come and go, others of their type come to stand at their addresses. Only as many as can have been seen
    /// of those that came are believed to be still the same: the last ones.
    pub fn origins(&self, objects: &[u32], came: u64) -> Vec<Option<Origin>> {
        let believed = (came as f64 * self.observer.watched_share()) as usize;
        let mut last: Vec<usize> = (0..objects.len()).collect();
        last.sort_by_key(|&index| std::cmp::Reverse(self.look(objects[index])));
        last.truncate(believed.max(LEAST_BELIEVED));
        let chosen: Vec<u32> = last.iter().map(|&index| objects[index]).collect();
        let mut origins = vec![None; objects.len()];
        for (index, origin) in last.into_iter().zip(self.origins_of(&chosen)) {
            origins[index] = origin;
        }
        origins
    }

    fn look(&self, object: u32) -> u64 {
        self.marks.get(object as usize).map_or(0, |mark| mark.look)
    }

    fn origins_of(&self, objects: &[u32]) -> Vec<Option<Origin>> {
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
        let agreeing = |&object: &u32| self.marks.get(object as usize).is_some_and(|mark| mark.agrees);
        let agrees: Vec<bool> = objects.iter().map(agreeing).collect();
        let slow = slow_places(&options, &agrees);
        let origin = |(options, &agrees): (&Vec<Instruction>, &bool)| {
            let (place, stack) = best(options, &shares)?;
            let confidence = if agrees && slow.contains(&place) {
                Confidence::Likely
            } else {
                Confidence::Possible
            };
            Some(Origin { stack, confidence })
        };
        options.iter().zip(&agrees).map(origin).collect()
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
fn best(options: &[Instruction], shares: &[f32]) -> Option<(Place, u32)> {
    let mut weights: Vec<(Place, f32, u32)> = Vec::new();
    for option in options {
        let weight = option.weight(shares);
        match weights.iter_mut().find(|(place, ..)| *place == option.place) {
            Some((_, known, _)) => *known += weight,
            None => weights.push((option.place, weight, option.candidate.stack)),
        }
    }
    let (place, _, stack) = weights.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some((place, stack))
}

/// The places on which so many readings agree that what came while the program stood there was made there.
fn slow_places(options: &[Vec<Instruction>], agrees: &[bool]) -> FxHashSet<Place> {
    /// Objects that may have been made at a place, and those of them whose readings agree on it.
    type Seen = (u32, u32);
    let mut seen: FxHashMap<Place, Seen> = FxHashMap::default();
    for (options, &agrees) in options.iter().zip(agrees) {
        let mut places: Vec<Place> = options.iter().map(|option| option.place).collect();
        places.dedup();
        for place in places {
            let (all, agreeing) = seen.entry(place).or_default();
            *all += 1;
            *agreeing += u32::from(agrees);
        }
    }
    let is_slow = |&(_, (all, agreeing)): &(Place, Seen)| agreeing as f32 >= AGREEING * all as f32;
    seen.into_iter().filter(is_slow).map(|(place, _)| place).collect()
}
