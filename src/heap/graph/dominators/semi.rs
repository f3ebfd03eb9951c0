//! Semidominators and, from them, the dominators of the nodes that have references.

use super::ladder::Ladder;
use super::walk::{Crossing, Walk};

/// The dominator tree of the numbered nodes. Takes the references that the walk did not follow, which are of no use later.
pub fn dominators(walk: &mut Walk) -> Ladder {
    let semi = semidominators(&walk.parent, std::mem::take(&mut walk.crossings));
    let mut ladder = Ladder::with_capacity(semi.len());
    for (&semi, &parent) in semi.iter().zip(&walk.parent).skip(1) {
        // The dominator is the nearest common ancestor of parent and semidominator in the tree so far; the latter is
        // an ancestor of the former in the walk, so that the numbers tell how far to climb.
        let above = if semi == 0 {
            0
        } else {
            ladder.climb(parent, |at| at <= semi)
        };
        ladder.push(above);
    }
    ladder
}

/// By number: the semidominator's number.
fn semidominators(parent: &[u32], crossings: Vec<Crossing>) -> Vec<u32> {
    let mut semi = parent.to_vec();
    for crossing in crossings.iter().filter(|crossing| crossing.source == 0) {
        semi[crossing.target as usize] = 0;
    }
    let referrers = Referrers::of_crossed(&crossings, &semi);
    drop(crossings);
    if referrers.sources.is_empty() {
        return semi;
    }
    let mut forest = Forest::new(parent);
    for number in (1..semi.len() as u32).rev() {
        let mut lowest = semi[number as usize];
        for &referrer in referrers.of(number) {
            lowest = lowest.min(forest.lowest(referrer, number));
        }
        semi[number as usize] = lowest;
        forest.links[number as usize].lowest = lowest;
    }
    semi
}

/// The referrers of the nodes that have several, those apart from which they were met first.
struct Referrers {
    starts: Vec<u32>,
    sources: Vec<u32>,
}

impl Referrers {
    /// Leaves out the nodes whose semidominator is the root already.
    fn of_crossed(crossings: &[Crossing], semi: &[u32]) -> Self {
        let mut starts = vec![0; semi.len() + 1];
        let is_open = |crossing: &&Crossing| semi[crossing.target as usize] != 0;
        for crossing in crossings.iter().filter(is_open) {
            starts[crossing.target as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts[1..] {
            sum += std::mem::replace(start, sum);
        }
        let mut sources = vec![0; sum as usize];
        for crossing in crossings.iter().filter(is_open) {
            let free = &mut starts[crossing.target as usize + 1];
            sources[*free as usize] = crossing.source;
            *free += 1;
        }
        Referrers { starts, sources }
    }

    #[inline]
    fn of(&self, number: u32) -> &[u32] {
        &self.sources[self.starts[number as usize] as usize..self.starts[number as usize + 1] as usize]
    }
}

/// The walk's tree, in which the paths already asked for are compressed.
struct Forest {
    links: Vec<Link>,
    path: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Link {
    /// An ancestor in the walk's tree.
    ancestor: u32,
    /// The lowest semidominator from the node up to, and without, `ancestor`.
    lowest: u32,
}

impl Forest {
    fn new(parent: &[u32]) -> Self {
        let link = |&parent: &u32| Link {
            ancestor: parent,
            lowest: parent,
        };
        Forest {
            links: parent.iter().map(link).collect(),
            path: Vec::new(),
        }
    }

    /// The lowest semidominator of `node` and those of its ancestors whose number is greater than `from`; `node` itself
    /// when its own is not.
    #[inline]
    fn lowest(&mut self, node: u32, from: u32) -> u32 {
        if node <= from {
            return node;
        }
        let link = self.links[node as usize];
        if link.ancestor <= from {
            return link.lowest;
        }
        self.compress(node, link, from)
    }

    fn compress(&mut self, node: u32, mut link: Link, from: u32) -> u32 {
        let mut at = node;
        while link.ancestor > from {
            self.path.push(at);
            at = link.ancestor;
            link = self.links[at as usize];
        }
        let Link { ancestor, mut lowest } = link;
        while let Some(at) = self.path.pop() {
            let link = &mut self.links[at as usize];
            lowest = lowest.min(link.lowest);
            *link = Link { ancestor, lowest };
        }
        lowest
    }
}
