//! What functions keep alive besides their code: values of defaults, and variables of calls that have returned.

use std::rc::Rc;

use cpython::bytecode;
use cpython::layout::CodeForm;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::Sight;
use super::captured::{Captor, LARGE};
use super::held_alone::HeldAlone;
use crate::heap::calls::Call;
use crate::heap::containers::{container_kind, function_name};
use crate::heap::facts::Facts;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::live::Live;
use crate::heap::names::Form;
use crate::heap::{ContainerKind, naming};

/// Defaults with fewer items are looked at only when they keep `LEAST_BYTES`.
pub const FEWEST_ITEMS: u64 = 10;
pub const LEAST_BYTES: u64 = 1 << 10;
/// So many findings of each kind are described.
const MOST: usize = 200;

/// The function or call that keeps something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeper {
    /// `module.qualname`.
    pub function: String,
    /// File and first line.
    pub defined_at: Option<(String, u32)>,
    /// The parameter or variable whose value it is.
    pub name: String,
}

/// A container that is the default of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MutableDefault {
    pub held: HeldAlone,
    pub keeper: Keeper,
    pub kind: ContainerKind,
    /// Whether it shows itself that something was put into it: room for items to come, or items that no constant is.
    pub was_filled: bool,
    /// Whether the function may change it, or hand it on to who may.
    pub may_be_changed: bool,
}

/// What is found in functions.
#[derive(Default)]
pub(super) struct Kept {
    pub defaults: Vec<MutableDefault>,
    pub captured: Vec<super::Captured>,
}

/// The labels by which functions hold what is looked for.
struct Members {
    code: Label,
    closure: Label,
    defaults: Label,
    keyword_defaults: Label,
}

/// What calls under way use themselves is not looked for: it stands in their own code.
pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, functions: &[u32], calls: &[Call]) -> Kept {
    let members = Members {
        code: sight.member("__code__"),
        closure: sight.member("__closure__"),
        defaults: sight.member("__defaults__"),
        keyword_defaults: sight.member("__kwdefaults__"),
    };
    let of_calls = calls.iter().flat_map(|call| sight.items(call.row));
    let in_use: FxHashSet<u32> = of_calls.map(|(row, _)| row).collect();
    let mut kept = Kept::default();
    for &function in functions {
        let target = |label: Label| {
            let mut references = sight.found.objects.references(function).iter();
            references.find(|each| each.label == label).map(|each| each.target)
        };
        let (code, closure) = (target(members.code), target(members.closure));
        let [defaults, by_keyword] = [members.defaults, members.keyword_defaults].map(target);
        if let Some(defaults) = defaults {
            let values: Vec<(u32, Label)> = sight.items(defaults);
            let count = values.len() as u64;
            for (value, label) in values {
                if let Some(kind) = sight.may_be_kept(value) {
                    let place = u64::from(label.number());
                    let name = code.and_then(|code| parameter(sight, code, count, place));
                    sight.add_default(&mut kept, function, defaults, value, kind, name.unwrap_or_default());
                }
            }
        }
        if let Some(by_keyword) = by_keyword {
            for (value, label) in sight.items(by_keyword) {
                if let (Some(kind), LabelKind::Value) = (sight.may_be_kept(value), label.kind()) {
                    let name = sight.name(label, Form::Name);
                    sight.add_default(&mut kept, function, by_keyword, value, kind, name);
                }
            }
        }
        let closure = closure.filter(|&closure| !sight.is_decorated(function, closure));
        if let (Some(code), Some(closure)) = (code, closure) {
            let cells = sight.items(closure).into_iter();
            for (cell, label) in cells.filter(|(cell, _)| !in_use.contains(cell)) {
                let content = sight.items(cell).first().map(|&(content, _)| content);
                if let Some(content) = content.filter(|&content| sight.may_be_captured(content)) {
                    let mut live = Live::new(&mut *sight.memory, sight.layout, &mut *sight.found);
                    let name = live.variable(code, closure, label.number());
                    let keeper = sight.keeper(function, name.as_deref().unwrap_or_default());
                    sight.add_captured(&mut kept.captured, Captor::Closure, cell, content, keeper);
                }
            }
        }
        if kept.defaults.len().max(kept.captured.len()) >= MOST {
            break;
        }
    }
    kept
}

/// The name of the parameter whose default is the `place`th of `count` (`co_argcount`, and the names of variables).
fn parameter<M: ReadMemory>(sight: &mut Sight<M>, code: u32, count: u64, place: u64) -> Option<String> {
    let at = sight.layout;
    let code = sight.found.address_of(code);
    let arguments = u64::from(sight.memory.half(code.wrapping_add(at.code.arguments)).ok()?);
    let names = match at.code.form {
        CodeForm::Tuples { varnames, .. } => varnames,
        CodeForm::LocalsPlus { names, .. } => names,
    };
    let names = sight.memory.word(code.wrapping_add(names)).ok()?;
    let place = arguments.checked_sub(count)?.checked_add(place)?;
    let known = sight.memory.word(names.wrapping_add(at.object.ob_size)).ok()?;
    let item = (place < known).then(|| names.wrapping_add(at.tuple.items).wrapping_add(8 * place))?;
    let name = sight.memory.word(item).ok()?;
    naming::name_text(sight.memory, at, name)
}

/// Whether a value of such a type may stand in code as it is: what consists of these alone may have been written there.
fn may_be_written(type_name: &str) -> bool {
    const WRITTEN: [&str; 16] = [
        "int",
        "float",
        "complex",
        "bool",
        "str",
        "bytes",
        "NoneType",
        "ellipsis",
        "tuple",
        "frozenset",
        "list",
        "dict",
        "set",
        "type",
        "function",
        "builtin_function_or_method",
    ];
    let short = type_name.strip_prefix("builtins.");
    short.is_some_and(|short| WRITTEN.contains(&short))
}

impl<M: ReadMemory> Sight<'_, '_, M> {
    /// The label of a member that this program knows by name.
    pub fn member(&mut self, name: &str) -> Label {
        Label::new(LabelKind::Member, u64::from(self.found.names.text(name)))
    }

    /// What a row holds that is no leaf, and how.
    pub fn items(&self, row: u32) -> Vec<(u32, Label)> {
        let holders = self.found.objects.holders() as u32;
        let references = self.found.objects.references(row).iter();
        let items = references.filter(|each| each.target < holders && each.target != crate::heap::objects::HEAP);
        items.map(|each| (each.target, each.label)).collect()
    }

    /// What kind of a container a default is, if it is one that can grow; `Object` where it is something else and large.
    fn may_be_kept(&self, value: u32) -> Option<ContainerKind> {
        let kind = container_kind(self.content(value)).filter(|kind| *kind != ContainerKind::LruCache);
        let items = self.found.objects.references(value).len() as u64;
        let is_worth_it = items >= FEWEST_ITEMS || self.owned.kept(value) >= LEAST_BYTES;
        kind.filter(|_| is_worth_it)
            .or_else(|| self.may_be_captured(value).then_some(ContainerKind::Object))
    }

    /// Whether it may be large. What holds a function or a method is left to what these hold.
    pub fn may_be_captured(&self, row: u32) -> bool {
        let name = &*self.found.types.get(self.found.objects.type_of(row)).name;
        let is_code = matches!(self.content(row), Content::Module | Content::Type)
            || matches!(name, "builtins.function" | "builtins.method" | "functools.partial");
        !is_code && self.owned.kept(row) >= LARGE
    }

    pub fn keeper(&mut self, function: u32, name: &str) -> Keeper {
        let address = self.found.address_of(function);
        let code = self
            .memory
            .word(address.wrapping_add(self.layout.function.code))
            .unwrap_or(0);
        Keeper {
            function: function_name(self.memory, self.layout, address).unwrap_or_else(|| "?".to_owned()),
            defined_at: naming::definition(self.memory, self.layout, code),
            name: name.to_owned(),
        }
    }

    fn add_default(
        &mut self,
        kept: &mut Kept,
        function: u32,
        holder: u32,
        value: u32,
        kind: ContainerKind,
        name: String,
    ) {
        let keeper = self.keeper(function, &name);
        if kind == ContainerKind::Object {
            self.add_captured(&mut kept.captured, Captor::Default, holder, value, keeper);
            return;
        }
        let entries = match kind {
            ContainerKind::Dict | ContainerKind::OrderedDict => u64::from(self.key_set(value).count),
            _ => 0,
        };
        let length = entries.max(match kind {
            ContainerKind::ByteArray => self.found.objects.bytes(value),
            ContainerKind::Dict | ContainerKind::OrderedDict => self.found.objects.references(value).len() as u64 / 2,
            _ => self.found.objects.references(value).len() as u64,
        });
        let address = self.found.address_of(function).wrapping_add(self.layout.function.code);
        let code = self.memory.word(address).unwrap_or(0);
        kept.defaults.push(MutableDefault {
            may_be_changed: bytecode::may_change(self.memory, self.layout, code, &keeper.name).unwrap_or(true),
            was_filled: self.was_filled(value, kind, length),
            held: self.held_alone(value, length, holder),
            keeper,
            kind,
        });
    }

    fn was_filled(&mut self, row: u32, kind: ContainerKind, length: u64) -> bool {
        let allocated = self.found.address_of(row).wrapping_add(self.layout.list.allocated);
        // A list that is made in one piece has room for an even number of items.
        let has_room = kind == ContainerKind::List && self.memory.word(allocated).is_ok_and(|room| room > length + 1);
        let name_of = |row: u32| Rc::clone(&self.found.types.get(self.found.objects.type_of(row)).name);
        let mut items = self
            .found
            .objects
            .references(row)
            .iter()
            .map(|each| name_of(each.target));
        has_room || kind == ContainerKind::Deque || items.any(|name| !may_be_written(&name))
    }
}
