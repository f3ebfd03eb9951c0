//! The forms in which an answer is written to files and standard output.

use std::io::{self, Write};

use super::drawing::Drawing;
use super::model::Explained;
use super::{dot, svg};
use crate::report::output::FileFormat;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplanationFormat {
    Json,
    Dot,
    Svg,
}

impl FileFormat for ExplanationFormat {
    const ALL: &'static [ExplanationFormat] =
        &[ExplanationFormat::Json, ExplanationFormat::Dot, ExplanationFormat::Svg];

    fn name(self) -> &'static str {
        match self {
            ExplanationFormat::Json => "json",
            ExplanationFormat::Dot => "dot",
            ExplanationFormat::Svg => "svg",
        }
    }
}

impl ExplanationFormat {
    pub fn write(self, explained: &Explained<'_>, mut out: &mut dyn Write) -> io::Result<()> {
        match self {
            ExplanationFormat::Json => {
                serde_json::to_writer(&mut out, explained)?;
                out.write_all(b"\n")
            }
            ExplanationFormat::Dot => dot::write(&Drawing::of(explained), out),
            ExplanationFormat::Svg => svg::write(&Drawing::of(explained), out),
        }
    }
}
