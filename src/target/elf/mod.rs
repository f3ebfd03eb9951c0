//! Symbols of ELF images, from a process's own memory or from a file; and the table of contents of core files.
//!
//! Memory comes first: the dynamic symbol table stands in a loaded segment, so it is there for stripped, deleted,
//! replaced and containerised files alike, and it is the truth of what runs. Nothing in it is trusted.

mod core;
mod file;
mod format;
mod identity;
mod image;
mod lookup;

pub use self::core::{CoreLayout, CoreSegment, NT_PRPSINFO, NT_PRSTATUS, NoCore, Note, read_core};
pub use file::SymbolFile;
pub use identity::is_same_build;
pub use image::{Found, Image, Segment, image_at};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// In the process.
    pub address: u64,
    /// Zero when the image does not say.
    pub size: u64,
    pub is_function: bool,
}
