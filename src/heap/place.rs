//! How near an object is to a name that lives as long as the program.

use cpython::objects::content::Content;

use super::Place;
use super::labels::LabelKind;
use super::objects::{NO_OBJECT, Objects};
use super::types::Types;

/// Where the object of `row` is held.
pub fn place_of(objects: &Objects, types: &Types, row: u32) -> Place {
    match named_place(objects, types, row) {
        Place::Elsewhere => match holder(objects, row) {
            Some(holder) if matches!(named_place(objects, types, holder), Place::Module | Place::Class) => {
                Place::Singleton
            }
            _ => Place::Elsewhere,
        },
        place => place,
    }
}

/// Whether a module, a class or a frame holds the object of `row` by a name.
fn named_place(objects: &Objects, types: &Types, row: u32) -> Place {
    if objects.label[row as usize].kind() == LabelKind::Local {
        return Place::Frame;
    }
    let Some(holder) = holder(objects, row) else {
        return Place::Elsewhere;
    };
    match types.get(objects.type_of[holder as usize]).info.of_type.content {
        Content::Module => Place::Module,
        Content::Type => Place::Class,
        _ => Place::Elsewhere,
    }
}

/// The object that has the object of `row` as an attribute, the dict between them passed over.
fn holder(objects: &Objects, row: u32) -> Option<u32> {
    if objects.label[row as usize].kind() != LabelKind::Attribute {
        return None;
    }
    let parent = objects.parent[row as usize];
    let holder = match objects.label[parent as usize].kind() {
        LabelKind::Namespace => objects.parent[parent as usize],
        _ => parent,
    };
    (objects.type_of[holder as usize] != NO_OBJECT).then_some(holder)
}
