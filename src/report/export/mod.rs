//! A saved heap in the forms of other tools.

pub mod dominators;
pub mod heap_snapshot;

use std::io::{self, Write};

use super::explanation::dot;
use super::output::FileFormat;
use crate::heap::TypeTotals;
use crate::heap::detail::Detail;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// For the memory panel of Chrome's developer tools, and for memlab.
    HeapSnapshot,
    /// The largest part of the dominator tree, for Graphviz.
    Dot,
}

impl FileFormat for ExportFormat {
    const ALL: &'static [ExportFormat] = &[ExportFormat::HeapSnapshot, ExportFormat::Dot];

    fn name(self) -> &'static str {
        match self {
            ExportFormat::HeapSnapshot => "heapsnapshot",
            ExportFormat::Dot => "dot",
        }
    }
}

impl ExportFormat {
    /// Writes a heap whose objects are of `types`.
    pub fn write(self, types: &[TypeTotals], detail: &Detail, out: &mut dyn Write) -> io::Result<()> {
        match self {
            ExportFormat::HeapSnapshot => heap_snapshot::write(types, detail, out),
            ExportFormat::Dot => dot::write(&dominators::drawing(types, detail), out),
        }
    }
}
