//! The objects of a heap and the references between them, in columns. The first rows stand for holders that are no
//! objects: the heap as a whole, threads, frames, the interpreter. The last ones are the leaves, of which little has to be
//! known and which are most of all objects.

use rustc_hash::FxHashMap;

use super::graph::references::{Malformed, References};
use super::graph::sizes::BytesOf;
use super::labels::Label;
use super::leaves::{LeafKind, Leaves};
use crate::memory::roomy::roomy;
use crate::memory::spots::{Spot, Spots};

/// One row an object, in the order in which they were examined, but the leaves behind all others.
#[derive(Debug)]
pub struct Objects {
    rows: Vec<Row>,
    leaves: Leaves,
    /// Where the objects of the rows and those of the leaves stand.
    spots: [Vec<Spot>; 2],
    references: Vec<Reference>,
    /// The bytes of objects whose row says `LARGE`.
    large: FxHashMap<u32, u64>,
}

/// What is asked of an object together stands together.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Index of the type, with `TRACKED`; `NO_OBJECT` for holders that are none.
    type_of: u32,
    /// The blocks that it and its private tables occupy.
    bytes: u32,
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
const BYTES_A_ROW: usize = 80;
const BYTES_A_LEAF: usize = 80;
const BYTES_A_REFERENCE: usize = 16;
const LARGE: u32 = u32::MAX;
/// Stands with the type of objects that the collector tracks. There are fewer types.
const TRACKED: u32 = 1 << 31;
/// Rows and references are counted in 32 bits.
const MOST: usize = u32::MAX as usize - 1;

impl Objects {
    /// With room for what is usual in `mapped` bytes of memory.
    pub fn in_memory(mapped: u64) -> Self {
        let (rows, leaves) = (mapped as usize / BYTES_A_ROW, mapped as usize / BYTES_A_LEAF);
        Objects {
            rows: roomy(rows),
            leaves: Leaves::new(leaves),
            spots: [roomy(rows), roomy(leaves)],
            references: roomy(mapped as usize / BYTES_A_REFERENCE),
            large: FxHashMap::default(),
        }
    }

    pub fn count(&self) -> usize {
        self.rows.len() + self.leaves.len()
    }

    /// How many rows are no leaves; they come first.
    #[inline]
    pub fn holders(&self) -> usize {
        self.rows.len()
    }

    pub fn reference_count(&self) -> usize {
        self.references.len()
    }

    /// Whether so many further objects with some references can be counted.
    pub fn has_room_for(&self, further: usize) -> bool {
        self.count() + further < MOST && self.references.len() < MOST
    }

    /// Notes a reference of the object whose row comes next.
    #[inline]
    pub fn refer(&mut self, target: u32, label: Label) {
        if self.references.len() < MOST {
            self.references.push(Reference { target, label });
        }
    }

    /// Lets a reference that was noted lead elsewhere.
    pub fn redirect(&mut self, number: usize, target: Spot) {
        if let Some(reference) = self.references.get_mut(number) {
            reference.target = target;
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
            end: self.references.len() as u32,
        });
        self.spots[0].push(spot);
        row
    }

    /// Says that the collector tracks the object of a row.
    #[inline]
    pub fn track(&mut self, row: u32) {
        if let Some(row) = self.rows.get_mut(row as usize) {
            row.type_of |= TRACKED;
        }
    }

    /// Whether the collector tracks it.
    #[inline]
    pub fn is_tracked(&self, row: u32) -> bool {
        self.rows
            .get(row as usize)
            .is_some_and(|row| row.type_of & TRACKED != 0)
    }

    /// Adds an object that holds nothing, of `bytes` that fit 32 bits. Its number is known when all rows are.
    #[inline]
    pub fn push_leaf(&mut self, spot: Spot, type_of: u32, bytes: u64) {
        if self.leaves.push(type_of, bytes as u32) {
            self.spots[1].push(spot);
        } else {
            self.push(spot, type_of, bytes);
        }
    }

    #[inline]
    pub fn type_of(&self, row: u32) -> u32 {
        match self.rows.get(row as usize) {
            Some(row) => row.type_of & !TRACKED,
            None => self.leaf(row).type_of,
        }
    }

    #[inline]
    pub fn bytes(&self, row: u32) -> u64 {
        match self.rows.get(row as usize) {
            Some(&each) => self.bytes_of(row, each),
            None => u64::from(self.leaf(row).bytes),
        }
    }

    /// The type and bytes of a row that is no leaf.
    #[inline]
    pub fn type_and_bytes(&self, row: u32) -> (u32, u64) {
        let each = self.rows[row as usize];
        (each.type_of & !TRACKED, self.bytes_of(row, each))
    }

    /// The bytes of all rows that are no leaves, in order.
    pub fn bytes_of_holders(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().zip(0..).map(|(&each, row)| self.bytes_of(row, each))
    }

    #[inline]
    fn bytes_of(&self, row: u32, each: Row) -> u64 {
        match each.bytes {
            LARGE => self.large.get(&row).copied().unwrap_or(u64::from(LARGE)),
            bytes => u64::from(bytes),
        }
    }

    pub fn spot(&self, row: u32) -> Spot {
        let [spots, leaf_spots] = &self.spots;
        match spots.get(row as usize) {
            Some(&spot) => spot,
            None => leaf_spots[row as usize - spots.len()],
        }
    }

    /// The types and bytes of all leaves, in the order of their numbers.
    #[inline]
    pub fn leaves(&self) -> impl Iterator<Item = (u32, u64)> {
        self.leaves.iter().map(|kind| (kind.type_of, kind.bytes.into()))
    }

    /// The kinds of leaves.
    pub fn leaf_kinds(&self) -> impl Iterator<Item = &LeafKind> {
        self.leaves.kinds()
    }

    /// The types and bytes of all rows that are no leaves, in order.
    pub fn types_and_bytes_of_holders(&self) -> impl Iterator<Item = (u32, u64)> {
        (0..self.rows.len() as u32).map(|row| self.type_and_bytes(row))
    }

    /// The type and bytes of the nth leaf.
    #[inline]
    pub fn leaf_type_and_bytes(&self, number: usize) -> (u32, u64) {
        let LeafKind { type_of, bytes, .. } = self.leaves.kind(number);
        (type_of, u64::from(bytes))
    }

    #[inline]
    fn leaf(&self, row: u32) -> LeafKind {
        self.leaves.kind(row as usize - self.rows.len())
    }

    /// The references of a row.
    #[inline]
    pub fn references(&self, row: u32) -> &[Reference] {
        let row = row as usize;
        let start = row
            .checked_sub(1)
            .and_then(|before| self.rows.get(before))
            .map_or(0, |before| before.end);
        let end = self.rows.get(row).map_or(start, |row| row.end);
        self.references.get(start as usize..end as usize).unwrap_or_default()
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
        References::from_rows(starts, targets, self.count() as u32)
    }

    /// The references of a row that may be left over: their numbers and targets.
    pub fn perhaps_left(&self, row: u32) -> impl Iterator<Item = (usize, u32)> {
        let references = self.references(row);
        let end = self.rows.get(row as usize).map_or(0, |row| row.end as usize);
        (end - references.len()..)
            .zip(references)
            .filter(|(_, reference)| reference.label == Label::PERHAPS_LEFT)
            .map(|(number, reference)| (number, reference.target))
    }

    /// The targets of all references, apart from those that may be left over.
    pub fn sure_targets(&self) -> impl Iterator<Item = u32> {
        let sure = |reference: &&Reference| reference.label != Label::PERHAPS_LEFT;
        self.references.iter().filter(sure).map(|reference| reference.target)
    }

    /// Says of a reference that may be left over whether it is. If so it leads to the heap as a whole, as all do that hold
    /// nothing.
    pub fn decide(&mut self, number: usize, is_left: bool) {
        if let Some(reference) = self.references.get_mut(number) {
            reference.label = Label::UNNAMED;
            if is_left {
                reference.target = HEAP;
            }
        }
    }

    /// Turns the targets from spots into rows. The first `holders` rows are no objects; `rows_held` are the references
    /// that lead to such rows. A reference to what turned out to be no object leads to the heap as a whole.
    pub fn resolve(&mut self, spots: &Spots, holders: usize, rows_held: &[(usize, u32)]) {
        let ranks = spots.ranks();
        let mut rows = roomy(ranks.count);
        rows.resize(ranks.count, HEAP);
        let [spots, leaf_spots] = &self.spots;
        let of_objects = spots.iter().copied().zip(0..).skip(holders);
        ranks.of_each(of_objects, |rank, number| rows[rank as usize] = number);
        let of_leaves = leaf_spots.iter().copied().zip(spots.len() as u32..);
        ranks.of_each(of_leaves, |rank, number| rows[rank as usize] = number);
        let targets = self.references.iter_mut().map(|reference| &mut reference.target);
        let of_targets = targets.filter_map(|target| match *target {
            NO_SPOT => {
                *target = HEAP;
                None
            }
            spot => Some((spot, target)),
        });
        ranks.of_each(of_targets, |rank, target| *target = rows[rank as usize]);
        for &(reference, row) in rows_held {
            self.references[reference].target = row;
        }
    }
}

impl BytesOf for Objects {
    #[inline]
    fn of(&self, row: u32) -> u64 {
        self.bytes(row)
    }

    #[inline]
    fn from(&self, first: u32) -> impl Iterator<Item = u64> {
        let rows = self.rows.iter().zip(0..).skip(first as usize);
        let leaves = (first as usize).saturating_sub(self.rows.len());
        rows.map(|(&each, row)| self.bytes_of(row, each))
            .chain(self.leaves().skip(leaves).map(|(_, bytes)| bytes))
    }
}

/// Stands in a row, or for a target, that is no object.
pub const NO_SPOT: Spot = Spot::MAX;
