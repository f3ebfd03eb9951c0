//! A recording over time: what was alive at each reading, and which functions allocated since the one before.

use std::rc::Rc;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::recorded::Allocations;

/// More readings than these are thinned out.
const MOST_READINGS: usize = 4096;
/// Functions of each reading; those that allocated least are left out.
const MOST_FUNCTIONS: usize = 24;

/// What a recording said at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Since the first one.
    pub at: Duration,
    /// Of what was allocated since the program's start.
    pub alive_bytes: u64,
    /// Functions that allocated since the reading before, themselves or by what they called; most bytes first.
    pub active: Vec<Active>,
}

/// A function, and the bytes that came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    pub function: Rc<str>,
    pub file: Rc<str>,
    pub bytes: u64,
}

/// The readings of a program under way.
#[derive(Debug, Default)]
pub struct History {
    readings: Vec<Reading>,
    /// What each function, of its file, had allocated at the last one.
    allocated: FxHashMap<(Rc<str>, Rc<str>), u64>,
}

impl History {
    pub fn add(&mut self, at: Duration, allocations: &Allocations) {
        let allocated = by_function(allocations);
        let grown = allocated.iter().filter_map(|(function, &bytes)| {
            let before = self.allocated.get(function).copied().unwrap_or(0);
            (bytes > before).then(|| Active {
                function: Rc::clone(&function.0),
                file: Rc::clone(&function.1),
                bytes: bytes - before,
            })
        });
        let active = grown.collect();
        self.allocated = allocated;
        if self.readings.len() == MOST_READINGS {
            self.thin_out();
        }
        self.readings.push(Reading {
            at,
            alive_bytes: allocations.alive_bytes(),
            active: largest(active),
        });
    }

    pub fn into_readings(self) -> Vec<Reading> {
        self.readings
    }

    /// Every second reading goes; what was allocated until then counts for the next one.
    fn thin_out(&mut self) {
        let mut kept: Vec<Reading> = Vec::with_capacity(MOST_READINGS / 2 + 1);
        let mut readings = std::mem::take(&mut self.readings).into_iter();
        kept.extend(readings.next());
        while let Some(first) = readings.next() {
            kept.push(match readings.next() {
                Some(second) => second.after(first),
                None => first,
            });
        }
        self.readings = kept;
    }
}

/// What each function has allocated, itself or by what it called. There may be millions of calls, so they are told apart by
/// where their names stand: a recording has each name once.
fn by_function(allocations: &Allocations) -> FxHashMap<(Rc<str>, Rc<str>), u64> {
    let mut sums = FxHashMap::default();
    let mut counted = FxHashSet::default();
    for recorded in &allocations.allocated {
        counted.clear();
        for call in recorded.site.stack.iter() {
            let function = (call.function.as_ptr(), call.file.as_ptr());
            if counted.insert(function) {
                let (_, sum) = sums.entry(function).or_insert((call, 0_u64));
                *sum = sum.saturating_add(recorded.site.bytes);
            }
        }
    }
    let named = sums.into_values().map(|(call, bytes)| {
        let function = (Rc::clone(&call.function), Rc::clone(&call.file));
        (function, bytes)
    });
    named.collect()
}

impl Reading {
    /// This reading, where the one before it is left out.
    fn after(self, before: Reading) -> Reading {
        let mut active = self.active;
        for other in before.active {
            let is_same = |each: &&mut Active| each.function == other.function && each.file == other.file;
            match active.iter_mut().find(is_same) {
                Some(same) => same.bytes = same.bytes.saturating_add(other.bytes),
                None => active.push(other),
            }
        }
        Reading {
            active: largest(active),
            ..self
        }
    }
}

fn largest(mut active: Vec<Active>) -> Vec<Active> {
    active.sort_by(|a, b| {
        let larger = b.bytes.cmp(&a.bytes);
        larger.then_with(|| (&a.file, &a.function).cmp(&(&b.file, &b.function)))
    });
    active.truncate(MOST_FUNCTIONS);
    active
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_is_thinned_out_and_loses_no_bytes() {
        let reading = |number: u64| Reading {
            at: Duration::from_secs(number),
            alive_bytes: number,
            active: vec![Active {
                function: if number.is_multiple_of(3) {
                    "f".into()
                } else {
                    "g".into()
                },
                file: "a.py".into(),
                bytes: 10,
            }],
        };
        let mut history = History {
            readings: (0..MOST_READINGS as u64).map(reading).collect(),
            ..History::default()
        };
        history.thin_out();
        let readings = history.into_readings();
        assert_eq!(readings.len(), MOST_READINGS / 2 + 1);
        let bytes = readings.iter().flat_map(|each| &each.active).map(|active| active.bytes);
        assert_eq!(bytes.sum::<u64>(), 10 * MOST_READINGS as u64);
        assert_eq!(readings[1].at, Duration::from_secs(2));
        assert!(readings.is_sorted_by_key(|each| each.at));
    }
}
