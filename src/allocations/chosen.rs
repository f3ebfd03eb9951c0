//! Which of the recorded sites are shown, and what tells them apart: filters and groupings as `tracemalloc` has them.

use std::rc::Rc;

use super::figures::{Figures, grouped};
use super::glob::Glob;
use super::lines::Subject;
use super::recorded::{Allocations, RecordedSite};
use crate::sampling::births::Call;

/// Which sites count. The default has all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Files that count, if any are named.
    pub include: Vec<Glob>,
    /// Files that do not.
    pub exclude: Vec<Glob>,
    /// Who gave the blocks out, if any are named.
    pub domains: Vec<&'static str>,
    /// A site counts for each of its calls, and not for the innermost alone.
    pub cumulative: bool,
}

/// What tells sites apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Grouping {
    #[default]
    Line,
    Function,
    File,
    Stack,
}

/// What is shown of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    pub filter: Filter,
    pub grouping: Grouping,
    /// Whose lines are shown, with their source.
    pub lines: Vec<Subject>,
}

/// What sites are grouped by: the calls of a stack, or one call of which line and function may be left out.
pub type Place = Rc<[Call]>;

impl Filter {
    /// The recording without what does not count.
    pub fn of(&self, allocations: &Allocations) -> Allocations {
        let chosen = |sites: &[RecordedSite]| -> Vec<RecordedSite> {
            sites
                .iter()
                .filter(|site| !self.calls(site).is_empty())
                .cloned()
                .collect()
        };
        Allocations {
            alive: chosen(&allocations.alive),
            at_peak: chosen(&allocations.at_peak),
            allocated: chosen(&allocations.allocated),
            lacks_allocated: !self.domains.is_empty() && allocations.sample_bytes > 0,
            grown: allocations.grown.as_deref().map(chosen),
            ..allocations.clone()
        }
    }

    /// Whether anything is left out.
    pub fn chooses(&self) -> bool {
        !(self.include.is_empty() && self.exclude.is_empty() && self.domains.is_empty())
    }

    /// The calls that a site counts for.
    fn calls<'a>(&self, site: &'a RecordedSite) -> Vec<&'a Call> {
        if !self.domains.is_empty() && !site.domain.is_some_and(|domain| self.domains.contains(&domain)) {
            return Vec::new();
        }
        let counts = |call: &&Call| {
            let any = |globs: &[Glob]| globs.iter().any(|glob| glob.fits(&call.file));
            (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
        };
        match self.cumulative {
            true => site.site.stack.iter().filter(counts).collect(),
            false => site.place().filter(counts).into_iter().collect(),
        }
    }
}

/// The figures of all that counts, by place, the largest at the peak first.
pub fn places(allocations: &Allocations, filter: &Filter, grouping: Grouping) -> Vec<(Place, Figures)> {
    let mut places: Vec<_> = grouped(allocations, |site| keys(filter.calls(site), site, grouping))
        .into_iter()
        .collect();
    places.sort_by(|(a, of_a), (b, of_b)| of_b.rank().cmp(&of_a.rank()).then_with(|| a.cmp(b)));
    places
}

/// Each place once that a site counts for.
fn keys(calls: Vec<&Call>, site: &RecordedSite, grouping: Grouping) -> Vec<Place> {
    let nameless: Rc<str> = "".into();
    let key = |call: &Call| -> Place {
        let line = call.line.filter(|_| grouping == Grouping::Line);
        let function = match (grouping, call.file.is_empty()) {
            (Grouping::File, false) => Rc::clone(&nameless),
            _ => Rc::clone(&call.function),
        };
        [Call {
            line,
            function,
            file: Rc::clone(&call.file),
        }]
        .into()
    };
    if grouping == Grouping::Stack {
        return calls.first().map(|_| Rc::clone(&site.site.stack)).into_iter().collect();
    }
    let mut keys: Vec<Place> = calls.into_iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
