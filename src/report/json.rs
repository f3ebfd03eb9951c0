//! The report as JSON, `pymemscope/report/1`, on one line.

use std::io::{self, Write};

use super::model::Report;

/// What every report conforms to, as JSON Schema 2020-12.
pub const SCHEMA_TEXT: &str = include_str!("report.schema.json");

pub fn write(report: &Report<'_>, mut out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut out, report)?;
    out.write_all(b"\n")
}
