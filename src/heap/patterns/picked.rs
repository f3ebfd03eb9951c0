//! The rows in which patterns are looked for, picked by their types in one pass.

use cpython::objects::content::Content;
use cpython::objects::types::{InstanceDict, flags};

use super::instances::{FEWEST_INSTANCES, MOST_LOOKED_AT};
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
        match info.content {
            _ if of_type.count == 0 => Interest::Nothing,
            Content::Module => Interest::Module,
            Content::Dict if &*of_type.name == "builtins.dict" => Interest::Dict,
            Content::Dict | Content::OrderedDict | Content::List | Content::Set => Interest::Table,
            Content::Plain
                if of_type.count >= FEWEST_INSTANCES
                    && info.has(flags::HEAPTYPE)
                    && info.instance_dict != InstanceDict::None
                    && info.unknown.is_empty()
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
