//! What repeated looks at the same process tell: what grew, and how fast.

pub mod attribution;
pub mod births;
pub mod call_rows;
pub mod growth;
pub mod hot;
mod interpreters;
pub mod observing;
pub mod snapshot;
pub mod traced;
