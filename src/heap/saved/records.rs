//! Small tables, whose rows are values in memory: types, containers, frames of a tree.

use std::fs::File;
use std::io::Write;
use std::rc::Rc;

use super::table::{Column, ParquetError, Table, Values, write};
use crate::heap::texts::Texts;

/// A row: its texts and its numbers, in the order of their columns. What a row does not have is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub texts: Vec<Option<Rc<str>>>,
    pub numbers: Vec<Option<u64>>,
}

/// What can be a row of a table.
pub trait Recorded: Sized {
    /// The names of the columns of texts, then of those of numbers.
    const TEXTS: &'static [&'static str];
    const NUMBERS: &'static [&'static str];

    /// As many texts and numbers as there are names.
    fn to_record(&self) -> Record;

    /// `None` when the record makes no sense.
    fn from_record(record: &Record) -> Option<Self>;
}

/// Writes a table with one row for each of `all`; answers the bytes written.
pub fn save<T: Recorded>(file: impl Write + Send, all: &[T]) -> Result<(), ParquetError> {
    let records: Vec<Record> = all.iter().map(T::to_record).collect();
    let mut texts = Texts::default();
    let numbers_of_texts: Vec<Vec<Option<u32>>> = (0..T::TEXTS.len())
        .map(|column| {
            let texts_of = |record: &Record| record.texts[column].as_ref().map(|text| texts.number(text));
            records.iter().map(texts_of).collect()
        })
        .collect();
    let text_columns: Vec<_> = numbers_of_texts.iter().map(|of| move |row: usize| of[row]).collect();
    let number_columns: Vec<_> = (0..T::NUMBERS.len())
        .map(|column| {
            let records = &records;
            move |row: usize| records[row].numbers[column]
        })
        .collect();
    let mut columns = Vec::new();
    for (name, of) in T::TEXTS.iter().zip(&text_columns) {
        let texts = texts.all();
        columns.push(Column {
            name,
            values: Values::Text { texts, of },
        });
    }
    for (name, of) in T::NUMBERS.iter().zip(&number_columns) {
        columns.push(Column {
            name,
            values: Values::Number(of),
        });
    }
    write(file, all.len(), &columns)
}

/// Reads what `save` wrote. A row that makes no sense is an error.
pub fn load<T: Recorded>(file: File) -> Result<Vec<T>, ParquetError> {
    let table = Table::open(file)?;
    let mut records = Vec::new();
    let mut shared = Texts::default();
    for (column, name) in T::TEXTS.iter().enumerate() {
        let mut row = 0;
        table.texts(name, |text| {
            let text = text.map(|text| shared.shared(text));
            record_at::<T>(&mut records, row).texts[column] = text;
            row += 1;
        })?;
    }
    for (column, name) in T::NUMBERS.iter().enumerate() {
        let mut row = 0;
        table.numbers(name, |number| {
            record_at::<T>(&mut records, row).numbers[column] = number;
            row += 1;
        })?;
    }
    let all: Option<Vec<T>> = records.iter().map(T::from_record).collect();
    all.ok_or_else(|| ParquetError::General("a row makes no sense".to_owned()))
}

fn record_at<T: Recorded>(records: &mut Vec<Record>, row: usize) -> &mut Record {
    if records.len() <= row {
        let empty = Record {
            texts: vec![None; T::TEXTS.len()],
            numbers: vec![None; T::NUMBERS.len()],
        };
        records.resize(row + 1, empty);
    }
    &mut records[row]
}
