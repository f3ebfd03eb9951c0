//! `containers.parquet`: the containers that rules and the list of owners look at, and other objects that keep much; and
//! `item_types.parquet`: what the items of the large lists among them are.

use std::rc::Rc;

use super::records::{Record, Recorded};
use crate::heap::{CacheStatistics, Container, ContainerKind, OwnerRank, Place};

/// The words that stand for a kind of container.
const KINDS: [(ContainerKind, &str); 10] = [
    (ContainerKind::Dict, "dict"),
    (ContainerKind::List, "list"),
    (ContainerKind::Set, "set"),
    (ContainerKind::Deque, "deque"),
    (ContainerKind::OrderedDict, "ordered dict"),
    (ContainerKind::LruCache, "lru_cache"),
    (ContainerKind::ByteArray, "bytearray"),
    (ContainerKind::Array, "array"),
    (ContainerKind::Object, "object"),
    (ContainerKind::Holder, "holder"),
];
/// Whether it stands in the list of owners, and whether another owner keeps it.
const RANKS: [(OwnerRank, &str); 3] = [
    (OwnerRank::Outermost, "outermost"),
    (OwnerRank::Inner, "inner"),
    (OwnerRank::Unlisted, "unlisted"),
];

fn word<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> Option<Rc<str>> {
    let word = words.iter().find(|(each, _)| each == value);
    word.map(|(_, word)| (*word).into())
}

fn meaning<T: Copy>(words: &[(T, &str)], word: Option<&str>) -> Option<T> {
    let meaning = words.iter().find(|(_, each)| Some(*each) == word);
    meaning.map(|(value, _)| *value)
}

impl Recorded for Container {
    const TEXTS: &'static [&'static str] = &["path", "type", "kind", "place", "owner", "cache_function", "cache_file"];
    const NUMBERS: &'static [&'static str] = &[
        "address",
        "length",
        "own_bytes",
        "bytes",
        "retained_bytes",
        "allocated",
        "first",
        "cache_line",
        "cache_hits",
        "cache_misses",
        "cache_maxsize",
        "cache_instance_keys",
    ];

    fn to_record(&self) -> Record {
        let cache = self.cache.as_ref();
        let defined_at = cache.and_then(|cache| cache.defined_at.as_ref());
        Record {
            texts: vec![
                Some(self.path.as_str().into()),
                Some(Rc::clone(&self.type_name)),
                word(&KINDS, &self.kind),
                Some(self.place.word().into()),
                word(&RANKS, &self.rank),
                cache.map(|cache| cache.function.as_str().into()),
                defined_at.map(|(file, _)| file.as_str().into()),
            ],
            numbers: vec![
                Some(self.address),
                Some(self.length),
                Some(self.own_bytes),
                Some(self.kept_bytes),
                Some(self.retained_bytes),
                self.allocated,
                Some(self.first),
                defined_at.map(|(_, line)| u64::from(*line)),
                cache.map(|cache| cache.hits),
                cache.map(|cache| cache.misses),
                cache.and_then(|cache| cache.maxsize),
                cache.map(|cache| cache.instance_keys),
            ],
        }
    }

    fn from_record(record: &Record) -> Option<Container> {
        let [path, type_name, kind, place, rank, function, file] = record.texts.as_slice() else {
            return None;
        };
        let [
            address,
            length,
            own_bytes,
            kept_bytes,
            retained_bytes,
            allocated,
            first,
            ..,
        ] = *record.numbers.as_slice()
        else {
            return None;
        };
        Some(Container {
            address: address?,
            type_name: type_name.clone()?,
            kind: meaning(&KINDS, kind.as_deref())?,
            length: length?,
            own_bytes: own_bytes?,
            kept_bytes: kept_bytes?,
            retained_bytes: retained_bytes?,
            path: path.as_deref()?.to_owned(),
            place: Place::ALL
                .into_iter()
                .find(|each| Some(each.word()) == place.as_deref())?,
            rank: meaning(&RANKS, rank.as_deref())?,
            allocated,
            first: first?,
            item_types: Vec::new(),
            cache: match function {
                Some(function) => Some(cache(function, file.as_deref(), &record.numbers[7..])?),
                None => None,
            },
        })
    }
}

fn cache(function: &str, file: Option<&str>, numbers: &[Option<u64>]) -> Option<CacheStatistics> {
    let [line, hits, misses, maxsize, instance_keys] = *numbers else {
        return None;
    };
    let line = line.and_then(|line| u32::try_from(line).ok());
    Some(CacheStatistics {
        function: function.to_owned(),
        defined_at: file.map(str::to_owned).zip(line),
        hits: hits?,
        misses: misses?,
        maxsize,
        instance_keys: instance_keys?,
    })
}

/// How many items of one type a list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemType {
    /// The row of the list in `containers.parquet`.
    pub container: u64,
    pub type_name: Rc<str>,
    pub count: u64,
}

impl Recorded for ItemType {
    const TEXTS: &'static [&'static str] = &["type"];
    const NUMBERS: &'static [&'static str] = &["container", "count"];

    fn to_record(&self) -> Record {
        Record {
            texts: vec![Some(Rc::clone(&self.type_name))],
            numbers: vec![Some(self.container), Some(self.count)],
        }
    }

    fn from_record(record: &Record) -> Option<ItemType> {
        let [container, count] = *record.numbers.as_slice() else {
            return None;
        };
        Some(ItemType {
            container: container?,
            type_name: record.texts.first()?.clone()?,
            count: count?,
        })
    }
}

/// The item types of all containers.
pub fn item_types(containers: &[Container]) -> Vec<ItemType> {
    let of = |(row, container): (usize, &Container)| -> Vec<ItemType> {
        let item_type = |(name, count): &(Rc<str>, u64)| ItemType {
            container: row as u64,
            type_name: Rc::clone(name),
            count: *count,
        };
        container.item_types.iter().map(item_type).collect()
    };
    containers.iter().enumerate().flat_map(of).collect()
}

/// Gives the containers their item types; those of containers that are not there are passed over.
pub fn set_item_types(containers: &mut [Container], all: Vec<ItemType>) {
    for each in all {
        if let Some(container) = containers.get_mut(each.container as usize) {
            container.item_types.push((each.type_name, each.count));
        }
    }
}
