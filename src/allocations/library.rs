//! The recorder's library, which the program carries with it.

/// Its bytes, made by `build.rs`; none where there is no recorder for this machine.
pub static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/recorder.so"));
