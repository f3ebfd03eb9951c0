//! The heap as a graph of numbers, and what can be computed on it: who refers, who dominates, what is retained, what is
//! near, what is a cycle.
//!
//! Nothing here knows objects, types or addresses. Nodes are the numbers from 0; node 0 is the virtual root above
//! everything, whose references are the roots of the heap. Nodes that refer to nothing cost least when they come last: see
//! `References::holders`. No function recurses: a heap can be ten million objects deep.

pub mod chains;
pub mod cheapest;
pub mod components;
pub mod deep;
pub mod dominated;
pub mod dominators;
pub mod groups;
pub mod incoming;
pub mod nodes;
pub mod references;
pub mod referrers;
pub mod retained;
pub mod sizes;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod shapes;

/// The virtual root: what holds the roots of the heap.
pub const ROOT: u32 = 0;
/// The number that no node has.
pub const NO_NODE: u32 = u32::MAX;
