//! Everything that is true of CPython, and nothing else: layouts of every release, and decoders that are given bytes.
//!
//! This crate has no dependencies, no `unsafe` and does no I/O. Whoever uses it brings a `ReadMemory`: a frozen
//! process, a core file, an array in a test. Every number that is read is untrusted: pointers are followed only
//! through `ReadMemory`, lengths are bounded before they are used, loops end.

#![forbid(unsafe_code)]

pub mod bytecode;
pub mod choose;
pub mod debug_offsets;
pub mod gil;
pub mod identify;
pub mod layout;
pub mod marks;
pub mod memory;
pub mod objects;
pub mod prove;
pub mod refusal;
pub mod runtime;
pub mod stack;
pub mod version;
pub mod versions;
pub mod youngest;

pub use identify::Symbols;
pub use memory::ReadMemory;
pub use prove::{Recognised, recognise};
pub use refusal::Refused;
