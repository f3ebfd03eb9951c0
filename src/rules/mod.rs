//! The documented patterns: what is judged to be wasteful, with the evidence for it.
//!
//! A rule is one file: its page as the file's own documentation, its identity, its thresholds and one function from
//! evidence to findings. `catalogue` lists them. A rule sees data only, never the process.

use std::rc::Rc;
use std::time::Duration;

use crate::heap::Heap;
use crate::sampling::growth::Growth;

mod alike;
pub mod buffered_response;
mod busy;
pub mod captured_reference;
pub mod catalogue;
mod causes;
pub mod context_variable;
mod copied;
pub mod counting_dict;
pub mod cycle_with_finalizer;
pub mod django_prefetch;
pub mod django_queryset_cache;
pub mod django_values_list;
pub mod duplicate_strings;
#[cfg(test)]
mod fake_heap;
pub mod finding;
pub mod finished_tasks;
pub mod growing_container;
pub mod large_list;
pub mod large_temporary;
pub mod list_as_queue;
pub mod list_iterated_once;
pub mod list_membership;
mod merge;
pub mod missing_slots;
pub mod mutable_default;
pub mod needless_copy;
pub mod not_judged;
pub mod numeric_list;
pub mod page;
pub mod path;
mod piles;
pub mod record_dicts;
pub mod request_in_module;
pub mod selection;
pub mod sparse_container;
pub mod string_building;
pub mod threshold;
pub mod unbounded_cache;
pub mod unclosed_resource;
mod whose;

use finding::{Fact, Finding};
use threshold::{Threshold, Thresholds};

/// One documented pattern.
pub struct Rule {
    /// What it is called on the command line and in reports: the pattern, not its cure.
    pub name: &'static str,
    /// The rule's own file, whose leading documentation is its page.
    pub source: &'static str,
    pub thresholds: &'static [&'static Threshold],
    pub find: fn(&Evidence<'_>) -> Vec<Finding>,
}

/// Everything that rules may look at.
pub struct Evidence<'a> {
    pub heap: &'a Heap,
    pub growth: &'a Growth,
    /// Resident bytes of the process at the last snapshot.
    pub rss: u64,
    /// The memory limit that applies to the process, in bytes.
    pub memory_limit: Option<u64>,
    /// How long the program had been running at the first snapshot.
    pub age: Duration,
    pub thresholds: &'a Thresholds,
}

impl Evidence<'_> {
    /// What `threshold` was set to.
    fn limit(&self, threshold: &Threshold) -> u64 {
        self.thresholds.of(threshold)
    }

    /// These facts, and the thresholds of `rule` behind them.
    fn beside_thresholds(&self, rule: &Rule, mut facts: Vec<(&'static str, Fact)>) -> Vec<(&'static str, Fact)> {
        facts.extend(rule.thresholds.iter().map(|threshold| self.thresholds.fact(threshold)));
        facts
    }
}

/// What all rules of the catalogue find, the gravest first, and of these the costliest.
pub fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    judge_by(catalogue::RULES, evidence)
}

/// The same for some of the rules.
pub fn judge_by(rules: &[&Rule], evidence: &Evidence<'_>) -> Vec<Finding> {
    let found = rules.iter().flat_map(|rule| (rule.find)(evidence)).collect();
    let mut findings = merge::join(found);
    findings.sort_by(|a, b| {
        let gravity = |finding: &Finding| (finding.severity, finding.cost());
        gravity(b).cmp(&gravity(a)).then_with(|| sort_key(a).cmp(&sort_key(b)))
    });
    findings
}

/// An order for findings of the same gravity that does not change from run to run.
fn sort_key(finding: &Finding) -> (&'static str, Rc<str>) {
    (finding.rule, finding.object.path.as_str().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::{Container, ContainerKind};

    #[test]
    fn the_costliest_finding_comes_first() {
        let list = |path: &str, allocated: u64| Container {
            allocated: Some(allocated),
            ..fake_heap::container(path, ContainerKind::List, 200_000)
        };
        let heap = Heap {
            containers: vec![
                list("app.SMALL", 210_000),
                list("app.LARGE", 900_000),
                list("app.MIDDLE", 400_000),
            ],
            ..Heap::default()
        };
        let evidence = Evidence {
            heap: &heap,
            growth: &Growth::default(),
            rss: 0,
            memory_limit: None,
            age: Duration::ZERO,
            thresholds: &Thresholds::default(),
        };
        let paths: Vec<String> = judge(&evidence)
            .into_iter()
            .map(|finding| finding.object.path)
            .collect();
        assert_eq!(paths, ["app.LARGE", "app.MIDDLE", "app.SMALL"]);
    }
}
