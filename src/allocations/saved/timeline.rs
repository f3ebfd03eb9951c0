//! The readings of a recording as rows: one for each reading, and behind it one for each function that was active before it.

use std::rc::Rc;
use std::time::Duration;

use crate::allocations::history::{Active, Reading};
use crate::heap::saved::{Record, Recorded};

/// A reading where there is no function.
pub struct Row {
    /// Since the first reading.
    nanoseconds: u64,
    function: Option<(Rc<str>, Rc<str>)>,
    /// What was alive; of a function, what was allocated since the reading before.
    bytes: u64,
}

pub fn rows(readings: &[Reading]) -> Vec<Row> {
    let of_reading = |reading: &Reading| {
        let nanoseconds = u64::try_from(reading.at.as_nanos()).unwrap_or(u64::MAX);
        let mut rows = vec![Row {
            nanoseconds,
            function: None,
            bytes: reading.alive_bytes,
        }];
        rows.extend(reading.active.iter().map(|active| Row {
            nanoseconds,
            function: Some((Rc::clone(&active.function), Rc::clone(&active.file))),
            bytes: active.bytes,
        }));
        rows
    };
    readings.iter().flat_map(of_reading).collect()
}

/// `None` when a function comes before the first reading.
pub fn readings(rows: Vec<Row>) -> Option<Vec<Reading>> {
    let mut readings: Vec<Reading> = Vec::new();
    for row in rows {
        match row.function {
            None => readings.push(Reading {
                at: Duration::from_nanos(row.nanoseconds),
                alive_bytes: row.bytes,
                active: Vec::new(),
            }),
            Some((function, file)) => readings.last_mut()?.active.push(Active {
                function,
                file,
                bytes: row.bytes,
            }),
        }
    }
    Some(readings)
}

impl Recorded for Row {
    const TEXTS: &'static [&'static str] = &["function", "file"];
    const NUMBERS: &'static [&'static str] = &["nanoseconds", "alive_bytes", "allocated_bytes"];

    fn to_record(&self) -> Record {
        let (alive, allocated) = match self.function {
            None => (Some(self.bytes), None),
            Some(_) => (None, Some(self.bytes)),
        };
        let (function, file) = self.function.clone().unzip();
        Record {
            texts: vec![function, file],
            numbers: vec![Some(self.nanoseconds), alive, allocated],
        }
    }

    fn from_record(record: &Record) -> Option<Row> {
        let ([function, file], [nanoseconds, alive, allocated]) = (record.texts.as_slice(), record.numbers.as_slice())
        else {
            return None;
        };
        let (function, bytes) = match (function, file, alive, allocated) {
            (None, None, Some(alive), None) => (None, *alive),
            (Some(function), Some(file), None, Some(allocated)) => (Some((function.clone(), file.clone())), *allocated),
            _ => return None,
        };
        Some(Row {
            nanoseconds: (*nanoseconds)?,
            function,
            bytes,
        })
    }
}
