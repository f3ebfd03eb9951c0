//! Which containers are not the program's to empty: the interpreter's own, and the insides of caches.

use super::Evidence;
use super::path::is_inside;
use crate::heap::{Container, ContainerKind};

/// Whether somebody else than the program's code decides what is in it.
pub fn is_somebody_elses(container: &Container, evidence: &Evidence<'_>) -> bool {
    let path = container.path.as_str();
    let is_cache = |other: &&Container| other.kind == ContainerKind::LruCache;
    let mut caches = evidence.heap.containers.iter().filter(is_cache);
    is_interpreters_own(path) || caches.any(|cache| is_inside(path, &cache.path))
}

/// Whether nothing holds it any more: what it takes is the collector's to free.
pub fn is_garbage(path: &str) -> bool {
    path.starts_with("(garbage)")
}

/// Where `asyncio` knows all tasks that there are, without keeping any of them: it is for others to let go of them.
const KNOWN_TO_ASYNCIO: [&str; 6] = [
    "_asyncio > (state) _weakrefset.WeakSet",
    "_asyncio._scheduled_tasks",
    "_asyncio._all_tasks",
    "asyncio.tasks._scheduled_tasks",
    "asyncio.tasks._all_tasks",
    "asyncio.tasks._eager_tasks",
];

/// What the interpreter keeps for itself, and fills as modules are imported, names interned and classes made: it is no
/// choice of the program, and most of it holds its members weakly.
pub fn is_interpreters_own(path: &str) -> bool {
    ["(interpreter", "sys.modules", "sys.path_importer_cache"]
        .iter()
        .chain(&KNOWN_TO_ASYNCIO)
        .any(|own| path.starts_with(own))
        || path.ends_with(".__subclasses__")
        || path.contains("._abc_impl.")
}

#[cfg(test)]
mod tests {
    use crate::heap::ContainerKind;
    use crate::rules::fake_heap::{cache, container, findings};
    use crate::rules::growing_container::RULE;

    #[test]
    fn who_keeps_tasks_is_not_asyncio() {
        let growing: &[u64] = &[20_000, 21_000, 22_000];
        let set = |path| container(path, ContainerKind::Set, 22_000);
        assert_eq!(
            findings(&RULE, &[(set("asyncio.tasks._all_tasks.data"), growing)], None),
            []
        );
        assert_eq!(findings(&RULE, &[(set("shop.TASKS"), growing)], None).len(), 1);
    }

    #[test]
    fn the_inside_of_a_cache_is_left_to_the_rule_for_caches() {
        let growing: &[u64] = &[20_000, 21_000, 22_000];
        let inside = container("shop.price.cache", ContainerKind::Dict, 22_000);
        let around = cache("shop.price", 22_000, 0, 22_000);
        assert_eq!(findings(&RULE, &[(inside.clone(), growing)], None).len(), 1);
        assert_eq!(findings(&RULE, &[(inside, growing), (around, growing)], None), []);
    }
}
