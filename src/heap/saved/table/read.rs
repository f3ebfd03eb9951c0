//! Reads tables, a column at a time, from the first row to the last. A file is believed no further than its columns go.

use std::fs::File;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};

/// A table in a file.
pub struct Table {
    reader: SerializedFileReader<File>,
}

/// Values that are decoded at a time.
const ROWS_A_BATCH: usize = 1 << 14;

impl Table {
    /// An error when the file is no table, or ends too early.
    pub fn open(file: File) -> Result<Table> {
        let reader = SerializedFileReader::new(file)?;
        Ok(Table { reader })
    }

    /// Tells `each` the values of a column of numbers.
    pub fn numbers(&self, name: &str, mut each: impl FnMut(Option<u64>)) -> Result<()> {
        self.for_each_group(name, |reader| match reader {
            ColumnReader::Int64ColumnReader(reader) => read(reader, |value| each(value.map(|&value| value as u64))),
            _ => Err(unusable(name, "is not of numbers")),
        })
    }

    /// Tells `each` the values of a column of texts.
    pub fn texts(&self, name: &str, mut each: impl FnMut(Option<&str>)) -> Result<()> {
        self.for_each_group(name, |reader| match reader {
            ColumnReader::ByteArrayColumnReader(reader) => {
                let mut all_are_texts = true;
                read(reader, |value| {
                    let text = value.map(|value| value.as_utf8());
                    all_are_texts &= !matches!(text, Some(Err(_)));
                    each(text.map(|text| text.unwrap_or_default()));
                })?;
                match all_are_texts {
                    true => Ok(()),
                    false => Err(unusable(name, "holds what is no text")),
                }
            }
            _ => Err(unusable(name, "is not of texts")),
        })
    }

    fn for_each_group(&self, name: &str, mut take: impl FnMut(ColumnReader) -> Result<()>) -> Result<()> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let column = schema.columns().iter().position(|column| column.name() == name);
        let column = column.ok_or_else(|| unusable(name, "is missing"))?;
        for group in 0..self.reader.num_row_groups() {
            take(self.reader.get_row_group(group)?.get_column_reader(column)?)?;
        }
        Ok(())
    }
}

fn unusable(name: &str, how: &str) -> ParquetError {
    ParquetError::General(format!("the column {name} {how}"))
}

fn read<T: DataType>(mut reader: ColumnReaderImpl<T>, mut each: impl FnMut(Option<&T::T>)) -> Result<()> {
    let (mut values, mut levels) = (Vec::with_capacity(ROWS_A_BATCH), Vec::with_capacity(ROWS_A_BATCH));
    loop {
        values.clear();
        levels.clear();
        let (rows, ..) = reader.read_records(ROWS_A_BATCH, Some(&mut levels), None, &mut values)?;
        if rows == 0 {
            return Ok(());
        }
        let mut next = values.iter();
        // A column without missing values has no levels.
        for row in 0..rows {
            let is_there = levels.get(row).is_none_or(|&level| level > 0);
            each(if is_there { next.next() } else { None });
        }
    }
}
