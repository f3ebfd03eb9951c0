//! Stacks as rows of a table, each call once behind the one that it was called from.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::births::Call;
use crate::heap::saved::{Record, Recorded};

/// Longer stacks are none of ours.
const DEEPEST: usize = 1 << 16;

/// A call, by the row of the one that it was called from; that comes before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallRow {
    pub parent: Option<u64>,
    pub call: Call,
}

/// The rows of some stacks.
#[derive(Debug, Default)]
pub struct CallRows {
    rows: Vec<CallRow>,
    known: FxHashMap<CallRow, u64>,
}

impl CallRows {
    /// The row of the innermost call of a stack; `None` for one without calls.
    pub fn innermost(&mut self, stack: &[Call]) -> Option<u64> {
        let mut parent = None;
        for call in stack {
            let row = CallRow {
                parent,
                call: call.clone(),
            };
            parent = Some(*self.known.entry(row).or_insert_with_key(|row| {
                self.rows.push(row.clone());
                self.rows.len() as u64 - 1
            }));
        }
        parent
    }

    pub fn into_rows(self) -> Vec<CallRow> {
        self.rows
    }
}

/// The stack whose innermost call has this row, the outermost call first; `None` when the rows lead nowhere.
pub fn stack(rows: &[CallRow], innermost: u64) -> Option<Rc<[Call]>> {
    let mut stack = Vec::new();
    let mut next = Some(innermost);
    while let Some(row) = next {
        let call = rows.get(usize::try_from(row).ok()?)?;
        if stack.len() == DEEPEST || call.parent.is_some_and(|parent| parent >= row) {
            return None;
        }
        stack.push(call.call.clone());
        next = call.parent;
    }
    stack.reverse();
    Some(stack.into())
}

/// The texts of a call and its line.
pub fn fields(call: &Call) -> (Vec<Option<Rc<str>>>, Option<u64>) {
    let texts = [&call.function, &call.file].map(|text| Some(Rc::clone(text)));
    (texts.to_vec(), call.line.map(u64::from))
}

/// What `fields` was given; `None` where a text is missing or the line is none.
pub fn call(function: &Option<Rc<str>>, file: &Option<Rc<str>>, line: Option<u64>) -> Option<Call> {
    Some(Call {
        function: function.clone()?,
        file: file.clone()?,
        line: line.map(u32::try_from).transpose().ok()?,
    })
}

impl Recorded for CallRow {
    const TEXTS: &'static [&'static str] = &["function", "file"];
    const NUMBERS: &'static [&'static str] = &["line", "parent"];

    fn to_record(&self) -> Record {
        let (texts, line) = fields(&self.call);
        Record {
            texts,
            numbers: vec![line, self.parent],
        }
    }

    fn from_record(record: &Record) -> Option<CallRow> {
        let ([function, file], [line, parent]) = (record.texts.as_slice(), record.numbers.as_slice()) else {
            return None;
        };
        Some(CallRow {
            parent: *parent,
            call: call(function, file, *line)?,
        })
    }
}
