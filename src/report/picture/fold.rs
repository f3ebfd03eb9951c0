//! Pictures as lines of text, a line for each frame that has something of its own: all of them, or a few thousand as a
//! flame graph takes them, with small ones folded.

use super::merged::{Merged, Node, sum};
use super::{Graph, Picture};

/// More frames than these are not readable; what they would have shown is folded into `(37 smaller holders)`.
const MOST_FRAMES: usize = 2_000;
/// A frame narrower than this share of the picture is less than a third of a pixel wide.
const NARROWEST: u64 = 4_000;
/// Frames stacked higher than this are folded into `(37 deeper holders)`.
const DEEPEST: u32 = 120;

/// `module;name: dict;[…]: Order`, and the objects or bytes of this frame alone in each picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<const N: usize> {
    pub path: String,
    pub own: [u64; N],
}

impl<const N: usize> Line<N> {
    /// As it is written in files, with the numbers behind the path.
    pub fn text(&self) -> String {
        let mut text = self.path.clone();
        for own in self.own {
            text.push_str(&format!(" {own}"));
        }
        text
    }
}

/// All frames, in the order in which they are drawn. The numbers of each picture add up to its total.
pub fn lines<const N: usize>(pictures: [&Picture; N]) -> Vec<Line<N>> {
    let merged = Merged::of(pictures);
    let shown = vec![true; merged.nodes.len()];
    walk(&merged, &shown, pictures[0].graph)
}

/// The same with at most so many frames as can be seen; what is folded stands in frames that say so.
pub fn folded<const N: usize>(pictures: [&Picture; N]) -> Vec<Line<N>> {
    let merged = Merged::of(pictures);
    walk(&merged, &shown(&merged), pictures[0].graph)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Open,
    Close,
}

fn walk<const N: usize>(merged: &Merged<N>, shown: &[bool], graph: Graph) -> Vec<Line<N>> {
    let mut lines = Vec::new();
    // Each entry is a frame to be opened, or to be closed once all that stands on it is drawn, and how long the path to it
    // is.
    let mut pending: Vec<(Visit, u32, usize)> = vec![(Visit::Open, 0, 0)];
    let mut path = String::new();
    while let Some((visit, index, path_length)) = pending.pop() {
        path.truncate(path_length);
        let node = &merged.nodes[index as usize];
        if index != 0 {
            push_frame(&mut path, &node.label);
        }
        let own = (node.own != [0; N]).then(|| Line {
            path: path.clone(),
            own: node.own,
        });
        if visit == Visit::Open {
            // Where pictures are compared, a frame has the colour of the first line that it is in.
            lines.extend(own.filter(|_| N > 1));
            pending.push((Visit::Close, index, path_length));
            let kept = merged.children[index as usize]
                .iter()
                .filter(|&&child| shown[child as usize]);
            pending.extend(kept.map(|&child| (Visit::Open, child, path.len())));
            continue;
        }
        if let Some((name, own)) = folded_children(merged, index, shown, graph) {
            let mut path = path.clone();
            push_frame(&mut path, &name);
            lines.push(Line { path, own });
        }
        lines.extend(own.filter(|_| N == 1));
    }
    lines
}

fn push_frame(path: &mut String, label: &str) {
    if !path.is_empty() {
        path.push(';');
    }
    path.push_str(label);
}

/// Which nodes get a frame: those large enough, and of these the largest. What a frame stands on is never smaller, so
/// that a shown frame always has a shown frame to stand on.
fn shown<const N: usize>(merged: &Merged<N>) -> Vec<bool> {
    let mut sizes: Vec<u64> = merged.nodes.iter().map(Node::most).collect();
    let whole = sizes.first().copied().unwrap_or(0);
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let cut = sizes.get(MOST_FRAMES).map_or(0, |&size| size.saturating_add(1));
    let least = cut.max(whole / NARROWEST).max(1);
    let is_shown = |node: &Node<N>| node.most() >= least && node.depth <= DEEPEST;
    merged.nodes.iter().map(is_shown).collect()
}

/// The frame that stands for those without one of their own.
fn folded_children<const N: usize>(
    merged: &Merged<N>,
    parent: u32,
    shown: &[bool],
    graph: Graph,
) -> Option<(String, [u64; N])> {
    let children = merged.children[parent as usize]
        .iter()
        .filter(|&&child| !shown[child as usize]);
    let children = children.map(|&child| merged.nodes[child as usize].all);
    let (count, all) = children
        .filter(|all| *all != [0; N])
        .fold((0, [0; N]), |(count, all), child| (count + 1, sum(all, child)));
    let depth = merged.nodes[parent as usize].depth;
    let why = if depth == DEEPEST { "deeper" } else { "smaller" };
    let noun = match graph {
        Graph::Ownership | Graph::Types => "holder",
        Graph::Allocation => "frame",
    };
    let plural = if count == 1 { "" } else { "s" };
    (count > 0).then(|| (format!("({count} {why} {noun}{plural})"), all))
}

#[cfg(test)]
mod tests {
    use super::super::{Amount, frames_of};
    use super::*;
    use crate::heap::{Tree, TreeNode};
    use crate::report::picture::Weight;

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

    /// A picture of a tree, of a heap of so many bytes.
    fn picture(tree: &Tree, bytes: u64) -> Picture {
        let objects = tree.nodes.iter().map(|node| node.own_objects).sum();
        Picture {
            graph: Graph::Ownership,
            weight: Weight::Bytes,
            title: String::new(),
            taken_at: None,
            frames: frames_of(tree, Amount { objects, bytes }),
            recorded: None,
        }
    }

    fn fold(tree: &Tree, bytes: u64) -> Vec<String> {
        let lines = folded([&picture(tree, bytes)]);
        lines.iter().map(Line::text).collect()
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
    fn what_the_tree_lacks_is_shown_as_such() {
        assert_eq!(
            fold(&tree(&[(0, "", 0), (0, "a", 5)]), 9),
            ["a 5", "(not in the tree) 4"]
        );
        assert_eq!(fold(&tree(&[(0, "", 3), (0, "a", 5)]), 8), ["a 5", "(no holder) 3"]);
    }

    #[test]
    fn two_pictures_lie_on_each_other() {
        let old = tree(&[(0, "", 0), (0, "a", 5), (1, "gone", 7), (1, "less", 9)]);
        let new = tree(&[(0, "", 0), (0, "new", 4), (0, "a", 6), (2, "less", 8)]);
        let lines = lines([&picture(&old, 21), &picture(&new, 18)]);
        let texts: Vec<String> = lines.iter().map(Line::text).collect();
        assert_eq!(texts, ["a 5 6", "a;less 9 8", "a;gone 7 0", "new 0 4"]);
    }
}
