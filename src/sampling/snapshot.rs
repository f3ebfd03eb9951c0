//! One look at a heap, reduced to what later looks are compared with.

use std::rc::Rc;
use std::time::Duration;

use crate::heap::ContainerKind;

/// What later snapshots are compared with: small, and kept for every snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Since the first snapshot.
    pub at: Duration,
    pub rss: u64,
    pub objects: u64,
    pub heap_bytes: u64,
    /// Type name, count, bytes.
    pub types: Vec<(Rc<str>, u64, u64)>,
    pub containers: Vec<ContainerSize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerSize {
    /// What [`Container::identity`](crate::heap::Container::identity) says.
    pub identity: u64,
    /// A number made of the name that it has, if it has one: another object may come to stand at its address.
    pub name: Option<u64>,
    pub kind: ContainerKind,
    pub length: u64,
    pub kept_bytes: u64,
}
