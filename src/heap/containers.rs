//! The containers worth watching, with all that rules ask of them.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::dict::DictHeader;
use cpython::objects::examine::Examiner;
use cpython::objects::visit::{Step, Visitor};
use rustc_hash::FxHashMap;

use super::followed;
use super::found::Found;
use super::labels::LabelKind;
use super::naming;
use super::objects::HEAP;
use super::ownership::Ownership;
use super::paths::Paths;
use super::threads::THREAD;
use super::{CacheStatistics, Container, ContainerKind, OwnerRank};

/// A container this long is described wherever it is; a shorter one when it has a name, is an owner or has grown.
const DESCRIBED_ITEMS: u64 = 1000;
/// Lists from this length on have their items' types counted.
const COUNTED_ITEMS: u64 = 1000;
/// So many keys of a cache are looked at.
const KEYS_LOOKED_AT: usize = 10_000;

/// What kind of container has this content, if it is one.
pub fn container_kind(content: Content) -> Option<ContainerKind> {
    Some(match content {
        Content::List => ContainerKind::List,
        Content::Dict => ContainerKind::Dict,
        Content::OrderedDict => ContainerKind::OrderedDict,
        Content::Set => ContainerKind::Set,
        Content::Deque => ContainerKind::Deque,
        Content::LruCache => ContainerKind::LruCache,
        Content::ByteArray => ContainerKind::ByteArray,
        Content::Array => ContainerKind::Array,
        _ => return None,
    })
}

/// What is to be described.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    pub row: u32,
    pub kind: ContainerKind,
    pub length: u64,
    pub rank: OwnerRank,
}

/// What is known of a watched object from its references alone.
#[derive(Debug, Clone, Default)]
pub struct Inside {
    first: u64,
    item_types: Vec<(Rc<str>, u64)>,
}

/// The containers that are long or have a name; none of them ranked.
pub fn watched<M: ReadMemory>(memory: &mut M, walker: &mut Examiner, found: &Found, owned: &Ownership) -> Vec<Watched> {
    let is_described = |&(row, length): &(u32, u64)| {
        let content = found.types.get(found.objects.type_of(row)).info.of_type.content;
        length >= DESCRIBED_ITEMS || content == Content::LruCache
    };
    let mut lengths: FxHashMap<u32, u64> = found.long.iter().copied().filter(is_described).collect();
    for &row in &owned.named {
        lengths.entry(row).or_insert_with(|| length(memory, walker, found, row));
    }
    let mut watched: Vec<Watched> = lengths
        .into_iter()
        .filter_map(|(row, length)| {
            let type_of = found.types.get(found.objects.type_of(row));
            let kind = container_kind(type_of.info.of_type.content).filter(|_| type_of.count > 0)?;
            let rank = OwnerRank::Unlisted;
            Some(Watched {
                row,
                kind,
                length,
                rank,
            })
        })
        .collect();
    watched.sort_unstable_by_key(|each| each.row);
    watched
}

/// How many items the object of a row has.
pub fn length<M: ReadMemory>(memory: &mut M, walker: &mut Examiner, found: &Found, row: u32) -> u64 {
    let info = Rc::clone(&found.types.get(found.objects.type_of(row)).info.of_type);
    if info.content == Content::Str {
        // The letters of a text are no items.
        return 0;
    }
    let address = found.spots.address(found.objects.spot(row));
    let size = walker.examine(memory, &info, address, &mut Deaf);
    size.map_or(0, |size| size.length)
}

/// Listens to no reference.
struct Deaf;

impl<M> Visitor<M> for Deaf {
    fn reference(&mut self, _step: Step, _target: u64) {}

    fn candidate(&mut self, _memory: &mut M, _word: u64) {}
}

/// Describes what is watched; the memory must still be there.
pub fn describe<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &mut Found,
    owned: &Ownership,
    watched: &[Watched],
    inside: Vec<Inside>,
) -> Vec<Container> {
    watched
        .iter()
        .zip(inside)
        .map(|(each, inside)| container(memory, layout, found, owned, each, inside))
        .collect()
}

fn container<M: ReadMemory>(
    memory: &mut M,
    layout: &Layout,
    found: &mut Found,
    owned: &Ownership,
    watched: &Watched,
    inside: Inside,
) -> Container {
    let Watched { row, length, .. } = *watched;
    let address = found.address_of(row);
    let own_bytes = found.objects.bytes(row);
    let mut container = Container {
        address,
        type_name: type_name(found, owned, watched),
        kind: watched.kind,
        length,
        first: inside.first,
        own_bytes,
        kept_bytes: owned.kept(row),
        retained_bytes: 0,
        path: Paths { layout, found, owned }.path(memory, row),
        place: owned.owner(row).place,
        rank: watched.rank,
        allocated: None,
        item_types: inside.item_types,
        cache: None,
    };
    match watched.kind {
        ContainerKind::List => {
            container.allocated = memory.word(address + layout.list.allocated).ok();
        }
        ContainerKind::Deque => {
            let bound = memory.word(address + layout.deque.max_length).ok();
            container.allocated = bound.filter(|&bound| bound as i64 >= 0);
        }
        ContainerKind::LruCache => {
            if let Some((length, cache)) = cache_statistics(memory, layout, address) {
                container.length = length;
                container.cache = Some(cache);
            }
        }
        _ => {}
    }
    container
}

fn type_name(found: &Found, owned: &Ownership, watched: &Watched) -> Rc<str> {
    if watched.kind != ContainerKind::Holder {
        return Rc::clone(&found.types.get(found.objects.type_of(watched.row)).name);
    }
    let owner = owned.owner(watched.row);
    let is_thread = || found.names.get(owner.label.number()).starts_with(THREAD);
    match owner.parent == HEAP {
        false => "(frame)".into(),
        true if is_thread() => "(thread)".into(),
        true => "(no object)".into(),
    }
}

/// Looks into what is watched, for as long as the references are there.
pub fn look_inside(found: &Found, watched: &[Watched]) -> Vec<Inside> {
    let look = |each: &Watched| Inside {
        first: followed::first(found, each.row),
        item_types: if each.kind == ContainerKind::List && each.length >= COUNTED_ITEMS {
            item_types(found, each.row)
        } else {
            Vec::new()
        },
    };
    watched.iter().map(look).collect()
}

/// The types of a list's items with their numbers, the most frequent first.
fn item_types(found: &Found, list: u32) -> Vec<(Rc<str>, u64)> {
    let mut counts: FxHashMap<u32, u64> = FxHashMap::default();
    let items = found.objects.references(list).iter();
    for item in items.filter(|reference| reference.label.kind() == LabelKind::Index && reference.target != HEAP) {
        *counts.entry(found.objects.type_of(item.target)).or_default() += 1;
    }
    let mut types: Vec<(Rc<str>, u64)> = counts
        .into_iter()
        .map(|(type_of, count)| (Rc::clone(&found.types.get(type_of).name), count))
        .collect();
    types.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    types
}

/// What a `functools.lru_cache` wrapper says of itself, and how many results it holds.
fn cache_statistics<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Option<(u64, CacheStatistics)> {
    let at = layout.lru_cache;
    let cache = memory.word(address + at.cache).ok()?;
    let length = DictHeader::read(memory, layout, cache).ok()?.used;
    let maxsize = memory.word(address + at.maxsize).ok()? as i64;
    let function = memory.word(address + at.func).ok()?;
    let code = memory.word(function.wrapping_add(layout.function.code)).ok()?;
    let is_python = naming::is_of_type(memory, layout, function, "function");
    let name = if is_python {
        function_name(memory, layout, function)
    } else {
        None
    };
    let is_method = name.as_deref().is_some_and(|name| {
        let qualname = name.rsplit('.').next().unwrap_or(name);
        name.len() > qualname.len()
    });
    Some((
        length,
        CacheStatistics {
            defined_at: if is_python {
                naming::definition(memory, layout, code)
            } else {
                None
            },
            hits: memory.word(address + at.hits).ok()?,
            misses: memory.word(address + at.misses).ok()?,
            maxsize: u64::try_from(maxsize).ok(),
            instance_keys: match (&name, is_method) {
                (Some(name), true) => instance_keys(memory, layout, cache, name),
                _ => 0,
            },
            function: name.unwrap_or_else(|| "?".to_owned()),
        },
    ))
}

/// `module.qualname` of a Python function.
pub fn function_name<M: ReadMemory>(memory: &mut M, layout: &Layout, function: u64) -> Option<String> {
    let qualname = memory.word(function.wrapping_add(layout.function.qualname)).ok()?;
    let module = memory.word(function.wrapping_add(layout.function.module)).ok()?;
    let qualname = naming::str_at(memory, layout, qualname)?;
    Some(match naming::str_at(memory, layout, module) {
        Some(module) => format!("{module}.{qualname}"),
        None => qualname,
    })
}

/// How many keys of a cache begin with an instance of the class that the function named `name` is a method of.
fn instance_keys<M: ReadMemory>(memory: &mut M, layout: &Layout, cache: u64, name: &str) -> u64 {
    let Some((class, _)) = name.rsplit_once('.') else {
        return 0;
    };
    let Ok(entries) = cpython::objects::dict::entries(memory, layout, cache, KEYS_LOOKED_AT) else {
        return 0;
    };
    let mut of_class: FxHashMap<u64, bool> = FxHashMap::default();
    let is_instance = |key: u64| {
        let argument = first_argument(memory, layout, key);
        let type_address = memory.word(argument.wrapping_add(layout.object.ob_type)).unwrap_or(0);
        *of_class
            .entry(type_address)
            .or_insert_with(|| naming::type_name_at(memory, layout, type_address).as_deref() == Some(class))
    };
    entries
        .iter()
        .map(|entry| entry.key)
        .map(is_instance)
        .filter(|&is| is)
        .count() as u64
}

/// The first argument that a cache's key stands for: the key itself, or the first item of a tuple or list of arguments.
fn first_argument<M: ReadMemory>(memory: &mut M, layout: &Layout, key: u64) -> u64 {
    if naming::is_of_type(memory, layout, key, "functools._HashedSeq") {
        let items = memory.word(key.wrapping_add(layout.list.items)).unwrap_or(0);
        return memory.word(items).unwrap_or(0);
    }
    if naming::is_of_type(memory, layout, key, "tuple") {
        return memory.word(key.wrapping_add(layout.tuple.items)).unwrap_or(0);
    }
    key
}
