//! The operating system's side of a program: its process entries, its mapped memory, its files, and stopping it.
//!
//! Nothing here knows what a Python object is; the names of the symbols that mark an interpreter are all there is.

pub mod arch;
pub mod child;
pub mod container;
pub mod core;
pub mod descriptors;
pub mod elf;
pub mod exit_watch;
pub mod file_size_limit;
pub mod finalize_watch;
pub mod freeze;
pub mod freeze_failure;
pub mod interpreter;
pub mod limits;
pub mod maps;
pub mod module_file;
pub mod open;
pub mod pagemap;
pub mod permission;
pub mod process;
pub mod source_file;
pub mod static_data;
