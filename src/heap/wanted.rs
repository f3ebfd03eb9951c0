//! What a heap is asked to tell besides what every report shows, because it costs.

/// A picture of a heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graph {
    /// By what would go with what: the dominator tree.
    Ownership,
    /// By type, and by what refers to it.
    Types,
    /// By the calls that made the objects.
    Allocation,
}

/// A division of all objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// By the module of their type.
    Module,
    /// By their bytes.
    Size,
    /// By type, dicts behind attributes by the type whose attributes they have.
    Owner,
    /// By the set of types that refer to them.
    Referrers,
}

/// What is to be found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    pub ownership_graph: bool,
    pub types_graph: bool,
    pub owner_division: bool,
    pub referrer_division: bool,
    /// Every object and every reference with its name.
    pub detail: bool,
    /// With the detail, the values of texts and numbers.
    pub values: bool,
}

impl Wanted {
    pub const ALL: Wanted = Wanted {
        ownership_graph: true,
        types_graph: true,
        owner_division: true,
        referrer_division: true,
        detail: true,
        values: false,
    };

    /// These divisions, and the picture if any is drawn.
    pub fn of(graph: Option<Graph>, divisions: &[Division]) -> Wanted {
        Wanted {
            ownership_graph: graph == Some(Graph::Ownership),
            types_graph: graph == Some(Graph::Types),
            owner_division: divisions.contains(&Division::Owner),
            referrer_division: divisions.contains(&Division::Referrers),
            ..Wanted::default()
        }
    }
}
