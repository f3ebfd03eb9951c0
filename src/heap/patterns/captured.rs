//! Large objects that something alone keeps alive which is not made to keep data: a closure, a default, a bound method, a
//! traceback.

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use serde::{Deserialize, Serialize};

use super::functions::Keeper;
use super::held_alone::HeldAlone;
use super::{Sight, picked};
use crate::heap::facts::short_name;
use crate::heap::labels::LabelKind;
use crate::heap::names::Form;
use crate::heap::naming;
use crate::heap::objects::NO_OBJECT;

/// What keeps less is not looked at, in bytes.
pub const LARGE: u64 = 1 << 20;
/// So many are described.
const MOST: usize = 200;
/// A traceback is no longer than this.
const LONGEST_TRACEBACK: usize = 10_000;

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
    /// A variable of a call that an exception ended, whose traceback is kept.
    Traceback,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, picked: &picked::Picked, all: &mut Vec<Captured>) {
    for &row in &picked.partials {
        add_arguments(sight, row, all);
    }
    for &row in &picked.methods {
        add_instance(sight, row, all);
    }
    for &row in &picked.tracebacks {
        add_variables(sight, row, all);
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

/// Adds the variables of the call that a traceback stands for, when the exception is kept, and not just being handled.
fn add_variables<M: ReadMemory>(sight: &mut Sight<M>, traceback: u32, all: &mut Vec<Captured>) {
    if is_being_handled(sight, traceback) {
        return;
    }
    let frame_label = sight.member("tb_frame");
    let parts = sight.items(traceback);
    let Some(&(frame, _)) = parts.iter().find(|(_, label)| *label == frame_label) else {
        return;
    };
    for (value, label) in sight.items(frame) {
        if label.kind() == LabelKind::Local && sight.may_be_captured(value) {
            let code = sight.items(frame).into_iter().map(|(row, _)| row);
            let code = code.into_iter().find(|&row| sight.content(row) == Content::Code);
            let code = code.map_or(0, |row| sight.found.address_of(row));
            let keeper = Keeper {
                function: naming::function_of(sight.memory, sight.layout, code),
                defined_at: naming::definition(sight.memory, sight.layout, code),
                name: sight.name(label, Form::Name),
            };
            sight.add_captured(all, Captor::Traceback, frame, value, keeper);
        }
    }
}

/// Whether a call that runs, or a thread, holds the exception itself.
fn is_being_handled<M: ReadMemory>(sight: &Sight<M>, traceback: u32) -> bool {
    let mut row = traceback;
    for _ in 0..LONGEST_TRACEBACK {
        let name = &*sight.found.types.get(sight.found.objects.type_of(row)).name;
        if short_name(name) != "traceback" && sight.content(row) != Content::Frame {
            break;
        }
        row = sight.owned.owner(row).parent;
    }
    let holder = sight.owned.owner(row).parent;
    sight.found.objects.type_of(holder) == NO_OBJECT || sight.found.objects.type_of(row) == NO_OBJECT
}

impl<M: ReadMemory> Sight<'_, '_, M> {
    fn keeper_of(&mut self, function: Option<u32>, name: &str) -> Keeper {
        let is_function = |row: &u32| {
            let of_type = self.found.types.get(self.found.objects.type_of(*row));
            &*of_type.name == "builtins.function"
        };
        match function.filter(is_function) {
            Some(function) => self.keeper(function, name),
            None => Keeper {
                name: name.to_owned(),
                ..Keeper::default()
            },
        }
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
