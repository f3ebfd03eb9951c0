//! How an object is held by its holder, in four bytes: a kind and a name or a number.

use std::rc::Rc;

use rustc_hash::FxHashMap;

/// A step from a holder to what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelKind {
    /// Where a path begins: a module, a thread.
    Root,
    /// `.name`: an attribute, a module's global, a member of a C structure.
    Attribute,
    /// The dict behind attributes, which paths pass over.
    Namespace,
    /// `[key]`, written out.
    Key,
    /// `[3]`.
    Index,
    /// The nth entry of a dict that is too large to keep every key's text.
    Entry,
    /// A local variable.
    Local,
    /// Held without a name of its own: a key of a dict, a member of a set, a value on a stack.
    Unnamed,
}

const KIND_SHIFT: u32 = 29;
const NUMBER: u32 = (1 << KIND_SHIFT) - 1;
const KINDS: [LabelKind; 8] = [
    LabelKind::Root,
    LabelKind::Attribute,
    LabelKind::Namespace,
    LabelKind::Key,
    LabelKind::Index,
    LabelKind::Entry,
    LabelKind::Local,
    LabelKind::Unnamed,
];

impl Label {
    /// A label with a number: an index, the id of a name. Numbers that do not fit are cut to the largest.
    pub fn new(kind: LabelKind, number: u64) -> Label {
        Label((kind as u32) << KIND_SHIFT | (number.min(u64::from(NUMBER)) as u32))
    }

    pub fn kind(self) -> LabelKind {
        KINDS[(self.0 >> KIND_SHIFT) as usize]
    }

    pub fn number(self) -> u32 {
        self.0 & NUMBER
    }

    /// All of it as one number.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// The label under which the ownership tree gathers it: places in a row are one.
    pub fn folded(self) -> Label {
        match self.kind() {
            LabelKind::Index | LabelKind::Entry => Label::new(LabelKind::Entry, 0),
            _ => self,
        }
    }
}

/// Texts with a number each.
#[derive(Debug, Default)]
pub struct Names {
    texts: Vec<Rc<str>>,
    ids: FxHashMap<Rc<str>, u32>,
}

impl Names {
    pub fn id(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let text: Rc<str> = text.into();
        let id = self.texts.len() as u32;
        self.texts.push(Rc::clone(&text));
        self.ids.insert(text, id);
        id
    }

    pub fn text(&self, id: u32) -> &str {
        self.texts.get(id as usize).map_or("", |text| text)
    }

    pub fn count(&self) -> usize {
        self.texts.len()
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
        assert_eq!(
            Label::new(LabelKind::Index, 5).folded(),
            Label::new(LabelKind::Entry, 9).folded()
        );
    }

    #[test]
    fn a_name_has_one_id() {
        let mut names = Names::default();
        let (a, b) = (names.id("a"), names.id("b"));
        assert_ne!(a, b);
        assert_eq!(names.id("a"), a);
        assert_eq!(names.text(b), "b");
    }
}
