//! Implementations of `cpython::memory::ReadMemory`, and nothing that knows what the bytes mean.

pub mod process;
