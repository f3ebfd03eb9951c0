//! What a rule says: which object, where, why, and what it would save.

use std::rc::Rc;

use serde::{Serialize, Serializer};

use crate::heap::Container;
use crate::heap::patterns::Subject;

/// One pattern met on one object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub rule: &'static str,
    pub severity: Severity,
    pub confidence: Confidence,
    /// One line: what it is, with the numbers that matter.
    pub summary: String,
    /// What to change, in a sentence or two.
    pub advice: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    pub object: Object,
    /// The numbers that triggered it and the thresholds that they were held against, in the order they are shown.
    #[serde(serialize_with = "as_map")]
    pub evidence: Vec<(&'static str, Fact)>,
    /// Bytes that following the advice frees, where the evidence proves a figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saving_bytes: Option<u64>,
}

impl Finding {
    /// What findings of one severity are sorted by: the saving where one is proved, all that the object keeps otherwise.
    pub fn cost(&self) -> u64 {
        self.saving_bytes.unwrap_or(self.object.bytes)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    /// How grave it is to waste so many bytes.
    pub fn of_saving(bytes: u64) -> Severity {
        const WORTH_A_CHANGE: u64 = 1 << 20;
        if bytes >= WORTH_A_CHANGE {
            Severity::Warning
        } else {
            Severity::Info
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A guess.
    Possible,
    /// Samples or growth show it.
    Likely,
    /// The object itself shows it.
    Certain,
}

/// A place in the user's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Location {
    pub file: String,
    pub line: u32,
    pub function: String,
}

/// The object that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Object {
    /// Hexadecimal, as Python's `hex(id(x))` writes it.
    #[serde(serialize_with = "as_hexadecimal")]
    pub address: u64,
    #[serde(rename = "type")]
    pub type_name: Rc<str>,
    pub length: u64,
    /// Its own bytes and those of all objects first reached through it.
    pub bytes: u64,
    /// What would go with it: the part of `bytes` that is reached through it alone.
    pub retained_bytes: u64,
    pub path: String,
}

impl Location {
    /// Of what is called `name`, where it is known.
    pub fn of(defined_at: &Option<(String, u32)>, name: &str) -> Option<Location> {
        let (file, line) = defined_at.as_ref()?;
        Some(Location {
            file: file.clone(),
            line: *line,
            function: name.to_owned(),
        })
    }
}

impl Object {
    pub fn of(container: &Container) -> Object {
        Object {
            address: container.address,
            type_name: Rc::clone(&container.type_name),
            length: container.length,
            bytes: container.kept_bytes,
            retained_bytes: container.retained_bytes,
            path: container.path.clone(),
        }
    }

    pub fn of_subject(subject: &Subject) -> Object {
        Object {
            address: subject.address,
            type_name: Rc::clone(&subject.type_name),
            length: subject.length,
            bytes: subject.kept_bytes,
            retained_bytes: subject.retained_bytes,
            path: subject.path.clone(),
        }
    }
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Fact {
    Number(u64),
    Difference(i64),
    Real(f64),
    Text(String),
    /// How many of each.
    #[serde(serialize_with = "as_map")]
    Counts(Vec<(Rc<str>, u64)>),
}

/// Pairs as a map with the order that they have.
pub fn as_map<K: Serialize, V: Serialize, S: Serializer>(pairs: &[(K, V)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

fn as_hexadecimal<S: Serializer>(address: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{address:#x}"))
}
