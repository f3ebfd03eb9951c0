//! `references.parquet`: a row for each reference, in the order of holders: who holds what, and how.

use std::fs::File;
use std::io::Write;
use std::rc::Rc;

use super::table::{Column, ParquetError, Table, Values, write};
use crate::heap::detail::{By, Detail, Held};
use crate::heap::texts::Texts;

/// The words of `kind`, by their numbers.
const KINDS: [&str; 6] = ["attribute", "namespace", "key", "index", "local", "unnamed"];

fn kind(by: By) -> u32 {
    match by {
        By::Attribute(_) => 0,
        By::Namespace => 1,
        By::Key(_) => 2,
        By::Index(_) => 3,
        By::Local(_) => 4,
        By::Unnamed => 5,
    }
}

pub fn save(file: impl Write + Send, detail: &Detail) -> Result<(), ParquetError> {
    let kinds: Vec<Rc<str>> = KINDS.iter().map(|&kind| kind.into()).collect();
    let mut holders = Vec::with_capacity(detail.references.len());
    let mut start = 0;
    for (holder, &end) in detail.ends.iter().enumerate() {
        holders.extend((start..end).map(|_| holder as u32));
        start = end;
    }
    let holder = |row: usize| u64::from(holders[row]);
    let held = |row: usize| u64::from(detail.references[row].target);
    let kind = |row: usize| Some(kind(detail.references[row].by));
    let name = |row: usize| detail.references[row].by.name();
    let index = |row: usize| match detail.references[row].by {
        By::Index(index) => Some(u64::from(index)),
        _ => None,
    };
    let texts = &detail.names;
    let columns = [
        ("holder", Values::Near(&holder)),
        ("held", Values::Near(&held)),
        (
            "kind",
            Values::Text {
                texts: &kinds,
                of: &kind,
            },
        ),
        ("name", Values::Text { texts, of: &name }),
        ("index", Values::Number(&index)),
    ];
    write(
        file,
        detail.references.len(),
        &columns.map(|(name, values)| Column { name, values }),
    )
}

/// Reads the references of all objects into `detail`.
pub fn load(file: File, detail: &mut Detail) -> Result<(), ParquetError> {
    let table = Table::open(file)?;
    let misfit = || ParquetError::General("the references do not fit the objects".to_owned());
    let count = detail.count();
    detail.ends = vec![0; count];
    let (mut last, mut fits, mut rows) = (0, true, 0_u32);
    table.numbers("holder", |holder| {
        let holder = holder.unwrap_or(u64::MAX) as usize;
        fits &= holder < count && holder >= last && rows < u32::MAX;
        if fits {
            last = holder;
            rows += 1;
            detail.ends[holder] = rows;
        }
    })?;
    // Who holds nothing ends where the one before does.
    let mut end = 0;
    for each in &mut detail.ends {
        end = end.max(*each);
        *each = end;
    }
    table.numbers("held", |held| {
        let target = held.and_then(|held| u32::try_from(held).ok()).unwrap_or(u32::MAX);
        fits &= (target as usize) < count;
        let by = By::Unnamed;
        detail.references.push(Held { target, by });
    })?;
    if !fits || detail.references.len() != rows as usize {
        return Err(misfit());
    }
    load_steps(&table, detail)?;
    Ok(())
}

fn load_steps(table: &Table, detail: &mut Detail) -> Result<(), ParquetError> {
    const MEANINGS: [By; 6] = [
        By::Attribute(0),
        By::Namespace,
        By::Key(None),
        By::Index(0),
        By::Local(0),
        By::Unnamed,
    ];
    let mut are_known = true;
    let mut references = detail.references.iter_mut();
    table.texts("kind", |word| {
        let kind = KINDS.iter().position(|each| Some(*each) == word);
        are_known &= kind.is_some();
        if let (Some(reference), Some(kind)) = (references.next(), kind) {
            reference.by = MEANINGS[kind];
        }
    })?;
    // What should have a name and has none is called by the first, which is empty.
    let mut texts = Texts::default();
    texts.number("");
    let mut references = detail.references.iter_mut();
    table.texts("name", |name| {
        let number = name.map(|name| texts.number(name));
        match (references.next().map(|reference| &mut reference.by), number) {
            (Some(By::Attribute(name) | By::Local(name)), Some(number)) => *name = number,
            (Some(By::Key(name)), number) => *name = number,
            _ => {}
        }
    })?;
    detail.names = texts.into_all();
    let mut references = detail.references.iter_mut();
    table.numbers("index", |index| {
        if let (Some(By::Index(place)), Some(index)) = (references.next().map(|reference| &mut reference.by), index) {
            *place = index.min(u64::from(u32::MAX)) as u32;
        }
    })?;
    match are_known {
        true => Ok(()),
        false => Err(ParquetError::General(
            "there are references of unknown kinds".to_owned(),
        )),
    }
}
