//! Chains as a reader sees them: without the dicts behind attributes, with repetitions folded, and with a gap where they
//! are too long.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::alike::PLACE;
use super::{Chain, ChainStep, Dominator, Inquiry};
use crate::heap::facts::Facts;
use crate::heap::labels::{Label, LabelKind};

/// More steps than a reader follows: what lies between the first and the last is left out.
const MOST_STEPS: usize = 24;
/// Steps that repeat each other come in periods of at most so many.
const LONGEST_PERIOD: usize = 4;
/// So many times in a row is worth folding: the path that is left can be read, but not evaluated any more.
const WORTH_FOLDING: usize = 8;
/// The dominators that are told: so many from the outside, and the innermost ones.
const OUTER_DOMINATORS: usize = 6;
const INNER_DOMINATORS: usize = 2;

/// Steps that follow each other, and how many times they do.
struct Run {
    /// Their first occurrence, among the references of the chain that are shown.
    steps: Range<usize>,
    times: usize,
    /// Which of them are the same each time, and not some place or other of a container.
    are_same: Vec<bool>,
}

/// What steps that look alike have in common: how something is held, by which name, and its type.
type Likeness = (LabelKind, u32, u32);

impl<F: Facts> Inquiry<F> {
    /// Writes the chain of these references, of which the last `depth` steps are shown.
    pub fn chain(&mut self, references: &[u32], depth: Option<u32>) -> Chain {
        let shown = self.shown(references);
        let most = depth.map_or(usize::MAX, |depth| depth as usize);
        let first = shown.len().saturating_sub(most);
        let dominators = self.dominators_of(references);
        let runs = self.runs(references, &shown[first..]);
        let count: usize = runs.iter().map(|run| run.steps.len()).sum();
        let mut chain = Chain {
            path: String::new(),
            steps: Vec::new(),
            length: shown.len() as u64,
        };
        let (mut number, mut gap) = (0, first > 0);
        for run in runs {
            let begin = chain.path.len();
            for (step, is_same) in run.steps.clone().zip(&run.are_same) {
                number += 1;
                if number > MOST_STEPS / 2 && count - number >= MOST_STEPS / 2 {
                    gap = true;
                    continue;
                }
                let at = shown[first + step];
                let mut step = ChainStep {
                    times: run.times as u64,
                    after_gap: std::mem::take(&mut gap),
                    ..self.chain_step(references, at, &dominators)
                };
                if !is_same {
                    step.text = PLACE.to_owned();
                }
                if step.after_gap {
                    chain.path.push('…');
                }
                chain.path.push_str(&step.text);
                chain.steps.push(step);
            }
            if run.times > 1 && chain.path.len() > begin {
                chain.path.insert(begin, '(');
                chain.path.push_str(&format!(" × {})", run.times));
            }
        }
        chain
    }

    /// The dominators of a chain's last row among its rows, the outermost first; the row itself is left out.
    pub fn dominators(&mut self, references: &[u32]) -> Vec<Dominator> {
        let dominators = self.dominators_of(references);
        let last = references.len().saturating_sub(1);
        let mut places: Vec<usize> = self.shown(references);
        places.retain(|&at| at < last && dominators.contains(&self.network.target(references[at])));
        if places.len() > OUTER_DOMINATORS + INNER_DOMINATORS {
            places.drain(OUTER_DOMINATORS..places.len() - INNER_DOMINATORS);
        }
        let dominator = |at: usize| {
            let row = self.network.target(references[at]);
            Dominator {
                path: self.chain(&references[..=at], None).path,
                type_name: self.facts.type_name(row),
                address: self.facts.address(row),
                retained_bytes: self.retained_bytes(row),
            }
        };
        places.into_iter().map(dominator).collect()
    }

    /// The places in a chain that a reader sees.
    fn shown(&self, references: &[u32]) -> Vec<usize> {
        let is_shown = |&at: &usize| at + 1 == references.len() || !self.is_passed_over(references[at]);
        (0..references.len()).filter(is_shown).collect()
    }

    fn dominators_of(&self, references: &[u32]) -> FxHashSet<u32> {
        match references.last() {
            Some(&last) => self.network.dominators.path(self.network.target(last)).collect(),
            None => FxHashSet::default(),
        }
    }

    fn chain_step(&mut self, references: &[u32], at: usize, dominators: &FxHashSet<u32>) -> ChainStep {
        let before = at.checked_sub(1).map(|before| references[before]);
        let link = self.network.link(&self.facts, before, references[at]);
        ChainStep {
            text: match link.label {
                Label::NAMESPACE => ".__dict__".to_owned(),
                _ => self.text(before, references[at]),
            },
            type_name: self.facts.type_name(link.row),
            address: self.facts.address(link.row),
            retained_bytes: self.retained_bytes(link.row),
            times: 1,
            is_dominator: dominators.contains(&link.row),
            after_gap: false,
        }
    }

    /// The steps at these places in runs: what follows itself again and again is one.
    fn runs(&mut self, references: &[u32], shown: &[usize]) -> Vec<Run> {
        let keys: Vec<Likeness> = shown.iter().map(|&at| self.likeness(references, at)).collect();
        let place =
            |at: usize| Some(self.network.label(references[shown[at]])).filter(|_| keys[at].0 == LabelKind::Index);
        let mut runs = Vec::new();
        let mut at = 0;
        while at < keys.len() {
            let times = |period: usize| repetitions(&keys[at..], period);
            let period = (1..=LONGEST_PERIOD).find(|&period| times(period) >= WORTH_FOLDING);
            let (length, times) = period.map_or((1, 1), |period| (period, times(period)));
            let all = at..at + length * times;
            let is_same = |step: usize| {
                all.clone()
                    .skip(step)
                    .step_by(length)
                    .all(|each| place(each) == place(at + step))
            };
            runs.push(Run {
                steps: at..at + length,
                times,
                are_same: (0..length).map(is_same).collect(),
            });
            at += length * times;
        }
        runs
    }

    /// What a step has in common with those that look alike.
    fn likeness(&mut self, references: &[u32], at: usize) -> Likeness {
        let before = at.checked_sub(1).map(|before| references[before]);
        let link = self.network.link(&self.facts, before, references[at]);
        let type_of = self.facts.kind_of(link.row);
        if self.is_place(link) {
            return (LabelKind::Index, 0, type_of);
        }
        match link.label.kind() {
            kind @ (LabelKind::Unnamed | LabelKind::Namespace) => (kind, 0, type_of),
            LabelKind::Entry => (
                LabelKind::Value,
                self.facts.name_number(link.parent, link.label),
                type_of,
            ),
            kind => (kind, self.facts.name_number(link.parent, link.label), type_of),
        }
    }
}

/// How many times the first `period` keys stand there one after the other.
fn repetitions<T: PartialEq>(keys: &[T], period: usize) -> usize {
    let Some(first) = keys.get(..period) else { return 0 };
    keys.chunks_exact(period).take_while(|&keys| keys == first).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_counted_in_whole_periods() {
        let keys: Vec<(u32, u32)> = [1, 2, 1, 2, 1, 2, 1, 3].map(|key| (key, 0)).to_vec();
        assert_eq!(repetitions(&keys, 2), 3);
        assert_eq!(repetitions(&keys, 1), 1);
        assert_eq!(repetitions(&keys, 9), 0);
        assert_eq!(repetitions::<u32>(&[], 1), 0);
    }
}
