//! The dominator tree as frames: an object stands above what it would not outlive, under the names by which it is held.
//! Objects that are held alike count for one frame.

use rustc_hash::FxHashMap;

use super::found::Found;
use super::objects::NO_OBJECT;
use super::retention::Retention;
use super::tree::{Growing, ROOT};
use super::{Tree, TreeNode};

/// A frame: within which other, and of the objects of which frame of first holders.
type Key = (u32, u32);

/// The tree of what dominates what. `frame_of` has the frame of each row in the tree of first holders, which is where its
/// names come from: all dominators of an object are among its first holders.
pub fn of(retention: &Retention, found: &Found, holders: &Growing, frame_of: &[u32]) -> Tree {
    let mut tree = Building {
        keys: vec![(0, ROOT)],
        sums: vec![(0, 0)],
        index: FxHashMap::default(),
        last: ((u32::MAX, u32::MAX), 0),
    };
    let mut places = vec![0; found.objects.holders()];
    for (row, dominator) in retention.top_down() {
        let own = frame_of.get(row as usize).copied().unwrap_or(ROOT);
        let above = places.get(dominator as usize).copied().unwrap_or(0);
        // What counts for its dominator's frame there does so here: the dict behind attributes, the rest of a list.
        let is_part = own == tree.keys[above as usize].1;
        let place = if is_part { above } else { tree.frame((above, own)) };
        if let Some(of_row) = places.get_mut(row as usize) {
            *of_row = place;
        }
        if found.objects.type_of(row) != NO_OBJECT {
            let (objects, bytes) = &mut tree.sums[place as usize];
            *objects += 1;
            *bytes = bytes.saturating_add(found.objects.bytes(row));
        }
    }
    let nodes = tree
        .keys
        .iter()
        .zip(&tree.sums)
        .map(|(&(parent, own), &(own_objects, own_bytes))| TreeNode {
            parent,
            label: holders
                .way(tree.keys[parent as usize].1, own, &found.names, &found.types)
                .into(),
            own_objects,
            own_bytes,
        });
    Tree { nodes: nodes.collect() }
}

struct Building {
    keys: Vec<Key>,
    /// Objects and bytes of each frame.
    sums: Vec<(u64, u64)>,
    index: FxHashMap<Key, u32>,
    /// The frame asked for last: objects that are alike come in rows.
    last: (Key, u32),
}

impl Building {
    fn frame(&mut self, key: Key) -> u32 {
        if self.last.0 == key {
            return self.last.1;
        }
        let frame = *self.index.entry(key).or_insert_with(|| {
            self.keys.push(key);
            self.sums.push((0, 0));
            self.keys.len() as u32 - 1
        });
        self.last = (key, frame);
        frame
    }
}
