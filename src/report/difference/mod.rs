//! What `diff` shows: two heaps beside each other, and two recordings.

pub mod model;
mod recording;
pub mod terminal;

use std::io::{self, Write};

use self::model::Compared;
use super::output::FileFormat;

/// The JSON schema of a comparison.
pub const SCHEMA_TEXT: &str = include_str!("diff.schema.json");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceFormat {
    Json,
    /// A flame graph of the later heap, coloured by what has changed.
    Svg,
    /// Folded stacks with two figures.
    Collapsed,
}

impl FileFormat for DifferenceFormat {
    const ALL: &'static [DifferenceFormat] = &[
        DifferenceFormat::Json,
        DifferenceFormat::Svg,
        DifferenceFormat::Collapsed,
    ];

    fn name(self) -> &'static str {
        match self {
            DifferenceFormat::Json => "json",
            DifferenceFormat::Svg => "svg",
            DifferenceFormat::Collapsed => "collapsed",
        }
    }
}

pub fn write_json(compared: &Compared<'_>, mut out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut out, compared)?;
    out.write_all(b"\n")
}
