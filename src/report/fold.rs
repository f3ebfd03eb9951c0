//! The ownership tree as a flame graph takes it: a few thousand frames, siblings of one name joined, small ones folded.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::text::harmless;
use crate::heap::Tree;

/// More frames than these are not readable; what they would have shown is folded into `(37 smaller holders)`.
const MOST_FRAMES: usize = 2_000;
/// A frame narrower than this share of the picture is less than a third of a pixel wide.
const NARROWEST: u64 = 4_000;
/// Frames stacked higher than this are folded into `(37 deeper holders)`.
const DEEPEST: u32 = 120;

/// One line for each frame that has bytes of its own, `module;name: dict;[…]: Order 4096`, in the order in which they
/// are drawn. Their numbers add up to `total` or, where the tree holds more, to the tree's bytes.
pub fn fold(tree: &Tree, total: u64) -> Vec<String> {
    let merged = Merged::of(tree);
    let shown = merged.shown();
    let mut lines = Vec::new();
    // Each entry is a frame to be opened, or to be closed once all that it holds is drawn, and how long the path to it is.
    let mut pending: Vec<(Visit, u32, usize)> = vec![(Visit::Open, 0, 0)];
    let mut path = String::new();
    while let Some((visit, index, path_length)) = pending.pop() {
        path.truncate(path_length);
        if index != 0 {
            push_frame(&mut path, &merged.nodes[index as usize].label);
        }
        let (kept, folded): (Vec<u32>, Vec<u32>) = merged.children[index as usize]
            .iter()
            .copied()
            .partition(|&child| shown[child as usize]);
        if visit == Visit::Open {
            pending.push((Visit::Close, index, path_length));
            pending.extend(kept.into_iter().map(|child| (Visit::Open, child, path.len())));
            continue;
        }
        if let Some((name, bytes)) = merged.folded(index, &folded) {
            lines.push(line(&path, &name, bytes));
        }
        let own = merged.nodes[index as usize].own_bytes;
        if own > 0 {
            lines.push(line(&path, if index == 0 { "(no holder)" } else { "" }, own));
        }
    }
    let missing = total.saturating_sub(merged.nodes[0].bytes);
    if missing > 0 {
        lines.push(line("", "(not in the tree)", missing));
    }
    lines
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Open,
    Close,
}

fn push_frame(path: &mut String, label: &str) {
    if !path.is_empty() {
        path.push(';');
    }
    path.push_str(label);
}

fn line(path: &str, last: &str, bytes: u64) -> String {
    let mut line = path.to_owned();
    if !last.is_empty() {
        push_frame(&mut line, last);
    }
    line.push_str(&format!(" {bytes}"));
    line
}

/// The tree with frames of the same name under the same holder joined, as a flame graph joins them.
struct Merged {
    nodes: Vec<Node>,
    /// The largest last.
    children: Vec<Vec<u32>>,
}

struct Node {
    label: String,
    depth: u32,
    own_bytes: u64,
    /// With all children's.
    bytes: u64,
}

impl Merged {
    fn of(tree: &Tree) -> Merged {
        let mut nodes = vec![Node {
            label: String::new(),
            depth: 0,
            own_bytes: 0,
            bytes: 0,
        }];
        let mut parents: Vec<u32> = vec![0];
        let mut by_name: FxHashMap<(u32, String), u32> = FxHashMap::default();
        let rest = Rest::of(tree);
        // Which merged node each node of the tree went into; its parent always came before it.
        let mut places: Vec<u32> = Vec::with_capacity(tree.nodes.len());
        for (index, node) in tree.nodes.iter().enumerate() {
            let place = if index == 0 {
                0
            } else {
                let parent = places.get(node.parent as usize).copied().unwrap_or(0);
                let depth = nodes[parent as usize].depth + 1;
                *by_name
                    .entry((parent, frame_name(&rest.label(tree, index))))
                    .or_insert_with_key(|(_, label)| {
                        nodes.push(Node {
                            label: label.clone(),
                            depth,
                            own_bytes: 0,
                            bytes: 0,
                        });
                        parents.push(parent);
                        (nodes.len() - 1) as u32
                    })
            };
            nodes[place as usize].own_bytes += node.own_bytes;
            places.push(place);
        }
        let mut children = vec![Vec::new(); nodes.len()];
        for index in (0..nodes.len()).rev() {
            nodes[index].bytes += nodes[index].own_bytes;
            if index != 0 {
                let parent = parents[index] as usize;
                nodes[parent].bytes += nodes[index].bytes;
                children[parent].push(index as u32);
            }
        }
        for siblings in &mut children {
            siblings.sort_by_key(|&child| nodes[child as usize].bytes);
        }
        Merged { nodes, children }
    }

    /// Which nodes get a frame: those large enough, and of these the largest. A holder is never smaller than what it
    /// holds, so that a shown frame always has a shown frame to stand on.
    fn shown(&self) -> Vec<bool> {
        let mut sizes: Vec<u64> = self.nodes.iter().map(|node| node.bytes).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let cut = sizes.get(MOST_FRAMES).map_or(0, |&bytes| bytes + 1);
        let least = cut.max(self.nodes[0].bytes / NARROWEST).max(1);
        self.nodes
            .iter()
            .map(|node| node.bytes >= least && node.depth <= DEEPEST)
            .collect()
    }

    /// The frame that stands for children without one of their own.
    fn folded(&self, parent: u32, children: &[u32]) -> Option<(String, u64)> {
        let bytes: u64 = children.iter().map(|&child| self.nodes[child as usize].bytes).sum();
        let count = children
            .iter()
            .filter(|&&child| self.nodes[child as usize].bytes > 0)
            .count();
        let why = if self.nodes[parent as usize].depth == DEEPEST {
            "deeper"
        } else {
            "smaller"
        };
        let name = format!("({count} {why} {})", if count == 1 { "holder" } else { "holders" });
        (bytes > 0).then_some((name, bytes))
    }
}

/// An item that keeps less than this part of its container's bytes is one of many.
const MANY: u64 = 8;

/// The items of long dicts, of which the first have names in the tree and all others are `[…]`: what tells which of the
/// first belong to the others.
struct Rest {
    /// Of each node of the tree, with all that it holds.
    bytes: Vec<u64>,
    /// The nodes that hold such others.
    holders: FxHashSet<u32>,
}

impl Rest {
    fn of(tree: &Tree) -> Rest {
        let mut bytes: Vec<u64> = tree.nodes.iter().map(|node| node.own_bytes).collect();
        for (index, node) in tree.nodes.iter().enumerate().skip(1).rev() {
            let sum = bytes[index];
            if let Some(holder) = bytes.get_mut(node.parent as usize) {
                *holder += sum;
            }
        }
        let others = tree.nodes.iter().filter(|node| node.label.starts_with("[…]"));
        Rest {
            bytes,
            holders: others.map(|node| node.parent).collect(),
        }
    }

    /// The label of a node, or that of the others when it is one of many.
    fn label<'a>(&self, tree: &'a Tree, index: usize) -> Cow<'a, str> {
        let node = &tree.nodes[index];
        let holder_bytes = self.bytes.get(node.parent as usize).copied().unwrap_or(0);
        let is_one_of_many = node.label.starts_with('[')
            && self.holders.contains(&node.parent)
            && self.bytes[index] < holder_bytes / MANY;
        match node.label.rsplit_once("]: ") {
            Some((_, type_name)) if is_one_of_many => format!("[…]: {type_name}").into(),
            _ => Cow::Borrowed(&node.label),
        }
    }
}

/// A label as a frame's name: what would end the frame or the line in the folded form is written as Python writes it.
fn frame_name(label: &str) -> String {
    let mut name = harmless(label).replace(';', "\\x3b");
    if name.trim().is_empty() {
        return "(unnamed)".to_owned();
    }
    // A number after the last space would be taken for a count of bytes.
    if let Some(space) = name.rfind(' ')
        && name[space + 1..]
            .chars()
            .all(|character| character.is_ascii_digit() || character == '.')
    {
        name.replace_range(space..=space, "\u{a0}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::TreeNode;

    fn tree(nodes: &[(u32, &str, u64)]) -> Tree {
        let node = |&(parent, label, own_bytes): &(u32, &str, u64)| TreeNode {
            parent,
            label: label.into(),
            own_objects: 1,
            own_bytes,
        };
        Tree {
            nodes: nodes.iter().map(node).collect(),
        }
    }

    fn sum(lines: &[String]) -> u64 {
        lines
            .iter()
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
            .sum()
    }

    #[test]
    fn frames_stand_under_their_holders_the_largest_first() {
        let tree = tree(&[
            (0, "", 0),
            (0, "shop", 10),
            (1, "PRICES: dict", 500),
            (2, "[…]: Order", 4000),
            (0, "os", 3000),
        ]);
        assert_eq!(
            fold(&tree, 7510),
            [
                "shop;PRICES: dict;[…]: Order 4000",
                "shop;PRICES: dict 500",
                "shop 10",
                "os 3000"
            ]
        );
    }

    #[test]
    fn small_holders_are_folded_together_and_bytes_are_kept() {
        let mut nodes = vec![(0, "", 0), (0, "large", 100_000_000)];
        nodes.extend([(1, "a", 30), (1, "b", 40), (1, "c", 0)]);
        let lines = fold(&tree(&nodes), 100_000_070);
        assert_eq!(lines, ["large;(2 smaller holders) 70", "large 100000000"]);
    }

    #[test]
    fn a_wide_and_a_deep_tree_stay_within_bounds() {
        let names: Vec<String> = (0..50_000).map(|number| format!("n{number}")).collect();
        let mut nodes: Vec<(u32, &str, u64)> = vec![(0, "", 0)];
        nodes.extend(names.iter().map(|name| (0, name.as_str(), 7)));
        let wide = fold(&tree(&nodes), 350_000);
        assert!(wide.len() <= MOST_FRAMES + 1, "{}", wide.len());
        assert_eq!(sum(&wide), 350_000);

        let mut nodes: Vec<(u32, &str, u64)> = vec![(0, "", 0)];
        nodes.extend((0..50_000).map(|index| (index, "next: Node", 48)));
        let deep = fold(&tree(&nodes), 48 * 50_000);
        assert_eq!(
            deep.iter().map(|line| line.matches(';').count()).max(),
            Some(DEEPEST as usize)
        );
        assert!(deep.iter().any(|line| line.contains("(1 deeper holder)")));
        assert_eq!(sum(&deep), 48 * 50_000);
    }

    #[test]
    fn siblings_of_one_name_are_one_frame() {
        let tree = tree(&[
            (0, "", 0),
            (0, "a", 1),
            (0, "b", 9),
            (0, "a", 2),
            (1, "x", 4),
            (3, "x", 8),
        ]);
        assert_eq!(fold(&tree, 24), ["a;x 12", "a 3", "b 9"]);
    }

    #[test]
    fn the_first_items_of_a_long_dict_are_with_the_others_unless_they_are_large() {
        let tree = tree(&[
            (0, "", 0),
            (0, "D: dict", 0),
            (1, "['a]: b']: str", 10),
            (1, "['large']: list", 600),
            (1, "['c']: str", 10),
            (1, "[…]: str", 480),
            (0, "SHORT: dict", 0),
            (6, "['a']: str", 9),
            (6, "['b']: str", 90),
        ]);
        assert_eq!(
            fold(&tree, 1199),
            [
                "D: dict;['large']: list 600",
                "D: dict;[…]: str 500",
                "SHORT: dict;['b']: str 90",
                "SHORT: dict;['a']: str 9",
            ]
        );
    }

    #[test]
    fn names_cannot_end_a_frame_or_pass_for_a_number() {
        assert_eq!(frame_name("['a;b']: str"), "['a\\x3bb']: str");
        assert_eq!(frame_name("take 5"), "take\u{a0}5");
        assert_eq!(frame_name("a\nb"), "a\\nb");
        assert_eq!(frame_name(" "), "(unnamed)");
    }

    #[test]
    fn what_the_tree_lacks_is_shown_as_such() {
        assert_eq!(
            fold(&tree(&[(0, "", 0), (0, "a", 5)]), 9),
            ["a 5", "(not in the tree) 4"]
        );
        assert_eq!(fold(&tree(&[(0, "", 3), (0, "a", 5)]), 8), ["a 5", "(no holder) 3"]);
    }
}
