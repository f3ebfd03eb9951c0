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
        let mut places: Vec<(Place, f32)> = Vec::new();
        let mut number_of: FxHashMap<Place, usize> = FxHashMap::default();
        // For each object, the places that may have made it: their numbers, with what speaks for each.
        let options: Vec<Vec<(usize, Candidate)>> = objects
            .iter()
            .map(|&object| {
                let candidates = self
                    .marks
                    .get(object as usize)
                    .map(|mark| mark.candidates)
                    .unwrap_or_default();
                let option = |candidate: Candidate| {
                    let place = self.observer.stacks.place(candidate.stack)?;
                    let number = *number_of.entry(place).or_insert_with(|| {
                        places.push((place, 1.0));
                        places.len() - 1
                    });
                    Some((number, candidate))
                };
                candidates.into_iter().filter_map(option).collect()
            })
            .collect();
        let mut shares: Vec<f32> = places.iter().map(|_| 1.0).collect();
        for _ in 0..ROUNDS {
            let mut sums = vec![0.0; shares.len()];
            for options in &options {
                let total: f32 = options
                    .iter()
                    .map(|(place, candidate)| shares[*place] * candidate.weight)
                    .sum();
                for (place, candidate) in options.iter().filter(|_| total > 0.0) {
                    sums[*place] += shares[*place] * candidate.weight / total;
                }
            }
            shares = sums;
        }
        options.iter().map(|options| best(options, &shares)).collect()
    }
}

/// The place that most speaks for, by what is known of one object and by the `shares` of places in all of them.
fn best(options: &[(usize, Candidate)], shares: &[f32]) -> Option<Origin> {
    let mut weights: Vec<(usize, f32, Candidate)> = Vec::new();
    for &(place, candidate) in options {
        let weight = shares.get(place).copied().unwrap_or_default() * candidate.weight;
        match weights.iter_mut().find(|(known, ..)| *known == place) {
            Some((_, known, _)) => *known += weight,
            None => weights.push((place, weight, candidate)),
        }
    }
    let total: f32 = weights.iter().map(|(_, weight, _)| weight).sum();
    let (_, weight, candidate) = weights.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let confidence = if total > 0.0 && weight >= LIKELY * total {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    Some(Origin {
        stack: candidate.stack,
        confidence,
    })
}
