//! `types.parquet`: the types that have objects, the largest `bytes` first. A type's number is its row.

use std::rc::Rc;

use super::records::{Record, Recorded};
use crate::heap::TypeTotals;
use crate::heap::facts::Nature;

impl Recorded for TypeTotals {
    const TEXTS: &'static [&'static str] = &["type", "nature"];
    const NUMBERS: &'static [&'static str] = &[
        "count",
        "bytes",
        "getsizeof_bytes",
        "retained_bytes",
        "tracked_count",
        "tracked_getsizeof_bytes",
    ];

    fn to_record(&self) -> Record {
        let numbers = [
            self.count,
            self.bytes,
            self.getsizeof_bytes,
            self.retained_bytes,
            self.tracked_count,
            self.tracked_getsizeof_bytes,
        ];
        Record {
            texts: vec![Some(Rc::clone(&self.name)), Some(self.nature.word().into())],
            numbers: numbers.map(Some).to_vec(),
        }
    }

    fn from_record(record: &Record) -> Option<TypeTotals> {
        let [name, nature] = record.texts.as_slice() else {
            return None;
        };
        let nature = Nature::ALL
            .into_iter()
            .find(|each| Some(each.word()) == nature.as_deref());
        let [
            count,
            bytes,
            getsizeof_bytes,
            retained_bytes,
            tracked_count,
            tracked_getsizeof_bytes,
        ] = *record.numbers.as_slice()
        else {
            return None;
        };
        Some(TypeTotals {
            name: name.clone()?,
            nature: nature?,
            count: count?,
            bytes: bytes?,
            getsizeof_bytes: getsizeof_bytes?,
            retained_bytes: retained_bytes?,
            tracked_count: tracked_count?,
            tracked_getsizeof_bytes: tracked_getsizeof_bytes?,
        })
    }
}
