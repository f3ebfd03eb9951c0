//! Figures of recorded sites, added up by whatever tells these apart: lines, files, functions, whole stacks.

use std::hash::Hash;

use recording::weight::Weight;
use rustc_hash::FxHashMap;

use super::recorded::{Allocations, Moment, RecordedSite};

/// What samples of one moment stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figure {
    pub blocks: u64,
    pub bytes: u64,
    /// The errors of sums add up as their squares.
    error_squared: f64,
}

impl Figure {
    pub fn and(self, other: Figure) -> Figure {
        Figure {
            blocks: self.blocks.saturating_add(other.blocks),
            bytes: self.bytes.saturating_add(other.bytes),
            error_squared: self.error_squared + other.error_squared,
        }
    }

    /// The true bytes lie within so many of `bytes`, in 19 of 20 cases.
    pub fn error_bytes(self) -> u64 {
        self.error_squared.sqrt().round() as u64
    }

    /// The figure of one place in a recording with one sample in so many bytes. That none of them is of this place leaves
    /// an error, too.
    pub fn seen_in(self, sample_bytes: u64) -> Figure {
        if self.blocks > 0 || self.bytes > 0 {
            return self;
        }
        let (_, most) = Weight::default().interval(sample_bytes);
        Figure {
            error_squared: most.powi(2),
            ..self
        }
    }

    fn of(site: &RecordedSite) -> Figure {
        Figure {
            blocks: site.site.count,
            bytes: site.site.bytes,
            error_squared: (site.error_bytes as f64).powi(2),
        }
    }
}

/// The figures of one place.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    pub alive: Figure,
    pub peak: Figure,
    pub allocated: Figure,
}

impl Figures {
    pub fn and(self, other: Figures) -> Figures {
        Figures {
            alive: self.alive.and(other.alive),
            peak: self.peak.and(other.peak),
            allocated: self.allocated.and(other.allocated),
        }
    }

    /// What places are put in order by, the largest first: what was there at the peak, then what is left of it.
    pub fn rank(&self) -> [u64; 3] {
        [self.peak.bytes, self.alive.bytes, self.allocated.bytes]
    }

    fn at(&mut self, moment: Moment) -> Option<&mut Figure> {
        match moment {
            Moment::Alive => Some(&mut self.alive),
            Moment::Peak => Some(&mut self.peak),
            Moment::Allocated => Some(&mut self.allocated),
            Moment::Grown => None,
        }
    }
}

/// The figures of all sites by their keys; a site counts once for each key that it has, none of which it may have twice.
pub fn grouped<'a, K: Eq + Hash, I: IntoIterator<Item = K>>(
    allocations: &'a Allocations,
    keys: impl Fn(&'a RecordedSite) -> I,
) -> FxHashMap<K, Figures> {
    let mut groups: FxHashMap<K, Figures> = FxHashMap::default();
    for moment in Moment::ALL {
        for site in allocations.sites(moment).into_iter().flatten() {
            for key in keys(site) {
                if let Some(figure) = groups.entry(key).or_default().at(moment) {
                    *figure = figure.and(Figure::of(site));
                }
            }
        }
    }
    groups
}
