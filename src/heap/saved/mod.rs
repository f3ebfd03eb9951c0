//! The heap as a folder of tables, written and read with no process in sight.

mod containers;
mod frames;
mod kinds;
mod objects;
mod records;
mod references;
mod seal;
mod table;
mod types;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use thiserror::Error;

use self::containers::{ItemType, item_types, set_item_types};
pub use self::kinds::Kinds;
pub use self::records::{Record, Recorded};
pub use self::seal::Seal;
use self::seal::Sealing;
use self::table::ParquetError;
use super::detail::Detail;
use super::{Container, Heap, Tree, TreeNode, TypeTotals};

/// The tables of a folder, by their files.
const TYPES: &str = "types.parquet";
const CONTAINERS: &str = "containers.parquet";
const ITEM_TYPES: &str = "item_types.parquet";
const FRAMES: &str = "frames.parquet";
const TYPE_FRAMES: &str = "type_frames.parquet";
const ROOTS: &str = "roots.parquet";
const OBJECTS: &str = "objects.parquet";
const REFERENCES: &str = "references.parquet";
pub const TABLES: [&str; 8] = [
    TYPES,
    CONTAINERS,
    ITEM_TYPES,
    FRAMES,
    TYPE_FRAMES,
    ROOTS,
    OBJECTS,
    REFERENCES,
];

/// Why a table could not be written or read.
#[derive(Debug, Error)]
pub enum TableError {
    #[error("{file}: {cause}")]
    File { file: &'static str, cause: io::Error },
    #[error("{file}: {}", plain(.cause))]
    Table { file: &'static str, cause: ParquetError },
    #[error("{file} is not what was written ({found} instead of {expected})")]
    Changed {
        file: &'static str,
        found: Seal,
        expected: Seal,
    },
}

/// Without the word that the writer of Parquet puts before errors of files.
fn plain(cause: &ParquetError) -> String {
    match cause {
        ParquetError::External(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

impl TableError {
    /// Of a table whose rows do not fit together.
    pub fn senseless(file: &'static str) -> TableError {
        let cause = ParquetError::General("a row makes no sense".to_owned());
        TableError::Table { file, cause }
    }
}

/// Makes a file of a folder to write to.
pub type Make<'a> = dyn Fn(&str) -> io::Result<File> + 'a;

/// By its file, what each table was when it was written.
pub type Seals = BTreeMap<String, Seal>;

/// Writes the tables of a heap.
pub fn save(make: &Make, heap: &Heap, detail: &Detail) -> Result<Seals, TableError> {
    let mut seals = Seals::new();
    save_records(make, TYPES, &heap.types, &mut seals)?;
    save_records(make, CONTAINERS, &heap.containers, &mut seals)?;
    save_records(make, ITEM_TYPES, &item_types(&heap.containers), &mut seals)?;
    save_records(make, FRAMES, &heap.tree.nodes, &mut seals)?;
    save_records(make, TYPE_FRAMES, &heap.type_tree.nodes, &mut seals)?;
    put(make, ROOTS, &mut seals, |out| objects::save_roots(out, detail))?;
    put(make, OBJECTS, &mut seals, |out| {
        objects::save_objects(out, detail, &heap.types)
    })?;
    put(make, REFERENCES, &mut seals, |out| {
        references::save(out, detail, &heap.types)
    })?;
    Ok(seals)
}

/// Writes a table with a row for each of `rows`.
pub fn save_records<T: Recorded>(
    make: &Make,
    file: &'static str,
    rows: &[T],
    seals: &mut Seals,
) -> Result<(), TableError> {
    put(make, file, seals, |out| records::save(out, rows))
}

/// Makes the file of a table, and notes what it was when it was written.
fn put(
    make: &Make,
    file: &'static str,
    seals: &mut Seals,
    write: impl FnOnce(&mut Sealing) -> Result<(), ParquetError>,
) -> Result<(), TableError> {
    let out = make(file).map_err(|cause| TableError::File { file, cause })?;
    let mut out = Sealing::new(out);
    write(&mut out).map_err(|cause| TableError::Table { file, cause })?;
    seals.insert(file.to_owned(), out.finish());
    Ok(())
}

/// Makes sure that tables are what was written: their reader trusts them in much.
pub fn check(folder: &Path, seals: &Seals, files: impl Iterator<Item = &'static str>) -> Result<(), TableError> {
    for file in files {
        let expected = seals.get(file).copied().unwrap_or_default();
        let found = Seal::of(&folder.join(file), expected.bytes);
        let found = found.map_err(|cause| TableError::File { file, cause })?;
        if expected != found {
            return Err(TableError::Changed { file, found, expected });
        }
    }
    Ok(())
}

/// Reads what a report needs of a heap: its totals, warnings and rejects are the caller's to add.
pub fn load(folder: &Path) -> Result<Heap, TableError> {
    let mut containers: Vec<Container> = load_records(folder, CONTAINERS)?;
    let item_types: Vec<ItemType> = load_records(folder, ITEM_TYPES)?;
    set_item_types(&mut containers, item_types);
    Ok(Heap {
        types: load_records(folder, TYPES)?,
        containers,
        tree: load_tree(folder, FRAMES)?,
        type_tree: load_tree(folder, TYPE_FRAMES)?,
        ..Heap::default()
    })
}

fn load_tree(folder: &Path, file: &'static str) -> Result<Tree, TableError> {
    let nodes: Vec<TreeNode> = load_records(folder, file)?;
    let is_a_tree = nodes
        .iter()
        .enumerate()
        .all(|(row, node)| (node.parent as usize) < row.max(1));
    if !is_a_tree || nodes.is_empty() {
        let cause = ParquetError::General("the frames are no tree".to_owned());
        return Err(TableError::Table { file, cause });
    }
    Ok(Tree { nodes })
}

/// Reads every object and every reference.
pub fn load_detail(folder: &Path, types: &[TypeTotals]) -> Result<Detail, TableError> {
    let loaded = objects::load(open(folder, ROOTS)?, open(folder, OBJECTS)?, types);
    let mut detail = loaded.map_err(|cause| TableError::Table { file: OBJECTS, cause })?;
    let loaded = references::load(open(folder, REFERENCES)?, &mut detail);
    loaded.map_err(|cause| TableError::Table {
        file: REFERENCES,
        cause,
    })?;
    let loaded = objects::load_calls(open(folder, OBJECTS)?, &mut detail);
    loaded.map_err(|cause| TableError::Table { file: OBJECTS, cause })?;
    Ok(detail)
}

/// Reads all rows of a table.
pub fn load_records<T: Recorded>(folder: &Path, file: &'static str) -> Result<Vec<T>, TableError> {
    records::load(open(folder, file)?).map_err(|cause| TableError::Table { file, cause })
}

fn open(folder: &Path, file: &'static str) -> Result<File, TableError> {
    File::open(folder.join(file)).map_err(|cause| TableError::File { file, cause })
}
