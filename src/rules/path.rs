//! Paths in Python terms, as far as rules reason about them: which of two holders holds the other.

use crate::heap::without_lines;

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

/// The path with all keys, places among others and lines left out: what many that are held alike have in common.
pub fn alike(path: &str) -> String {
    let path = &*without_lines(path);
    let mut pattern = String::with_capacity(path.len());
    let mut characters = path.chars();
    // Digits tell threads and tasks apart, which begin paths.
    let numbered = path.starts_with("thread ") || path.starts_with("task ");
    let mut in_first_step = numbered;
    while let Some(character) = characters.next() {
        match character {
            '[' => {
                pattern.push_str("[…]");
                skip_key(&mut characters);
            }
            '>' => {
                in_first_step = false;
                pattern.push('>');
            }
            digit if in_first_step && digit.is_ascii_digit() => {}
            other => pattern.push(other),
        }
    }
    pattern
}

/// Goes on behind the bracket that closes a key, which may be a text with brackets of its own.
fn skip_key(characters: &mut std::str::Chars<'_>) {
    let mut quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => drop(characters.next()),
            '\'' => quoted = !quoted,
            ']' if !quoted => return,
            _ => {}
        }
    }
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
    fn what_is_held_alike_has_one_pattern() {
        assert_eq!(alike("a.USERS['it\\'s ]'].rows[3]"), "a.USERS[…].rows[…]");
        assert_eq!(
            alike("task 'Task-31' > serve() at app2.py:4 > rows"),
            "task 'Task-' > serve() at app2.py > rows"
        );
        assert_eq!(alike("a.b1"), "a.b1");
    }

    #[test]
    fn only_the_outermost_stay() {
        assert_eq!(
            outermost(&["b.x", "a.b['k']", "a!", "a", "a[0]", "a > set", "a"]),
            ["b.x", "a!", "a"]
        );
    }
}
