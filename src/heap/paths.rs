//! Paths in Python terms: `shop.cache.PRICES['eu'][3].lines`.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::dict::{DictHeader, KeysHeader};

use super::facts::{Facts, Nature, short_name};
use super::found::Found;
use super::labels::{Label, LabelKind};
use super::live::Live;
use super::naming::{LONGEST_KEY, cut};
use super::objects::HEAP;
use super::ownership::{Owner, Ownership};
use super::tasks::is_call;

/// More steps than a reader follows: what lies between the first and the last is left out.
const MOST_STEPS: usize = 24;

/// Of an object that lies deeper the path's beginning is not looked for: there may be many such objects.
const DEEPEST: usize = 10_000;

/// Stands for a name that cannot be read.
const UNKNOWN: &str = "…";

/// Comes before what a module written in C holds and has no name for (`PyModule_GetState`).
const MODULE_STATE: &str = "(state) ";

/// Answers for paths.
pub struct Paths<'a, 'b> {
    pub layout: &'a Layout,
    pub found: &'a mut Found<'b>,
    pub owned: &'a Ownership,
}

impl Paths<'_, '_> {
    /// The path from a root to the object of `row`, by its first holders.
    pub fn path<M: ReadMemory>(&mut self, memory: &mut M, row: u32) -> String {
        let chain = self.owned.chain(row, DEEPEST);
        let mut text = String::new();
        if chain.len() == DEEPEST {
            text.push('…');
        }
        for (index, &row) in chain.iter().enumerate() {
            let hidden = index >= MOST_STEPS / 2 && chain.len() - index > MOST_STEPS / 2;
            match hidden {
                true if index == MOST_STEPS / 2 => text.push_str(" … "),
                true => {}
                false => {
                    let link = self.link(row);
                    let mut facts = Live::new(&mut *memory, self.layout, &mut *self.found);
                    add_step(&mut facts, link, &mut text);
                    let holds_more = index + 1 < chain.len();
                    if holds_more || link.is_of_task {
                        add_call(&mut facts, row, &mut text);
                    }
                }
            }
        }
        text
    }

    /// How a row is held by its first holder.
    fn link(&self, row: u32) -> Link {
        let Owner { label, parent, .. } = self.owned.owner(row);
        let in_namespace = self.owned.is_namespace(parent);
        let object = if in_namespace {
            self.owned.owner(parent).parent
        } else {
            parent
        };
        let above = self.owned.owner(object).label;
        Link {
            row,
            parent,
            label,
            in_namespace,
            is_of_attributes: false,
            is_of_task: above.kind() == LabelKind::Task && is_call(self.found, row),
        }
    }
}

/// How a row is held by another one.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    pub row: u32,
    pub parent: u32,
    pub label: Label,
    /// Whether the parent is a dict behind another object's attributes.
    pub in_namespace: bool,
    /// Whether the parent is such a dict, but was not reached as one.
    pub is_of_attributes: bool,
    /// Whether it is a call that a task holds which is not done: its coroutine, in general.
    pub is_of_task: bool,
}

/// Adds a step in Python terms.
pub fn add_step(facts: &mut impl Facts, link: Link, text: &mut String) {
    let Link {
        row,
        parent,
        label,
        in_namespace,
        ..
    } = link;
    let known = |name: Option<Rc<str>>| name.unwrap_or_else(|| UNKNOWN.into());
    match label.kind() {
        LabelKind::Namespace => {}
        _ if link.is_of_task && is_coroutine(facts, link) => {}
        LabelKind::Task => text.push_str(&task_name(&known(facts.key(parent, label)))),
        LabelKind::Attribute | LabelKind::Slot | LabelKind::Member => add_attribute(facts, link, text),
        LabelKind::Local => text.extend([" > ", &known(facts.name(parent, label))]),
        LabelKind::Value | LabelKind::Entry if in_namespace => {
            text.extend([".", &known(facts.name(parent, label))]);
        }
        LabelKind::Value | LabelKind::Entry if link.is_of_attributes => {
            let name = known(facts.name(parent, label));
            text.extend(["[", &key_of_name(&name), "]"]);
        }
        LabelKind::Value | LabelKind::Entry => text.extend(["[", &known(facts.key(parent, label)), "]"]),
        LabelKind::Index => text.push_str(&format!("[{}]", label.number())),
        LabelKind::Unnamed if is_awaited_call(facts, link) => {}
        LabelKind::Unnamed => {
            text.push_str(" > ");
            if facts.nature(parent) == Nature::Module {
                text.push_str(MODULE_STATE);
            }
            text.push_str(short_name(&facts.type_name(row)));
        }
    }
}

fn add_attribute(facts: &mut impl Facts, link: Link, text: &mut String) {
    let Link { row, parent, .. } = link;
    let is_frame = facts.nature(row) == Nature::Frame;
    // The frame of a generator is the generator to a reader, as it is where it is no object.
    if parent != HEAP && is_frame && facts.is_object(parent) {
        return;
    }
    let before = match parent {
        HEAP => "",
        _ if is_frame || !facts.is_object(row) => " > ",
        _ => ".",
    };
    let name = facts.name(parent, link.label);
    text.extend([before, name.as_deref().unwrap_or(UNKNOWN)]);
}

/// Whether a task has something as its coroutine, which is the task to a reader.
fn is_coroutine(facts: &mut impl Facts, link: Link) -> bool {
    let name = facts.name(link.parent, link.label);
    name.is_some_and(|name| matches!(&*name, "coro" | "_coro"))
}

/// Adds ` > handle() at app.py:41`, for what stands in that call.
pub fn add_call(facts: &mut impl Facts, row: u32, text: &mut String) {
    if let Some(call) = facts.call(row) {
        text.extend([" > ", &call]);
    }
}

/// Whether the row is what a suspended call waits for: another such call.
fn is_awaited_call(facts: &impl Facts, link: Link) -> bool {
    facts.is_call(link.row) && matches!(facts.nature(link.parent), Nature::Call | Nature::Frame)
}

/// `'lines'`: the name of an attribute as the key that it is in the dict behind the attributes. What is no text stands in
/// brackets where a name is expected.
fn key_of_name(name: &str) -> String {
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(key) => key.to_owned(),
        None => format!("'{}'", cut(name, LONGEST_KEY)),
    }
}

/// `task 'Task-3'`. A name that nobody has asked for yet is kept as its number.
fn task_name(key: &str) -> String {
    if key.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("task 'Task-{key}'")
    } else {
        format!("task {key}")
    }
}

/// The key object of the nth entry of a dict.
pub fn key_at<M: ReadMemory>(memory: &mut M, layout: &Layout, dict: u64, position: u64) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_key_in_quotes_and_what_is_no_text_stays_as_it_is() {
        assert_eq!(key_of_name("lines"), "'lines'");
        assert_eq!(key_of_name("[7]"), "7");
        assert_eq!(key_of_name(&"x".repeat(41)), format!("'{}…'", "x".repeat(40)));
    }
}
