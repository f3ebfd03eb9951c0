//! What several looks at `tracemalloc` come to: the last one counts, and what has come since the first.

use rustc_hash::FxHashMap;

use super::{Key, Looked, Tracing, key};
use crate::sampling::births::{Births, Share};

/// The first look and the last.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    first: Option<Looked>,
    last: Option<Looked>,
}

impl Watched {
    /// A single look.
    pub fn of(looked: Looked) -> Watched {
        Watched {
            first: Some(looked),
            last: None,
        }
    }

    /// Whether it was on at the last look, be it that it could not be read at that moment.
    pub fn is_on(&self) -> bool {
        let last = self.last.as_ref().or(self.first.as_ref());
        matches!(last, Some(Looked::Read { .. } | Looked::Failed(_)))
    }

    /// Adds a look that came after all others.
    pub fn add(&mut self, looked: Looked) {
        match self.first {
            None => self.first = Some(looked),
            Some(_) => self.last = Some(looked),
        }
    }

    /// What was found last, and what a user should know of it.
    pub fn conclude(self) -> (Option<(Births, Tracing)>, Option<String>) {
        let (first, last) = match (self.first, self.last) {
            (first, Some(last)) => (first, last),
            (Some(only), None) => (None, only),
            (None, None) => return (None, None),
        };
        match last {
            Looked::Off => (None, None),
            Looked::Failed(warning) => (None, Some(warning)),
            Looked::Read {
                mut births,
                tracing,
                warning,
            } => {
                match first {
                    // Nothing was traced before it was on; of other objects it cannot be told.
                    Some(Looked::Off) => add_growth(&mut births, &Births::default()),
                    Some(Looked::Read { births: before, .. }) => {
                        add_growth(&mut births, &before);
                        add_growth_of_unseen(&mut births, &before);
                    }
                    Some(Looked::Failed(_)) | None => {}
                }
                (Some((births, tracing)), warning)
            }
        }
    }
}

fn add_growth(births: &mut Births, before: &Births) {
    let earlier: FxHashMap<Key, &[Share]> = before
        .sites
        .iter()
        .map(|site| (key(&site.stack), &*site.types))
        .collect();
    for site in &mut births.sites {
        let types = earlier.get(&key(&site.stack)).copied().unwrap_or_default();
        add_growth_of_types(&mut site.types, types);
    }
}

fn add_growth_of_unseen(births: &mut Births, before: &Births) {
    for unseen in &mut births.unseen {
        let earlier = before.unseen.iter().find(|each| each.why == unseen.why);
        let types = earlier.map(|each| each.types.as_slice()).unwrap_or_default();
        add_growth_of_types(&mut unseen.types, types);
    }
}

fn add_growth_of_types(types: &mut [Share], before: &[Share]) {
    let earlier: FxHashMap<&str, &Share> = before.iter().map(|share| (&*share.type_name, share)).collect();
    for share in types {
        let (count, bytes) = earlier
            .get(&*share.type_name)
            .map_or((0, 0), |share| (share.count, share.bytes));
        share.grown_count = share.count.saturating_sub(count);
        share.grown_bytes = share.bytes.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::births::{Call, Confidence, Site, Source, Unseen, Why};

    fn share(type_name: &str, count: u64) -> Share {
        Share {
            type_name: type_name.into(),
            count,
            bytes: 10 * count,
            grown_count: 0,
            grown_bytes: 0,
        }
    }

    fn look(function: &str, lines: &[(u32, Share)], untraced: Share) -> Looked {
        let site = |(line, share): &(u32, Share)| Site {
            stack: [Call {
                function: function.into(),
                file: "app.py".into(),
                line: Some(*line),
            }]
            .into(),
            source: Source::Tracemalloc,
            confidence: Confidence::Certain,
            count: share.count,
            bytes: share.bytes,
            types: vec![share.clone()],
        };
        Looked::Read {
            births: Births {
                sites: lines.iter().map(site).collect(),
                unseen: vec![Unseen {
                    why: Why::NotTraced,
                    types: vec![untraced],
                }],
            },
            tracing: Tracing::default(),
            warning: None,
        }
    }

    /// The growth of each site's one type, and that of the rest.
    fn growth(looks: Vec<Looked>) -> (Vec<u64>, u64) {
        let mut watched = Watched::default();
        for looked in looks {
            watched.add(looked);
        }
        let (Some((births, _)), None) = watched.conclude() else {
            panic!("nothing was found")
        };
        let of_site = |site: &Site| {
            assert_eq!(site.types[0].grown_bytes, 10 * site.types[0].grown_count);
            site.types[0].grown_count
        };
        let sites = births.sites.iter().map(of_site).collect();
        (sites, births.unseen[0].types[0].grown_count)
    }

    #[test]
    fn growth_is_what_came_since_the_first_look() {
        let first = || look("", &[(1, share("list", 5)), (2, share("dict", 9))], share("str", 7));
        let between = || look("", &[(1, share("list", 100))], share("str", 1));
        let last = || {
            let lines = [(1, share("list", 8)), (2, share("dict", 3)), (3, share("set", 4))];
            look("known by now", &lines, share("str", 9))
        };
        assert_eq!(growth(vec![first(), between(), last()]), (vec![3, 0, 4], 2));
        assert_eq!(growth(vec![last()]), (vec![0, 0, 0], 0));
        assert_eq!(growth(vec![Looked::Off, last()]), (vec![8, 3, 4], 0));
        assert_eq!(
            growth(vec![Looked::Failed("torn".to_owned()), last()]),
            (vec![0, 0, 0], 0)
        );
    }

    #[test]
    fn what_is_off_or_unreadable_at_the_end_has_no_sites() {
        let read = || look("", &[(1, share("list", 5))], share("str", 7));
        for (last, warning) in [
            (Looked::Off, None),
            (Looked::Failed("why".to_owned()), Some("why".to_owned())),
        ] {
            let mut watched = Watched::default();
            watched.add(read());
            watched.add(last);
            assert_eq!(watched.conclude(), (None, warning));
        }
        assert_eq!(Watched::default().conclude(), (None, None));
    }
}
