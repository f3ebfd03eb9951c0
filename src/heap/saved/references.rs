//! `references.parquet`: a row for each reference, in the order of holders: who holds what, and how. Those that hold
//! nothing, weak references, come last.

use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::rc::Rc;

use super::kinds::{Kind, Kinds};
use super::table::{Column, ParquetError, Table, Values, write};
use crate::heap::TypeTotals;
use crate::heap::detail::{By, Detail, Held};
use crate::heap::facts::WeakReference;
use crate::heap::texts::Texts;

pub fn save(file: impl Write + Send, detail: &Detail, types: &[TypeTotals]) -> Result<(), ParquetError> {
    let words: Vec<Rc<str>> = Kind::ALL.iter().map(|kind| kind.word().into()).collect();
    let kinds = Kinds::of(detail, types);
    let strong = detail.references.len();
    let (at, holders) = (|row: usize| detail.references.get(row), Holders::of(detail));
    let holder_of = |row: usize| match detail.weak.get(row.wrapping_sub(strong)) {
        Some(weak) => weak.holder,
        None => holders.of_row(row),
    };
    let holder = |row: usize| u64::from(holder_of(row));
    let held = |row: usize| match (at(row), detail.weak.get(row.wrapping_sub(strong))) {
        (Some(held), _) => u64::from(held.target),
        (None, weak) => weak.map_or(0, |weak| u64::from(weak.target)),
    };
    let kind = |row: usize| {
        let kind = match at(row) {
            Some(held) => kinds.kind(holder_of(row), *held),
            None => Kind::Weak,
        };
        Some(kind as u32)
    };
    let name = |row: usize| kinds.name(holder_of(row), *at(row)?);
    let index = |row: usize| match at(row)?.by() {
        By::Index(index) => Some(u64::from(index)),
        _ => None,
    };
    let words = Values::Text {
        texts: &words,
        of: &kind,
    };
    let names = Values::Text {
        texts: &detail.names,
        of: &name,
    };
    let columns = [
        ("holder", Values::Near(&holder)),
        ("held", Values::Near(&held)),
        ("kind", words),
        ("name", names),
        ("index", Values::Number(&index)),
    ];
    let columns = columns.map(|(name, values)| Column { name, values });
    write(file, strong + detail.weak.len(), &columns)
}

/// Finds the holders of references that are asked for one after the other.
struct Holders<'a> {
    ends: &'a [u32],
    last: Cell<usize>,
}

impl<'a> Holders<'a> {
    fn of(detail: &'a Detail) -> Self {
        Holders {
            ends: &detail.ends,
            last: Cell::new(0),
        }
    }

    fn of_row(&self, row: usize) -> u32 {
        let mut at = self.last.get();
        let begin = |at: usize| at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        if begin(at) > row {
            at = 0;
        }
        while self.ends.get(at).is_some_and(|&end| end as usize <= row) {
            at += 1;
        }
        self.last.set(at);
        at as u32
    }
}

/// Reads the references of all objects into `detail`.
pub fn load(file: File, detail: &mut Detail) -> Result<(), ParquetError> {
    let table = Table::open(file)?;
    let kinds = load_kinds(&table)?;
    let strong = kinds.iter().position(|&kind| kind == Kind::Weak).unwrap_or(kinds.len());
    load_ends(&table, &kinds, strong, detail)?;
    // What should have a name and has none is called by the first, which is empty.
    let mut texts = Texts::default();
    texts.number("");
    let mut references = detail.references.iter_mut().zip(&kinds);
    table.texts("name", |name| {
        let number = name.map(|name| texts.number(name));
        if let Some((held, kind)) = references.next() {
            *held = Held::new(held.target, kind.by(number));
        }
    })?;
    detail.names = texts.into_all();
    load_places(&table, &kinds, detail)
}

fn load_kinds(table: &Table) -> Result<Vec<Kind>, ParquetError> {
    let (mut kinds, mut are_known) = (Vec::new(), true);
    table.texts("kind", |word| {
        let kind = Kind::ALL.into_iter().find(|kind| Some(kind.word()) == word);
        are_known &= kind.is_some();
        kinds.push(kind.unwrap_or(Kind::Unnamed));
    })?;
    match are_known {
        true => Ok(kinds),
        false => Err(ParquetError::General(
            "there are references of unknown kinds".to_owned(),
        )),
    }
}

/// Reads who holds whom; of the rows the first `strong` are references that hold something.
fn load_ends(table: &Table, kinds: &[Kind], strong: usize, detail: &mut Detail) -> Result<(), ParquetError> {
    let count = detail.count();
    detail.ends = vec![0; count];
    let mut fits = u32::try_from(kinds.len()).is_ok() && kinds[strong..].iter().all(|&kind| kind == Kind::Weak);
    let (mut last, mut row) = (0, 0);
    table.numbers("holder", |holder| {
        let holder = holder.unwrap_or(u64::MAX) as usize;
        fits &= holder < count && (holder >= last || row >= strong);
        row += 1;
        match fits {
            true if row <= strong => {
                last = holder;
                detail.ends[holder] = row as u32;
            }
            true => detail.weak.push(WeakReference {
                holder: holder as u32,
                target: 0,
            }),
            false => {}
        }
    })?;
    // Who holds nothing ends where the one before does.
    let mut end = 0;
    for each in &mut detail.ends {
        end = end.max(*each);
        *each = end;
    }
    row = 0;
    table.numbers("held", |held| {
        let target = held.and_then(|held| u32::try_from(held).ok()).unwrap_or(u32::MAX);
        fits &= (target as usize) < count;
        match detail.weak.get_mut(row.wrapping_sub(strong)) {
            Some(weak) => weak.target = target,
            None => detail.references.push(Held::new(target, By::Unnamed)),
        }
        row += 1;
    })?;
    let is_whole = detail.references.len() == strong && end as usize == strong && row == kinds.len();
    match fits && is_whole {
        true => Ok(()),
        false => Err(ParquetError::General(
            "the references do not fit the objects".to_owned(),
        )),
    }
}

/// Reads the places in lists and tuples; those in a closure are of variables, whose names have been read.
fn load_places(table: &Table, kinds: &[Kind], detail: &mut Detail) -> Result<(), ParquetError> {
    let ends = std::mem::take(&mut detail.ends);
    let (mut holder, mut row) = (0, 0);
    table.numbers("index", |index| {
        while ends.get(holder).is_some_and(|&end| end as usize <= row) {
            holder += 1;
        }
        let place = index.map(|index| index.min(u64::from(u32::MAX)) as u32);
        if let (Some(held), Some(kind), Some(place)) = (detail.references.get_mut(row), kinds.get(row), place) {
            if let (Kind::Closure, Some(name)) = (kind, held.by().name()) {
                detail.variables.insert((holder as u32, place), name);
            }
            if matches!(kind, Kind::Closure | Kind::Index) {
                *held = Held::new(held.target, By::Index(place));
            }
        }
        row += 1;
    })?;
    detail.ends = ends;
    Ok(())
}
