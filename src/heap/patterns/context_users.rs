//! Who runs in the contexts of `contextvars`, and may ask them for values: threads, and tasks that are not done.
//!
//! A thread uses all of its context. A task uses a variable whose code says so: that of a call under way, or of a function
//! that such a call names or has at hand. Other tasks have a value because they were made where it was set.

use std::cell::RefCell;

use cpython::bytecode;
use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use cpython::objects::frames::suspended_call;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Sight;
use crate::heap::calls::Call;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::naming;
use crate::heap::objects::NO_OBJECT;
use crate::heap::tasks::is_call;

/// What stands between a call and another one that goes on with it: awaited generators, context managers that were
/// entered, and their methods on the value stack.
const BETWEEN: [&str; 8] = [
    "builtins.coroutine_wrapper",
    "builtins.async_generator_asend",
    "builtins.async_generator_athrow",
    "builtins.anext_awaitable",
    "builtins.method",
    "builtins.builtin_function_or_method",
    "contextlib._GeneratorContextManager",
    "contextlib._AsyncGeneratorContextManager",
];
/// So many objects are looked at behind a task.
const MOST_VISITED: usize = 256;
/// Of so many contexts the holders are told apart.
const MOST_TOLD: usize = 1000;

/// What runs in a context, or keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum User {
    /// A thread, in this very moment.
    Thread,
    /// A task that is not done, by its coroutine.
    Task(u32),
    /// The row of something else.
    Holder(u32),
}

/// The users of all contexts.
pub struct Users {
    of_contexts: FxHashMap<u32, Vec<User>>,
    /// Rows that refer to variables, and how.
    of_variables: FxHashMap<u32, Vec<(u32, Label)>>,
    /// The code objects of calls under way, by the rows that have their variables.
    codes: FxHashMap<u32, u64>,
    /// What is known already: whether a coroutine uses a variable.
    known: RefCell<FxHashMap<(u32, u32), bool>>,
}

/// How code may speak of a variable.
pub struct Variable {
    row: u32,
    /// The names of the variable itself, and of functions whose code uses it.
    names: FxHashSet<String>,
    /// Those functions, and cells with the variable.
    rows: FxHashSet<u32>,
}

impl Users {
    pub fn of<M: ReadMemory>(sight: &mut Sight<M>, contexts: &[u32], variables: &[u32], calls: &[Call]) -> Users {
        let wanted: FxHashSet<u32> = contexts.iter().chain(variables).copied().collect();
        let referrers = referrers(sight, &wanted);
        let mut codes: FxHashMap<u32, u64> = FxHashMap::default();
        for call in calls {
            let rows = call.again.iter().flatten().chain([&call.row]);
            codes.extend(rows.map(|&row| (row, call.call.code)));
        }
        let mut users = Users {
            of_contexts: FxHashMap::default(),
            of_variables: FxHashMap::default(),
            codes,
            known: RefCell::default(),
        };
        for &context in contexts {
            let of_context = referrers.get(&context).into_iter().flatten();
            let of_context = of_context.map(|&(holder, _)| user(sight, holder)).collect();
            users.of_contexts.insert(context, of_context);
        }
        let of_variables = variables
            .iter()
            .map(|&row| (row, referrers.get(&row).cloned().unwrap_or_default()));
        users.of_variables = of_variables.collect();
        users.add_entered(sight);
        users
    }

    /// A context that was entered from within another is what its thread comes back to.
    fn add_entered<M: ReadMemory>(&mut self, sight: &mut Sight<M>) {
        let previous = sight.member("prev");
        let of_threads = self
            .of_contexts
            .iter()
            .filter(|(_, users)| users.contains(&User::Thread));
        let mut entered: Vec<u32> = of_threads.map(|(&context, _)| context).collect();
        while let Some(context) = entered.pop() {
            let references = sight.found.objects.references(context).iter();
            for outer in references.filter(|each| each.label == previous).map(|each| each.target) {
                if let Some(users) = self.of_contexts.get_mut(&outer)
                    && !users.contains(&User::Thread)
                {
                    users.push(User::Thread);
                    entered.push(outer);
                }
            }
        }
    }

    /// Whether somebody who runs in the context may ask it for the variable.
    pub fn uses<M: ReadMemory>(&self, sight: &mut Sight<M>, context: u32, variable: &Variable) -> bool {
        let users = self.of_contexts.get(&context).map_or(&[][..], Vec::as_slice);
        users.iter().any(|&user| match user {
            User::Thread => true,
            User::Task(coroutine) => {
                let key = (coroutine, variable.row);
                let known = self.known.borrow().get(&key).copied();
                known.unwrap_or_else(|| {
                    let uses = self.task_uses(sight, coroutine, variable);
                    self.known.borrow_mut().insert(key, uses);
                    uses
                })
            }
            User::Holder(_) => false,
        })
    }

    fn task_uses<M: ReadMemory>(&self, sight: &mut Sight<M>, coroutine: u32, variable: &Variable) -> bool {
        let mut met: FxHashSet<u32> = FxHashSet::from_iter([coroutine]);
        let mut waiting = vec![coroutine];
        while let Some(row) = waiting.pop() {
            if let Some(&code) = self.codes.get(&row)
                && variable.is_named_by(sight, code)
            {
                return true;
            }
            for (held, label) in sight.items(row) {
                if held == variable.row || variable.rows.contains(&held) || is_token_of(sight, held, variable.row) {
                    return true;
                }
                if self.codes.contains_key(&row) && has_function_of(sight, held, variable) {
                    return true;
                }
                let goes_on = is_call(sight.found, held)
                    || sight.content(held) == Content::Frame
                    || label == Label::NAMESPACE
                    || BETWEEN.contains(&sight.type_name(held));
                if goes_on && met.len() < MOST_VISITED && met.insert(held) {
                    waiting.push(held);
                }
            }
        }
        false
    }

    /// Whose contexts most of these are, as the end of "only the contexts …".
    pub fn holders<M: ReadMemory>(&self, sight: &mut Sight<M>, contexts: &[u32]) -> String {
        let mut counts: FxHashMap<String, usize> = FxHashMap::default();
        let mut others = Vec::new();
        for &context in contexts.iter().take(MOST_TOLD) {
            match self.told(sight, context) {
                Some(told) => *counts.entry(told).or_default() += 1,
                None => others.push(context),
            }
        }
        others.sort_unstable();
        for pile in sight.piles(&others, 1) {
            let place = if pile.subject.address == 0 {
                &pile.first
            } else {
                &pile.subject.path
            };
            *counts.entry(format!("in {place}")).or_default() += pile.rows.len();
        }
        let most = counts
            .into_iter()
            .max_by(|(a, of_a), (b, of_b)| of_a.cmp(of_b).then_with(|| b.cmp(a)));
        most.map_or_else(String::new, |(told, _)| told)
    }

    /// Of tasks and callbacks, which have contexts without being asked to.
    fn told<M: ReadMemory>(&self, sight: &mut Sight<M>, context: u32) -> Option<String> {
        let users = self.of_contexts.get(&context)?;
        let coroutine = users.iter().find_map(|user| match user {
            User::Task(coroutine) => Some(*coroutine),
            _ => None,
        });
        if let Some(coroutine) = coroutine {
            let address = sight.found.address_of(coroutine);
            let call = suspended_call(sight.memory, sight.layout, address).ok()??;
            let function = naming::function_of(sight.memory, sight.layout, call.code);
            return Some(format!("of tasks in {function}"));
        }
        let held_by = |name: &str| {
            users.iter().any(|user| match user {
                User::Holder(row) => sight.type_name(*row).rsplit('.').next() == Some(name),
                _ => false,
            })
        };
        if held_by("TimerHandle") {
            return Some("of timers".to_owned());
        }
        held_by("Handle").then(|| "of callbacks".to_owned())
    }
}

/// Who refers to these rows, and how.
fn referrers<M>(sight: &Sight<M>, wanted: &FxHashSet<u32>) -> FxHashMap<u32, Vec<(u32, Label)>> {
    let mut referrers: FxHashMap<u32, Vec<(u32, Label)>> = FxHashMap::default();
    let objects = &sight.found.objects;
    for row in 0..objects.holders() as u32 {
        for each in objects
            .references(row)
            .iter()
            .filter(|each| wanted.contains(&each.target))
        {
            referrers.entry(each.target).or_default().push((row, each.label));
        }
    }
    referrers
}

/// What a row that refers to a context is. A task has its coroutine beside it.
fn user<M: ReadMemory>(sight: &mut Sight<M>, holder: u32) -> User {
    if sight.found.objects.type_of(holder) == NO_OBJECT {
        return User::Thread;
    }
    let mut held = sight.items(holder).into_iter().map(|(row, _)| row);
    let coroutine = held.find(|&row| {
        let address = sight.found.address_of(row);
        is_call(sight.found, row) && matches!(suspended_call(sight.memory, sight.layout, address), Ok(Some(_)))
    });
    coroutine.map_or(User::Holder(holder), User::Task)
}

/// Whether it is what `variable.set()` returned, with which it will be reset.
fn is_token_of<M>(sight: &Sight<M>, row: u32, variable: u32) -> bool {
    let mut held = sight.found.objects.references(row).iter();
    sight.type_name(row).rsplit('.').next() == Some("Token") && held.any(|each| each.target == variable)
}

/// Whether one of the attributes is a function that uses the variable, such as a handler that was registered.
fn has_function_of<M: ReadMemory>(sight: &Sight<M>, row: u32, variable: &Variable) -> bool {
    if sight.content(row) != Content::Plain {
        return false;
    }
    let own = sight.items(row);
    let in_dict = own
        .iter()
        .filter(|(_, label)| *label == Label::NAMESPACE)
        .flat_map(|&(dict, _)| sight.items(dict));
    own.iter().copied().chain(in_dict).any(|(held, label)| {
        let is_attribute = matches!(label.kind(), LabelKind::Attribute | LabelKind::Value | LabelKind::Slot);
        let of_method = || {
            sight
                .items(held)
                .iter()
                .any(|(function, _)| variable.rows.contains(function))
        };
        let is_method = sight.type_name(held) == "builtins.method";
        is_attribute && (variable.rows.contains(&held) || is_method && of_method())
    })
}

impl Variable {
    /// Looks for the names of a variable, and for the functions that use it.
    pub fn of<M: ReadMemory>(sight: &mut Sight<M>, users: &Users, row: u32, functions: &[u32]) -> Variable {
        let mut variable = Variable {
            row,
            names: FxHashSet::default(),
            rows: FxHashSet::default(),
        };
        let path = sight.path(row);
        let last = path.rsplit(['.', ' ']).next().filter(|last| !last.contains(['[', ']']));
        variable.names.extend(last.map(str::to_owned));
        for &(holder, label) in users.of_variables.get(&row).into_iter().flatten() {
            variable.names.extend(sight.attribute_name(label));
            if sight.type_name(holder) == "builtins.cell" {
                variable.rows.insert(holder);
            }
        }
        let cells = variable.rows.clone();
        let closure = sight.member("__closure__");
        let (mut names, mut rows) = (Vec::new(), Vec::new());
        for &function in functions {
            let address = sight
                .found
                .address_of(function)
                .wrapping_add(sight.layout.function.code);
            let Ok(code) = sight.memory.word(address) else {
                continue;
            };
            let has_cell = || {
                let held = sight.items(function).into_iter().filter(|(_, label)| *label == closure);
                let mut in_closure = held.flat_map(|(tuple, _)| sight.items(tuple));
                in_closure.any(|(cell, _)| cells.contains(&cell))
            };
            if !cells.is_empty() && has_cell() || variable.is_named_by(sight, code) {
                rows.push(function);
                let name = naming::code_name(sight.memory, sight.layout, code);
                names.extend(name.and_then(|name| Some(name.rsplit('.').next()?.to_owned())));
            }
        }
        variable.rows.extend(rows);
        // Every class has such methods.
        variable
            .names
            .extend(names.into_iter().filter(|name| !name.starts_with("__")));
        variable
    }

    /// Whether the code names it as a global or as an attribute.
    fn is_named_by<M: ReadMemory>(&self, sight: &mut Sight<M>, code: u64) -> bool {
        let names = bytecode::names_used(sight.memory, sight.layout, code).unwrap_or_default();
        names.into_iter().any(|name| {
            let name = naming::name_text(sight.memory, sight.layout, name);
            name.is_some_and(|name| self.names.contains(&name))
        })
    }
}
