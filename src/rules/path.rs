//! Paths in Python terms, as far as rules reason about them: which of two holders holds the other.

/// Whether the object at `inner` is held, at whatever depth, by the one at `outer`.
pub fn is_inside(inner: &str, outer: &str) -> bool {
    !outer.is_empty()
        && inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.starts_with(['.', '[']) || rest.starts_with(" > "))
}

/// The paths out of `paths` that none of the others holds, in the given order; of equal paths the first.
pub fn outermost<'a>(paths: &[&'a str]) -> Vec<&'a str> {
    let mut sorted: Vec<&str> = paths.to_vec();
    sorted.sort_unstable();
    // A holder sorts before all that it holds, but a stranger may stand between: `a`, `a!`, `a.b`. So every kept path
    // stays a candidate for as long as the paths still begin with it.
    let mut kept: Vec<&str> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for path in sorted {
        open.retain(|outer| path.starts_with(outer));
        if !open.iter().any(|outer| is_inside(path, outer) || path == *outer) {
            kept.push(path);
            open.push(path);
        }
    }
    let mut wanted: std::collections::HashSet<&str> = kept.into_iter().collect();
    paths.iter().copied().filter(|path| wanted.remove(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_means_a_step_further() {
        assert!(is_inside("shop.cache.PRICES['eu']", "shop.cache.PRICES"));
        assert!(is_inside("shop.cache.PRICES.items", "shop.cache.PRICES"));
        assert!(is_inside("shop.cache.PRICES > dict", "shop.cache.PRICES"));
        assert!(!is_inside("shop.cache.PRICES", "shop.cache.PRICES"));
        assert!(!is_inside("shop.cache.PRICES_OLD", "shop.cache.PRICES"));
    }

    #[test]
    fn only_the_outermost_stay() {
        assert_eq!(
            outermost(&["b.x", "a.b['k']", "a!", "a", "a[0]", "a > set", "a"]),
            ["b.x", "a!", "a"]
        );
    }
}
