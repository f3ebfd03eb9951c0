//! Paths in Python terms: `shop.cache.PRICES['eu'][3].lines`.

use std::rc::Rc;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::dict::{DictHeader, KeysHeader};
use cpython::objects::frames::suspended_code;

use super::found::Found;
use super::labels::{Label, LabelKind};
use super::names::Form;
use super::naming;
use super::objects::{HEAP, NO_OBJECT};
use super::ownership::{Owner, Ownership};
use super::tasks::is_call;

/// More steps than a reader follows: what lies between the first and the last is left out.
const MOST_STEPS: usize = 24;

/// Of an object that lies deeper the path's beginning is not looked for: there may be many such objects.
const DEEPEST: usize = 10_000;

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
                    let mut steps = Steps {
                        layout: self.layout,
                        found: &mut *self.found,
                    };
                    steps.add_step(memory, link, &mut text);
                    let holds_more = index + 1 < chain.len();
                    if is_call(steps.found, row) && (holds_more || link.is_of_task) {
                        steps.add_call(memory, row, &mut text);
                    }
                }
            }
        }
        text
    }

    /// How a row is held by its first holder.
    fn link(&self, row: u32) -> Link {
        let Owner { label, parent, .. } = self.owned.owner(row);
        let above = self.owned.owner(parent).label;
        Link {
            row,
            parent,
            label,
            in_namespace: self.owned.is_namespace(parent),
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
    /// Whether it is the coroutine of a task that is not done.
    pub is_of_task: bool,
}

/// Writes steps in Python terms.
pub struct Steps<'a, 'b> {
    pub layout: &'a Layout,
    pub found: &'a mut Found<'b>,
}

impl Steps<'_, '_> {
    pub fn add_step<M: ReadMemory>(&mut self, memory: &mut M, link: Link, text: &mut String) {
        let Link {
            row,
            parent,
            label,
            in_namespace,
            is_of_task,
        } = link;
        match label.kind() {
            LabelKind::Namespace => {}
            LabelKind::Task => {
                let key = self.found.names.read(memory, self.layout, label.number(), Form::Key);
                text.push_str(&task_name(&self.found.names.get(key)));
            }
            LabelKind::Attribute if is_of_task => {}
            LabelKind::Attribute if parent == HEAP => text.push_str(&self.name(memory, label.number())),
            // The frame of a generator is the generator to a reader, as it is where it is no object.
            LabelKind::Attribute if self.is_frame(row) && !self.is_no_object(parent) => {}
            LabelKind::Attribute if self.is_no_object(row) || self.is_frame(row) => {
                text.extend([" > ", &self.name(memory, label.number())]);
            }
            LabelKind::Attribute => text.extend([".", &self.name(memory, label.number())]),
            LabelKind::Value if in_namespace => text.extend([".", &self.name(memory, label.number())]),
            LabelKind::Local => text.extend([" > ", &self.name(memory, label.number())]),
            LabelKind::Value => {
                let key = self.found.names.read(memory, self.layout, label.number(), Form::Key);
                text.extend(["[", &self.found.names.get(key), "]"]);
            }
            LabelKind::Index => text.push_str(&format!("[{}]", label.number())),
            LabelKind::Entry => {
                let dict = self.found.spots.address(self.found.objects.spot(parent));
                let key = key_at(memory, self.layout, dict, u64::from(label.number()));
                match key {
                    Some(key) if in_namespace => {
                        text.extend([".", &self.found.names.name_at(memory, self.layout, key)])
                    }
                    Some(key) => text.extend(["[", &self.found.names.key_at(memory, self.layout, key), "]"]),
                    None => text.push_str("[…]"),
                }
            }
            LabelKind::Unnamed if self.is_awaited_call(link) => {}
            LabelKind::Unnamed => {
                let type_of = self.found.objects.type_of(row);
                text.push_str(&format!(" > {}", self.found.types.short_name(type_of)));
            }
        }
    }

    /// ` > handle() at app.py:41`, for what stands in that call.
    pub fn add_call<M: ReadMemory>(&mut self, memory: &mut M, row: u32, text: &mut String) {
        let address = self.found.address_of(row);
        if let Ok(Some(code)) = suspended_code(memory, self.layout, address) {
            text.extend([" > ", &naming::call_of(memory, self.layout, code)]);
        }
    }

    /// Whether the row is what a suspended call waits for: another such call.
    fn is_awaited_call(&self, link: Link) -> bool {
        is_call(self.found, link.row) && (is_call(self.found, link.parent) || self.is_frame(link.parent))
    }

    fn is_no_object(&self, row: u32) -> bool {
        self.found.objects.type_of(row) == NO_OBJECT
    }

    fn is_frame(&self, row: u32) -> bool {
        self.found
            .types
            .get(self.found.objects.type_of(row))
            .info
            .of_type
            .content
            == Content::Frame
    }

    fn name<M: ReadMemory>(&mut self, memory: &mut M, name: u32) -> Rc<str> {
        let read = self.found.names.read(memory, self.layout, name, Form::Name);
        self.found.names.get(read)
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
