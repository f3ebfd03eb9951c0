//! What can be asked of a heap, whether the memory of its program is at hand or it was saved.

use std::rc::Rc;

use super::graph::sizes::BytesOf;
use super::labels::Label;

/// What an object is, as far as it matters to the one who asks why others are alive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Nature {
    #[default]
    Other,
    Module,
    Class,
    Function,
    Code,
    Cell,
    Frame,
    /// A generator or a coroutine.
    Call,
    WeakReference,
}

impl Nature {
    pub const ALL: [Nature; 9] = [
        Nature::Other,
        Nature::Module,
        Nature::Class,
        Nature::Function,
        Nature::Code,
        Nature::Cell,
        Nature::Frame,
        Nature::Call,
        Nature::WeakReference,
    ];

    /// The word for it in saved heaps.
    pub fn word(self) -> &'static str {
        match self {
            Nature::Other => "other",
            Nature::Module => "module",
            Nature::Class => "class",
            Nature::Function => "function",
            Nature::Code => "code",
            Nature::Cell => "cell",
            Nature::Frame => "frame",
            Nature::Call => "call",
            Nature::WeakReference => "weak reference",
        }
    }
}

/// A type, which stands for all types of its name.
#[derive(Debug, Clone)]
pub struct Kind {
    /// `module.qualname`; empty for that of what is no object.
    pub name: Rc<str>,
    pub nature: Nature,
    pub count: u64,
    pub bytes: u64,
}

/// A reference that holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeakReference {
    pub holder: u32,
    pub target: u32,
}

/// A heap whose nodes are objects and, as the first ones, what holds objects and is none. What it does not know for
/// certain it leaves out: nothing here fails.
pub trait Facts {
    fn nodes(&self) -> u32;

    /// The address of an object; 0 for what is none.
    fn address(&self, node: u32) -> u64;

    fn bytes(&self, node: u32) -> u64;

    /// The number of its type among `kinds`, the same for all types of one name.
    fn kind_of(&self, node: u32) -> u32;

    fn kind(&self, number: u32) -> &Kind;

    fn kinds(&self) -> u32;

    /// Whether it is an object, and not a thread, a frame or the interpreter.
    fn is_object(&self, node: u32) -> bool;

    /// The label of a member that this program knows by name.
    fn member(&mut self, name: &str) -> Label;

    /// The number of the name under which `holder` holds something, the same for all names that read alike.
    fn name_number(&mut self, holder: u32, label: Label) -> u32;

    /// The name under which `holder` holds something, as code has it. `None` when it cannot be read.
    fn name(&mut self, holder: u32, label: Label) -> Option<Rc<str>>;

    /// The key under which `holder` has something, as it stands in brackets. `None` when it cannot be read.
    fn key(&mut self, holder: u32, label: Label) -> Option<Rc<str>>;

    /// `handle() at app.py:41`, of a call that is suspended.
    fn call(&mut self, node: u32) -> Option<Rc<str>>;

    /// The variable whose cell stands at `place` of the closure of the function with this code.
    fn variable(&mut self, code: u32, closure: u32, place: u32) -> Option<Rc<str>>;

    /// All weak references to objects that are alive, in the order of their addresses.
    fn weak_references(&mut self) -> Vec<WeakReference>;

    /// Pointers that should have led to an object and did not.
    fn rejected(&self) -> u64;

    fn nature(&self, node: u32) -> Nature {
        self.kind(self.kind_of(node)).nature
    }

    fn type_name(&self, node: u32) -> Rc<str> {
        Rc::clone(&self.kind(self.kind_of(node)).name)
    }

    /// Whether it is a call that is suspended: a generator or a coroutine.
    fn is_call(&self, node: u32) -> bool {
        self.nature(node) == Nature::Call
    }
}

impl<F: Facts> BytesOf for F {
    fn of(&self, node: u32) -> u64 {
        self.bytes(node)
    }

    fn from(&self, first: u32) -> impl Iterator<Item = u64> {
        (first..self.nodes()).map(|node| self.bytes(node))
    }
}

/// The name without its module for built-in types, in full for others.
pub fn short_name(name: &str) -> &str {
    name.strip_prefix("builtins.").unwrap_or(name)
}
