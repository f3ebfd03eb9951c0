//! The same answers the slow and obvious way, to test against.

use super::ROOT;
use super::nodes::NodeSet;
use super::references::References;

/// What `start` reaches without passing or entering nodes that are barred; `start` itself is never barred.
pub fn reached_from(graph: &References, start: u32, barred: impl Fn(u32) -> bool) -> NodeSet {
    let mut reached = NodeSet::none_of(graph.nodes());
    reached.insert(start);
    let mut waiting = vec![start];
    while let Some(node) = waiting.pop() {
        for &target in graph.of(node) {
            if !barred(target) && reached.insert(target) {
                waiting.push(target);
            }
        }
    }
    reached
}

/// What the root reaches when one node is taken out.
pub fn reached_without(graph: &References, without: Option<u32>) -> NodeSet {
    reached_from(graph, ROOT, |node| Some(node) == without)
}

pub fn unreached(graph: &References) -> NodeSet {
    let reached = reached_without(graph, None);
    NodeSet::where_true(graph.nodes(), |node| !reached.contains(node))
}

/// Immediate dominators, by taking out each node in turn.
pub fn dominators(graph: &References) -> Vec<Option<u32>> {
    let reached = reached_without(graph, None);
    let mut dominators_of = vec![Vec::new(); graph.nodes() as usize];
    let mut dominated = vec![0; graph.nodes() as usize];
    for node in reached.iter() {
        let left = if node == ROOT {
            NodeSet::none_of(graph.nodes())
        } else {
            reached_without(graph, Some(node))
        };
        for other in reached.iter().filter(|&other| other != node && !left.contains(other)) {
            dominators_of[other as usize].push(node);
            dominated[node as usize] += 1;
        }
    }
    // The nearest of a node's dominators dominates the fewest nodes.
    let nearest = |all: &Vec<u32>| all.iter().copied().min_by_key(|&node| dominated[node as usize]);
    dominators_of.iter().map(nearest).collect()
}

/// The strongly connected components among `within` that have more than one node or a reference to itself, sorted.
pub fn components(graph: &References, within: &NodeSet) -> Vec<Vec<u32>> {
    let reach: Vec<NodeSet> = (0..graph.nodes())
        .map(|node| reached_from(graph, node, |other| !within.contains(other)))
        .collect();
    let mut components = Vec::new();
    for node in within.iter() {
        let members: Vec<u32> = within
            .iter()
            .filter(|&other| reach[node as usize].contains(other) && reach[other as usize].contains(node))
            .collect();
        if members[0] == node && (members.len() > 1 || graph.of(node).contains(&node)) {
            components.push(members);
        }
    }
    components
}

/// Costs from the root, by relaxing all references until nothing changes.
pub fn costs(graph: &References, price: impl Fn(u32, u32) -> Option<u32>) -> Vec<Option<u32>> {
    let mut costs = vec![None; graph.nodes() as usize];
    costs[ROOT as usize] = Some(0);
    loop {
        let before = costs.clone();
        for (source, row) in graph.rows() {
            let Some(cost) = costs[source as usize] else {
                continue;
            };
            for (&target, reference) in row.iter().zip(graph.span(source).0..) {
                let Some(price) = price(source, reference) else {
                    continue;
                };
                let known = &mut costs[target as usize];
                if known.is_none_or(|known: u32| known > cost + price) {
                    *known = Some(cost + price);
                }
            }
        }
        if before == costs {
            return costs;
        }
    }
}

/// All simple chains from a child of the root to `end`.
pub fn chains(graph: &References, end: u32, may_pass: impl Fn(u32) -> bool) -> Vec<Vec<u32>> {
    let mut chains = Vec::new();
    let mut waiting = vec![vec![ROOT]];
    while let Some(chain) = waiting.pop() {
        let mut targets = graph.of(chain[chain.len() - 1]).to_vec();
        targets.sort_unstable();
        targets.dedup();
        for target in targets.into_iter().filter(|target| !chain.contains(target)) {
            let longer = [&chain[..], &[target]].concat();
            if target == end {
                chains.push(longer[1..].to_vec());
            } else if may_pass(target) {
                waiting.push(longer);
            }
        }
    }
    chains
}
