//! Many that are held alike are one cause: what is said of them is said once.

use rustc_hash::FxHashMap;

use super::path::alike;

/// Pieces of evidence whose paths differ in keys and places alone, in the order in which they came.
pub struct Alike<'a, T> {
    pub all: Vec<&'a T>,
}

impl<'a, T> Alike<'a, T> {
    /// The one that weighs most; of equals the first.
    pub fn heaviest(&self, weight: impl Fn(&T) -> u64) -> Option<&'a T> {
        let last_wins = self.all.iter().rev();
        last_wins.max_by_key(|each| weight(each)).copied()
    }

    pub fn sum(&self, of: impl Fn(&T) -> u64) -> u64 {
        self.all.iter().map(|each| of(each)).fold(0, u64::saturating_add)
    }
}

/// Puts together what is held alike and is the same in `besides`.
pub fn held_alike<'a, T, B: Eq + std::hash::Hash>(
    all: impl IntoIterator<Item = &'a T>,
    path: impl Fn(&T) -> &str,
    besides: impl Fn(&T) -> B,
) -> Vec<Alike<'a, T>> {
    let mut groups: Vec<Alike<'a, T>> = Vec::new();
    let mut known: FxHashMap<(String, B), usize> = FxHashMap::default();
    for each in all {
        let place = *known.entry((alike(path(each)), besides(each))).or_insert_with(|| {
            groups.push(Alike { all: Vec::new() });
            groups.len() - 1
        });
        groups[place].all.push(each);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_and_places_may_differ() {
        let all = [
            ("a['x'].rows", 1),
            ("b.rows", 5),
            ("a['y'].rows", 3),
            ("a['z'].rows", 3),
        ];
        let groups = held_alike(&all, |each| each.0, |_| ());
        let heaviest: Vec<_> = groups
            .iter()
            .filter_map(|group| group.heaviest(|each| each.1))
            .collect();
        assert_eq!(heaviest, [&("a['y'].rows", 3), &("b.rows", 5)]);
        let sums: Vec<u64> = groups.iter().map(|group| group.sum(|each| each.1)).collect();
        assert_eq!(sums, [7, 5]);
    }
}
