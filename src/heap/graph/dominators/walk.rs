//! The depth-first walk that numbers the nodes that may have references. The stack is a list of its own, as deep as the
//! heap.

use super::super::references::References;
use super::super::{NO_NODE, ROOT};

/// What the walk found.
pub struct Walk {
    /// By node: its number; `NO_NODE` for leaves and for what no root reaches.
    pub place: Vec<u32>,
    /// By number: the node.
    pub order: Vec<u32>,
    /// By number: the number of the node from which it was met first. The root is its own parent.
    pub parent: Vec<u32>,
    /// The references to what had been met before, leaves apart.
    pub crossings: Vec<Crossing>,
}

/// A reference that the walk did not follow, by the numbers of its ends.
#[derive(Debug, Clone, Copy)]
pub struct Crossing {
    pub source: u32,
    pub target: u32,
}

/// A row that is being gone through.
#[derive(Clone, Copy)]
struct Row {
    next: u32,
    end: u32,
    number: u32,
}

pub fn walk(references: &References) -> Walk {
    let holders = references.holders();
    let targets = references.targets();
    let mut place = vec![NO_NODE; references.nodes() as usize];
    let mut order = Vec::with_capacity(holders as usize);
    let mut parent = Vec::with_capacity(holders as usize);
    let mut crossings = Vec::new();
    let mut waiting: Vec<Row> = Vec::new();

    let mut number_of = |place: &mut u32, node: u32, from: u32| {
        let number = order.len() as u32;
        *place = number;
        order.push(node);
        parent.push(from);
        let (next, end) = references.span(node);
        Row { next, end, number }
    };
    let mut row = number_of(&mut place[ROOT as usize], ROOT, 0);
    loop {
        if row.next == row.end {
            match waiting.pop() {
                Some(last) => row = last,
                None => break,
            }
            continue;
        }
        let target = targets[row.next as usize];
        row.next += 1;
        // Leaves have no number.
        let Some(number) = place[..holders as usize].get_mut(target as usize) else {
            continue;
        };
        if *number != NO_NODE {
            crossings.push(Crossing {
                source: row.number,
                target: *number,
            });
            continue;
        }
        let from = row.number;
        // A row at its end need not be come back to.
        if row.next != row.end {
            waiting.push(row);
        }
        row = number_of(number, target, from);
    }
    Walk {
        place,
        order,
        parent,
        crossings,
    }
}
