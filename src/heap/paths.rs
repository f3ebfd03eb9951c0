//! Paths in Python terms: `shop.cache.PRICES['eu'][3].lines`.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::dict::{DictHeader, KeysHeader};

use super::found::Found;
use super::labels::LabelKind;
use super::naming;

/// More steps than a reader follows: what lies between the first and the last is left out.
const MOST_STEPS: usize = 24;

/// Of an object that lies deeper the path's beginning is not looked for: there may be many such objects.
const DEEPEST: usize = 10_000;

/// The path from a root to the object of `row`, by its first holders.
pub fn path<M: ReadMemory>(memory: &mut M, layout: &Layout, found: &Found, row: u32) -> String {
    let chain = found.objects.chain(row, DEEPEST);
    let mut text = String::new();
    if chain.len() == DEEPEST {
        text.push('…');
    }
    for (index, &row) in chain.iter().enumerate() {
        let hidden = index >= MOST_STEPS / 2 && chain.len() - index > MOST_STEPS / 2;
        match hidden {
            true if index == MOST_STEPS / 2 => text.push_str(" … "),
            true => {}
            false => add_step(memory, layout, found, row, &mut text),
        }
    }
    text
}

fn add_step<M: ReadMemory>(memory: &mut M, layout: &Layout, found: &Found, row: u32, text: &mut String) {
    let label = found.objects.label[row as usize];
    let name = found.names.text(label.number());
    match label.kind() {
        LabelKind::Root => text.push_str(name),
        LabelKind::Namespace => {}
        // The frame of a generator is the generator to a reader, as it is where it is no object.
        LabelKind::Attribute if is_frame(found, row) && !is_of_thread(found, row) => {}
        LabelKind::Attribute if found.is_holder_only(row) || is_frame(found, row) => text.extend([" > ", name]),
        LabelKind::Attribute => text.extend([".", name]),
        LabelKind::Local => text.extend([" > ", name]),
        LabelKind::Key => text.extend(["[", name, "]"]),
        LabelKind::Index => text.push_str(&format!("[{}]", label.number())),
        LabelKind::Entry => {
            let parent = found.objects.address[found.objects.parent[row as usize] as usize];
            let key = key_at(memory, layout, parent, u64::from(label.number()));
            let key = key.map_or_else(|| "…".to_owned(), |key| naming::key_text(memory, layout, key));
            text.extend(["[", &key, "]"]);
        }
        LabelKind::Unnamed => {
            let type_of = found.objects.type_of[row as usize];
            text.push_str(&format!(" > {}", found.types.short_name(type_of)));
        }
    }
}

fn is_frame(found: &Found, row: u32) -> bool {
    let type_of = found.objects.type_of[row as usize];
    found.types.get(type_of).info.of_type.content == Content::Frame
}

fn is_of_thread(found: &Found, row: u32) -> bool {
    found.is_holder_only(found.objects.parent[row as usize])
}

/// The key object of the nth entry of a dict.
fn key_at<M: ReadMemory>(memory: &mut M, layout: &Layout, dict: u64, position: u64) -> Option<u64> {
    let keys = DictHeader::read(memory, layout, dict).ok()?.keys;
    let table = KeysHeader::read(memory, &layout.keys, keys).ok()?;
    if position >= table.used_entries {
        return None;
    }
    let key = memory
        .word(
            table
                .entries
                .wrapping_add(position * table.kind.size() + table.kind.key()),
        )
        .ok()?;
    (key != 0).then_some(key)
}
