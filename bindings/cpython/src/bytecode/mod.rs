//! What code objects do with their variables: which of them may still be read from where a call stands.
//!
//! `opcodes` says what a version's own tables say of its instructions, `meaning` what they do not say. `plain` reads a
//! code object back to what was compiled, `decode` makes instructions of it, `graph` the ways through them, handlers of
//! exceptions included, and `liveness` asks for each what is read further on. `live_locals` is the way in. `changes` asks
//! whether a container that a parameter has may be changed, `operations` which instructions do what can be found in source.

mod blocks;
mod changes;
mod decode;
mod exception_table;
mod graph;
mod live_locals;
mod liveness;
mod meaning;
pub mod opcodes;
mod operations;
mod plain;

pub use changes::may_change;
pub use live_locals::{CodeLiveness, names_used};
pub use operations::{Operation, operations};
