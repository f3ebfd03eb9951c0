//! Classes with many instances, each of which keeps its attributes in a dict or in a table of values.

use std::rc::Rc;

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::types::{FieldName, InstanceDict, TypeInfo, flags};
use cpython::objects::{dict, int};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Sight, Subject};
use crate::heap::key_hashes::{KeySet, MOST_KEYS};
use crate::heap::labels::{Label, LabelKind};
use crate::heap::names::Form;
use crate::heap::{naming, shortening};

/// Classes with fewer instances are not looked at.
pub const FEWEST_INSTANCES: u64 = 10_000;
/// Of more instances only so many are looked at, spread evenly.
pub const MOST_LOOKED_AT: u64 = 1 << 16;
/// One of so many instances may have other attributes: it is being made, or was made otherwise.
const ONE_OTHER_OF: usize = 1000;
/// So many entries of a class's namespace are looked at.
const MOST_MEMBERS: usize = 1000;
/// More bases than any class has.
const MOST_BASES: u64 = 256;
/// So many attributes are named.
const MOST_NAMED: usize = 32;

/// A class whose instances all have the same attributes, and keep them as if each could have others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassInstances {
    /// The class, with its instances for a length and their bytes.
    pub subject: Subject,
    pub count: u64,
    /// Some of the attributes, in the order of the first instance.
    pub attributes: Vec<String>,
    pub attribute_count: u64,
    /// Of all instances, with what keeps their attributes.
    pub bytes: u64,
    /// What they would take with slots of these names.
    pub slotted_bytes: u64,
    /// Where the class is defined: file and first line.
    pub defined_at: Option<(String, u32)>,
    /// The path of an instance where most are held.
    pub held: String,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, picked: &[(u32, Vec<u32>)]) -> Vec<ClassInstances> {
    let classes = picked
        .iter()
        .filter_map(|(type_of, rows)| of_class(sight, *type_of, rows));
    classes.collect()
}

fn of_class<M: ReadMemory>(sight: &mut Sight<M>, type_of: u32, rows: &[u32]) -> Option<ClassInstances> {
    let (set, row) = common_attributes(sight, rows)?;
    let info = Rc::clone(&sight.found.types.get(type_of).info.of_type);
    if !(1..=MOST_KEYS).contains(&set.count) || inherits_dict_of_library(sight, &info) {
        return None;
    }
    let known = sight.found.types.get(type_of);
    let (name, module, count) = (Rc::clone(&known.name), known.module().to_owned(), known.count);
    let dict_bytes: u64 = rows
        .iter()
        .filter_map(|&row| dict_of(sight, row))
        .map(|(_, bytes)| bytes)
        .sum();
    let dict_bytes = u128::from(dict_bytes) * u128::from(count) / (rows.len() as u128).max(1);
    let bytes = known.bytes.saturating_add(u64::try_from(dict_bytes).ok()?);
    let slots = info.fields.len() as u64 + u64::from(set.count);
    Some(ClassInstances {
        subject: Subject {
            address: info.address,
            type_name: Rc::clone(&name),
            length: count,
            kept_bytes: bytes,
            retained_bytes: bytes,
            path: name.to_string(),
            ..Subject::default()
        },
        count,
        attributes: attribute_names(sight, &info, row),
        attribute_count: slots,
        bytes,
        slotted_bytes: sight.slotted(slots).saturating_mul(count),
        defined_at: defined_at(sight, &info, &module),
        held: held(sight, rows),
    })
}

/// The attributes that all instances have, and one of these.
fn common_attributes<M: ReadMemory>(sight: &mut Sight<M>, rows: &[u32]) -> Option<(KeySet, u32)> {
    let mut sets: FxHashMap<KeySet, (usize, u32)> = FxHashMap::default();
    for &row in rows {
        let mut set = sight.key_set(row);
        if let Some((dict, _)) = dict_of(sight, row) {
            set = set.and(sight.key_set(dict));
        }
        sets.entry(set).or_insert((0, row)).0 += 1;
        if sets.len() > 2 + rows.len() / ONE_OTHER_OF {
            return None;
        }
    }
    let (set, (count, row)) = sets.into_iter().max_by_key(|&(_, (count, row))| (count, row))?;
    (rows.len() - count <= 1 + rows.len() / ONE_OTHER_OF).then_some((set, row))
}

/// The dict behind an instance's attributes, and its bytes.
fn dict_of<M>(sight: &Sight<M>, row: u32) -> Option<(u32, u64)> {
    let objects = &sight.found.objects;
    let mut references = objects.references(row).iter();
    let dict = references.find(|each| each.label == Label::NAMESPACE)?.target;
    Some((dict, objects.bytes(dict)))
}

fn attribute_names<M: ReadMemory>(sight: &mut Sight<M>, info: &TypeInfo, row: u32) -> Vec<String> {
    let slots = info.fields.iter().filter_map(|field| match field.name {
        FieldName::Text(address) => Some(address),
        FieldName::Known(_) => None,
    });
    let mut names: Vec<String> = Vec::new();
    for address in slots {
        let name = sight.memory.c_string(address, naming::MOST_OF_NAME).unwrap_or_default();
        names.push(shortening::escape(
            &String::from_utf8_lossy(&name),
            naming::LONGEST_NAME,
        ));
    }
    for holder in [Some(row), dict_of(sight, row).map(|(dict, _)| dict)]
        .into_iter()
        .flatten()
    {
        let labels = sight.found.objects.references(holder).iter().map(|each| each.label);
        let named = |label: &Label| matches!(label.kind(), LabelKind::Value | LabelKind::Attribute);
        let labels: Vec<Label> = labels.filter(named).take(MOST_NAMED).collect();
        names.extend(labels.into_iter().map(|label| sight.name(label, Form::Name)));
    }
    names.truncate(MOST_NAMED);
    names
}

/// Whether a class that is not the program's own gives instances their dict: slots in a class below would not help.
fn inherits_dict_of_library<M: ReadMemory>(sight: &mut Sight<M>, info: &TypeInfo) -> bool {
    let at = sight.layout;
    let mro = sight.memory.word(info.address.wrapping_add(at.types.mro)).unwrap_or(0);
    let count = sight.memory.word(mro.wrapping_add(at.object.ob_size)).unwrap_or(0);
    (0..count.min(MOST_BASES)).any(|place| {
        let class = sight
            .memory
            .word(mro.wrapping_add(at.tuple.items + 8 * place))
            .unwrap_or(0);
        let Ok(base) = TypeInfo::read(sight.memory, at, class) else {
            return false;
        };
        if base.instance_dict == InstanceDict::None || !base.has(flags::HEAPTYPE) {
            return false;
        }
        let (module, _) = naming::module_and_qualname(sight.memory, at, &base);
        let libraries = sight.libraries();
        libraries.file(&module).is_some_and(|file| libraries.is_library(file))
    })
}

/// The file of the class's module, and the first line of the class, or of its first method where classes do not know theirs.
fn defined_at<M: ReadMemory>(sight: &mut Sight<M>, info: &TypeInfo, module: &str) -> Option<(String, u32)> {
    let at = sight.layout;
    let names = sight.memory.word(info.address.wrapping_add(at.types.dict)).ok()?;
    let file = sight.libraries().file(module).map(str::to_owned);
    let mut method: Option<(String, u32)> = None;
    let mut own_line = None;
    for entry in dict::entries(sight.memory, at, names, MOST_MEMBERS).ok()? {
        if naming::is_of_type(sight.memory, at, entry.value, "function") {
            let code = sight.memory.word(entry.value.wrapping_add(at.function.code)).ok()?;
            // What was made by code that was made up, such as that of dataclasses, stands nowhere.
            let is_of_file = |(path, _): &(String, u32)| file.as_deref().is_none_or(|file| file == path);
            let definition = naming::definition(sight.memory, at, code).filter(is_of_file);
            method = definition.into_iter().chain(method).min_by_key(|(_, line)| *line);
        } else if naming::str_at(sight.memory, at, entry.key).as_deref() == Some("__firstlineno__") {
            own_line = int::int_value(sight.memory, at, entry.value).ok().flatten();
        }
    }
    let own_line = own_line.and_then(|line| u32::try_from(line).ok());
    let (path, line) = method.unzip();
    let line = own_line.or(line);
    let file = file.or(path)?;
    let line = line.or_else(|| line_of_body(sight, info, &file))?;
    Some((file, line))
}

/// The first line of the code that made a class without methods of its own, such as a dataclass: it is there for as long
/// as that of its module, as while a script runs.
fn line_of_body<M: ReadMemory>(sight: &mut Sight<M>, info: &TypeInfo, file: &str) -> Option<u32> {
    let (_, qualname) = naming::module_and_qualname(sight.memory, sight.layout, info);
    let name = match sight.layout.code.qualname {
        Some(_) => &*qualname,
        None => qualname.rsplit('.').next().unwrap_or(&qualname),
    };
    for row in 0..sight.found.objects.holders() as u32 {
        if sight.content(row) != Content::Code {
            continue;
        }
        let code = sight.found.address_of(row);
        if naming::code_name(sight.memory, sight.layout, code).as_deref() == Some(name) {
            let definition = naming::definition(sight.memory, sight.layout, code);
            if let Some((_, line)) = definition.filter(|(path, _)| path == file) {
                return Some(line);
            }
        }
    }
    None
}

/// The path of an instance in the place where most of them are held.
fn held<M: ReadMemory>(sight: &mut Sight<M>, rows: &[u32]) -> String {
    let mut places: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for &row in rows {
        places.entry(sight.owned.owner(row).frame).or_default().push(row);
    }
    let most = places.values().max_by_key(|rows| {
        let lowest = sight
            .lowest(rows.iter().copied())
            .map(|row| sight.found.address_of(row));
        (rows.len(), std::cmp::Reverse(lowest))
    });
    let first = most.and_then(|rows| sight.representative(rows));
    first.map_or_else(String::new, |row| sight.path(row))
}
