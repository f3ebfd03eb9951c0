//! The kinds of references in saved heaps.

use std::rc::Rc;

use crate::heap::TypeTotals;
use crate::heap::detail::{By, Detail, Held};
use crate::heap::facts::Nature;
use crate::heap::graph::nodes::NodeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Attribute,
    ClassAttribute,
    Slot,
    Member,
    Default,
    /// A function's tuple of cells, and in that a variable.
    Closure,
    Cell,
    Namespace,
    Key,
    Index,
    Local,
    Task,
    Unnamed,
    Weak,
}

impl Kind {
    /// In the order of their numbers.
    pub const ALL: [Kind; 14] = [
        Kind::Attribute,
        Kind::ClassAttribute,
        Kind::Slot,
        Kind::Member,
        Kind::Default,
        Kind::Closure,
        Kind::Cell,
        Kind::Namespace,
        Kind::Key,
        Kind::Index,
        Kind::Local,
        Kind::Task,
        Kind::Unnamed,
        Kind::Weak,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Kind::Attribute => "attribute",
            Kind::ClassAttribute => "class attribute",
            Kind::Slot => "slot",
            Kind::Member => "member",
            Kind::Default => "default",
            Kind::Closure => "closure",
            Kind::Cell => "cell",
            Kind::Namespace => "namespace",
            Kind::Key => "key",
            Kind::Index => "index",
            Kind::Local => "local",
            Kind::Task => "task",
            Kind::Unnamed => "unnamed",
            Kind::Weak => "weak",
        }
    }

    /// How something is held that is of this kind and has this name; a place is told apart.
    pub fn by(self, name: Option<u32>) -> By {
        let named = name.unwrap_or_default();
        match self {
            Kind::Attribute | Kind::ClassAttribute => By::Attribute(named),
            Kind::Slot => By::Slot(named),
            Kind::Member | Kind::Default | Kind::Closure | Kind::Cell => By::Member(named),
            Kind::Namespace => By::Namespace,
            Kind::Key => By::Key(name),
            Kind::Index => By::Index(0),
            Kind::Local => By::Local(named),
            Kind::Task => By::Task(named),
            Kind::Unnamed | Kind::Weak => By::Unnamed,
        }
    }
}

/// Tells the kinds of the references of a heap.
pub struct Kinds<'a> {
    detail: &'a Detail,
    /// The dicts of classes.
    of_classes: NodeSet,
    /// Tuples in which functions have their cells.
    closures: NodeSet,
    /// By the numbers of names: what a member of this name is.
    members: Vec<(u32, Kind)>,
}

impl<'a> Kinds<'a> {
    pub fn of(detail: &'a Detail, types: &[TypeTotals]) -> Self {
        let nature = |node: u32| types.get(detail.types[node as usize] as usize).map(|each| each.nature);
        let mut of_classes = NodeSet::none_of(detail.count() as u32);
        for class in (0..detail.count() as u32).filter(|&node| nature(node) == Some(Nature::Class)) {
            for held in detail
                .references(class)
                .iter()
                .filter(|held| held.by() == By::Namespace)
            {
                of_classes.insert(held.target);
            }
        }
        let mut closures = NodeSet::none_of(detail.count() as u32);
        for &(closure, _) in detail.variables.keys() {
            closures.insert(closure);
        }
        let member = |(name, number): (&Rc<str>, u32)| {
            let kind = match &**name {
                "__defaults__" | "__kwdefaults__" => Kind::Default,
                "__closure__" => Kind::Closure,
                "cell_contents" => Kind::Cell,
                _ => return None,
            };
            Some((number, kind))
        };
        Kinds {
            detail,
            of_classes,
            closures,
            members: detail.names.iter().zip(0..).filter_map(member).collect(),
        }
    }

    /// The number of the name that a reference has, that of a variable among them whose cell it leads to.
    pub fn name(&self, holder: u32, held: Held) -> Option<u32> {
        held.by().name().or_else(|| self.variable(holder, held))
    }

    fn variable(&self, holder: u32, held: Held) -> Option<u32> {
        match held.by() {
            By::Index(place) if self.closures.contains(holder) => self.detail.variables.get(&(holder, place)).copied(),
            _ => None,
        }
    }

    pub fn kind(&self, holder: u32, held: Held) -> Kind {
        match held.by() {
            By::Attribute(_) if self.of_classes.contains(holder) => Kind::ClassAttribute,
            By::Attribute(_) => Kind::Attribute,
            By::Slot(_) => Kind::Slot,
            By::Member(name) => {
                let known = self.members.iter().find(|(number, _)| *number == name);
                known.map_or(Kind::Member, |(_, kind)| *kind)
            }
            By::Namespace => Kind::Namespace,
            By::Key(_) => Kind::Key,
            By::Index(_) if self.variable(holder, held).is_some() => Kind::Closure,
            By::Index(_) => Kind::Index,
            By::Local(_) => Kind::Local,
            By::Task(_) => Kind::Task,
            By::Unnamed => Kind::Unnamed,
        }
    }
}
