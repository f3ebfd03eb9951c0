//! What a program allocates, as the recorder within it writes it down: bringing the recorder there, and reading what it wrote.

mod carrier;
mod library;
mod processes;
mod recorded;

pub use carrier::{Carrier, NoRecorder};
pub use processes::{OtherProcess, OtherProcesses, RecordedProcess};
pub use recorded::{AliveAt, Allocations, DomainTotals, Dropped, RecordedSite, Sites, ThreadTotals};
