//! The depth-first walk that numbers the nodes with references. The stack is a list of its own, as deep as the heap.

use super::super::nodes::NodeSet;
use super::super::references::References;
use super::super::{NO_NODE, ROOT};

/// What the walk found.
pub struct Walk {
    /// By node: its number; `NO_NODE` for leaves and for what no root reaches.
    pub place: Vec<u32>,
    /// The nodes that have references, and the root.
    pub inner: NodeSet,
    /// The nodes that were met more than once; leaves may be among them or not.
    pub shared: NodeSet,
    /// By number: the node.
    pub order: Vec<u32>,
    /// By number: the number of the node from which it was met first. The root is its own parent.
    pub parent: Vec<u32>,
}

/// A row that is being gone through.
#[derive(Clone, Copy)]
struct Row {
    next: u32,
    end: u32,
    number: u32,
}

pub fn walk(references: &References) -> Walk {
    let nodes = references.nodes();
    let inner = NodeSet::where_true(nodes, |node| {
        let (start, end) = references.span(node);
        start != end || node == ROOT
    });
    let targets = references.targets();
    let mut open = inner.clone();
    let mut shared = NodeSet::none_of(nodes);
    let mut place = vec![NO_NODE; nodes as usize];
    let most = inner.len() as usize;
    let mut order = Vec::with_capacity(most);
    let mut parent = Vec::with_capacity(most);
    let mut waiting: Vec<Row> = Vec::new();

    let mut number_of = |node: u32, from: u32| {
        let number = order.len() as u32;
        place[node as usize] = number;
        order.push(node);
        parent.push(from);
        let (next, end) = references.span(node);
        Row { next, end, number }
    };
    open.remove(ROOT);
    let mut row = number_of(ROOT, 0);
    loop {
        let Some(&target) = targets[..row.end as usize].get(row.next as usize) else {
            match waiting.pop() {
                Some(last) => row = last,
                None => break,
            }
            continue;
        };
        row.next += 1;
        if open.remove(target) {
            let from = row.number;
            // A row at its end need not be come back to.
            if row.next != row.end {
                waiting.push(row);
            }
            row = number_of(target, from);
        } else {
            shared.insert(target);
        }
    }
    Walk {
        place,
        inner,
        shared,
        order,
        parent,
    }
}
