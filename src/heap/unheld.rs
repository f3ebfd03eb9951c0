//! What no root reaches: garbage that the collector has yet to free, or held by C code that no survey can look into.

/// The rows that no root reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unheld {
    /// More references to these, or to what holds them, exist than are known; in order.
    pub by_c: Vec<u32>,
    /// Nothing holds these but themselves; in order.
    pub garbage: Vec<u32>,
}
