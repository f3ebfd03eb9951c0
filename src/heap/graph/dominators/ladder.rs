//! A tree that is climbed from a node to its ancestors, in steps that get longer when climbs turn out to be long.
//!
//! At first each node only knows the one above it. When the steps taken exceed a small multiple of the nodes, each gets
//! a second pointer to a farther ancestor (E. Myers, "An applicative random-access stack", 1983), with which a climb of
//! any length takes a number of steps that is logarithmic in the depth.

/// So many steps for each node are taken before the longer ones are built.
const PATIENCE: u64 = 8;

/// A tree in which each node's number is greater than that of the node above it; node 0 is its root.
pub struct Ladder {
    above: Vec<u32>,
    /// By number, once climbs have been long: how deep the node is, and a farther ancestor.
    far: Vec<Far>,
    /// Steps that may still be taken before `far` is built.
    steps_left: u64,
}

#[derive(Clone, Copy)]
struct Far {
    depth: u32,
    ancestor: u32,
}

impl Ladder {
    /// The tree of node 0 alone, with room for more.
    pub fn with_capacity(nodes: usize) -> Self {
        let mut above = Vec::with_capacity(nodes);
        above.push(0);
        Ladder {
            above,
            far: Vec::new(),
            steps_left: PATIENCE.saturating_mul(nodes as u64).max(1000),
        }
    }

    /// Adds the next node under `above`.
    #[inline]
    pub fn push(&mut self, above: u32) {
        self.above.push(above);
        if !self.far.is_empty() {
            self.extend();
        }
    }

    /// The nearest of `node` and its ancestors of which `high_enough` holds. What holds of a node must hold of all its
    /// ancestors; of the root it is taken to hold.
    #[inline]
    pub fn climb(&mut self, mut node: u32, high_enough: impl Fn(u32) -> bool) -> u32 {
        while node != 0 && !high_enough(node) {
            if self.steps_left == 0 {
                return self.leap(node, high_enough);
            }
            self.steps_left -= 1;
            node = self.above[node as usize];
        }
        node
    }

    #[cold]
    fn leap(&mut self, mut node: u32, high_enough: impl Fn(u32) -> bool) -> u32 {
        self.extend();
        while node != 0 && !high_enough(node) {
            let far = self.far[node as usize].ancestor;
            node = if high_enough(far) {
                self.above[node as usize]
            } else {
                far
            };
        }
        node
    }

    /// Gives each node that has none yet its farther ancestor.
    #[cold]
    fn extend(&mut self) {
        if self.far.is_empty() {
            self.far.reserve_exact(self.above.capacity());
            self.far.push(Far { depth: 0, ancestor: 0 });
        }
        for number in self.far.len()..self.above.len() {
            let above = self.above[number];
            let one = self.far[above as usize];
            let two = self.far[one.ancestor as usize];
            let three = self.far[two.ancestor as usize];
            let equal_leaps = one.depth - two.depth == two.depth - three.depth;
            self.far.push(Far {
                depth: one.depth + 1,
                ancestor: if equal_leaps { two.ancestor } else { above },
            });
        }
    }

    /// By number: the node above.
    pub fn above(&self) -> &[u32] {
        &self.above
    }

    pub fn into_above(self) -> Vec<u32> {
        self.above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn climbs_end_at_the_same_node_with_long_steps() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..200 {
            let mut ladder = Ladder::with_capacity(300);
            let bent = random.u32(1..300);
            for number in 1..300 {
                ladder.push(if random.u32(0..bent) == 0 {
                    random.u32(0..number)
                } else {
                    number - 1
                });
                if random.u32(0..100) == 0 {
                    ladder.steps_left = 0;
                }
                let limit = random.u32(0..300);
                let mut expected = number;
                while expected > limit {
                    expected = ladder.above[expected as usize];
                }
                assert_eq!(ladder.climb(number, |at| at <= limit), expected);
            }
        }
    }
}
