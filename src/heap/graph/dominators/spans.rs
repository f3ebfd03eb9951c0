//! Where the nodes of the dominator tree stand in a depth-first numbering of it: what a node dominates stands in a row.

/// Where a node and all that it dominates stand.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub first: u32,
    pub end: u32,
}

impl Span {
    #[inline]
    pub fn holds(self, position: u32) -> bool {
        self.first <= position && position < self.end
    }
}

/// By number; `above` is the number of each node's dominator, which is smaller than its own.
pub fn spans(above: &[u32]) -> Vec<Span> {
    // First `end` counts the nodes below and including each; then `first` is dealt out from above, and `end` says where
    // the next child goes until it has come to the node's own end.
    let mut spans = vec![Span { first: 0, end: 1 }; above.len()];
    for number in (1..above.len()).rev() {
        spans[above[number] as usize].end += spans[number].end;
    }
    let whole = above.len() as u32;
    spans[0] = Span { first: 0, end: 1 };
    for number in 1..above.len() {
        let size = spans[number].end;
        let parent = &mut spans[above[number] as usize];
        let first = parent.end;
        parent.end += size;
        spans[number] = Span { first, end: first + 1 };
    }
    debug_assert_eq!(spans[0].end, whole);
    spans
}
