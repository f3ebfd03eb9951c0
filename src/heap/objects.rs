//! The objects of a heap and the references between them, in columns. The first rows stand for holders that are no
//! objects: the heap as a whole, threads, frames, the interpreter.

use rustc_hash::FxHashMap;

use super::graph::references::{Malformed, References};
use super::labels::Label;
use crate::memory::roomy::roomy;
use crate::memory::spots::{Spot, Spots};

/// One row an object, in the order in which they were examined.
#[derive(Debug)]
pub struct Objects {
    rows: Vec<Row>,
    references: Vec<Reference>,
    /// The bytes of objects whose row says `LARGE`.
    large: FxHashMap<u32, u64>,
}

/// What is asked of an object together stands together.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Index of the type; `NO_OBJECT` for holders that are none.
    type_of: u32,
    /// The blocks that it and its private tables occupy.
    bytes: u32,
    /// Where the object stands.
    spot: Spot,
    /// The end of its references, which begin where those of the row before end.
    end: u32,
}

/// A reference from the row that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// First a spot, then (`resolve`) a row.
    pub target: u32,
    pub label: Label,
}

/// The type of rows that are no objects.
pub const NO_OBJECT: u32 = 0;
/// The row of the heap as a whole.
pub const HEAP: u32 = 0;
/// Programs have fewer objects and references than one for so many bytes, mostly; where they have more, room is added.
const BYTES_A_ROW: usize = 40;
const BYTES_A_REFERENCE: usize = 16;
const LARGE: u32 = u32::MAX;
/// Rows and references are counted in 32 bits.
const MOST: usize = u32::MAX as usize - 1;

impl Objects {
    /// With room for what is usual in `mapped` bytes of memory.
    pub fn in_memory(mapped: u64) -> Self {
        Objects {
            rows: roomy(mapped as usize / BYTES_A_ROW),
            references: roomy(mapped as usize / BYTES_A_REFERENCE),
            large: FxHashMap::default(),
        }
    }

    pub fn count(&self) -> usize {
        self.rows.len()
    }

    pub fn reference_count(&self) -> usize {
        self.references.len()
    }

    /// Whether another object with some references can be counted.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.rows.len() < MOST && self.references.len() < MOST
    }

    /// Notes a reference of the object whose row comes next.
    #[inline]
    pub fn refer(&mut self, target: u32, label: Label) {
        if self.references.len() < MOST {
            self.references.push(Reference { target, label });
        }
    }

    /// Takes back the references from `first` on, which belong to no row yet.
    pub fn take_back(&mut self, first: usize) -> Vec<Reference> {
        self.references.split_off(first)
    }

    /// Adds the row of the object whose references have been noted, and answers its number.
    #[inline]
    pub fn push(&mut self, spot: Spot, type_of: u32, bytes: u64) -> u32 {
        let row = self.rows.len() as u32;
        if bytes >= u64::from(LARGE) {
            self.large.insert(row, bytes);
        }
        self.rows.push(Row {
            type_of,
            bytes: bytes.min(u64::from(LARGE)) as u32,
            spot,
            end: self.references.len() as u32,
        });
        row
    }

    #[inline]
    pub fn type_of(&self, row: u32) -> u32 {
        self.rows[row as usize].type_of
    }

    #[inline]
    pub fn bytes(&self, row: u32) -> u64 {
        match self.rows[row as usize].bytes {
            LARGE => self.large.get(&row).copied().unwrap_or(u64::from(LARGE)),
            bytes => u64::from(bytes),
        }
    }

    #[inline]
    pub fn type_and_bytes(&self, row: u32) -> (u32, u64) {
        (self.type_of(row), self.bytes(row))
    }

    pub fn spot(&self, row: u32) -> Spot {
        self.rows[row as usize].spot
    }

    /// The references of a row.
    #[inline]
    pub fn references(&self, row: u32) -> &[Reference] {
        let row = row as usize;
        let start = if row == 0 { 0 } else { self.rows[row - 1].end };
        self.references
            .get(start as usize..self.rows[row].end as usize)
            .unwrap_or_default()
    }

    /// Takes the references out as a graph without labels, whose nodes are the rows; each row in `more`, the later ones
    /// first, gets references to further rows as well. The targets move up within the memory that they stand in; the rest of it is given back.
    pub fn take_references(&mut self, more: &[(u32, Vec<u32>)]) -> Result<References, Malformed> {
        let noted = std::mem::take(&mut self.references);
        let mut targets: Vec<u32> = noted.into_iter().map(|reference| reference.target).collect();
        let ends = self.rows.iter().map(|row| row.end);
        let mut starts: Vec<u32> = roomy(self.rows.len() + 1);
        starts.push(0);
        starts.extend(ends);
        for (row, further) in more.iter().filter(|(_, further)| !further.is_empty()) {
            if let Some(&end) = starts.get(*row as usize + 1) {
                targets.splice(end as usize..end as usize, further.iter().copied());
                for start in starts.iter_mut().skip(*row as usize + 1) {
                    *start = start.saturating_add(further.len() as u32);
                }
            }
        }
        targets.shrink_to_fit();
        References::from_rows(starts, targets)
    }

    /// Turns the targets from spots into rows. The first `holders` rows are no objects; `rows_held` are the references
    /// that lead to such rows. A reference to what turned out to be no object leads to the heap as a whole.
    pub fn resolve(&mut self, spots: &Spots, holders: usize, rows_held: &[(usize, u32)]) {
        let ranks = spots.ranks();
        let mut rows = roomy(ranks.count);
        rows.resize(ranks.count, HEAP);
        for (number, row) in self.rows.iter().enumerate().skip(holders) {
            rows[ranks.of(row.spot) as usize] = number as u32;
        }
        for reference in &mut self.references {
            reference.target = match reference.target {
                NO_SPOT => HEAP,
                spot => rows[ranks.of(spot) as usize],
            };
        }
        for &(reference, row) in rows_held {
            self.references[reference].target = row;
        }
    }
}

/// Stands in a row, or for a target, that is no object.
pub const NO_SPOT: Spot = Spot::MAX;
