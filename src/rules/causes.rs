//! What of all that grows is a cause, and what grows with it: containers hold each other, and many are held alike.

use rustc_hash::{FxHashMap, FxHashSet};

use super::path::{alike, outermost};
use crate::heap::{Container, ContainerKind, Place};
use crate::sampling::growth::Series;

/// A container that grows, and how many others are held alike and grow too.
pub struct Cause<'a> {
    pub container: &'a Container,
    pub series: &'a Series,
    pub others: u64,
    /// Of all of them.
    pub bytes_grown: i64,
}

impl Cause<'_> {
    /// What a call or a task holds may be made anew in the same place, and be longer by chance.
    pub fn intervals_of_a_trend(&self) -> usize {
        let path = &self.container.path;
        let is_of_a_call =
            self.container.place == Place::Frame || ["thread ", "task "].iter().any(|start| path.starts_with(start));
        if is_of_a_call { 3 } else { 2 }
    }
}

/// Each cause once: the outermost of those that hold each other, and of those that are held alike the one that has grown
/// most.
pub fn causes<'a>(mut growing: Vec<(&'a Container, &'a Series)>) -> Vec<Cause<'a>> {
    let paths: Vec<&str> = growing.iter().map(|(container, _)| container.path.as_str()).collect();
    let outermost: FxHashSet<&str> = outermost(&paths).into_iter().collect();
    growing.retain(|(container, _)| outermost.contains(container.path.as_str()));
    growing.sort_by_key(|(container, series)| (std::cmp::Reverse(series.bytes_grown()), container.address));
    let mut causes: Vec<Cause<'_>> = Vec::new();
    let mut known: FxHashMap<(String, ContainerKind), usize> = FxHashMap::default();
    for (container, series) in growing {
        let place = *known
            .entry((alike(&container.path), container.kind))
            .or_insert_with(|| {
                causes.push(Cause {
                    container,
                    series,
                    others: 0,
                    bytes_grown: 0,
                });
                causes.len() - 1
            });
        causes[place].others += u64::from(causes[place].container.address != container.address);
        causes[place].bytes_grown = causes[place].bytes_grown.saturating_add(series.bytes_grown());
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fake_heap::{container, findings};
    use crate::rules::finding::Finding;
    use crate::rules::growing_container::RULE;

    const GROWING: &[u64] = &[20_000, 21_000, 22_000];

    fn dict(path: &str) -> Container {
        container(path, ContainerKind::Dict, 22_000)
    }

    fn paths(found: &[Finding]) -> Vec<&str> {
        found.iter().map(|finding| finding.object.path.as_str()).collect()
    }

    #[test]
    fn one_cause_is_reported_once_at_the_outermost() {
        let inner = Container {
            place: Place::Elsewhere,
            ..dict("shop.STATE['orders']")
        };
        let found = findings(&RULE, &[(inner.clone(), GROWING), (dict("shop.STATE"), GROWING)], None);
        assert_eq!(paths(&found), ["shop.STATE"]);

        let still: &[u64] = &[22_000, 22_000, 22_000];
        let found = findings(&RULE, &[(inner, GROWING), (dict("shop.STATE"), still)], None);
        assert_eq!(paths(&found), ["shop.STATE['orders']"]);
    }

    #[test]
    fn many_that_are_held_alike_are_one_cause() {
        let histories = ["eu", "us", "it's ]"].map(|key| Container {
            place: Place::Elsewhere,
            ..dict(&format!("shop.USERS['{}'].history", key.replace('\'', "\\'")))
        });
        let watched: Vec<(Container, &[u64])> = histories.into_iter().map(|each| (each, GROWING)).collect();
        let found = findings(&RULE, &watched, None);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!(
            finding.summary.ends_with("; 2 others that are held alike grow too"),
            "{}",
            finding.summary
        );
        assert_eq!(finding.saving_bytes, Some(3 * 2_000 * 108));
    }
}
