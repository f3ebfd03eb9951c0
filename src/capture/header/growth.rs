//! What grew, as the header of a saved capture keeps it: of types what there was at first, of containers their lengths and
//! bytes over time.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::capture::{ContainerSize, Snapshot};
use crate::heap::{Container, Heap};
use crate::sampling::growth::{Growth, Point};

/// No address space has room for more, and no program for so many types: of larger numbers in a file their sums would not
/// be numbers any more.
const MOST: u64 = 1 << 47;
const MOST_TYPES: usize = 1 << 15;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SavedGrowth {
    /// Names, counts and bytes in the first snapshot.
    types: Vec<(Rc<str>, u64, u64)>,
    /// Of those containers that are older than the last snapshot.
    containers: Vec<Series>,
}

/// One container in the last of the snapshots.
#[derive(Debug, Serialize, Deserialize)]
struct Series {
    /// Its row in the table of containers.
    row: usize,
    /// Lengths and kept bytes, the last snapshot's at the end.
    points: Vec<(u64, u64)>,
}

impl SavedGrowth {
    /// `None` where a single snapshot was taken.
    pub fn of(snapshots: &[Snapshot], heap: &Heap) -> Option<SavedGrowth> {
        let first = snapshots.first().filter(|_| snapshots.len() > 1)?;
        let growth = Growth::of(snapshots);
        let series = |(row, container): (usize, &Container)| {
            let series = growth.of_container(container.identity(), container.kind)?;
            let point = |point: &Point| (point.length, point.kept_bytes);
            let points: Vec<_> = series.points.iter().map(point).collect();
            (points.len() > 1).then_some(Series { row, points })
        };
        Some(SavedGrowth {
            types: first.types.clone(),
            containers: heap.containers.iter().enumerate().filter_map(series).collect(),
        })
    }

    /// Gives it back to the snapshots that it was of; the last of them is that of the heap.
    pub fn restore(self, snapshots: &mut [Snapshot], heap: &Heap) {
        let Some((last, earlier)) = snapshots.split_last_mut().filter(|(_, earlier)| !earlier.is_empty()) else {
            return;
        };
        let types = heap.types.iter().take(MOST_TYPES);
        last.types = types
            .map(|each| (each.name.clone(), each.count.min(MOST), each.bytes.min(MOST)))
            .collect();
        let containers = heap.containers.iter().map(ContainerSize::of);
        last.containers = containers
            .map(|each| ContainerSize {
                length: each.length.min(MOST),
                kept_bytes: each.kept_bytes.min(MOST),
                ..each
            })
            .collect();
        for Series { row, points } in self.containers {
            let Some(&container) = last.containers.get(row) else {
                continue;
            };
            let points = points.iter().rev().skip(1);
            for (snapshot, &(length, kept_bytes)) in earlier.iter_mut().rev().zip(points) {
                snapshot.containers.push(ContainerSize {
                    length: length.min(MOST),
                    kept_bytes: kept_bytes.min(MOST),
                    ..container
                });
            }
        }
        if let Some(first) = earlier.first_mut() {
            let types = self.types.into_iter().take(MOST_TYPES);
            first.types = types
                .map(|(name, count, bytes)| (name, count.min(MOST), bytes.min(MOST)))
                .collect();
        }
    }
}
