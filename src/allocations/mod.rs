//! What a program allocates, as the recorder within it writes it down: bringing the recorder there,
//! reading what it wrote, and keeping it.

mod carrier;
pub mod chosen;
pub mod difference;
pub mod figures;
pub mod glob;
pub mod history;
mod library;
pub mod lines;
mod processes;
mod recorded;
pub mod saved;
pub mod sources;
mod weights;

pub use carrier::{Carrier, NoRecorder, Sampling};
pub use processes::{OtherProcess, OtherProcesses, RecordedProcess};
pub use recorded::{
    AliveAt, Allocations, DomainTotals, Dropped, IMPORTING, Moment, RecordedSite, Sites, ThreadTotals, domain_named,
    place_of,
};
pub use weights::Mark;
