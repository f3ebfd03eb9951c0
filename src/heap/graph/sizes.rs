//! The bytes of each node: four a node, and a table on the side for the few that do not fit.
//!
//! Objects of 4 GiB and more are so rare that eight bytes for each node would double the room for nothing.

use rustc_hash::FxHashMap;

/// Stands for a size that is in the table.
const LARGE: u32 = u32::MAX;

/// Knows the bytes that each node occupies by itself.
pub trait BytesOf {
    /// The bytes of `node`; 0 when there is no such node.
    fn of(&self, node: u32) -> u64;

    /// The bytes of each node from `first` on, in order.
    fn from(&self, first: u32) -> impl Iterator<Item = u64>;
}

/// The bytes of each node in a column.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    small: Vec<u32>,
    large: FxHashMap<u32, u64>,
}

impl Sizes {
    pub fn with_capacity(nodes: usize) -> Self {
        Sizes {
            small: Vec::with_capacity(nodes),
            large: FxHashMap::default(),
        }
    }

    /// Adds the next node.
    #[inline]
    pub fn push(&mut self, bytes: u64) {
        match u32::try_from(bytes) {
            Ok(bytes) if bytes != LARGE => self.small.push(bytes),
            _ => {
                self.large.insert(self.small.len() as u32, bytes);
                self.small.push(LARGE);
            }
        }
    }

    /// The bytes of all nodes, in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.small.iter().zip(0..).map(|(&small, node)| match small {
            LARGE => self.of(node),
            bytes => u64::from(bytes),
        })
    }

    /// How many nodes were given.
    pub fn len(&self) -> usize {
        self.small.len()
    }

    pub fn is_empty(&self) -> bool {
        self.small.is_empty()
    }
}

impl BytesOf for Sizes {
    #[inline]
    fn of(&self, node: u32) -> u64 {
        match self.small.get(node as usize) {
            Some(&LARGE) => self.large.get(&node).copied().unwrap_or(0),
            Some(&bytes) => u64::from(bytes),
            None => 0,
        }
    }

    fn from(&self, first: u32) -> impl Iterator<Item = u64> {
        self.iter().skip(first as usize)
    }
}

impl FromIterator<u64> for Sizes {
    fn from_iter<I: IntoIterator<Item = u64>>(bytes: I) -> Self {
        let bytes = bytes.into_iter();
        let mut sizes = Sizes::with_capacity(bytes.size_hint().0);
        bytes.for_each(|bytes| sizes.push(bytes));
        sizes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sizes_are_kept_exactly() {
        let given = [0, 16, u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 40, 7];
        let sizes: Sizes = given.into_iter().collect();
        assert_eq!(sizes.len(), given.len());
        assert!(sizes.iter().eq(given));
        for (node, bytes) in (0..).zip(given) {
            assert_eq!(sizes.of(node), bytes);
        }
        assert_eq!(sizes.of(99), 0);
    }
}
