//! Objects that were made while one looked: those that stand behind what stood last before, and when each came.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::youngest::{self, Node};
use rustc_hash::FxHashMap;

/// So many of the objects that are there at the beginning are kept in mind: one of them must be there at the end.
const ANCHORS: usize = 24;
/// Stands for the last node while the collector moves the nodes about.
pub const UNKNOWN: u64 = 0;
/// More objects than a program makes in a burst.
const MOST_NEWBORN: usize = 1024;

/// An object that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newborn {
    pub node: u64,
    pub type_address: u64,
}

/// The rounds between which an object came: in `before` it was not there, in `after` it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub before: usize,
    pub after: usize,
}

/// The nodes of the objects that were made last before now, the last one first.
pub fn anchors<M: ReadMemory>(memory: &mut M, layout: &Layout, head: u64) -> Vec<u64> {
    let mut anchors = Vec::with_capacity(ANCHORS);
    let Ok(bytes) = memory.read(head, youngest::needed(layout)) else {
        return anchors;
    };
    let mut at = youngest::last(layout, bytes);
    while at != head && anchors.len() < ANCHORS {
        anchors.push(at);
        match youngest::node(memory, layout, at) {
            Ok(node) => at = node.older,
            Err(_) => break,
        }
    }
    anchors
}

/// The objects from the one at `last` back to the first that is older than the burst, the last one first. `None` when the
/// list changed under the reading, or when all that were the last ones at the beginning have gone: then nothing tells those
/// that came from those that had been there before them. `tails` are the nodes that stood last, round by round.
pub fn since<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    head: u64,
    last: u64,
    anchors: &[u64],
    tails: &[u64],
) -> Option<Vec<Newborn>> {
    let mut found = Vec::new();
    let (mut at, mut newer) = (last, None);
    while at != head && !anchors.contains(&at) {
        if found.len() == MOST_NEWBORN {
            return None;
        }
        let node = youngest::node(memory, layout, at).ok()?;
        if newer.is_some_and(|newer| newer != node.newer) {
            return None;
        }
        let Node { type_address, .. } = node;
        found.push(Newborn { node: at, type_address });
        (at, newer) = (node.older, Some(at));
    }
    // A list that was empty meanwhile, as after a collection, has nothing in it that is older.
    (at != head || anchors.is_empty() || tails.contains(&head)).then_some(found)
}

/// When each of `newborn` came, which are in order, the last one first. `tails` are the nodes that stood last, round by
/// round. What cannot be told from these is `None`.
pub fn windows(newborn: &[Newborn], head: u64, anchors: &[u64], tails: &[u64]) -> Vec<Option<Window>> {
    const OLDER_THAN_ALL: usize = usize::MAX;
    let mut place_of: FxHashMap<u64, usize> = anchors.iter().map(|&node| (node, OLDER_THAN_ALL)).collect();
    place_of.insert(head, OLDER_THAN_ALL);
    place_of.extend(newborn.iter().enumerate().map(|(place, each)| (each.node, place)));
    // What has gone since tells nothing.
    let mut known: Vec<(usize, usize)> = tails
        .iter()
        .enumerate()
        .filter_map(|(round, tail)| Some((round, *place_of.get(tail)?)))
        .collect();
    // The last time counts that an object came to stand at an address: from then on there is nothing older at the end.
    let mut oldest = 0;
    for (_, place) in known.iter_mut().rev() {
        oldest = oldest.max(*place);
        *place = oldest;
    }
    let window = |place: usize| {
        let first = known.partition_point(|&(_, oldest)| oldest > place);
        let (before, after) = (known.get(first.checked_sub(1)?)?.0, known.get(first)?.0);
        let is_told = tails.get(before..=after)?.iter().all(|&tail| tail != UNKNOWN);
        is_told.then_some(Window { before, after })
    };
    (0..newborn.len()).map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newborn(nodes: &[u64]) -> Vec<Newborn> {
        let of = |&node: &u64| Newborn { node, type_address: 1 };
        nodes.iter().map(of).collect()
    }

    fn times(nodes: &[u64], tails: &[u64]) -> Vec<Option<(usize, usize)>> {
        let windows = windows(&newborn(nodes), 1, &[10, 11], tails);
        windows
            .into_iter()
            .map(|each| each.map(|w| (w.before, w.after)))
            .collect()
    }

    #[test]
    fn an_object_came_between_the_round_without_it_and_the_round_with_it() {
        assert_eq!(times(&[30, 20], &[10, 10, 20, 20, 30]), [Some((3, 4)), Some((1, 2))]);
    }

    #[test]
    fn several_may_come_at_once_and_some_too_late_to_tell() {
        let late = times(&[40, 30, 20], &[10, 30]);
        assert_eq!(late, [None, Some((0, 1)), Some((0, 1))]);
    }

    #[test]
    fn what_has_gone_tells_nothing_and_an_address_counts_from_its_last_use_on() {
        assert_eq!(times(&[20], &[10, 99, 20]), [Some((0, 2))]);
        assert_eq!(times(&[20], &[10, 20, 10, 20]), [Some((2, 3))]);
    }

    #[test]
    fn nothing_is_said_of_what_came_while_the_collector_was_at_work() {
        assert_eq!(times(&[30, 20], &[10, 20, UNKNOWN, 30]), [None, Some((0, 1))]);
    }

    #[test]
    fn nothing_is_said_of_what_was_there_in_the_first_round() {
        assert_eq!(times(&[20], &[20, 20]), [None]);
    }
}
