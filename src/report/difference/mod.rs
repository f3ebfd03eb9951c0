//! What `diff` shows: two heaps beside each other.

pub mod model;
pub mod terminal;

use std::io::{self, Write};

use self::model::Compared;
use super::output::FileFormat;

/// The JSON schema of a comparison.
pub const SCHEMA_TEXT: &str = include_str!("diff.schema.json");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceFormat {
    Json,
}

impl FileFormat for DifferenceFormat {
    const ALL: &'static [DifferenceFormat] = &[DifferenceFormat::Json];

    fn name(self) -> &'static str {
        "json"
    }
}

impl DifferenceFormat {
    pub fn write(self, compared: &Compared<'_>, mut out: &mut dyn Write) -> io::Result<()> {
        match self {
            DifferenceFormat::Json => {
                serde_json::to_writer(&mut out, compared)?;
                out.write_all(b"\n")
            }
        }
    }
}
