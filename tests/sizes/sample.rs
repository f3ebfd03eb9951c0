//! What a program says of one of its objects, and what was told of it from outside.

use std::collections::BTreeSet;

use cpython::memory::ReadMemory;
use cpython::objects::types::FieldName;
use cpython::objects::visit::{Step, Visitor};

/// An object in the program's own words.
pub struct Sample {
    pub address: u64,
    /// What `sys.getsizeof` returns.
    pub getsizeof: u64,
    /// `module.qualname` of its type.
    pub type_name: String,
    /// The addresses of what `gc.get_referents` returns.
    pub referents: BTreeSet<u64>,
}

impl Sample {
    /// From `address size type|referent referent…`.
    pub fn parse(line: &str) -> Sample {
        let (head, referents) = line.split_once('|').expect("a bar");
        let mut words = head.splitn(3, ' ');
        let mut number = || words.next().expect("a word").parse().expect("a number");
        let (address, getsizeof) = (number(), number());
        let referents = referents.split_whitespace();
        Sample {
            address,
            getsizeof,
            type_name: words.next().expect("a name").to_owned(),
            referents: referents.map(|word| word.parse().expect("a number")).collect(),
        }
    }
}

/// What the examiner told.
#[derive(Default)]
pub struct Told {
    pub references: Vec<(Step, u64)>,
    candidates: BTreeSet<u64>,
}

impl Told {
    /// Whether the object was told, if only as something that may be one.
    pub fn names(&self, object: u64) -> bool {
        self.candidates.contains(&object) || self.references.iter().any(|&(_, target)| target == object)
    }
}

impl<M> Visitor<M> for Told {
    fn reference(&mut self, step: Step, target: u64) {
        self.references.push((step, target));
    }

    fn candidate(&mut self, _memory: &mut M, word: u64) {
        self.candidates.insert(word);
    }
}

/// A step in one word: the name of a field, or the kind of step.
pub fn step_name(memory: &mut impl ReadMemory, step: Step) -> String {
    match step {
        Step::Field(FieldName::Known(name)) => name.to_owned(),
        Step::Field(FieldName::Text(at)) => String::from_utf8(memory.c_string(at, 64).unwrap()).unwrap(),
        other => {
            let shown = format!("{other:?}");
            shown.split(['(', ' ']).next().unwrap_or_default().to_owned()
        }
    }
}
