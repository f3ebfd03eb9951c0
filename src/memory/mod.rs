//! Memory of other programs: read as it is, or frozen in an image. All of it implements `cpython::memory::ReadMemory`.

pub mod bulk;
pub mod core;
pub mod exhaustion;
pub mod huge_pages;
pub mod image;
pub mod mem_file;
pub mod process;
pub mod roomy;
pub mod slots;
pub mod spots;
