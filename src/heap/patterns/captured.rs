//! Large objects that something alone keeps alive which is not made to keep data: a closure, a default, a bound method.

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use serde::{Deserialize, Serialize};

use super::functions::Keeper;
use super::held_alone::HeldAlone;
use super::{Owner, Sight, picked};
use crate::heap::labels::LabelKind;
use crate::heap::names::Form;
use crate::heap::objects::HEAP;

/// What keeps less is not looked at, in bytes.
pub const LARGE: u64 = 1 << 20;
/// So many are described.
const MOST: usize = 200;
/// No closure is reached through more functions and cells than these.
const MOST_STEPS: usize = 16;

const FUNCTION: &str = "builtins.function";
/// What stands between a name and the function that it was given to a decorator.
const DECORATING: [&str; 7] = [
    FUNCTION,
    "builtins.cell",
    "builtins.method",
    "builtins.property",
    "builtins.staticmethod",
    "builtins.classmethod",
    "functools.partial",
];

/// A large object that something alone keeps alive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    pub held: HeldAlone,
    pub captor: Captor,
    pub keeper: Keeper,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Captor {
    /// A variable of a call that has returned, which functions made in it use.
    Closure,
    /// The default of a parameter.
    Default,
    /// An argument of a `functools.partial`.
    Partial,
    /// The instance of a bound method.
    Method,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, picked: &picked::Picked, all: &mut Vec<Captured>) {
    for &row in &picked.partials {
        add_arguments(sight, row, all);
    }
    for &row in &picked.methods {
        if !sight.is_part_of_namespace(row) {
            add_instance(sight, row, all);
        }
    }
    all.truncate(MOST);
}

fn add_arguments<M: ReadMemory>(sight: &mut Sight<M>, partial: u32, all: &mut Vec<Captured>) {
    let [function, by_place, by_keyword] = ["func", "args", "keywords"].map(|name| sight.member(name));
    let parts = sight.items(partial);
    let part = |wanted| parts.iter().find(|(_, label)| *label == wanted).map(|&(row, _)| row);
    for arguments in [part(by_place), part(by_keyword)].into_iter().flatten() {
        for (value, label) in sight.items(arguments) {
            if sight.may_be_captured(value) {
                let name = match label.kind() {
                    LabelKind::Value => sight.name(label, Form::Name),
                    _ => format!("argument {}", label.number()),
                };
                let keeper = sight.keeper_of(part(function), &name);
                sight.add_captured(all, Captor::Partial, arguments, value, keeper);
            }
        }
    }
}

fn add_instance<M: ReadMemory>(sight: &mut Sight<M>, method: u32, all: &mut Vec<Captured>) {
    let [function, instance] = ["__func__", "__self__"].map(|name| sight.member(name));
    let parts = sight.items(method);
    let part = |wanted| parts.iter().find(|(_, label)| *label == wanted).map(|&(row, _)| row);
    if let Some(instance) = part(instance).filter(|&row| sight.may_be_captured(row)) {
        let keeper = sight.keeper_of(part(function), "self");
        sight.add_captured(all, Captor::Method, method, instance, keeper);
    }
}

impl<M: ReadMemory> Sight<'_, '_, M> {
    fn keeper_of(&mut self, function: Option<u32>, name: &str) -> Keeper {
        match function.filter(|&row| self.is_function(row)) {
            Some(function) => self.keeper(function, name),
            None => Keeper {
                name: name.to_owned(),
                ..Keeper::default()
            },
        }
    }

    /// Whether a function or method is one of a module's or class's own, by itself or under decorators.
    fn is_part_of_namespace(&self, row: u32) -> bool {
        let mut at = row;
        for _ in 0..MOST_STEPS {
            let Owner { parent, .. } = self.owned.owner(at);
            if parent == HEAP {
                return false;
            }
            let content = self.content(parent);
            if matches!(content, Content::Module | Content::Type) {
                return true;
            }
            let is_closure = content == Content::Tuple && self.decorates(self.owned.owner(parent).parent);
            if !is_closure && !self.owned.is_namespace(parent) && !self.decorates(parent) {
                return false;
            }
            at = parent;
        }
        false
    }

    /// Whether a function came from a decorator and is a module's or class's own: what it remembers of the function that it
    /// was given is meant to live as long as that.
    pub fn is_decorated(&self, function: u32, closure: u32) -> bool {
        let objects = &self.found.objects;
        let mut cells = objects.references(closure).iter().map(|each| each.target);
        let has_function = |cell| {
            objects
                .references(cell)
                .iter()
                .any(|each| self.is_function(each.target))
        };
        cells.any(has_function) && self.is_part_of_namespace(function)
    }

    fn is_function(&self, row: u32) -> bool {
        &*self.found.types.get(self.found.objects.type_of(row)).name == FUNCTION
    }

    fn decorates(&self, row: u32) -> bool {
        let name = &*self.found.types.get(self.found.objects.type_of(row)).name;
        DECORATING.contains(&name)
    }

    /// Notes a large object, once, that is perhaps held by `holder` alone.
    pub fn add_captured(&mut self, all: &mut Vec<Captured>, captor: Captor, holder: u32, row: u32, keeper: Keeper) {
        if all.iter().any(|known| known.held.subject.row == row) {
            return;
        }
        let length = self.found.objects.references(row).len() as u64;
        all.push(Captured {
            held: self.held_alone(row, length, holder),
            captor,
            keeper,
        });
    }
}
