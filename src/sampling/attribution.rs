//! Gives each object of the last snapshot its place among the sites, or says why it has none. Everything adds up.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::births::{Births, Confidence, Share, Site, Source, Unseen, Why};
use super::observing::{Observed, Origin};
use crate::heap::newcomers::{Kind, Newcomers, Tally};

/// What is told apart among sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct SiteKey {
    stack: u32,
    source: Source,
    confidence: Confidence,
}

/// A part of what is to be divided: a site, and what was seen of it.
#[derive(Debug, Clone, Copy)]
struct Portion {
    key: SiteKey,
    seen: Tally,
}

/// Sites while they are summed up.
struct Sums<'a> {
    sites: FxHashMap<SiteKey, FxHashMap<u32, Tally>>,
    before: Vec<Share>,
    unobserved: Vec<Share>,
    kinds: &'a [Kind],
}

/// Where the objects were made that `newcomers` tells apart, by what was observed.
pub fn attribute(newcomers: &Newcomers, observed: &Observed) -> Births {
    let kinds = &newcomers.kinds;
    // By the number of what was seen: its kind, and where it was made.
    let mut origin_of: FxHashMap<u32, (u32, Origin)> = FxHashMap::default();
    let mut portions: Vec<Vec<Portion>> = Vec::with_capacity(kinds.len());
    for (of, kind) in (0..).zip(kinds) {
        let numbers: Vec<u32> = kind.seen.iter().map(|&(number, _)| number).collect();
        let mut of_kind: FxHashMap<SiteKey, Tally> = FxHashMap::default();
        for (&(number, bytes), origin) in kind.seen.iter().zip(observed.origins(&numbers, kind.listed.count)) {
            if let Some(origin) = origin {
                of_kind.entry(key(&origin, Source::Observed)).or_default().add(bytes);
                origin_of.insert(number, (of, origin));
            }
        }
        portions.push(sorted(of_kind));
    }
    let mut sums = Sums {
        sites: FxHashMap::default(),
        before: Vec::new(),
        unobserved: Vec::new(),
        kinds,
    };
    for (number, kind) in (0..).zip(kinds) {
        let mut unobserved = kind.others;
        let own = portions.get(number as usize).map(Vec::as_slice).unwrap_or_default();
        sums.divide(number, kind.listed, own, &mut unobserved);
        for &(holder, tally) in &kind.held {
            let of_holder = portions.get(holder as usize).map(Vec::as_slice).unwrap_or_default();
            let inherited = inherited(kind, holder, of_holder, &origin_of);
            sums.divide(number, tally, &inherited, &mut unobserved);
        }
        sums.add_unseen(kind, unobserved);
    }
    sums.into_births(observed)
}

fn key(origin: &Origin, source: Source) -> SiteKey {
    SiteKey {
        stack: origin.stack,
        source,
        confidence: origin.confidence,
    }
}

fn sorted(tallies: FxHashMap<SiteKey, Tally>) -> Vec<Portion> {
    let mut portions: Vec<Portion> = tallies.into_iter().map(|(key, seen)| Portion { key, seen }).collect();
    portions.sort_unstable_by_key(|portion| {
        let SiteKey {
            stack,
            source,
            confidence,
        } = portion.key;
        (stack, source.word(), confidence)
    });
    portions
}

/// How what objects of the type `holder` (its number) hold is divided among the sites of these holders: by what those hold that were
/// seen being made, or else as they themselves are.
fn inherited(
    kind: &Kind,
    holder: u32,
    of_holder: &[Portion],
    origin_of: &FxHashMap<u32, (u32, Origin)>,
) -> Vec<Portion> {
    let mut seen: FxHashMap<SiteKey, Tally> = FxHashMap::default();
    for (number, tally) in &kind.held_by_seen {
        if let Some((of, origin)) = origin_of.get(number)
            && *of == holder
        {
            let sum = seen.entry(inherited_key(key(origin, Source::Inherited))).or_default();
            sum.count += tally.count;
            sum.bytes = sum.bytes.saturating_add(tally.bytes);
        }
    }
    if !seen.is_empty() {
        return sorted(seen);
    }
    for portion in of_holder {
        let sum = seen.entry(inherited_key(portion.key)).or_default();
        sum.count += portion.seen.count;
        sum.bytes = sum.bytes.saturating_add(portion.seen.bytes);
    }
    sorted(seen)
}

/// Who holds an object need not have made it.
fn inherited_key(key: SiteKey) -> SiteKey {
    SiteKey {
        source: Source::Inherited,
        confidence: Confidence::Possible,
        ..key
    }
}

impl Sums<'_> {
    /// Divides objects of a kind among `portions`, in their proportions; without any, they were not observed.
    fn divide(&mut self, kind: u32, all: Tally, portions: &[Portion], unobserved: &mut Tally) {
        let seen: Vec<u64> = portions.iter().map(|portion| portion.seen.count).collect();
        let Some(counts) = apportion(all.count, &seen) else {
            unobserved.count += all.count;
            unobserved.bytes = unobserved.bytes.saturating_add(all.bytes);
            return;
        };
        // What has no objects has no bytes.
        let of_counted = |(portion, &count): (&Portion, &u64)| if count > 0 { portion.seen.bytes } else { 0 };
        let seen_bytes: Vec<u64> = portions.iter().zip(&counts).map(of_counted).collect();
        let bytes = apportion(all.bytes, &seen_bytes)
            .or_else(|| apportion(all.bytes, &counts))
            .unwrap_or_default();
        for ((portion, count), bytes) in portions.iter().zip(counts).zip(bytes) {
            let sum = self.sites.entry(portion.key).or_default().entry(kind).or_default();
            sum.count += count;
            sum.bytes = sum.bytes.saturating_add(bytes);
        }
    }

    fn add_unseen(&mut self, kind: &Kind, unobserved: Tally) {
        let share = |tally: Tally, grown: Tally| Share {
            type_name: Rc::clone(&kind.name),
            count: tally.count,
            bytes: tally.bytes,
            grown_count: grown.count,
            grown_bytes: grown.bytes,
        };
        if kind.before != Tally::default() {
            self.before.push(share(kind.before, Tally::default()));
        }
        if unobserved != Tally::default() {
            self.unobserved.push(share(unobserved, unobserved));
        }
    }

    fn into_births(self, observed: &Observed) -> Births {
        let kinds = self.kinds;
        let site = |(key, types): (SiteKey, FxHashMap<u32, Tally>)| {
            let share = |(kind, tally): (u32, Tally)| {
                let kind = kinds.get(kind as usize)?;
                Some(Share {
                    type_name: Rc::clone(&kind.name),
                    count: tally.count,
                    bytes: tally.bytes,
                    grown_count: tally.count,
                    grown_bytes: tally.bytes,
                })
            };
            let types = by_bytes(types.into_iter().filter_map(share).collect());
            Some(Site {
                stack: observed.calls(key.stack)?,
                source: key.source,
                confidence: key.confidence,
                count: types.iter().map(|share| share.count).sum(),
                bytes: types.iter().map(|share| share.bytes).sum(),
                types,
            })
        };
        let mut sites: Vec<Site> = self.sites.into_iter().filter_map(site).collect();
        sites.retain(|site| site.count > 0);
        let text = |site: &Site| format!("{:?} {:?} {:?}", site.stack, site.source, site.confidence);
        sites.sort_by_cached_key(|site| (std::cmp::Reverse(site.bytes), text(site)));
        let unseen = [(Why::BeforeAttach, self.before), (Why::NotObserved, self.unobserved)];
        Births {
            sites,
            unseen: unseen
                .into_iter()
                .filter(|(_, types)| !types.is_empty())
                .map(|(why, types)| Unseen {
                    why,
                    types: by_bytes(types),
                })
                .collect(),
        }
    }
}

/// The largest first.
fn by_bytes(mut types: Vec<Share>) -> Vec<Share> {
    types.retain(|share| share.count > 0 || share.bytes > 0);
    types.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.type_name.cmp(&b.type_name)));
    types
}

/// Divides `all` in the proportions of `parts`, so that the shares add up to it (largest remainders). `None` when there is
/// nothing to go by.
fn apportion(all: u64, parts: &[u64]) -> Option<Vec<u64>> {
    let total: u128 = parts.iter().map(|&part| u128::from(part)).sum();
    if total == 0 {
        return None;
    }
    let exact = |&part: &u64| {
        let product = u128::from(all) * u128::from(part);
        ((product / total) as u64, product % total)
    };
    let exact: Vec<(u64, u128)> = parts.iter().map(exact).collect();
    let mut shares: Vec<u64> = exact.iter().map(|&(whole, _)| whole).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&part| std::cmp::Reverse(exact[part].1));
    let left = all - shares.iter().sum::<u64>();
    for &part in order.iter().take(left as usize) {
        shares[part] += 1;
    }
    Some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_whole() {
        assert_eq!(apportion(10, &[1, 1, 1]), Some(vec![4, 3, 3]));
        assert_eq!(apportion(1, &[1, 5]), Some(vec![0, 1]));
        assert_eq!(apportion(7, &[]), None);
        assert_eq!(
            apportion(u64::MAX, &[u64::MAX, u64::MAX]).map(|shares| shares.iter().sum()),
            Some(u64::MAX)
        );
    }
}
