//! What the files of a recording were, as rows: one for each file.

use std::rc::Rc;

use crate::allocations::sources::{Sources, Stamp};
use crate::heap::saved::{Record, Recorded, Seal};

/// A file. Without a seal it was changed while the program ran.
pub struct Row {
    file: Rc<str>,
    seal: Option<Seal>,
}

pub fn rows(sources: &Sources) -> Vec<Row> {
    let row = |(file, stamp): (&Rc<str>, &Stamp)| Row {
        file: Rc::clone(file),
        seal: match stamp {
            Stamp::Whole(seal) => Some(*seal),
            Stamp::Changed => None,
        },
    };
    sources.stamps.iter().map(row).collect()
}

pub fn sources(rows: Vec<Row>) -> Sources {
    let stamp = |row: Row| (row.file, row.seal.map_or(Stamp::Changed, Stamp::Whole));
    Sources {
        stamps: rows.into_iter().map(stamp).collect(),
    }
}

impl Recorded for Row {
    const TEXTS: &'static [&'static str] = &["file"];
    const NUMBERS: &'static [&'static str] = &["bytes", "crc32"];

    fn to_record(&self) -> Record {
        Record {
            texts: vec![Some(Rc::clone(&self.file))],
            numbers: match self.seal {
                Some(seal) => vec![Some(seal.bytes), Some(seal.crc32.into())],
                None => vec![None; 2],
            },
        }
    }

    fn from_record(record: &Record) -> Option<Row> {
        let ([file], [bytes, crc32]) = (record.texts.as_slice(), record.numbers.as_slice()) else {
            return None;
        };
        Some(Row {
            file: file.clone()?,
            seal: match (bytes, crc32) {
                (Some(bytes), Some(crc32)) => Some(Seal {
                    bytes: *bytes,
                    crc32: u32::try_from(*crc32).ok()?,
                }),
                _ => None,
            },
        })
    }
}
