//! The rows in which patterns are looked for, picked by their types in one pass.

use cpython::objects::content::Content;
use cpython::objects::types::{FieldName, InstanceDict, flags};

use super::contexts::{CONTEXT_TYPES, NODE_TYPES};
use super::futures::TYPES;
use super::instances::{FEWEST_INSTANCES, MOST_LOOKED_AT};
use super::queries::is_query_set;
use super::responses::is_of_request;
use super::sparse::LEAST_TABLE;
use crate::heap::found::Found;
use crate::heap::ownership::Ownership;
use crate::heap::types::Type;

/// Rows by what they may show.
#[derive(Default)]
pub struct Picked {
    pub modules: Vec<u32>,
    /// Dicts that are no object's attributes.
    pub dicts: Vec<u32>,
    /// Lists, dicts and sets with large tables.
    pub tables: Vec<u32>,
    pub functions: Vec<u32>,
    pub partials: Vec<u32>,
    pub methods: Vec<u32>,
    pub tracebacks: Vec<u32>,
    /// The contexts of `contextvars`.
    pub contexts: Vec<u32>,
    /// The nodes in which contexts have their variables.
    pub context_nodes: Vec<u32>,
    pub caches: Vec<u32>,
    /// Tasks and futures.
    pub futures: Vec<u32>,
    pub query_sets: Vec<u32>,
    /// Requests and responses of web frameworks.
    pub requests: Vec<u32>,
    /// By type, instances of classes with many: all of them, or a part spread evenly over all.
    pub instances: Vec<(u32, Vec<u32>)>,
}

/// What rows of a type are picked as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interest {
    Nothing,
    Module,
    Dict,
    Table,
    Function,
    Partial,
    Method,
    Traceback,
    Context,
    ContextNode,
    Cache,
    Future,
    QuerySet,
    Request,
    /// The place among `Picked::instances`, and that one of so many is picked.
    Instance {
        place: usize,
        stride: u64,
    },
}

impl Picked {
    pub fn of(found: &Found, owned: &Ownership) -> Picked {
        let mut picked = Picked::default();
        let interests: Vec<Interest> = (0..found.types.count())
            .map(|index| picked.interest(index, found.types.get(index)))
            .collect();
        let mut met = vec![0u64; picked.instances.len()];
        for row in 0..found.objects.holders() as u32 {
            let (type_of, bytes) = found.objects.type_and_bytes(row);
            let interest = interests[type_of as usize];
            match interest {
                Interest::Nothing => {}
                Interest::Module => picked.modules.push(row),
                Interest::Function => picked.functions.push(row),
                Interest::Partial => picked.partials.push(row),
                Interest::Method => picked.methods.push(row),
                Interest::Traceback => picked.tracebacks.push(row),
                Interest::Context => picked.contexts.push(row),
                Interest::ContextNode => picked.context_nodes.push(row),
                Interest::Cache => picked.caches.push(row),
                Interest::Future => picked.futures.push(row),
                Interest::QuerySet => picked.query_sets.push(row),
                Interest::Request => picked.requests.push(row),
                Interest::Dict | Interest::Table => {
                    if bytes >= LEAST_TABLE {
                        picked.tables.push(row);
                    }
                    if interest == Interest::Dict && !owned.is_namespace(row) {
                        picked.dicts.push(row);
                    }
                }
                Interest::Instance { place, stride } => {
                    if met[place].is_multiple_of(stride) {
                        picked.instances[place].1.push(row);
                    }
                    met[place] += 1;
                }
            }
        }
        picked
    }

    fn interest(&mut self, index: u32, of_type: &Type) -> Interest {
        let info = &of_type.info.of_type;
        match (&*of_type.name, info.content) {
            _ if of_type.count == 0 => Interest::Nothing,
            ("builtins.function", _) => Interest::Function,
            ("functools.partial", _) => Interest::Partial,
            ("builtins.method", _) => Interest::Method,
            ("builtins.traceback", _) => Interest::Traceback,
            (name, _) if CONTEXT_TYPES.contains(&name) => Interest::Context,
            (name, _) if NODE_TYPES.contains(&name) => Interest::ContextNode,
            (_, Content::LruCache) => Interest::Cache,
            (name, _) if TYPES.contains(&name) => Interest::Future,
            (name, Content::Plain) if is_query_set(name) => Interest::QuerySet,
            (name, _) if is_of_request(name) => Interest::Request,
            (_, Content::Module) => Interest::Module,
            ("builtins.dict", _) => Interest::Dict,
            (_, Content::Dict | Content::OrderedDict | Content::List | Content::Set) => Interest::Table,
            (_, Content::Plain)
                if of_type.count >= FEWEST_INSTANCES
                    && info.has(flags::HEAPTYPE)
                    && info.instance_dict != InstanceDict::None
                    && info.unknown.is_empty()
                    && info.fields.iter().all(|field| matches!(field.name, FieldName::Text(_)))
                    && info.itemsize == 0 =>
            {
                self.instances.push((index, Vec::new()));
                Interest::Instance {
                    place: self.instances.len() - 1,
                    stride: of_type.count.div_ceil(MOST_LOOKED_AT),
                }
            }
            _ => Interest::Nothing,
        }
    }
}
