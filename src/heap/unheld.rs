//! What no root reaches: garbage that the collector has yet to free, or held by C code that no survey can look into.

/// The rows that no root reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unheld {
    /// More references to these, or to what holds them, exist than are known; in order.
    pub by_c: Vec<u32>,
    /// Nothing holds these but themselves; in order.
    pub garbage: Vec<u32>,
}

/// What keeps an object alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// A root reaches it.
    Held,
    /// No root that is known reaches it, but more references to it, or to what holds it, exist than are known.
    HeldByC,
    /// Nothing but itself and what is garbage too: the collector frees it when it comes to it.
    Garbage,
}

impl Unheld {
    pub fn state(&self, row: u32) -> State {
        if self.garbage.binary_search(&row).is_ok() {
            State::Garbage
        } else if self.by_c.binary_search(&row).is_ok() {
            State::HeldByC
        } else {
            State::Held
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_in_neither_list_are_held() {
        let unheld = Unheld {
            by_c: vec![3, 8],
            garbage: vec![4, 9],
        };
        assert_eq!(
            [2, 3, 4, 8, 9].map(|row| unheld.state(row)),
            [
                State::Held,
                State::HeldByC,
                State::Garbage,
                State::HeldByC,
                State::Garbage
            ]
        );
    }
}
