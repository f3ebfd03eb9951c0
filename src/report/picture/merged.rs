//! Pictures as a drawing takes them: frames of one name on the same frame are one, and several pictures lie on each other.

use rustc_hash::FxHashMap;

use super::Picture;
use super::rest::Rest;
use crate::report::text::harmless;

/// The frames of `N` pictures, joined by their names.
pub struct Merged<const N: usize> {
    /// The first one is the whole.
    pub nodes: Vec<Node<N>>,
    /// The largest last.
    pub children: Vec<Vec<u32>>,
}

pub struct Node<const N: usize> {
    pub label: String,
    /// Frames between it and the whole, itself included.
    pub depth: u32,
    /// In each of the pictures, without what stands on it, and with that.
    pub own: [u64; N],
    pub all: [u64; N],
}

impl<const N: usize> Merged<N> {
    pub fn of(pictures: [&Picture; N]) -> Merged<N> {
        let mut nodes = vec![Node::new(String::new(), 0)];
        let mut parents: Vec<u32> = vec![0];
        let mut by_name: FxHashMap<(u32, String), u32> = FxHashMap::default();
        for (column, picture) in pictures.into_iter().enumerate() {
            let rest = Rest::of(picture);
            // Which node each frame went into; its parent always came before it.
            let mut places: Vec<u32> = vec![0];
            for (index, frame) in picture.frames.iter().enumerate().skip(1) {
                let parent = places[frame.parent as usize];
                let name = (parent, frame_name(&rest.label(picture, index)));
                let place = *by_name.entry(name).or_insert_with_key(|(_, label)| {
                    nodes.push(Node::new(label.clone(), nodes[parent as usize].depth + 1));
                    parents.push(parent);
                    (nodes.len() - 1) as u32
                });
                let own = &mut nodes[place as usize].own[column];
                *own = own.saturating_add(picture.own(frame));
                places.push(place);
            }
        }
        let children = sum_up(&mut nodes, &parents);
        Merged { nodes, children }
    }
}

impl<const N: usize> Node<N> {
    fn new(label: String, depth: u32) -> Node<N> {
        Node {
            label,
            depth,
            own: [0; N],
            all: [0; N],
        }
    }

    /// As wide as it is in the picture that has most of it.
    pub fn most(&self) -> u64 {
        self.all.into_iter().max().unwrap_or(0)
    }
}

/// Sums of each node with all above it; the children of each, the largest last.
fn sum_up<const N: usize>(nodes: &mut [Node<N>], parents: &[u32]) -> Vec<Vec<u32>> {
    let mut children = vec![Vec::new(); nodes.len()];
    for index in (0..nodes.len()).rev() {
        let all = sum(nodes[index].all, nodes[index].own);
        nodes[index].all = all;
        if index != 0 {
            let parent = parents[index] as usize;
            nodes[parent].all = sum(nodes[parent].all, all);
            children[parent].push(index as u32);
        }
    }
    for siblings in &mut children {
        siblings.sort_by_key(|&child| nodes[child as usize].most());
    }
    children
}

pub fn sum<const N: usize>(a: [u64; N], b: [u64; N]) -> [u64; N] {
    std::array::from_fn(|column| a[column].saturating_add(b[column]))
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

    #[test]
    fn names_cannot_end_a_frame_or_pass_for_a_number() {
        assert_eq!(frame_name("['a;b']: str"), "['a\\x3bb']: str");
        assert_eq!(frame_name("take 5"), "take\u{a0}5");
        assert_eq!(frame_name("a\nb"), "a\\nb");
        assert_eq!(frame_name(" "), "(unnamed)");
    }
}
