//! How an object is held by its holder, in four bytes: a kind and a name or a number.

/// A step from a holder to what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelKind {
    /// `.name`: an attribute; of the heap itself: a module, a thread. The number is a name's.
    Attribute,
    /// `.name`: of `__slots__`, or another member that a class tells of (`PyMemberDef`). The number is a name's.
    Slot,
    /// `.name`: a member of a C structure that is known by its type, such as `__closure__`. The number is a name's.
    Member,
    /// The dict behind attributes, which paths pass over.
    Namespace,
    /// What a dict has under a key: an attribute where the dict is a namespace, else `[key]`. The number is a name's.
    Value,
    /// `[3]`.
    Index,
    /// The nth entry of a dict that is too large to note every key.
    Entry,
    /// A local variable. The number is a name's.
    Local,
    /// A task that is not done. The number is that of its name.
    Task,
    /// Held without a name of its own: a key of a dict, a member of a set, a value on a stack.
    Unnamed,
}

const KIND_SHIFT: u32 = 28;
const NUMBER: u32 = (1 << KIND_SHIFT) - 1;
const KINDS: [LabelKind; 10] = [
    LabelKind::Attribute,
    LabelKind::Slot,
    LabelKind::Member,
    LabelKind::Namespace,
    LabelKind::Value,
    LabelKind::Index,
    LabelKind::Entry,
    LabelKind::Local,
    LabelKind::Task,
    LabelKind::Unnamed,
];

impl Label {
    pub const UNNAMED: Label = Label((LabelKind::Unnamed as u32) << KIND_SHIFT);
    /// That of a word on a running call's value stack, until it is known whether the call still owns what it points at.
    pub const PERHAPS_LEFT: Label = Label((LabelKind::Unnamed as u32) << KIND_SHIFT | 1);
    pub const NAMESPACE: Label = Label((LabelKind::Namespace as u32) << KIND_SHIFT);

    /// A label with a number: an index, the id of a name. Numbers that do not fit are cut to the largest.
    #[inline]
    pub fn new(kind: LabelKind, number: u64) -> Label {
        Label((kind as u32) << KIND_SHIFT | (number.min(u64::from(NUMBER)) as u32))
    }

    #[inline]
    pub fn kind(self) -> LabelKind {
        // No label is made with a higher number.
        KINDS
            .get((self.0 >> KIND_SHIFT) as usize)
            .copied()
            .unwrap_or(LabelKind::Unnamed)
    }

    /// Whether the object is held by a name, or by what may be one: the key of a dict.
    #[inline]
    pub fn is_name(self) -> bool {
        const NAMES: u32 = 1 << LabelKind::Attribute as u32
            | 1 << LabelKind::Slot as u32
            | 1 << LabelKind::Member as u32
            | 1 << LabelKind::Value as u32
            | 1 << LabelKind::Entry as u32
            | 1 << LabelKind::Local as u32;
        NAMES >> (self.0 >> KIND_SHIFT) & 1 != 0
    }

    /// The same for all places in a container.
    #[inline]
    pub fn without_place(self, in_namespace: bool) -> Label {
        const INDEX: u32 = 1 << LabelKind::Index as u32;
        const ENTRY: u32 = 1 << LabelKind::Entry as u32;
        let places = if in_namespace { INDEX } else { INDEX | ENTRY };
        if places >> (self.0 >> KIND_SHIFT) & 1 != 0 {
            Label(self.0 & !NUMBER)
        } else {
            self
        }
    }

    #[inline]
    pub fn number(self) -> u32 {
        self.0 & NUMBER
    }

    /// All of it as one number.
    #[inline]
    pub fn bits(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_kind_and_number() {
        for kind in KINDS {
            let label = Label::new(kind, 77);
            assert_eq!((label.kind(), label.number()), (kind, 77));
        }
        assert_eq!(Label::new(LabelKind::Index, u64::MAX).number(), NUMBER);
        assert_eq!(Label::UNNAMED.kind(), LabelKind::Unnamed);
        assert_eq!(Label::NAMESPACE.kind(), LabelKind::Namespace);
    }
}
