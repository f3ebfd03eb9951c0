//! Graphs to test with: thousands of small random ones of several shapes, and a few large regular ones.

use fastrand::Rng;

use super::references::{Builder, References};

pub fn from_rows(rows: &[&[u32]]) -> References {
    let mut builder = Builder::default();
    for (node, row) in (0..).zip(rows) {
        builder.add(node, row.iter().copied()).unwrap();
    }
    builder.finish(rows.len() as u32).unwrap()
}

/// So many small graphs, the same ones each time.
pub fn many(count: u64) -> impl Iterator<Item = References> {
    (0..count).map(|seed| {
        let random = &mut Rng::with_seed(seed);
        let nodes = random.u32(2..26);
        let shape = [anything, tree_with_extras, list_with_jumps, shared_leaves, layers][seed as usize % 5];
        let mut pairs = shape(random, nodes);
        // Names of nodes say nothing about the shape; only the root stays.
        let mut names: Vec<u32> = (0..nodes).collect();
        if random.bool() {
            random.shuffle(&mut names[1..]);
        }
        for (source, target) in &mut pairs {
            (*source, *target) = (names[*source as usize], names[*target as usize]);
        }
        random.shuffle(&mut pairs);
        from_pairs(nodes, &pairs)
    })
}

fn from_pairs(nodes: u32, pairs: &[(u32, u32)]) -> References {
    let mut builder = Builder::default();
    for node in 0..nodes {
        let row = pairs.iter().filter(|pair| pair.0 == node).map(|pair| pair.1);
        builder.add(node, row).unwrap();
    }
    builder.finish(nodes).unwrap()
}

/// References from anywhere to anywhere: loops, repetitions, nodes out of reach.
fn anything(random: &mut Rng, nodes: u32) -> Vec<(u32, u32)> {
    let count = random.u32(0..nodes * 3);
    (0..count)
        .map(|_| (random.u32(0..nodes), random.u32(0..nodes)))
        .collect()
}

/// All is reached, by a tree; and a few references across.
fn tree_with_extras(random: &mut Rng, nodes: u32) -> Vec<(u32, u32)> {
    let mut pairs: Vec<(u32, u32)> = (1..nodes).map(|node| (random.u32(0..node), node)).collect();
    for _ in 0..random.u32(0..nodes) {
        pairs.push((random.u32(0..nodes), random.u32(0..nodes)));
    }
    pairs
}

/// Deep: a list with references forwards and back.
fn list_with_jumps(random: &mut Rng, nodes: u32) -> Vec<(u32, u32)> {
    let mut pairs: Vec<(u32, u32)> = (1..nodes).map(|node| (node - 1, node)).collect();
    for _ in 0..random.u32(0..nodes) {
        let (from, to) = (random.u32(0..nodes), random.u32(0..nodes));
        let back = random.u32(0..3) == 0;
        pairs.push(if back {
            (from.max(to), from.min(to))
        } else {
            (from.min(to), from.max(to))
        });
    }
    pairs
}

/// Few nodes refer to many that refer to nothing.
fn shared_leaves(random: &mut Rng, nodes: u32) -> Vec<(u32, u32)> {
    let inner = nodes.div_ceil(3);
    let mut pairs = tree_with_extras(random, inner);
    for _ in 0..nodes * 2 {
        pairs.push((random.u32(0..inner), random.u32(0..nodes)));
    }
    pairs
}

/// Each layer refers to the next, and sometimes back.
fn layers(random: &mut Rng, nodes: u32) -> Vec<(u32, u32)> {
    let width = random.u32(1..6);
    let mut pairs = Vec::new();
    for node in 1..nodes {
        for _ in 0..random.u32(1..4) {
            let above = (node.saturating_sub(1) / width * width).saturating_sub(random.u32(0..width));
            pairs.push((above, node));
        }
        if random.u32(0..8) == 0 {
            pairs.push((node, random.u32(0..node)));
        }
    }
    pairs
}

/// Each node refers to all, itself included.
pub fn complete(nodes: u32) -> References {
    let mut builder = Builder::default();
    for node in 0..nodes {
        builder.add(node, 0..nodes).unwrap();
    }
    builder.finish(nodes).unwrap()
}

/// A list of so many links, each of which also holds a value; a table, the last node, holds all values too. The links
/// are the odd nodes, each value comes after its link. Values refer to the table if they are not to be leaves.
pub fn shared_list(links: u32, leaves: bool) -> References {
    let table = links * 2 + 1;
    let mut builder = Builder::default();
    builder.add(0, [1, table]).unwrap();
    for link in (0..links).map(|at| at * 2 + 1) {
        let next = (link + 2 < table).then_some(link + 2);
        builder.add(link, next.into_iter().chain([link + 1])).unwrap();
        builder.add(link + 1, (!leaves).then_some(table)).unwrap();
    }
    builder.add(table, (0..links).map(|at| at * 2 + 2)).unwrap();
    builder.finish(table + 1).unwrap()
}
