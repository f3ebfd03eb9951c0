//! Which containers live as long as the program, so that what they gather stays.

use super::Evidence;
use super::path::is_inside;
use crate::heap::{Container, ContainerKind, Place};

/// Whether a module, a class or a module-level object holds it, itself or through other containers.
pub fn lives_as_long_as_the_program(container: &Container, evidence: &Evidence<'_>) -> bool {
    let path = container.path.as_str();
    let containers = &evidence.heap.containers;
    let in_a_cache = containers
        .iter()
        .any(|c| c.kind == ContainerKind::LruCache && is_inside(path, &c.path));
    let named = is_named(container) || containers.iter().any(|c| is_named(c) && is_inside(path, &c.path));
    named && !in_a_cache && !is_interpreters_own(path)
}

/// What the interpreter keeps for itself, and fills as modules are imported, names interned and classes made: it is no
/// choice of the program, and most of it holds its members weakly.
fn is_interpreters_own(path: &str) -> bool {
    ["(interpreter", "sys.modules", "sys.path_importer_cache"]
        .iter()
        .any(|own| path.starts_with(own))
        || path.ends_with(".__subclasses__")
        || path.contains("._abc_impl.")
}

fn is_named(container: &Container) -> bool {
    matches!(container.place, Place::Module | Place::Class | Place::Singleton)
}
