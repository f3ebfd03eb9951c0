//! A recording over time: what was alive at each reading, and which functions allocated since the one before.

use std::rc::Rc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::chosen::{Filter, Grouping, Place, places};
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
    /// What each function had allocated at the last one.
    allocated: FxHashMap<Place, u64>,
}

impl History {
    pub fn add(&mut self, at: Duration, allocations: &Allocations) {
        let by_function = Filter {
            cumulative: true,
            ..Filter::default()
        };
        let mut active = Vec::new();
        let mut allocated = FxHashMap::default();
        for (place, figures) in places(allocations, &by_function, Grouping::Function) {
            let bytes = figures.allocated.bytes;
            let before = self.allocated.get(&place).copied().unwrap_or(0);
            if let (Some(call), true) = (place.first(), bytes > before) {
                active.push(Active {
                    function: Rc::clone(&call.function),
                    file: Rc::clone(&call.file),
                    bytes: bytes - before,
                });
            }
            allocated.insert(place, bytes);
        }
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
