//! Tables in Parquet files: columns of whole numbers and of texts, as any reader of Parquet takes them. Nothing else here
//! knows the `parquet` crate.

mod read;
mod write;

pub use parquet::errors::ParquetError;
pub use read::Table;
pub use write::{Column, Values, write};
