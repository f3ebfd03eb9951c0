//! What repeated looks at the same process tell: what grew, and how fast.

pub mod attribution;
pub mod births;
pub mod growth;
pub mod observing;
pub mod snapshot;
pub mod traced;
