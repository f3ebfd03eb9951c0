//! A saved heap in the forms of other tools.

pub mod dominators;
pub mod heap_snapshot;

use std::io::{self, Write};

use super::explanation::dot;
use super::output::FileFormat;
use super::picture::Picture;
use super::picture::format::PictureFormat;
use crate::heap::TypeTotals;
use crate::heap::detail::Detail;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// For the memory panel of Chrome's developer tools, and for memlab.
    HeapSnapshot,
    /// The largest part of the dominator tree, for Graphviz.
    Dot,
    /// What flame graphs show.
    Picture(PictureFormat),
}

impl FileFormat for ExportFormat {
    const ALL: &'static [ExportFormat] = &[
        ExportFormat::HeapSnapshot,
        ExportFormat::Dot,
        ExportFormat::Picture(PictureFormat::Collapsed),
        ExportFormat::Picture(PictureFormat::Speedscope),
        ExportFormat::Picture(PictureFormat::Pprof),
    ];

    fn name(self) -> &'static str {
        match self {
            ExportFormat::HeapSnapshot => "heapsnapshot",
            ExportFormat::Dot => "dot",
            ExportFormat::Picture(format) => format.name(),
        }
    }

    fn extension(self) -> &'static str {
        match self {
            ExportFormat::Picture(format) => format.extension(),
            _ => self.name(),
        }
    }
}

/// What exports are made of; each format takes what it needs.
pub struct Exported<'a> {
    pub types: &'a [TypeTotals],
    pub detail: Option<Detail>,
    pub picture: Option<Picture>,
}

impl ExportFormat {
    /// Whether it is made of every object and every reference, not of a picture.
    pub fn is_detailed(self) -> bool {
        !matches!(self, ExportFormat::Picture(_))
    }

    pub fn write(self, exported: &Exported<'_>, out: &mut dyn Write) -> io::Result<()> {
        let types = exported.types;
        match (self, &exported.detail, &exported.picture) {
            (ExportFormat::HeapSnapshot, Some(detail), _) => heap_snapshot::write(types, detail, out),
            (ExportFormat::Dot, Some(detail), _) => dot::write(&dominators::drawing(types, detail), out),
            (ExportFormat::Picture(format), _, Some(picture)) => format.write(picture, out),
            _ => Err(io::Error::other("what it is made of was not read")),
        }
    }
}
