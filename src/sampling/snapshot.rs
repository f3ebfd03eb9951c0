//! One look at a heap, reduced to what later looks are compared with.

use std::rc::Rc;
use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::heap::{Container, ContainerKind, Earlier, Followed};

/// What later snapshots are compared with: small, and kept for every snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Since the first snapshot.
    pub at: Duration,
    /// A core does not tell.
    pub rss: Option<u64>,
    pub objects: u64,
    pub heap_bytes: u64,
    /// Type name, count, bytes.
    pub types: Vec<(Rc<str>, u64, u64)>,
    pub containers: Vec<ContainerSize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerSize {
    /// What [`Container::identity`] says.
    pub identity: u64,
    /// A number made of the name that it has, if it has one: another object may come to stand at its address.
    pub name: Option<u64>,
    pub kind: ContainerKind,
    pub length: u64,
    /// What [`Container::first`] says.
    pub first: u64,
    pub kept_bytes: u64,
}

impl Snapshot {
    /// What the next snapshot has to know of this one.
    pub fn as_earlier(&self) -> Earlier {
        let mut earlier = Earlier::default();
        for each in &self.containers {
            earlier.insert(each.identity, each.kind, each.length, each.first);
        }
        earlier
    }

    /// Takes out of `earlier` snapshots the containers that are not there any more: nobody will ask about them.
    pub fn forget_what_is_gone(&self, earlier: &mut [Snapshot]) {
        let there: FxHashSet<_> = self.containers.iter().map(|each| (each.identity, each.kind)).collect();
        for snapshot in earlier {
            snapshot
                .containers
                .retain(|each| there.contains(&(each.identity, each.kind)));
            snapshot.containers.shrink_to_fit();
        }
    }
}

impl ContainerSize {
    pub fn of(container: &Container) -> ContainerSize {
        ContainerSize {
            identity: container.identity(),
            name: container.name(),
            kind: container.kind,
            length: container.length,
            first: container.first,
            kept_bytes: container.kept_bytes,
        }
    }

    pub fn of_followed(followed: &Followed) -> ContainerSize {
        ContainerSize {
            identity: followed.address,
            name: None,
            kind: followed.kind,
            length: followed.length,
            first: followed.first,
            kept_bytes: followed.kept_bytes,
        }
    }
}
