//! Lines that a program spends its time in, with what they work on: found by looks at the program between the snapshots.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

/// What was seen of a program's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BusyLines {
    /// How often it was looked which line runs; 0 where nobody did.
    pub looks: u64,
    /// Looks that found Python code running.
    pub samples: u64,
    /// The busiest first.
    pub lines: Vec<BusyLine>,
    pub unknown: Vec<UnknownSource>,
}

/// A line that does what another data structure would do better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusyLine {
    pub habit: Habit,
    /// What it works on, as the source has it.
    pub operand: String,
    /// Of a loop the one attribute that it reads of what it goes over; `None` where it does more.
    #[serde(default)]
    pub attribute: Option<String>,
    /// The same in Python terms for a reader who is not in that line.
    pub path: String,
    pub function: String,
    pub file: String,
    pub line: u32,
    /// The line itself.
    pub text: String,
    /// Looks that found the program there.
    pub samples: u64,
    /// How often the operand was longer than before.
    pub rises: u64,
    /// What the operand was in those looks that could tell, by type and roughly by length; the most frequent first.
    pub worked_on: Vec<WorkedOn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// `… in OPERAND`.
    Membership,
    /// `OPERAND.pop(0)`.
    TakesFirst,
    /// `OPERAND.insert(0, …)`.
    InsertsFirst,
    /// `del OPERAND[0]`.
    DeletesFirst,
    /// `OPERAND = OPERAND[1:]`.
    SlicesFirst,
    /// `OPERAND += …`.
    Builds,
    /// `OPERAND[k] = OPERAND.get(k, 0) + …`, and the like.
    Counts,
    /// `for x in OPERAND`, a query set.
    Reads,
}

/// An object that an operand was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkedOn {
    pub type_name: Rc<str>,
    /// Of the longest.
    pub address: u64,
    pub longest: u64,
    pub times: u64,
}

/// A file whose code runs, and whose source is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownSource {
    pub file: String,
    pub reason: String,
    /// Looks that found the program in a test of membership or a sum there.
    pub samples: u64,
}

impl BusyLines {
    /// What cannot be said, because the source is not to be had of code that takes much of the time.
    pub fn warnings(&self) -> Vec<String> {
        /// A smaller part of the time is nobody's concern, and fewer looks prove nothing.
        const LEAST_SHARE: u64 = 20;
        const FEWEST: u64 = 10;
        let matters = |file: &&UnknownSource| file.samples >= FEWEST && file.samples * LEAST_SHARE >= self.samples;
        let told = self.unknown.iter().filter(matters).map(|file| {
            format!(
                "{}: {} of {} looks found the program in a test of membership or a sum there, but its source {}: the rules \
                 that read source say nothing of it",
                file.file, file.samples, self.samples, file.reason
            )
        });
        told.collect()
    }
}
