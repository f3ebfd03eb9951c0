//! What a program allocates, as the recorder within it writes it down: bringing the recorder there,
//! reading what it wrote, and keeping it.

mod carrier;
pub mod chosen;
pub mod difference;
pub mod figures;
pub mod glob;
mod library;
pub mod lines;
mod recorded;
pub mod saved;

pub use carrier::{Carrier, NoRecorder};
pub use recorded::{
    Allocations, DomainTotals, Mark, Moment, RecordedSite, Sites, ThreadTotals, domain_named, place_of,
};
