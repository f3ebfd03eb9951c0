//! Questions about single objects and types: what keeps them alive, and what they hold. The answers are data.

mod alike;
mod chain;
mod holders;
mod network;
mod prices;
mod profile;
mod referents;
mod steps;
mod subject;

use std::rc::Rc;

use cpython::memory::ReadMemory;

use super::Heap;
use super::detail::Detail;
use super::facts::Facts;
use super::finishing::counted_by_formula;
use super::graph::references::{Malformed, References};
use super::labels::Label;
use super::leftovers;
use super::live::Live;
use super::objects::{HEAP, Objects};
use super::ownership::Ownership;
use super::recalled::Recalled;
use super::survey::Survey;
use super::tasks::{self, Task};
use network::Network;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub about: Topic,
    pub direction: Direction,
    /// How many steps are shown; `None` leaves the choice to the answer.
    pub depth: Option<u32>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Topic {
    /// All objects of the type with this name, `module.qualname`; built-in types go without a module too.
    Type(String),
    /// The object at this address.
    Address(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Who holds it.
    Holders,
    /// What it holds.
    Referents,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswerable {
    /// No object is of this type; types whose names come near, the nearest first.
    NoSuchType { asked: String, near: Vec<String> },
    /// No object begins at this address; the one whose block it lies in, if any, with its type.
    NoObject {
        address: u64,
        within: Option<(u64, String)>,
    },
    /// There are more references than can be counted.
    TooLarge(Malformed),
}

/// Everything that is known of what was asked for. Sizes are bytes.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// `module.qualname`.
    pub type_name: Rc<str>,
    pub sum: Sum,
    /// Only of a single object.
    pub profile: Option<Profile>,
    /// Who refers to it, by type, the most frequent first.
    pub referrers: Vec<(Rc<str>, u64)>,
    /// The ways in which it is held, the most objects first, and then the cheapest to understand first.
    pub groups: Vec<Group>,
    /// The objects of the groups that are not listed.
    pub left_out: Sum,
    /// What it holds, where that was asked.
    pub referents: Option<Vec<Referent>>,
    /// Weak references to it, which keep nothing alive; their paths.
    pub weak: Vec<Weak>,
    pub objects_read: u64,
    pub objects_rejected: u64,
    pub warnings: Vec<String>,
}

/// Objects, their bytes, and what would go with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    pub count: u64,
    pub bytes: u64,
    pub retained_bytes: u64,
}

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub address: u64,
    /// The object and everything that it reaches; modules, classes, functions and code are not entered. Never less than
    /// what it retains, these included.
    pub deep_bytes: u64,
    pub deep_objects: u64,
    /// What it holds, by attribute, key or place, the largest `deep_bytes` first.
    pub parts: Vec<Part>,
}

/// What an object holds under one name, or in places that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `.lines`, `['eu']`, `[…]`.
    pub name: String,
    pub type_name: Rc<str>,
    pub sum: Sum,
    /// All that it reaches, whoever else reaches it too; what it retains at least.
    pub deep_bytes: u64,
}

/// What keeps an object alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// A root reaches it.
    Held,
    /// No root that is known reaches it, but more references to it, or to what holds it, exist than are known.
    HeldByC,
    /// Nothing but itself and what is garbage too: the collector frees it when it comes to it.
    Garbage,
}

/// Objects, or chains to one object, that look alike step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub state: State,
    /// `__main__.JOURNAL[…]`.
    pub path: String,
    pub sum: Sum,
    /// How many chains to the one object look like this; 1 where many objects were asked for.
    pub chains: u64,
    /// The chain that is cheapest to understand.
    pub example: Chain,
    /// What all chains to the example pass, the outermost first: the example goes with each of these.
    pub dominators: Vec<Dominator>,
}

/// A chain from a root down to an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// `__main__.JOURNAL[3]`.
    pub path: String,
    /// From the root on; the last is the object.
    pub steps: Vec<ChainStep>,
    /// How many steps the chain has in all.
    pub length: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ChainStep {
    /// `.JOURNAL`, `[3]`, ` > rows`.
    pub text: String,
    /// Empty for a thread, a frame, the interpreter.
    pub type_name: Rc<str>,
    /// 0 for what is no object.
    pub address: u64,
    pub retained_bytes: u64,
    /// How many times in a row the steps that belong together are taken.
    pub times: u64,
    /// Whether every chain to the object passes here.
    pub is_dominator: bool,
    /// Steps that are not shown come before this one.
    pub after_gap: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Dominator {
    pub path: String,
    pub type_name: Rc<str>,
    pub address: u64,
    pub retained_bytes: u64,
}

/// Objects that are held alike, in the tree of what is held: the first node is what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Referent {
    /// The index of what holds it, always smaller than its own; the first is its own.
    pub parent: u32,
    /// `.lines`, `[…]`; empty for the first.
    pub text: String,
    pub type_name: Rc<str>,
    pub sum: Sum,
    /// The address, where it is one object.
    pub address: Option<u64>,
    /// A weak reference: it does not hold what it refers to.
    pub is_weak: bool,
    /// How many objects it holds that are not shown.
    pub hidden: u64,
}

/// A weak reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weak {
    /// The path of the reference object.
    pub path: String,
    pub type_name: Rc<str>,
    pub address: u64,
}

/// One heap, ready to be asked.
struct Inquiry<F> {
    facts: F,
    network: Network,
    /// The label of the tuples in which functions have their cells.
    closure: Label,
}

impl Survey<'_> {
    /// Answers one question. Asks the memory for the names that the answer needs.
    pub fn answer<M: ReadMemory>(self, memory: &mut M, question: &Question) -> Result<Answer, Unanswerable> {
        let Survey {
            subject,
            mut found,
            mut warnings,
            mut walker,
            rows,
            ..
        } = self;
        memory.expect_little();
        let asked = subject::rows_of(&Live::new(memory, subject.layout, &mut found), &question.about)?;
        warnings.extend(counted_by_formula(&found));
        leftovers::resolve(memory, subject.layout, &mut found, &rows);
        // Of the owners only those are needed that nothing is known to hold.
        let tasks = tasks::pending(memory, subject.layout, &mut walker, &mut found);
        let adopted = Ownership::of(memory, &mut found, subject.layout, &rows, &tasks).adopted;
        let (references, labels) = references(&mut found.objects, adopted, &tasks).map_err(Unanswerable::TooLarge)?;
        let facts = Live::new(memory, subject.layout, &mut found);
        let mut answer = Inquiry::of(facts, references, labels, rows.adopters()).answer(question, &asked);
        answer.warnings = warnings;
        Ok(answer)
    }
}

/// Answers one question about a heap that was saved.
pub fn answer(detail: Detail, heap: &Heap, question: &Question) -> Result<Answer, Unanswerable> {
    let mut facts = Recalled::new(detail, &heap.types, heap.rejected);
    let asked = subject::rows_of(&facts, &question.about)?;
    let (references, labels) = facts.take_references().map_err(Unanswerable::TooLarge)?;
    let adopters = facts.adopters();
    Ok(Inquiry::of(facts, references, labels, adopters).answer(question, &asked))
}

/// The references of all rows and their labels, by number. The references are taken out of the rows; what is adopted is
/// held by its adopter as well, and the tasks by the heap.
fn references(
    objects: &mut Objects,
    mut adopted: Vec<(u32, Vec<u32>)>,
    tasks: &[Task],
) -> Result<(References, Vec<Label>), Malformed> {
    let mut labels = Vec::with_capacity(objects.reference_count() + tasks.len());
    for row in 0..objects.holders() as u32 {
        labels.extend(objects.references(row).iter().map(|reference| reference.label));
        if row == HEAP {
            labels.extend(tasks.iter().map(|task| task.label));
        }
        if let Some((_, adopted)) = adopted.iter().find(|(adopter, _)| *adopter == row) {
            labels.resize(labels.len() + adopted.len(), Label::UNNAMED);
        }
    }
    let running = tasks.iter().map(|task| task.row).collect();
    adopted.push((HEAP, running));
    Ok((objects.take_references(&adopted)?, labels))
}

impl<F: Facts> Inquiry<F> {
    fn of(mut facts: F, references: References, labels: Vec<Label>, adopters: [u32; 2]) -> Self {
        Inquiry {
            network: Network::of(&mut facts, references, labels, adopters),
            closure: facts.member(steps::CLOSURE),
            facts,
        }
    }

    /// The bytes of a row and of all that would go with it.
    fn retained_bytes(&self, row: u32) -> u64 {
        self.network.retained_bytes(&self.facts, row)
    }

    fn answer(&mut self, question: &Question, asked: &[u32]) -> Answer {
        let mut answer = Answer {
            type_name: self.facts.type_name(asked.first().copied().unwrap_or_default()),
            sum: self.sum(asked),
            objects_read: u64::from(self.facts.nodes() - self.network.adopters[1] - 1),
            objects_rejected: self.facts.rejected(),
            ..Answer::default()
        };
        match question.direction {
            Direction::Holders => {
                let (groups, left_out) = match question.about {
                    Topic::Address(_) => self.ways_to(asked, question.depth),
                    Topic::Type(_) => self.groups_of(asked, question.depth),
                };
                (answer.groups, answer.left_out) = (groups, left_out);
                answer.referrers = self.referrers(asked);
                answer.weak = self.weak_references(asked);
            }
            Direction::Referents => answer.referents = Some(self.referents(asked, question.depth)),
        }
        if let (Topic::Address(address), &[row]) = (&question.about, asked) {
            answer.profile = Some(self.profile(*address, row));
        }
        answer
    }
}
