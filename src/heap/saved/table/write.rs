//! Writes tables: a file each, in groups of rows.

use std::io::Write;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};

/// A column to be written, by what stands in each row.
pub struct Column<'a> {
    pub name: &'static str,
    pub values: Values<'a>,
}

pub enum Values<'a> {
    /// Numbers that lie near the one before: addresses in order, sizes.
    Near(&'a dyn Fn(usize) -> u64),
    /// Numbers of which a row may have none.
    Number(&'a dyn Fn(usize) -> Option<u64>),
    /// Texts, given as numbers of `texts`, of which a row may have none.
    Text {
        texts: &'a [Rc<str>],
        of: &'a dyn Fn(usize) -> Option<u32>,
    },
}

/// Rows whose columns stand together, which is also what a reader must hold at a time.
const ROWS_A_GROUP: usize = 1 << 20;
/// Values that are made before they are written.
const ROWS_A_BATCH: usize = 1 << 14;
/// Names are told apart up to so many bytes of them a group; beyond these they are written one by one.
const DICTIONARY_BYTES: usize = 16 << 20;

/// Writes a table of so many rows. An empty table has its columns all the same.
pub fn write(file: impl Write + Send, rows: usize, columns: &[Column]) -> Result<()> {
    let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
    let schema = Type::group_type_builder("table").with_fields(fields).build()?;
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties(columns)))?;
    let texts: Vec<Vec<ByteArray>> = columns.iter().map(Column::texts).collect();
    let mut start = 0;
    while start < rows {
        let group = start..rows.min(start + ROWS_A_GROUP);
        start = group.end;
        let mut row_group = writer.next_row_group()?;
        for (column, texts) in columns.iter().zip(&texts) {
            let Some(mut to) = row_group.next_column()? else {
                return Err(ParquetError::General("a column too many".to_owned()));
            };
            column.write(&mut to, group.clone(), texts)?;
            to.close()?;
        }
        row_group.close()?;
    }
    writer.close().map(drop)
}

fn field(column: &Column) -> Result<Arc<Type>> {
    let (physical, logical, repetition) = match column.values {
        Values::Near(_) => (Physical::INT64, unsigned(), Repetition::REQUIRED),
        Values::Number(_) => (Physical::INT64, unsigned(), Repetition::OPTIONAL),
        Values::Text { .. } => (Physical::BYTE_ARRAY, LogicalType::String, Repetition::OPTIONAL),
    };
    let field = Type::primitive_type_builder(column.name, physical)
        .with_logical_type(Some(logical))
        .with_repetition(repetition);
    field.build().map(Arc::new)
}

fn unsigned() -> LogicalType {
    LogicalType::integer(64, false)
}

fn properties(columns: &[Column]) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("pymemscope ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_max_row_group_row_count(Some(ROWS_A_GROUP));
    for column in columns {
        let path = ColumnPath::from(column.name);
        properties = match column.values {
            Values::Text { .. } => properties.set_column_dictionary_enabled(path, true),
            Values::Near(_) | Values::Number(_) => properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
        };
    }
    properties.build()
}

impl Column<'_> {
    fn texts(&self) -> Vec<ByteArray> {
        match self.values {
            Values::Text { texts, .. } => texts.iter().map(|text| ByteArray::from(&**text)).collect(),
            _ => Vec::new(),
        }
    }

    fn write(&self, to: &mut SerializedColumnWriter, rows: Range<usize>, texts: &[ByteArray]) -> Result<()> {
        match self.values {
            Values::Near(of) => write_rows(to.typed::<Int64Type>(), rows, false, |row| Some(of(row) as i64)),
            Values::Number(of) => {
                let number = |row| of(row).map(|value| value as i64);
                write_rows(to.typed::<Int64Type>(), rows, true, number)
            }
            Values::Text { of, .. } => {
                let text = |row| of(row).and_then(|text| texts.get(text as usize)).cloned();
                write_rows(to.typed::<ByteArrayType>(), rows, true, text)
            }
        }
    }
}

/// Writes the values of some rows; where the column has no room for missing ones, all must be there.
fn write_rows<T: DataType>(
    to: &mut ColumnWriterImpl<T>,
    rows: Range<usize>,
    may_miss: bool,
    value: impl Fn(usize) -> Option<T::T>,
) -> Result<()> {
    let mut values = Vec::with_capacity(ROWS_A_BATCH);
    let mut is_there = Vec::with_capacity(ROWS_A_BATCH);
    for start in rows.clone().step_by(ROWS_A_BATCH) {
        values.clear();
        is_there.clear();
        for row in start..rows.end.min(start + ROWS_A_BATCH) {
            let value = value(row);
            is_there.push(i16::from(value.is_some()));
            values.extend(value);
        }
        to.write_batch(&values, may_miss.then_some(&is_there), None)?;
    }
    Ok(())
}
