//! Steps of chains in Python terms. A variable that functions share reads like any other: its cell, and the tuple that a
//! function has its cells in, are passed over like the dict behind an object's attributes.

use cpython::layout::CodeForm;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;

use super::Inquiry;
use crate::heap::found::Found;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::paths::{Link, Steps};
use crate::heap::tasks::is_call;

/// The member of a function that has its cells (`PyFunctionObject`).
pub const CLOSURE: &str = "func_closure";
const CODE: &str = "func_code";
/// How a value that a function works on is told.
const STACK: &str = " > (value stack)";
/// The type of cells.
const CELL: &str = "builtins.cell";

/// The label of a member that this program knows by name.
pub fn named(found: &mut Found, name: &str) -> Label {
    Label::new(LabelKind::Attribute, u64::from(found.names.text(name)))
}

impl<M: ReadMemory> Inquiry<'_, '_, M> {
    /// The step by which a row is held, in Python terms; `before` is the reference before it in its chain.
    pub fn text(&mut self, before: Option<u32>, reference: u32) -> String {
        let link = self.network.link(self.found, before, reference);
        let mut text = self.call(before, link);
        text.push_str(&match before {
            Some(before) if self.is_cell(link.parent) => self.variable(before),
            _ if link.label == Label::UNNAMED && self.has_stack(link.parent) && !is_call(self.found, link.row) => {
                STACK.to_owned()
            }
            _ => self.step(link),
        });
        text
    }

    /// The suspended call that a step leads out of, ` > handle() at app.py:41`; empty where it is none.
    fn call(&mut self, before: Option<u32>, link: Link) -> String {
        let mut text = String::new();
        if !matches!(link.label.kind(), LabelKind::Local | LabelKind::Unnamed) {
            return text;
        }
        // Some releases keep the variables of a call in a frame of its own.
        let above = before.map(|before| self.network.references.source(before));
        let call = std::iter::once(link.parent)
            .chain(above.filter(|_| self.content(link.parent) == Content::Frame))
            .find(|&row| is_call(self.found, row));
        if let Some(call) = call {
            let mut steps = Steps {
                layout: self.layout,
                found: &mut *self.found,
            };
            steps.add_call(self.memory, call, &mut text);
        }
        text
    }

    fn content(&self, row: u32) -> Content {
        let type_of = self.found.objects.type_of(row);
        self.found.types.get(type_of).info.of_type.content
    }

    /// Whether what a row holds without a name is a value that a function works on. Of a function that runs only the
    /// machine knows which values these are; some may be left over.
    fn has_stack(&self, row: u32) -> bool {
        let content = self.content(row);
        let is_running = !self.network.is_object(self.found, row) && !self.network.adopters.contains(&row);
        is_running || matches!(content, Content::Frame | Content::Generator | Content::Coroutine)
    }

    /// The same for a link that stands alone.
    pub fn step(&mut self, link: Link) -> String {
        let mut text = String::new();
        let mut steps = Steps {
            layout: self.layout,
            found: &mut *self.found,
        };
        steps.add_step(self.memory, link, &mut text);
        text
    }

    /// Whether a reader passes over what a reference leads to.
    pub fn is_passed_over(&self, reference: u32) -> bool {
        let label = self.network.label(reference);
        label == Label::NAMESPACE || self.is_closure(label) || self.is_cell(self.network.target(reference))
    }

    fn is_cell(&self, row: u32) -> bool {
        let of_type = self.found.types.get(self.found.objects.type_of(row));
        of_type.info.of_type.content == Content::Plain && &*of_type.name == CELL
    }

    fn is_closure(&self, label: Label) -> bool {
        label == self.closure
    }

    /// The variable whose cell a reference leads to.
    fn variable(&mut self, to_cell: u32) -> String {
        let link = self.network.link(self.found, None, to_cell);
        let closure = self.network.cheapest.through(link.parent);
        let function = closure
            .filter(|&closure| link.label.kind() == LabelKind::Index && self.is_closure(self.network.label(closure)))
            .map(|closure| self.network.references.source(closure));
        let name = function.and_then(|function| self.free_variable(function, link));
        match name {
            Some(name) => format!(" > {name}"),
            None => self.step(link),
        }
    }

    /// The name of a variable that a function shares, by its place in the closure.
    fn free_variable(&mut self, function: u32, link: Link) -> Option<String> {
        let (start, end) = self.network.references.span(function);
        let label = named(self.found, CODE);
        let code = (start..end).find(|&reference| self.network.label(reference) == label)?;
        let code = self.address(self.network.target(code));
        let form = self.layout.code.form;
        let names = match form {
            CodeForm::Tuples { freevars, .. } => freevars,
            CodeForm::LocalsPlus { names, .. } => names,
        };
        let names = self.memory.word(code.wrapping_add(names)).ok()?;
        // The free variables are the last of a frame's variables.
        let size = self.layout.object.ob_size;
        let count = self.memory.word(names.wrapping_add(size)).ok()?;
        let shared = self.memory.word(self.address(link.parent).wrapping_add(size)).ok()?;
        let place = count.checked_sub(shared)?.checked_add(u64::from(link.label.number()))?;
        let item = (place < count).then(|| names.wrapping_add(self.layout.tuple.items).wrapping_add(8 * place))?;
        let name = self.memory.word(item).ok()?;
        Some(self.found.names.name_at(self.memory, self.layout, name).to_string())
    }
}
