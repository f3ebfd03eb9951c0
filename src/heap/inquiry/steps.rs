//! Steps of chains in Python terms. A variable that functions share reads like any other: its cell, and the tuple that a
//! function has its cells in, are passed over like the dict behind an object's attributes.

use std::rc::Rc;

use super::Inquiry;
use crate::heap::facts::{Facts, Nature};
use crate::heap::labels::{Label, LabelKind};
use crate::heap::paths::{Link, add_call, add_step};

/// The member of a function that has its cells (`PyFunctionObject`).
pub const CLOSURE: &str = "__closure__";
const CODE: &str = "__code__";
/// How a value that a function works on is told.
const STACK: &str = " > (value stack)";

impl<F: Facts> Inquiry<F> {
    /// The step by which a row is held, in Python terms; `before` is the reference before it in its chain.
    pub fn text(&mut self, before: Option<u32>, reference: u32) -> String {
        let link = self.network.link(&self.facts, before, reference);
        let mut text = self.call(before, link);
        text.push_str(&match before {
            Some(before) if self.is_cell(link.parent) => self.variable(before),
            _ if link.label == Label::UNNAMED && self.has_stack(link.parent) && !self.facts.is_call(link.row) => {
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
            .chain(above.filter(|_| self.facts.nature(link.parent) == Nature::Frame))
            .find(|&row| self.facts.is_call(row));
        if let Some(call) = call {
            add_call(&mut self.facts, call, &mut text);
        }
        text
    }

    /// Whether what a row holds without a name is a value that a function works on. Of a function that runs only the
    /// machine knows which values these are; some may be left over.
    fn has_stack(&self, row: u32) -> bool {
        let is_running = !self.facts.is_object(row) && !self.network.adopters.contains(&row);
        is_running || matches!(self.facts.nature(row), Nature::Frame | Nature::Call)
    }

    /// The same for a link that stands alone.
    pub fn step(&mut self, link: Link) -> String {
        let mut text = String::new();
        add_step(&mut self.facts, link, &mut text);
        text
    }

    /// Whether a reader passes over what a reference leads to.
    pub fn is_passed_over(&self, reference: u32) -> bool {
        let label = self.network.label(reference);
        label == Label::NAMESPACE || self.is_closure(label) || self.is_cell(self.network.target(reference))
    }

    fn is_cell(&self, row: u32) -> bool {
        self.facts.nature(row) == Nature::Cell
    }

    fn is_closure(&self, label: Label) -> bool {
        label == self.closure
    }

    /// The variable whose cell a reference leads to.
    fn variable(&mut self, to_cell: u32) -> String {
        let link = self.network.link(&self.facts, None, to_cell);
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
    fn free_variable(&mut self, function: u32, link: Link) -> Option<Rc<str>> {
        let (start, end) = self.network.references.span(function);
        let label = self.facts.member(CODE);
        let code = (start..end).find(|&reference| self.network.label(reference) == label)?;
        let code = self.network.target(code);
        self.facts.variable(code, link.parent, link.label.number())
    }
}
