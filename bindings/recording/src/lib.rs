//! The form of what the recorder writes: one file of shared memory, with an area for each process that records.
//!
//! The recorder writes while its program runs, and the program may be killed between any two instructions. So the file can
//! be read at every instant: a row is filled in first and published last, and counts only grow. Everything has its bound,
//! and what finds no room is counted.
//!
//! This crate has no dependencies, no `unsafe` and does no I/O. The writer (`form`) is given structures of atomics that lie
//! in the shared memory; the reader (`read`) is given bytes, and trusts none of them.

#![forbid(unsafe_code)]

pub mod form;
pub mod read;
pub mod tallies;
mod totals;
pub mod weight;

pub use form::Domain;
