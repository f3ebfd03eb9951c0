//! Sets of nodes, one bit a node.

/// A set of nodes of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSet {
    words: Vec<u64>,
    nodes: u32,
}

impl NodeSet {
    /// The empty set, over a graph with so many nodes.
    pub fn none_of(nodes: u32) -> Self {
        NodeSet {
            words: vec![0; nodes.div_ceil(64) as usize],
            nodes,
        }
    }

    /// The nodes for which `belongs` holds; it is asked of each node once, in order.
    pub fn where_true(nodes: u32, mut belongs: impl FnMut(u32) -> bool) -> Self {
        let mut set = NodeSet::none_of(nodes);
        for (word, first) in set.words.iter_mut().zip((0..nodes).step_by(64)) {
            for bit in 0..64.min(nodes - first) {
                *word |= u64::from(belongs(first + bit)) << bit;
            }
        }
        set
    }

    /// The size of the graph, not of the set.
    pub fn nodes(&self) -> u32 {
        self.nodes
    }

    #[inline]
    pub fn contains(&self, node: u32) -> bool {
        self.words[(node / 64) as usize] >> (node % 64) & 1 != 0
    }

    /// Answers whether the node was not in the set before.
    #[inline]
    pub fn insert(&mut self, node: u32) -> bool {
        let word = &mut self.words[(node / 64) as usize];
        let bit = 1 << (node % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Answers whether the node was in the set.
    #[inline]
    pub fn remove(&mut self, node: u32) -> bool {
        let word = &mut self.words[(node / 64) as usize];
        let bit = 1 << (node % 64);
        let there = *word & bit != 0;
        *word &= !bit;
        there
    }

    pub fn len(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// The members, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().zip(0..).flat_map(|(&word, at): (&u64, u32)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                rest &= rest.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit)
            })
        })
    }

    /// The nodes that are no members, in order.
    pub fn others(&self) -> impl Iterator<Item = u32> + '_ {
        let words = self.words.iter().zip((0..self.nodes).step_by(64));
        let incomplete = words.filter(|&(&word, _)| word != u64::MAX);
        incomplete.flat_map(|(_, first)| {
            let nodes = first..first.saturating_add(64).min(self.nodes);
            nodes.filter(|&node| !self.contains(node))
        })
    }

    /// Takes out all that are not in `other`.
    pub fn keep_only(&mut self, other: &NodeSet) {
        for (word, mask) in self.words.iter_mut().zip(&other.words) {
            *word &= mask;
        }
    }
}

/// A set of nodes in which each member has a rank, the number of members before it; so arrays can be kept that are only
/// as long as the set. Costs 1.5 bits for each node of the graph.
#[derive(Debug, Clone)]
pub struct RankedSet {
    set: NodeSet,
    /// The members before each word.
    before: Vec<u32>,
    len: u32,
}

impl RankedSet {
    pub fn new(set: NodeSet) -> Self {
        let mut len = 0;
        let before = set.words.iter().map(|word| {
            let before = len;
            len += word.count_ones();
            before
        });
        let before = before.collect();
        RankedSet { set, before, len }
    }

    /// The number of members.
    pub fn len(&self) -> u32 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn set(&self) -> &NodeSet {
        &self.set
    }

    #[inline]
    pub fn rank(&self, node: u32) -> Option<u32> {
        let at = (node / 64) as usize;
        let word = *self.set.words.get(at)?;
        let bit = 1_u64 << (node % 64);
        (word & bit != 0).then(|| self.before[at] + (word & (bit - 1)).count_ones())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_back_in_order_with_their_ranks() {
        let members = [0, 1, 63, 64, 130, 199];
        let set = NodeSet::where_true(200, |node| members.contains(&node));
        assert_eq!(set.iter().collect::<Vec<_>>(), members);
        let others = (0..200).filter(|node| !members.contains(node));
        assert!(set.others().eq(others));
        assert_eq!(set.len(), 6);
        let ranked = RankedSet::new(set);
        assert_eq!(ranked.len(), 6);
        for (rank, &member) in members.iter().enumerate() {
            assert_eq!(ranked.rank(member), Some(rank as u32));
        }
        assert_eq!(ranked.rank(2), None);
        assert_eq!(ranked.rank(100_000), None);
    }

    #[test]
    fn inserting_and_removing_say_what_changed() {
        let mut set = NodeSet::none_of(65);
        assert!(set.is_empty());
        assert!(set.insert(64));
        assert!(!set.insert(64));
        assert!(set.contains(64));
        assert!(set.remove(64));
        assert!(!set.remove(64));
        assert!(set.is_empty());
    }
}
