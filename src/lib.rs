//! pymemscope: a memory profiler for live CPython programs that works from outside the process.
//!
//! Each module knows only those below it; `ARCHITECTURE.md` says why, `tests/architecture.rs` checks it:
//!
//! ```text
//! steer              main → cli, commands
//! show               report
//! judge              rules
//! gather             capture → allocations
//! understand         heap            sampling
//! touch the world    target → memory
//! know               bindings/cpython  bindings/recording
//! ```

pub mod allocations;
pub mod capture;
pub mod cli;
pub mod commands;
pub mod error;
pub mod heap;
pub mod memory;
pub mod report;
pub mod rules;
pub mod sampling;
pub mod spelling;
pub mod syntax;
pub mod target;
pub mod units;
