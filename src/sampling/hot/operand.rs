//! What an expression of names, attributes and subscripts is in a call under way.

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, Unreadable};
use cpython::objects::dict;
use cpython::objects::names::{Found, ItemKey, Names, Under};
use cpython::objects::text;

use crate::syntax::{Key, Operand};

/// Longer names of modules are cut.
const LONGEST_NAME: usize = 256;

/// Where the name was found that an expression begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    Unknown,
    Local,
    /// In the module of this name.
    Global(String),
}

/// The object that the operand is in this call; `None` where looking does not tell.
pub fn resolve<M: ReadMemory>(memory: &mut M, layout: &Layout, call: Under, operand: &Operand) -> Option<(u64, Root)> {
    let mut names = Names::new(layout);
    let address = object(memory, &mut names, call, operand).ok()??;
    let root = match names.meaning(memory, call, operand.root()).ok()?? {
        Found::Local(_) => Root::Local,
        Found::Global { module, .. } => {
            let name = dict::get_str(memory, layout, module, "__name__").ok().flatten();
            let name = name.and_then(|name| text::str_value(memory, layout, name, LONGEST_NAME).ok());
            name.map_or(Root::Unknown, Root::Global)
        }
    };
    Some((address, root))
}

/// Operands are no deeper than the parser makes them.
fn object<M: ReadMemory>(
    memory: &mut M,
    names: &mut Names<'_>,
    call: Under,
    operand: &Operand,
) -> Result<Option<u64>, Unreadable> {
    match operand {
        Operand::Name(name) => Ok(names.meaning(memory, call, name)?.map(|found| match found {
            Found::Local(value) | Found::Global { value, .. } => value,
        })),
        Operand::Attribute(of, name) => match object(memory, names, call, of)? {
            Some(of) => names.attribute(memory, of, name),
            None => Ok(None),
        },
        Operand::Item(of, key) => {
            let Some(of) = object(memory, names, call, of)? else {
                return Ok(None);
            };
            let key = match key {
                Key::Text(text) => ItemKey::Text(text.clone()),
                Key::Number(number) => ItemKey::Number(*number),
                Key::Of(key) => match object(memory, names, call, key)? {
                    Some(key) => ItemKey::Object(key),
                    None => return Ok(None),
                },
            };
            names.item(memory, of, &key)
        }
    }
}
