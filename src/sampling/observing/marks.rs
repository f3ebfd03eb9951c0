//! The objects that were seen being made, each with the calls that may have made it. Bounded, however long it is watched.

use rustc_hash::FxHashMap;

/// So many objects are kept in mind; beyond, each that was seen has the same chance to be among them.
const MOST_MARKS: usize = 1 << 17;
/// So many candidates an object can have.
pub const MOST_CANDIDATES: usize = 4;

/// A stack (its number) that may have made an object, and how much speaks for it. 0 is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Candidate {
    pub stack: u32,
    /// Where the instruction stands in the code of the innermost call.
    pub offset: i32,
    pub weight: f32,
}

/// An object that was seen being made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    pub object: u64,
    pub type_address: u64,
    /// The number of the look that saw it.
    pub look: u64,
    /// Whether all readings around its coming, two before and two after, stood on one line.
    pub agrees: bool,
    /// Those with a weight come first.
    pub candidates: [Candidate; MOST_CANDIDATES],
}

#[derive(Debug, Default)]
pub struct Marks {
    all: Vec<Mark>,
    /// The place of each object in `all`.
    of: FxHashMap<u64, u32>,
    seen: u64,
    random: Random,
}

impl Marks {
    /// Notes an object. What was made at its address before is gone.
    pub fn add(&mut self, mark: Mark) {
        self.seen += 1;
        if let Some(&place) = self.of.get(&mark.object) {
            if let Some(known) = self.all.get_mut(place as usize) {
                *known = mark;
            }
            return;
        }
        if self.all.len() < MOST_MARKS {
            self.of.insert(mark.object, self.all.len() as u32);
            self.all.push(mark);
            return;
        }
        let place = self.random.below(self.seen);
        if let Some(known) = self.all.get_mut(usize::try_from(place).unwrap_or(usize::MAX)) {
            self.of.remove(&known.object);
            self.of.insert(mark.object, place as u32);
            *known = mark;
        }
    }

    pub fn all(&self) -> &[Mark] {
        &self.all
    }
}

/// Numbers without a pattern (xorshift64).
#[derive(Debug)]
pub struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Random(0x9e37_79b9_7f4a_7c15)
    }
}

impl Random {
    /// A number below `bound`; 0 when that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}
