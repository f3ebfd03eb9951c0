//! What a step costs the one who reads a path. Names cost little, unnamed members more, and what the interpreter keeps for
//! itself so much that a chain through it is shown only when there is no other.

use rustc_hash::FxHashSet;

use crate::heap::facts::Facts;
use crate::heap::graph::nodes::NodeSet;
use crate::heap::graph::references::References;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::objects::HEAP;

/// An attribute, a global, a local variable.
const NAMED: u32 = 4;
/// An item, the value of a key.
const ITEM: u32 = 5;
/// A key of a dict, a member of a set, a value on a stack, whatever unknown C code holds.
const UNNAMED: u32 = 9;
/// A thread, a task: what outlives the call is the better answer.
const THREAD: u32 = 12;
/// A value that a thread works on, which may be a left-over that it works on no more.
const ON_STACK: u32 = 32;
/// Roots in parentheses: what the interpreter and its collector hold.
const INTERNAL_ROOT: u32 = 48;
/// Through what every function or class has, and back into another root.
const ROUNDABOUT: u32 = 64;

/// Members that lead from the small to the large: from a function to all globals, from a class to its relatives.
const ROUNDABOUTS: [&str; 16] = [
    "__globals__",
    "__builtins__",
    "f_globals",
    "f_builtins",
    "f_back",
    "tb_next",
    "__mro__",
    "__base__",
    "__bases__",
    "__subclasses__",
    "tp_cache",
    "__objclass__",
    "__thisclass__",
    "__self_class__",
    "__class__",
    "module",
];

/// Chains up to so much above the cheapest one are worth showing: a roundabout is not.
pub const TOLERANCE: u32 = ROUNDABOUT - 1;

pub struct Prices {
    /// Of the heap's own references, the roots, by number.
    roots: Vec<u32>,
    /// Roots that are objects, modules, and the dicts behind them.
    modules: NodeSet,
    /// The dicts behind attributes.
    pub namespaces: NodeSet,
    /// Names of members that are roundabouts.
    roundabouts: FxHashSet<u32>,
    /// The holders of what no root reaches, the last of the rows that are no objects.
    adopters: [u32; 2],
}

impl Prices {
    pub fn of(facts: &mut impl Facts, references: &References, adopters: [u32; 2], labels: &[Label]) -> Prices {
        let mut modules = NodeSet::none_of(references.nodes());
        let mut roots = Vec::new();
        for (&root, label) in references.of(HEAP).iter().zip(labels) {
            let is_object = facts.is_object(root);
            let is_task = label.kind() == LabelKind::Task;
            roots.push(match is_object && !is_task {
                true => NAMED,
                false if !is_task && is_internal(facts, *label) => INTERNAL_ROOT,
                false => THREAD,
            });
            if is_object && !is_task {
                modules.insert(root);
                let (start, end) = references.span(root);
                let numbers = (start..end).filter(|&number| labels.get(number as usize) == Some(&Label::NAMESPACE));
                numbers.for_each(|number| {
                    modules.insert(references.targets()[number as usize]);
                });
            }
        }
        let mut namespaces = NodeSet::none_of(references.nodes());
        for (&target, _) in references
            .targets()
            .iter()
            .zip(labels)
            .filter(|(_, label)| **label == Label::NAMESPACE)
        {
            namespaces.insert(target);
        }
        Prices {
            roots,
            modules,
            namespaces,
            roundabouts: ROUNDABOUTS.iter().map(|name| facts.member(name).number()).collect(),
            adopters,
        }
    }

    /// The price of a reference from `source` to `target`; `None` for the way to what no root reaches, which is a way
    /// only when there is no other.
    #[inline]
    pub fn of_step(&self, source: u32, reference: u32, target: u32, label: Label) -> Option<u32> {
        if source == HEAP {
            let price = self.roots.get(reference as usize).copied().unwrap_or(UNNAMED);
            return (!self.adopters.contains(&target)).then_some(price);
        }
        Some(match label.kind() {
            LabelKind::Namespace => 0,
            _ if self.modules.contains(target) => ROUNDABOUT,
            LabelKind::Member if self.roundabouts.contains(&label.number()) => ROUNDABOUT,
            LabelKind::Attribute | LabelKind::Slot | LabelKind::Member | LabelKind::Local | LabelKind::Task => NAMED,
            LabelKind::Value | LabelKind::Entry if self.namespaces.contains(source) => NAMED,
            LabelKind::Value | LabelKind::Index | LabelKind::Entry => ITEM,
            LabelKind::Unnamed if source <= self.adopters[1] => ON_STACK,
            LabelKind::Unnamed => UNNAMED,
        })
    }
}

/// Whether a root stands for what the interpreter or its collector holds.
fn is_internal(facts: &mut impl Facts, label: Label) -> bool {
    facts.name(HEAP, label).is_some_and(|name| name.starts_with('('))
}
