//! What a program allocates, as the recorder within it writes it down: bringing the recorder there, and reading what it wrote.

mod carrier;
mod library;
mod recorded;

pub use carrier::{Carrier, NoRecorder, Sampling};
pub use recorded::{Allocations, DomainTotals, RecordedSite, Sites, ThreadTotals};
