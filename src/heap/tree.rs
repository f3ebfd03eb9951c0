//! The ownership tree: objects that are held alike count for one frame, so that millions of them make a readable picture.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::labels::{Label, LabelKind, Names};
use super::objects::NO_OBJECT;
use super::types::Types;
use super::{Tree, TreeNode};

/// Deeper holders count for the deepest frame that is shown.
const DEEPEST: u16 = 60;
/// When there are so many frames, what is held by new kinds of steps counts for its holder's.
const MOST_FRAMES: usize = 200_000;
const CACHE: usize = 1 << 12;

/// A frame under construction: by what step from its parent, and objects of which type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    parent: u32,
    label: Label,
    type_of: u32,
}

/// Builds the tree while objects are found.
pub struct Growing {
    keys: Vec<Key>,
    depth: Vec<u16>,
    objects: Vec<u64>,
    bytes: Vec<u64>,
    index: FxHashMap<Key, u32>,
    /// The last frames asked for, by a hash of their key: objects that are alike come in rows.
    recent: Vec<(Key, u32)>,
}

/// The frame of the whole heap.
pub const ROOT: u32 = 0;

impl Growing {
    pub fn new() -> Self {
        let root = Key {
            parent: ROOT,
            label: Label::new(LabelKind::Root, 0),
            type_of: NO_OBJECT,
        };
        Growing {
            keys: vec![root],
            depth: vec![0],
            objects: vec![0],
            bytes: vec![0],
            index: FxHashMap::default(),
            recent: vec![(root, ROOT); CACHE],
        }
    }

    /// The frame of objects of this type that the objects of `parent` hold by `label`.
    #[inline]
    pub fn frame(&mut self, parent: u32, label: Label, type_of: u32) -> u32 {
        // The dict behind an object's attributes is a part of it to a reader.
        if label.kind() == LabelKind::Namespace {
            return parent;
        }
        let key = Key {
            parent,
            label: label.folded(),
            type_of,
        };
        let slot = key.slot();
        let (last, frame) = self.recent[slot];
        if last == key {
            return frame;
        }
        let frame = self.find(key);
        self.recent[slot] = (key, frame);
        frame
    }

    fn find(&mut self, key: Key) -> u32 {
        let own = self.keys[key.parent as usize];
        // A chain of like objects, such as a linked list, is one frame.
        if key.parent != ROOT && own.label == key.label && own.type_of == key.type_of {
            return key.parent;
        }
        if let Some(&frame) = self.index.get(&key) {
            return frame;
        }
        let depth = self.depth[key.parent as usize];
        if depth >= DEEPEST || self.keys.len() >= MOST_FRAMES {
            return key.parent;
        }
        let frame = self.keys.len() as u32;
        self.keys.push(key);
        self.depth.push(depth + 1);
        self.objects.push(0);
        self.bytes.push(0);
        self.index.insert(key, frame);
        frame
    }

    #[inline]
    pub fn add(&mut self, frame: u32, bytes: u64) {
        self.objects[frame as usize] += 1;
        let sum = &mut self.bytes[frame as usize];
        *sum = sum.saturating_add(bytes);
    }

    /// The bytes of each frame with all frames above it.
    pub fn sums(&self) -> Vec<u64> {
        let mut sums = self.bytes.clone();
        for frame in (1..sums.len()).rev() {
            let parent = self.keys[frame].parent as usize;
            sums[parent] = sums[parent].saturating_add(sums[frame]);
        }
        sums
    }

    /// The tree with its labels written out.
    pub fn finish(self, names: &Names, types: &Types) -> Tree {
        let nodes = self.keys.iter().enumerate().map(|(frame, key)| TreeNode {
            parent: key.parent,
            label: if frame == ROOT as usize {
                "heap".into()
            } else {
                text(key, names, types)
            },
            own_objects: self.objects[frame],
            own_bytes: self.bytes[frame],
        });
        Tree { nodes: nodes.collect() }
    }
}

impl Key {
    #[inline]
    fn slot(self) -> usize {
        let mixed = (u64::from(self.parent) << 32 | u64::from(self.label.bits()))
            .wrapping_add(u64::from(self.type_of) << 17)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 52) as usize % CACHE
    }
}

fn text(key: &Key, names: &Names, types: &Types) -> Rc<str> {
    let name = names.text(key.label.number());
    let step = match key.label.kind() {
        LabelKind::Root => name.to_owned(),
        LabelKind::Attribute | LabelKind::Local => name.to_owned(),
        LabelKind::Key => format!("[{name}]"),
        LabelKind::Index | LabelKind::Entry => "[…]".to_owned(),
        LabelKind::Namespace | LabelKind::Unnamed => String::new(),
    };
    let type_name = types.short_name(key.type_of);
    match (step.as_str(), type_name) {
        (step, "" | "module") if !step.is_empty() => step.into(),
        ("", type_name) => type_name.into(),
        (step, type_name) => format!("{step}: {type_name}").into(),
    }
}
